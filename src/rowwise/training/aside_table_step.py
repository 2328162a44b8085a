"""A step's part for one table that is a variable: a batch's rows are taken aside.

They are taken out of the table once, with their slots, and caught up. The model looks up in them.
They are written back once, after everything that may raise an error: so an error costs nothing.
"""

from dataclasses import replace
from typing import Any, cast

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.backend.rows import Rows
from rowwise.training.catch_up import Step
from rowwise.training.on_shards import Carried
from rowwise.training.table_step import Distinct, TableStep
from rowwise.training.tapes import Lookups

ops = keras.ops
rows = cast(Rows, backend_rows)  # a step is made only where there is a backend for it


class AsideTableStep(TableStep):
    """A ``TableStep`` with the rows of a batch in one block, of as many rows as it has."""

    def take_rows(self, table: Any, ids: Any, wanted: Distinct, places: Any) -> Any:
        """See ``TableStep``."""
        del table, ids
        return rows.take_rows(wanted.aside[0], places)

    def reduce_rows(self, table: Any, wanted: Distinct, places: Any, ids: Any, weights: Any) -> Any:
        """See ``TableStep``."""
        del table
        return rows.reduce_rows(wanted.aside[0], ops.reshape(places, ids.shape), weights)

    def find_distinct(
        self, carried: Carried, looked_up: Lookups, sound: Any = None
    ) -> tuple[Carried, Distinct]:
        """See ``TableStep``; whether a batch is sound is asked before anything is written."""
        del sound
        return super().find_distinct(carried, looked_up)

    def caught_up(
        self, values: list[Any], carried: Carried, wanted: Distinct
    ) -> tuple[Any, Distinct, Carried]:
        """See ``TableStep``; the table stays as it is."""
        moves = self.spec.form.moves
        tables = [*values, carried["last"]] if moves else values
        found, *slots = rows.take_known(tables, wanted.read)
        last = slots.pop() if moves else ops.zeros_like(wanted.read)
        current, slots = self.spec.rested(found, slots, self.spec.factors(last, carried), carried)
        if self.spec.resting is not None:
            trained = ops.expand_dims(wanted.ids < self.spec.row_count, -1)
            current = ops.where(trained, current, found)
        return values[0], replace(wanted, aside=[current, *slots]), carried

    def applied(
        self, wanted: Distinct, gradients: tuple[Any, Any], step: Step, optimizer: list[Any]
    ) -> Distinct:
        """See ``TableStep``; nothing is written yet."""
        sums, factor = gradients
        new = self._new_rows(wanted.aside, sums, factor, step, optimizer)
        return replace(wanted, aside=new)

    def updated(
        self,
        values: list[Any],
        carried: Carried,
        wanted: Distinct,
        gradients: tuple[Any, Any],
        step: Step,
        optimizer: list[Any],
    ) -> tuple[list[Any], Carried]:
        """See ``TableStep``; table, slots and ``last`` change where they are."""
        del optimizer
        factor = gradients[1]

        def write() -> list[Any]:
            tables, new = [*values], [*wanted.aside]
            if self.spec.form.moves:
                tables.append(carried["last"])
                new.append(ops.broadcast_to(carried["clock"] + 1, ops.shape(wanted.ids)))
            put = rows.put_known if self.spec.resting is None else rows.put_in_each
            put(tables, wanted.ids, new)
            return []

        rows.either(step.counts, write, lambda: [])
        return values, self._carried_on(carried, factor, step)
