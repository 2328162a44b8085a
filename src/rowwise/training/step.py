"""The row-wise training step, as it is compiled.

It does what a dense step does and gives the same weights, but reads and writes only those rows
that a batch looks up. In short: find the ids; catch up their rows; differentiate the rows instead
of the table; update each row once with Keras's own optimizer. ``README.md`` here explains.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.backend import trainer as backend_trainer
from rowwise.backend.rows import Rows
from rowwise.backend.trainers import State, Trainer
from rowwise.layers.lookups import recording
from rowwise.training.catch_up import Step
from rowwise.training.id_watch import IdWatch, Record
from rowwise.training.on_shards import Carried
from rowwise.training.plan import embedding_layers
from rowwise.training.split_optimizer import SplitOptimizer
from rowwise.training.table import Spec
from rowwise.training.table_step import Distinct
from rowwise.training.tapes import (
    EnoughSeen,
    IdsTape,
    InvalidIds,
    Lookups,
    RowsTape,
    SurveyTape,
    same_ids,
)
from rowwise.training.together import Alone

ops = keras.ops
# A step is made only where there is a backend for it.
rows, trainer = cast(Rows, backend_rows), cast(Trainer, backend_trainer)


class RowwiseStep:
    """A training step of ``model`` in which some tables train row-wise.

    Args:
        model: compiled and built.
        specs: of the tables.
        hidden: embedding layers inside loops or functions within the model.
        optimizer: the model's, split.
        block_rows: how many rows are updated at once.
        watch: where bad ids are noted.
        together: how this process trains with others.
    """

    def __init__(
        self,
        model: Any,
        specs: list[Spec],
        hidden: list[Any],
        optimizer: SplitOptimizer,
        block_rows: int,
        watch: IdWatch,
        together: Alone,
    ) -> None:
        self._model, self._specs, self._optimizer = model, specs, optimizer
        self._together = together
        self._hidden = hidden
        self._resting = {
            index: np.flatnonzero(layer.resting_rows).astype(np.int32)
            for index, variable in enumerate(model.trainable_variables)
            for layer in embedding_layers(model)
            if layer.table is variable and index in optimizer.dense
            if layer.resting_rows is not None
        }
        self._watch = watch
        self._counts: dict[tuple[Any, ...], int] = {}
        self._variables = [model.trainable_variables[spec.index] for spec in specs]
        self._tables = [
            together.table_step(number, spec, variable, optimizer, block_rows)
            for number, (spec, variable) in enumerate(zip(specs, self._variables, strict=True))
        ]

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
        sound = self._together.meet(
            self._variables, looked_up, sound, batch[0], lambda: self._optimizer.rate(optimizer)
        )
        found = [
            table.find_distinct(carried, looked_up, sound)
            for table, carried in zip(self._tables, tables, strict=True)
        ]
        tables, distinct = [carried for carried, _ in found], [wanted for _, wanted in found]
        trainable = list(trainable)
        for number, table in enumerate(self._tables):
            values = table.spec.values_of(trainable, optimizer)
            current, distinct[number], tables[number] = table.caught_up(
                values, tables[number], distinct[number]
            )
            trainable[table.spec.index] = current
        state = (trainable, other, optimizer, metrics)
        updates, (of_dense, of_found), again = self._differentiate(
            state, looked_up, distinct, batch
        )
        sums = []
        for number, table in enumerate(self._tables):
            one, tables[number] = table.summed(again, of_found, tables[number], distinct[number])
            sums.append(one)
        unscaled, predicted, other_after, metrics = updates

        steady = same_ids(looked_up.ids, again.ids)
        clean = self._watch.is_clean(record, again.invalid)
        sound = ops.logical_and(ops.logical_and(sound, clean), steady)
        gradients, unscaled, other_after, sound = self._together.joined(
            (of_dense, sums), unscaled, (other, other_after), sound
        )
        logs, metrics = trainer.metrics_after(
            self._model, metrics, unscaled, batch, predicted, self._together.examples
        )
        state = (trainable, _chosen(sound, other_after, other), optimizer, metrics)
        state, tables = self._update(state, tables, distinct, gradients, sound)
        record = self._watch.after(record, again.invalid, steady, sound)
        if (process := self._together.unsound_elsewhere()) is not None:
            record = self._watch.elsewhere(record, process)
        return logs, state, tables, record

    def _find_ids(
        self, state: State, tables: list[Carried], record: Any, batch: Any
    ) -> tuple[Lookups, Any]:
        """What is looked up, and whether all ids of this batch and of those before are valid."""
        trainable, _, optimizer, _ = state

        def look_up(variable: Any, ids: Any) -> Any:
            number = self._number_of(variable)
            table = self._tables[number]
            return table.look_up(table.spec.values_of(trainable, optimizer), tables[number], ids)

        tape = IdsTape(self._variables, self._hidden, look_up, self._count_lookups(state, batch))
        if self._specs:
            with recording(tape), suppress(EnoughSeen):
                trainer.loss_and_updates(self._model, state, *batch)
        return tape.seen, self._watch.is_clean(record, tape.seen.invalid)

    def _count_lookups(self, state: State, batch: Any) -> int:
        """How many lookups a pass through the model makes; it may depend on the batch's shape."""
        shapes = tuple(
            None if part is None else tuple(part.shape) for part in keras.tree.flatten(batch)
        )
        if shapes in self._counts:  # where each step comes here, and not only when it is traced
            return self._counts[shapes]
        tape = SurveyTape(self._variables, self._hidden)

        def survey(state: State, batch: Any) -> None:
            with recording(tape):
                trainer.loss_and_updates(self._model, state, *batch)

        if self._specs:
            rows.shapes_of(survey, state, batch)
        self._counts[shapes] = len(tape.seen.ids)
        return self._counts[shapes]

    def _differentiate(
        self, state: State, looked_up: Lookups, distinct: list[Distinct], batch: Any
    ) -> Any:
        """Loss and gradients, with the rows that were looked up in place of the tables.

        Returns:
            what ``loss_and_updates`` gives besides the loss; the gradients, of the dense variables
            and of what each lookup found; all that this pass looked up.
        """
        trainable, other, optimizer, metrics = state

        found, reduce = [], []
        starts = [0 for _ in self._tables]
        for variable, ids, reduced in zip(
            looked_up.variables, looked_up.ids, looked_up.reduced, strict=True
        ):
            number = self._number_of(variable)
            table, wanted, start = self._tables[number], distinct[number], starts[number]
            starts[number] += math.prod(ids.shape)
            places = ops.reshape(wanted.places[start : starts[number]], ids.shape)
            value = trainable[table.spec.index]
            size = (math.prod(ids.shape[:-1]), variable.shape[1])
            found.append(
                ops.zeros(size, variable.dtype)
                if reduced
                else table.take_rows(value, ids, wanted, places)
            )
            reduce.append(partial(table.reduce_rows, value, wanted, places))
        last_pass = Lookups()

        def loss(differentiated: tuple[list[Any], list[Any]]) -> tuple[Any, Any]:
            dense, found = differentiated
            values = list(trainable)
            for index, value in zip(self._optimizer.dense, dense, strict=True):
                values[index] = value
            tape = RowsTape(self._variables, self._hidden, found, reduce)
            with recording(tape):
                scaled, updates = trainer.loss_and_updates(
                    self._model, (values, other, optimizer, metrics), *batch
                )
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
        of_tables = {place for table in self._tables for place in table.spec.slots}
        others = [place for place in range(len(optimizer)) if place not in of_tables]

        def apply() -> tuple[list[Any], list[Any]]:
            new_dense, new = split.apply_dense(optimizer, rate, dense, of_dense, norms)
            return new_dense, [new[place] for place in others]

        def apply_whole() -> list[Any]:
            split.apply_whole(of_dense)
            return []

        resting = [self._hold_resting(index, ids, state) for index, ids in self._resting.items()]
        # A branch and no choice between numbers: what is dense may be as large as a table.
        kept = dense, [optimizer[place] for place in others]
        if split.is_whole:
            rows.either(sound, apply_whole, lambda: [])
            new_dense, new = kept
        else:
            new_dense, new = rows.either(sound, apply, lambda: kept)
        after = list(optimizer)
        for place, value in zip(others, new, strict=True):
            after[place] = value
        factors = split.factors(optimizer, of_dense, norms)
        counts = sound
        if split.may_skip:
            made = split.iterations(after) > split.iterations(optimizer)
            counts = ops.logical_and(sound, made)

        trainable = list(trainable)
        for index, value in zip(split.dense, new_dense, strict=True):
            trainable[index] = value
        for put_back in resting:
            put_back(trainable, after)
        tables = list(tables)
        for number, table in enumerate(self._tables):
            spec, carried = table.spec, tables[number]
            step = Step(
                clock=carried["clock"],
                iteration=split.iterations(optimizer),
                rate=ops.cast(rate, spec.dtype),
                counts=counts,
                globals=split.shared(optimizer),
            )
            values, tables[number] = table.updated(
                spec.values_of(trainable, optimizer),
                carried,
                distinct[number],
                (sums[number], factors[number]),
                step,
                optimizer,
            )
            spec.put_values(values, trainable, after)
        return (trainable, other, after, metrics), tables

    def _hold_resting(self, index: int, ids: Any, state: State) -> Callable[..., None]:
        """Read the rows of a dense table that never train, and of its slots.

        Returns:
            a function that puts them back into trainable and optimizer's values.
        """
        shape = state[0][index].shape
        places = [
            place for place in self._optimizer.slots_of(index) if state[2][place].shape == shape
        ]
        there = ops.convert_to_tensor(ids)
        held = rows.take_rows(state[0][index], there)
        held_slots = [rows.take_rows(state[2][place], there) for place in places]

        def put_back(trainable: list[Any], optimizer: list[Any]) -> None:
            trainable[index] = rows.put_rows(trainable[index], there, held)
            for place, slot in zip(places, held_slots, strict=True):
                optimizer[place] = rows.put_rows(optimizer[place], there, slot)

        return put_back

    def _number_of(self, variable: Any) -> int:
        return next(i for i, known in enumerate(self._variables) if known is variable)


def _chosen(condition: Any, new: list[Any], old: list[Any]) -> list[Any]:
    return [
        other if one is other else ops.where(condition, one, other)
        for one, other in zip(new, old, strict=True)
    ]


def _norm(gradient: Any) -> Any:
    """The norm of a gradient (n, d); not finite where a part of the gradient is not."""
    return ops.sqrt(ops.sum(ops.square(gradient)))
