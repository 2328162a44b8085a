"""The row-wise training step, as it is compiled.

It does what a dense step does and gives the same weights, but reads and writes only those rows
that a batch looks up. In short: find the ids; catch up their rows; differentiate the rows instead
of the table; update each row once with Keras's own optimizer. ``README.md`` here explains.
"""

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.backend.rows import Rows
from rowwise.layers.lookups import recording
from rowwise.training.catch_up import Step
from rowwise.training.id_watch import IdWatch, Record
from rowwise.training.keras_seam import loss_and_updates, metrics_after
from rowwise.training.plan import embedding_layers
from rowwise.training.split_optimizer import SplitOptimizer
from rowwise.training.table import Carried, Spec
from rowwise.training.tapes import (
    EnoughSeen,
    IdsTape,
    InvalidIds,
    Lookups,
    RowsTape,
    SurveyTape,
    same_ids,
)

ops = keras.ops
rows = cast(Rows, backend_rows)  # a step is made only where there is a backend for it

State = tuple[list[Any], list[Any], list[Any], list[Any]]
"""Values of trainable, other, optimizer's and metrics' variables, as Keras's trainer has them."""


@dataclass(frozen=True)
class Distinct:
    """The rows of a table that a batch looks up."""

    ids: Any
    """int32 (m,): each once, then the table's size."""
    places: Any
    """int32: for each lookup its id's place in ``ids``."""
    blocks: Any
    """int32 scalar: how many blocks of ``ids`` are rows to be updated."""


class RowwiseStep:
    """A training step of ``model`` in which some tables train row-wise.

    Args:
        model: compiled and built.
        specs: of the tables.
        hidden: embedding layers inside loops or functions within the model.
        optimizer: the model's, split.
        block_rows: how many rows are updated at once.
        watch: where bad ids are noted.
    """

    def __init__(
        self,
        model: Any,
        specs: list[Spec],
        hidden: list[Any],
        optimizer: SplitOptimizer,
        block_rows: int,
        watch: IdWatch,
    ) -> None:
        self._model, self._specs, self._optimizer = model, specs, optimizer
        self._hidden = hidden
        self._resting = {
            index: layer.resting_rows
            for index, variable in enumerate(model.trainable_variables)
            for layer in embedding_layers(model)
            if layer.table is variable and index in optimizer.dense
            if layer.resting_rows is not None
        }
        self._block_rows, self._watch = block_rows, watch
        self._variables = [model.trainable_variables[spec.index] for spec in specs]

    def __call__(
        self, state: State, tables: list[Carried], record: Record, data: Any
    ) -> tuple[Any, State, list[Carried], Record]:
        """Train on a batch.

        Args:
            state: from before.
            tables: what each table carries.
            record: of bad ids.
            data: the batch.

        Returns:
            the logs, and state, tables and record from now on.
        """
        trainable, other, optimizer, metrics = state
        batch = keras.utils.unpack_x_y_sample_weight(data)

        looked_up, sound = self._find_ids(state, tables, record, batch)
        wanted = [
            self._find_distinct(number, tables[number], looked_up, sound)
            for number in range(len(self._specs))
        ]
        tables = [
            {**table, "scratch": scratch}
            for table, (scratch, _) in zip(tables, wanted, strict=True)
        ]
        distinct = [there for _, there in wanted]
        trainable = self._caught_up(trainable, optimizer, tables, distinct)
        state = (trainable, other, optimizer, metrics)
        updates, (of_dense, of_found), again = self._differentiate(state, looked_up, batch)
        gradients = (
            of_dense,
            [self._summed(number, again, of_found, there) for number, there in enumerate(distinct)],
        )
        unscaled, predicted, other_after, metrics = updates

        steady = same_ids(looked_up.ids, again.ids)
        clean = self._watch.is_clean(record, again.invalid)
        sound = ops.logical_and(ops.logical_and(sound, clean), steady)
        logs, metrics = metrics_after(self._model, metrics, unscaled, batch, predicted)
        state = (trainable, _chosen(sound, other_after, other), optimizer, metrics)
        state, tables = self._update(state, tables, distinct, gradients, sound)
        return logs, state, tables, self._watch.after(record, again.invalid, steady, sound)

    def _find_ids(
        self, state: State, tables: list[Carried], record: Any, batch: Any
    ) -> tuple[Lookups, Any]:
        """What is looked up, and whether all ids of this batch and of those before are valid."""
        trainable, _, optimizer, _ = state

        def look_up(variable: Any, ids: Any) -> Any:
            number = self._number_of(variable)
            spec, table = self._specs[number], tables[number]
            flat = ops.reshape(ids, (-1,))
            slots = [rows.take_rows(optimizer[place], flat) for place in spec.slots]
            values = rows.take_rows(trainable[spec.index], flat)
            values, _ = spec.rested(values, slots, rows.take_rows(table["last"], flat), table)
            return ops.reshape(values, (*ids.shape, spec.columns))

        tape = IdsTape(self._variables, self._hidden, look_up, self._count_lookups(state, batch))
        if self._specs:
            with recording(tape), suppress(EnoughSeen):
                loss_and_updates(self._model, state, *batch)
        return tape.seen, self._watch.is_clean(record, tape.seen.invalid)

    def _count_lookups(self, state: State, batch: Any) -> int:
        """How many lookups a pass through the model makes; it may depend on the batch's shape."""
        tape = SurveyTape(self._variables, self._hidden)

        def survey(state: State, batch: Any) -> None:
            with recording(tape):
                loss_and_updates(self._model, state, *batch)

        if self._specs:
            rows.shapes_of(survey, state, batch)
        return len(tape.seen.ids)

    def _find_distinct(
        self, number: int, table: Carried, looked_up: Lookups, sound: Any
    ) -> tuple[Any, Distinct]:
        """The rows of a table to be updated; none of them where a batch is not ``sound``."""
        ids = [
            ops.reshape(ids, (-1,))
            for variable, ids in zip(looked_up.variables, looked_up.ids, strict=True)
            if variable is self._variables[number]
        ]
        joined = ops.concatenate(ids) if ids[1:] else ids[0]
        size = -(-joined.shape[0] // self._block_rows) * self._block_rows
        scratch, distinct, places, count = rows.find_distinct(table["scratch"], joined, size)
        blocks = (count + self._block_rows - 1) // self._block_rows
        spec = self._specs[number]
        if spec.resting is not None:
            distinct = ops.where(spec.rests(distinct), spec.row_count, distinct)
        return scratch, Distinct(distinct, places, ops.where(sound, blocks, 0))

    def _caught_up(
        self,
        trainable: list[Any],
        optimizer: list[Any],
        tables: list[Carried],
        distinct: list[Distinct],
    ) -> list[Any]:
        """The trainable values, with those rows current that are looked up; slots stay behind."""
        trainable = list(trainable)
        for spec, table, wanted in zip(self._specs, tables, distinct, strict=True):
            if not spec.form.moves_rows:
                continue
            slots = [optimizer[place] for place in spec.slots]

            def catch_up(
                block: Any, values: Any, spec: Spec = spec, table: Carried = table,
                wanted: Distinct = wanted, slots: list[Any] = slots,
            ) -> Any:  # fmt: skip
                ids = self._block(wanted.ids, block)
                some = [rows.take_rows(slot, ids) for slot in slots]
                last = rows.take_rows(table["last"], ids)
                current, _ = spec.rested(rows.take_rows(values, ids), some, last, table)
                return rows.put_rows(values, ids, current)

            trainable[spec.index] = rows.loop(wanted.blocks, catch_up, trainable[spec.index])
        return trainable

    def _differentiate(self, state: State, looked_up: Lookups, batch: Any) -> Any:
        """Loss and gradients, with the rows that were looked up in place of the tables.

        Returns:
            what ``loss_and_updates`` gives besides the loss; the gradients, of the dense variables
            and of what each lookup found; all that this pass looked up.
        """
        trainable, *others = state

        def table_of(variable: Any) -> Any:
            return trainable[self._specs[self._number_of(variable)].index]

        found = [
            ops.zeros((math.prod(ids.shape[:-1]), variable.shape[1]), variable.dtype)
            if reduced
            else rows.take_rows(table_of(variable), ids)
            for variable, ids, reduced in zip(
                looked_up.variables, looked_up.ids, looked_up.reduced, strict=True
            )
        ]
        last_pass = Lookups()

        def reduce_rows(variable: Any, ids: Any, weights: Any) -> Any:
            return rows.reduce_rows(table_of(variable), ids, weights)

        def loss(differentiated: tuple[list[Any], list[Any]]) -> tuple[Any, Any]:
            dense, found = differentiated
            values = list(trainable)
            for index, value in zip(self._optimizer.dense, dense, strict=True):
                values[index] = value
            tape = RowsTape(self._variables, self._hidden, found, reduce_rows)
            with recording(tape):
                scaled, updates = loss_and_updates(self._model, (values, *others), *batch)
            nonlocal last_pass
            last_pass = tape.seen
            marks = [(one.ids, one.wrong) for one in tape.seen.invalid]
            return scaled, (updates, tape.seen.ids, tape.seen.weights, marks)

        dense = [trainable[index] for index in self._optimizer.dense]
        (_, aux), gradients = rows.value_and_gradient(loss)((dense, found))
        updates, ids, weights, marks = aux
        seen = replace(
            last_pass,
            ids=ids,
            weights=weights,
            invalid=[
                InvalidIds(one.layer, *mark)
                for one, mark in zip(last_pass.invalid, marks, strict=True)
            ],
        )
        return updates, gradients, seen

    def _summed(self, number: int, seen: Lookups, gradients: list[Any], wanted: Distinct) -> Any:
        """The gradient of each distinct row of a table: (m, columns)."""
        columns, count = self._specs[number].columns, wanted.ids.shape[0]
        weights, start = iter(seen.weights), 0
        plain, places, total = [], [], None
        for variable, ids, reduced, gradient in zip(
            seen.variables, seen.ids, seen.reduced, gradients, strict=True
        ):
            shares = next(weights) if reduced else None
            if variable is not self._variables[number]:
                continue
            size = math.prod(ids.shape)
            there = wanted.places[start : start + size]
            start += size
            if shares is None:
                plain.append(ops.reshape(gradient, (-1, columns)))
                places.append(there)
                continue
            shape = (-1, ids.shape[-1])
            spread = rows.spread_rows(
                gradient, ops.reshape(shares, shape), ops.reshape(there, shape), count
            )
            total = spread if total is None else total + spread
        if plain:
            joined = ops.concatenate(plain) if plain[1:] else plain[0]
            targets = ops.concatenate(places) if places[1:] else places[0]
            summed = rows.sum_rows(joined, targets, count)
            total = summed if total is None else total + summed
        if self._specs[number].resting is not None:
            updated = ops.expand_dims(wanted.ids < self._specs[number].row_count, -1)
            total = ops.where(updated, total, 0.0)
        return total

    def _update(
        self,
        state: State,
        tables: list[Carried],
        distinct: list[Distinct],
        gradients: tuple[list[Any], list[Any]],
        sound: Any,
    ) -> tuple[State, list[Carried]]:
        """Update everything; nothing where a batch is not ``sound``."""
        trainable, other, optimizer, metrics = state
        of_dense, sums = gradients
        split = self._optimizer
        norms = [_norm(one) if split.sees_norms else ops.zeros((), one.dtype) for one in sums]
        rate = split.rate(optimizer)
        dense = [trainable[index] for index in split.dense]
        new_dense, new_optimizer = split.apply_dense(optimizer, rate, dense, of_dense, norms)
        factors = split.factors(optimizer, of_dense, norms)
        counts = sound
        if split.may_skip:
            made = split.iterations(new_optimizer) > split.iterations(optimizer)
            counts = ops.logical_and(sound, made)

        trainable = list(trainable)
        for index, value in zip(split.dense, _chosen(sound, new_dense, dense), strict=True):
            trainable[index] = value
        after = _chosen(sound, new_optimizer, optimizer)
        self._keep_resting(trainable, after, state)
        tables = list(tables)
        for number, spec in enumerate(self._specs):
            step = Step(
                clock=tables[number]["clock"],
                iteration=split.iterations(optimizer),
                rate=ops.cast(rate, spec.dtype),
                counts=counts,
                globals=split.shared(optimizer),
            )
            values = [trainable[spec.index], *(optimizer[place] for place in spec.slots)]
            values, tables[number] = self._update_table(
                number, values, tables[number], distinct[number],
                sums[number], factors[number], (optimizer, step),
            )  # fmt: skip
            trainable[spec.index] = values[0]
            for place, slot in zip(spec.slots, values[1:], strict=True):
                after[place] = slot
        return (trainable, other, after, metrics), tables

    def _keep_resting(self, trainable: list[Any], optimizer: list[Any], state: State) -> None:
        """Put back rows of dense tables that never train, and their slots."""
        for index, resting in self._resting.items():
            still = ops.expand_dims(ops.convert_to_tensor(resting), -1)
            trainable[index] = ops.where(still, state[0][index], trainable[index])
            for place in self._optimizer.slots_of(index):
                if optimizer[place].shape == trainable[index].shape:
                    optimizer[place] = ops.where(still, state[2][place], optimizer[place])

    def _update_table(
        self,
        number: int,
        values: list[Any],
        table: Carried,
        wanted: Distinct,
        sums: Any,
        factor: Any,
        moment: tuple[list[Any], Step],
    ) -> tuple[list[Any], Carried]:
        """A table and its slots after a step, and what it carries."""
        spec, (optimizer, step) = self._specs[number], moment
        clock = table["clock"] + ops.cast(step.counts, "int32")

        def update(block: Any, state: tuple[list[Any], Any]) -> tuple[list[Any], Any]:
            values, last = state
            ids = self._block(wanted.ids, block)
            current, *slots = [rows.take_rows(value, ids) for value in values]
            since = rows.take_rows(last, ids)
            _, slots = spec.rested(current, slots, since, table)
            gradients = self._block(sums, block)
            if factor is not None:
                gradients = gradients * factor
            new, new_slots = self._optimizer.apply_rows(
                number, optimizer, step.rate, current, slots, gradients
            )
            written = _chosen(step.counts, [new, *new_slots], [current, *slots])
            values = [
                rows.put_rows(value, ids, some) for value, some in zip(values, written, strict=True)
            ]
            return values, rows.put_rows(last, ids, ops.broadcast_to(clock, ids.shape))

        values, last = rows.loop(wanted.blocks, update, (values, table["last"]))
        spoilt = table["spoilt"]
        if factor is not None:
            # Where dense gradients of zero become NaN, rows at rest do.
            spoilt = ops.where(step.counts, spoilt + 0 * factor, spoilt)
        history = spec.form.record(table["history"], step)
        return values, {
            **table,
            "last": last,
            "clock": clock,
            "spoilt": ops.cast(spoilt, spec.dtype),
            "history": history,
        }

    def _block(self, values: Any, number: Any) -> Any:
        """Block ``number`` of ``values`` (n,) or (n, d)."""
        start, rest = number * self._block_rows, values.shape[1:]
        place = ops.stack([start, *[ops.zeros_like(start) for _ in rest]])
        return ops.slice(values, place, (self._block_rows, *rest))

    def _number_of(self, variable: Any) -> int:
        return next(i for i, known in enumerate(self._variables) if known is variable)


def _chosen(condition: Any, new: list[Any], old: list[Any]) -> list[Any]:
    return [ops.where(condition, one, other) for one, other in zip(new, old, strict=True)]


def _norm(gradient: Any) -> Any:
    """The norm of a gradient (n, d); not finite where a part of the gradient is not."""
    return ops.sqrt(ops.sum(ops.square(gradient)))
