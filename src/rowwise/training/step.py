"""The row-wise training step, as it is compiled.

It does what a dense step does and gives the same weights, but reads and writes only those rows
that a batch looks up. In short: find the ids; catch up their rows; differentiate the rows instead
of the table; update each row once with Keras's own optimizer. ``README.md`` here explains.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.backend import trainer as backend_trainer
from rowwise.backend.rows import Rows
from rowwise.backend.trainers import State, Trainer
from rowwise.training.catch_up import Step
from rowwise.training.id_watch import IdWatch, Record
from rowwise.training.on_shards import Carried
from rowwise.training.passes import Passes
from rowwise.training.plan import embedding_layers
from rowwise.training.split_optimizer import SplitOptimizer
from rowwise.training.table import Spec
from rowwise.training.table_step import Distinct
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
        self._model, self._optimizer = model, optimizer
        self._together = together
        self._resting = {
            index: np.flatnonzero(layer.resting_rows).astype(np.int32)
            for index, variable in enumerate(model.trainable_variables)
            for layer in embedding_layers(model)
            if layer.table is variable and index in optimizer.dense
            if layer.resting_rows is not None
        }
        self._watch = watch
        self._tables = [
            together.table_step(
                number, spec, model.trainable_variables[spec.index], optimizer, block_rows
            )
            for number, spec in enumerate(specs)
        ]
        self._passes = Passes(model, self._tables, hidden, optimizer, watch, together)

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
        batch = keras.utils.unpack_x_y_sample_weight(data)

        been = self._passes(state, tables, record, batch)
        (trainable, other, optimizer, metrics), tables = been.state, list(been.tables)
        of_dense, of_found = been.gradients
        sums = []
        for number, table in enumerate(self._tables):
            one, tables[number] = table.summed(
                been.seen, of_found, tables[number], been.rows[number]
            )
            sums.append(one)
        unscaled, predicted, other_after, metrics = been.updates
        gradients, unscaled, other_after, sound = self._together.joined(
            (of_dense, sums), unscaled, (other, other_after), been.sound
        )
        logs, metrics = trainer.metrics_after(
            self._model, metrics, unscaled, batch, predicted, self._together.examples
        )
        state = (trainable, _chosen(sound, other_after, other), optimizer, metrics)
        state, tables = self._update(state, tables, been.rows, gradients, sound)
        record = self._watch.after(record, been.seen.invalid, been.steady, sound)
        if (process := self._together.unsound_elsewhere()) is not None:
            record = self._watch.elsewhere(record, process)
        return logs, state, tables, record

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

        def apply_in_place() -> list[Any]:
            split.apply_in_place(of_dense)
            return []

        resting = [self._hold_resting(index, ids, state) for index, ids in self._resting.items()]
        # A branch and no choice between numbers: what is dense may be as large as a table.
        kept = dense, [optimizer[place] for place in others]
        new_dense, new = kept if split.is_in_place else rows.either(sound, apply, lambda: kept)
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
        # Copies: where there are variables, the step is counted before these are looked at.
        iteration = split.iterations(optimizer) + 0
        shared = [one + 0 for one in split.shared(optimizer)]
        steps = [
            Step(
                clock=carried["clock"],
                iteration=iteration,
                rate=ops.cast(rate, table.spec.dtype),
                counts=counts,
                globals=shared,
            )
            for table, carried in zip(self._tables, tables, strict=True)
        ]
        of_rows = list(zip(sums, factors, strict=True))
        found = [
            table.applied(wanted, gradients, step, optimizer)
            for table, wanted, gradients, step in zip(
                self._tables, distinct, of_rows, steps, strict=True
            )
        ]
        if split.is_in_place:
            rows.either(sound, apply_in_place, lambda: [])
        for number, table in enumerate(self._tables):
            values, tables[number] = table.updated(
                table.spec.values_of(trainable, optimizer),
                tables[number],
                found[number],
                of_rows[number],
                steps[number],
                optimizer,
            )
            table.spec.put_values(values, trainable, after)
        for put_back in resting:
            put_back(trainable, after)
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


def _chosen(condition: Any, new: list[Any], old: list[Any]) -> list[Any]:
    return [
        other if one is other else ops.where(condition, one, other)
        for one, other in zip(new, old, strict=True)
    ]


def _norm(gradient: Any) -> Any:
    """The norm of a gradient (n, d); not finite where a part of the gradient is not."""
    return ops.sqrt(ops.sum(ops.square(gradient)))
