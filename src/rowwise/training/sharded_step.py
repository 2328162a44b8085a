"""A training step on a table that lies on several devices.

Who has a row updates it: each device does with its shard what ``TableStep`` does with a table, for
the ids of the whole batch, of which those elsewhere count as one id of no row. Between devices go
the ids, the rows that were looked up and their gradients, and nothing else: how much that is
depends on the batch and never on the table.
"""

from dataclasses import fields, replace
from typing import Any, cast

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.backend.rows import Rows
from rowwise.backend.shards import Shards
from rowwise.training.catch_up import Step
from rowwise.training.on_shards import Carried, apart, on_shards
from rowwise.training.table_step import Distinct, TableStep
from rowwise.training.tapes import Lookups

ops = keras.ops
rows = cast(Rows, backend_rows)


class ShardedTableStep(TableStep):
    """See ``TableStep``; its arguments are whole, and what it gives is."""

    @property
    def _shards(self) -> Shards:
        assert self.spec.shards is not None
        return self.spec.shards

    def look_up(self, values: list[Any], carried: Carried, ids: Any) -> Any:
        """See ``TableStep``."""

        def find(divided: Any, ids: Any, shared: Carried) -> Any:
            values, mine = divided
            return TableStep.look_up(self, values, {**mine, **shared}, ids)

        flat = ops.reshape(ids, (-1,))
        mine, ours = apart(carried)
        found = self._shards.gather(find, (values, mine), flat, ours)
        return ops.reshape(found, (*ids.shape, self.spec.columns))

    def take_rows(self, table: Any, ids: Any, wanted: Distinct, places: Any) -> Any:
        """See ``TableStep``."""
        del wanted, places
        flat = ops.reshape(ids, (-1,))

        def find(table: Any, ids: Any, _: Any) -> Any:
            return rows.take_rows(table, ids)

        found = self._shards.gather(find, table, flat)
        return ops.reshape(found, (*ids.shape, self.spec.columns))

    def reduce_rows(self, table: Any, wanted: Distinct, places: Any, ids: Any, weights: Any) -> Any:
        """See ``TableStep``."""
        del wanted, places
        return self._shards.reduce_rows(table, ids, weights)

    def _distinct(self, carried: Carried, ids: Any, sound: Any) -> tuple[Carried, Distinct]:
        def find(_: Any, carried: Carried, ids: Any, sound: Any) -> tuple[Any, Carried]:
            own = self._shards.own_ids(ids, self.spec.row_count)
            carried, wanted = TableStep._distinct(self, carried, own, sound)
            return _packed(wanted), carried

        found, carried = on_shards(self._shards, find, (), carried, ids, sound)
        return carried, _on_all(found)

    def caught_up(
        self, values: list[Any], carried: Carried, wanted: Distinct
    ) -> tuple[Any, Distinct, Carried]:
        """See ``TableStep``."""

        def catch_up(divided: Any, carried: Carried) -> tuple[Any, Carried]:
            values, some = divided
            table, wanted, carried = TableStep.caught_up(self, values, carried, _on_one(some))
            return (table, _packed(wanted)), carried

        divided = values, _packed(wanted)
        (table, found), carried = on_shards(self._shards, catch_up, divided, carried)
        return table, _on_all(found), carried

    def summed(
        self, seen: Lookups, gradients: list[Any], carried: Carried, wanted: Distinct
    ) -> tuple[Any, Carried]:
        """See ``TableStep``."""

        def add(some: Any, carried: Carried, gradients: Any, weights: Any) -> tuple[Any, Carried]:
            here = replace(seen, weights=weights)  # of the ids, only the shape is looked at
            return TableStep.summed(self, here, gradients, carried, _on_one(some))

        packed = _packed(wanted)
        return on_shards(self._shards, add, packed, carried, gradients, seen.weights)

    def updated(
        self,
        values: list[Any],
        carried: Carried,
        wanted: Distinct,
        gradients: tuple[Any, Any],
        step: Step,
        optimizer: list[Any],
    ) -> tuple[list[Any], Carried]:
        """See ``TableStep``."""
        sums, factor = gradients
        of_step = {one.name: getattr(step, one.name) for one in fields(step)}
        common = {place: optimizer[place] for place in self._optimizer.shared_places}

        def update(
            divided: Any, carried: Carried, of_step: Any, factor: Any, common: Any
        ) -> tuple[Any, Carried]:
            values, some, sums = divided
            wanted, gradients = _on_one(some), (sums, factor)
            step = Step(**of_step)
            return TableStep.updated(self, values, carried, wanted, gradients, step, common)

        divided = values, _packed(wanted), sums
        result: tuple[list[Any], Carried] = on_shards(
            self._shards, update, divided, carried, of_step, factor, common
        )
        return result


def _packed(wanted: Distinct) -> dict[str, Any]:
    """The rows to be updated as a tree of tensors with a dimension to be divided by."""
    loops = {} if wanted.is_one_block else {"blocks": ops.reshape(wanted.blocks, (-1,))}
    return {"ids": wanted.ids, "places": wanted.places, "factors": wanted.factors, **loops}


def _on_all(tree: dict[str, Any]) -> Distinct:
    """The rows to be updated, on all devices together; only to be packed again."""
    return Distinct(tree["ids"], tree["places"], tree.get("blocks", 1), tree["factors"])


def _on_one(tree: dict[str, Any]) -> Distinct:
    """The rows to be updated on the device that is asked."""
    wanted = _on_all(tree)
    return wanted if wanted.is_one_block else replace(wanted, blocks=wanted.blocks[0])
