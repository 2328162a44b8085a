"""A training step, as far as one table is concerned.

Whatever rows a batch looks up are read and written in blocks of a fixed size, as many of them as
there are rows: shapes are static when compiled, and a block with its slots stays in cache. Where
tables are variables, ``AsideTableStep`` does it otherwise.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any, cast

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.backend.rows import Rows
from rowwise.training.catch_up import Factors, Step
from rowwise.training.on_shards import Carried
from rowwise.training.split_optimizer import SplitOptimizer
from rowwise.training.table import ASLEEP, Spec, block_of, with_block
from rowwise.training.tapes import Lookups

ops = keras.ops
rows = cast(Rows, backend_rows)  # a step is made only where there is a backend for it


@dataclass(frozen=True)
class Distinct:
    """The rows of a table that a batch looks up."""

    ids: Any
    """int32 (m,): each once, then the table's size, that of no row."""
    places: Any
    """int32: for each lookup its id's place in ``ids``."""
    blocks: Any
    """int32 scalar: how many blocks of ``ids`` are rows to be updated; the number 1, no tensor,
    where ``ids`` are one block, which then may be shorter than others."""
    factors: Factors = field(default_factory=dict)
    """What catching up their slots has to know of them."""
    read: Any = None
    """int32 (m,): the same ids, with those of rows that are looked up and never train."""
    aside: list[Any] = field(default_factory=list)
    """The rows and their slots, (m, d) each, where they are taken aside (``AsideTableStep``)."""

    @property
    def is_one_block(self) -> bool:
        """Whether there is no need for a loop."""
        return isinstance(self.blocks, int)


class TableStep:
    """What a training step does with one table.

    Args:
        number: of the table, among those that train row-wise.
        spec: of the table.
        variable: the table.
        optimizer: the model's, split.
        block_rows: how many rows are updated at once; 0 for all.
    """

    def __init__(
        self, number: int, spec: Spec, variable: Any, optimizer: SplitOptimizer, block_rows: int
    ) -> None:
        self.spec, self.variable = spec, variable
        self._number, self._optimizer, self._block_rows = number, optimizer, block_rows

    def look_up(self, values: list[Any], carried: Carried, ids: Any) -> Any:
        """Rows as they are now, for ids of any shape, from the table and its slots."""
        flat = ops.reshape(ids, (-1,))
        found, *slots = [rows.take_rows(value, flat) for value in values]
        factors = self.spec.factors(rows.take_rows(carried["last"], flat), carried)
        found, _ = self.spec.rested(found, slots, factors, carried)
        return ops.reshape(found, (*ids.shape, self.spec.columns))

    def take_rows(self, table: Any, ids: Any, wanted: Distinct, places: Any) -> Any:
        """Rows for a lookup.

        Args:
            table: with its rows caught up.
            ids: of any shape.
            wanted: the rows that the batch looks up.
            places: of the ids among them, of the same shape.
        """
        del wanted, places
        return rows.take_rows(table, ids)

    def reduce_rows(self, table: Any, wanted: Distinct, places: Any, ids: Any, weights: Any) -> Any:
        """Sums of rows by weights, as ``Rows.reduce_rows``; else as ``take_rows``."""
        del wanted, places
        return rows.reduce_rows(table, ids, weights)

    def find_distinct(
        self, carried: Carried, looked_up: Lookups, sound: Any = None
    ) -> tuple[Carried, Distinct]:
        """The rows to be updated; none of them where a batch is not ``sound``.

        None where that is not known yet.
        """
        ids = [
            ops.reshape(ids, (-1,))
            for variable, ids in zip(looked_up.variables, looked_up.ids, strict=True)
            if variable is self.variable
        ]
        if not ids:  # for batches of another shape there are some
            ids = [ops.zeros((0,), dtype="int32")]
        return self._distinct(carried, ops.concatenate(ids) if ids[1:] else ids[0], sound)

    def _distinct(self, carried: Carried, ids: Any, sound: Any) -> tuple[Carried, Distinct]:
        """As ``find_distinct``, of ``ids`` (m,)."""
        if not ids.shape[0] and not rows.HAS_VARIABLES:  # one of no row: there are no empty blocks
            nothing = ops.full((1,), self.spec.row_count, dtype="int32")
            return carried, Distinct(nothing, ids, 1, read=nothing)
        size = most = min(ids.shape[0], carried["scratch"].shape[0])
        if self._block_rows:
            size = -(-most // self._block_rows) * self._block_rows
        scratch, distinct, places, count = rows.find_distinct(carried["scratch"], ids, size)
        read = distinct
        if self.spec.resting is not None:
            rests = rows.take_rows(carried["resting"], distinct)
            distinct = ops.where(rests, self.spec.row_count, distinct)
        if self._block_rows in (0, size):  # no loop then
            blocks = 1
            if sound is not None:
                distinct = ops.where(sound, distinct, self.spec.row_count)
        else:
            blocks = (count + self._block_rows - 1) // self._block_rows
            blocks = ops.where(sound, blocks, 0)
        return {**carried, "scratch": scratch}, Distinct(distinct, places, blocks, read=read)

    def caught_up(
        self, values: list[Any], carried: Carried, wanted: Distinct
    ) -> tuple[Any, Distinct, Carried]:
        """The table with the rows that are looked up current, while their slots stay behind.

        Returns:
            the table; the rows, with their factors; what is carried.
        """
        table, *slots = values
        if not self.spec.form.moves:
            return table, wanted, carried

        def catch_up(ids: Any, table: Any) -> tuple[Any, Factors, Any]:
            last = rows.take_rows(carried["last"], ids)
            some = self.spec.factors(last, carried)
            if self.spec.form.moves_rows:
                found = [rows.take_rows(slot, ids) for slot in slots]
                current, _ = self.spec.rested(rows.take_rows(table, ids), found, some, carried)
                table = rows.put_rows(table, ids, current)
            return table, some, ops.max(last, initial=ASLEEP)

        def catch_up_block(number: Any, state: tuple[Any, Factors, Any]) -> Any:
            table, factors, latest = state
            table, some, last = catch_up(self._block(wanted, wanted.ids, number), table)
            factors = {
                name: with_block(factors[name], number, found) for name, found in some.items()
            }
            return table, factors, ops.maximum(latest, last)

        clock = carried["clock"]
        if wanted.is_one_block:
            table, factors, latest = catch_up(wanted.ids, table)
            latest = ops.maximum(clock, latest)
        else:
            shapes = rows.shapes_of(self.spec.factors, wanted.ids, carried)
            room = {name: ops.zeros(one.shape, one.dtype) for name, one in shapes.items()}
            table, factors, latest = rows.loop(wanted.blocks, catch_up_block, (table, room, clock))
        # No row is current after more steps than were made, so ``latest`` is the clock. It is taken
        # from there to show the compiler that `last` and the history, which are written by it, have
        # been read; or else they would be copied in each step.
        return table, replace(wanted, factors=factors), {**carried, "clock": latest}

    def summed(
        self, seen: Lookups, gradients: list[Any], carried: Carried, wanted: Distinct
    ) -> tuple[Any, Carried]:
        """The gradient of each distinct row, (m, columns) or more, and what is carried.

        Args:
            seen: what was looked up, in this and other tables.
            gradients: of what was looked up.
            carried: before.
            wanted: the rows.
        """
        weights, start = iter(seen.weights), 0
        total, is_room = self._zeros(carried, wanted)
        for variable, ids, reduced, gradient in zip(
            seen.variables, seen.ids, seen.reduced, gradients, strict=True
        ):
            shares = next(weights) if reduced else None
            size = math.prod(ids.shape)
            if variable is not self.variable or not size:
                continue
            there = wanted.places[start : start + size]
            start += size
            if shares is None:
                flat = ops.reshape(gradient, (-1, self.spec.columns))
                total = rows.sum_rows(total, flat, there)
            else:
                shape = (-1, ids.shape[-1])
                shares, there = ops.reshape(shares, shape), ops.reshape(there, shape)
                total = rows.spread_rows(total, gradient, shares, there)
        carried = {**carried, "room": total} if is_room else carried
        some_stay = self.spec.resting is not None or self.spec.shards is not None
        if wanted.is_one_block or some_stay:
            total = total[: ops.shape(wanted.ids)[0]]
        if some_stay:  # rows that never train, or that are on other devices
            updated = ops.expand_dims(wanted.ids < self.spec.row_count, -1)
            total = ops.where(updated, total, 0.0)
        return total, carried

    def _zeros(self, carried: Carried, wanted: Distinct) -> tuple[Any, bool]:
        """Zeros for the sums of gradients, and whether they stand in the ``room`` carried.

        It is there so that only as many rows have to be zeroed as a batch has.
        """
        room = carried["room"]
        if not self.spec.room or self.spec.room < wanted.ids.shape[0]:
            count = ops.shape(wanted.ids)[0]
            return ops.zeros((count, self.spec.columns), self.spec.dtype), False
        everywhere = self._optimizer.sees_norms
        blocks = room.shape[0] // self._block_rows if everywhere else wanted.blocks
        zeros = ops.zeros((self._block_rows, self.spec.columns), self.spec.dtype)
        return rows.loop(blocks, lambda i, sums: with_block(sums, i, zeros), room), True

    def applied(
        self, wanted: Distinct, gradients: tuple[Any, Any], step: Step, optimizer: list[Any]
    ) -> Distinct:
        """The rows as ``updated`` is to have them, which may update them itself.

        Whatever else changes where it is, and may raise an error, comes in between.
        """
        del gradients, step, optimizer
        return wanted

    def updated(
        self,
        values: list[Any],
        carried: Carried,
        wanted: Distinct,
        gradients: tuple[Any, Any],
        step: Step,
        optimizer: list[Any],
    ) -> tuple[list[Any], Carried]:
        """The table and its slots after a step, and what is carried.

        Args:
            values: of the table, its rows caught up, and of its slots.
            carried: before.
            wanted: the rows.
            gradients: of the rows, and what they are to be multiplied by, or None.
            step: the step.
            optimizer: the values of all the optimizer's variables.
        """
        sums, factor = gradients

        def update(number: Any, values: list[Any]) -> list[Any]:
            ids = self._block(wanted, wanted.ids, number)
            current, *slots = [rows.take_rows(value, ids) for value in values]
            some = {name: self._block(wanted, one, number) for name, one in wanted.factors.items()}
            _, slots = self.spec.rested(current, slots, some, carried)

            def apply() -> list[Any]:
                gradient = self._block(wanted, sums, number)
                return self._new_rows([current, *slots], gradient, factor, step, optimizer)

            # Whether a batch is sound is known for good after the second pass, when these rows are
            # caught up already: then their slots are to be so as well.
            written = rows.chosen(step.counts, apply, lambda: [current, *slots])
            return rows.put_in_each(values, ids, written)

        values = rows.loop(wanted.blocks, update, values)
        last = carried["last"]
        if self.spec.form.moves:
            clock = carried["clock"] + ops.cast(step.counts, "int32")
            current = wanted.ids
            if not wanted.is_one_block:
                current = ops.where(wanted.blocks > 0, current, self.spec.row_count)
            last = rows.put_rows(last, current, ops.zeros_like(current, dtype="int32") + clock)
        return values, {**self._carried_on(carried, factor, step), "last": last}

    def _new_rows(
        self, values: list[Any], gradient: Any, factor: Any, step: Step, optimizer: list[Any]
    ) -> list[Any]:
        """Rows and their slots (m, d) after the optimizer has updated them."""
        current, *slots = values
        if factor is not None:
            gradient = gradient * factor
        new, new_slots = self._optimizer.apply_rows(
            self._number, optimizer, step.rate, current, slots, gradient
        )
        return [new, *new_slots]

    def _carried_on(self, carried: Carried, factor: Any, step: Step) -> Carried:
        """What is carried after ``step``, but ``last``."""
        spoilt = carried["spoilt"]
        if factor is not None:
            # Where dense gradients of zero become NaN, rows at rest do.
            spoilt = ops.where(step.counts, spoilt + 0 * factor, spoilt)
        return {
            **carried,
            "clock": carried["clock"] + ops.cast(step.counts, "int32"),
            "spoilt": ops.cast(spoilt, self.spec.dtype),
            "history": self.spec.form.record(carried["history"], step),
        }

    def _block(self, wanted: Distinct, values: Any, number: Any) -> Any:
        return values if wanted.is_one_block else block_of(values, number, self._block_rows)
