"""The passes through a model that a step makes, until it has gradients of rows.

Before the first batch of a shape, one to learn what is looked up. Then, where values are in
variables and each table is looked up once, one for each batch: rows are found, caught up and
differentiated as they are asked for. Otherwise two: one for the ids alone, and one with the rows of
them all at hand.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.backend import trainer as backend_trainer
from rowwise.backend.rows import Rows
from rowwise.backend.trainers import State, Trainer
from rowwise.layers.lookups import LookupTape, recording
from rowwise.training.id_watch import IdWatch, Record
from rowwise.training.on_shards import Carried
from rowwise.training.split_optimizer import SplitOptimizer
from rowwise.training.table_step import Distinct, TableStep
from rowwise.training.tapes import (
    AtOnceTape,
    EnoughSeen,
    IdsTape,
    InvalidIds,
    Lookups,
    RowsTape,
    SurveyTape,
    UnknownLookup,
    same_ids,
)
from rowwise.training.together import Alone

ops = keras.ops
# A step is made only where there is a backend for it.
rows, trainer = cast(Rows, backend_rows), cast(Trainer, backend_trainer)


@dataclass
class Passed:
    """What a step knows after its passes through the model."""

    state: State
    """With the rows that are looked up current, unless they are taken aside."""
    tables: list[Carried]
    rows: list[Distinct]
    """Of each table, those that are looked up."""
    updates: Any
    """What ``loss_and_updates`` gives besides the loss."""
    gradients: tuple[list[Any], list[Any]]
    """Of the dense variables, and of what each lookup found."""
    seen: Lookups
    sound: Any
    """Whether the batch may change anything; a boolean scalar."""
    steady: Any
    """Whether two passes looked up the same ids; True where there was one."""


@dataclass(frozen=True)
class _Survey:
    count: int
    """How many lookups a pass makes."""
    each_once: bool
    """Whether it makes one in each table."""


class Passes:
    """The passes of the steps of ``model``.

    Args:
        model: compiled and built.
        tables: that train row-wise.
        hidden: embedding layers inside loops or functions within the model.
        optimizer: the model's, split.
        watch: where bad ids are noted.
        together: how this process trains with others.
    """

    def __init__(
        self,
        model: Any,
        tables: list[TableStep],
        hidden: list[Any],
        optimizer: SplitOptimizer,
        watch: IdWatch,
        together: Alone,
    ) -> None:
        self._model, self._tables, self._hidden = model, tables, hidden
        self._variables = [table.variable for table in tables]
        self._optimizer, self._watch, self._together = optimizer, watch, together
        self._surveys: dict[tuple[Any, ...], _Survey] = {}

    def __call__(self, state: State, tables: list[Carried], record: Record, batch: Any) -> Passed:
        """Go through the model.

        Args:
            state: before the step.
            tables: what each table carries.
            record: of bad ids.
            batch: inputs, labels and weights.
        """
        survey = self._survey(state, batch)
        alone = self._together.processes is None
        try:
            if rows.HAS_VARIABLES and survey.each_once and alone:
                return self._once(state, tables, record, batch)
            return self._twice(state, tables, record, batch, survey.count)
        except UnknownLookup:
            if not alone:  # the others have been told of other lookups
                raise
            # The step is not traced, and a branch of Python's goes another way with this batch.
            count = self._survey_now(state, batch).count
            return self._twice(state, tables, record, batch, count)

    def _survey(self, state: State, batch: Any) -> _Survey:
        """What a pass through the model looks up; it may depend on the batch's shape."""
        shapes = tuple(
            None if part is None else tuple(part.shape) for part in keras.tree.flatten(batch)
        )
        if shapes not in self._surveys:  # each step comes here where it is not traced
            self._surveys[shapes] = self._survey_now(state, batch)
        return self._surveys[shapes]

    def _survey_now(self, state: State, batch: Any) -> _Survey:
        tape = SurveyTape(self._variables, self._hidden)

        def survey(state: State, batch: Any) -> None:
            with recording(tape):
                trainer.loss_and_updates(self._model, state, *batch)

        if self._tables:
            rows.shapes_of(survey, state, batch)
        seen = sorted(map(self._number_of, tape.seen.variables))
        return _Survey(len(seen), seen == [*range(len(self._tables))])

    def _once(self, state: State, before: list[Carried], record: Record, batch: Any) -> Passed:
        trainable, _, optimizer, _ = state
        tables = list(before)
        distinct: list[Any] = [None for _ in tables]

        def find(variable: Any, ids: Any) -> tuple[TableStep, Distinct]:
            number = self._number_of(variable)
            if distinct[number] is not None:
                raise UnknownLookup
            find_rows(number, Lookups([variable], [ids], [False]))
            return self._tables[number], distinct[number]

        def find_rows(number: int, looked_up: Lookups) -> None:
            table = self._tables[number]
            carried, wanted = table.find_distinct(tables[number], looked_up)
            _, distinct[number], tables[number] = table.caught_up(
                table.spec.values_of(trainable, optimizer), carried, wanted
            )

        dense = [trainable[index] for index in self._optimizer.dense]
        seen = Lookups()

        def loss(watched: Callable[[Any], Any]) -> tuple[Any, Any]:
            tape = AtOnceTape(self._variables, self._hidden, find, watched)
            scaled, updates = self._loss(tape, state, map(watched, dense), batch)
            nonlocal seen
            seen = tape.seen
            return scaled, updates

        (_, updates), gradients = rows.watched_gradients(loss)
        for number, wanted in enumerate(distinct):
            if wanted is None:  # a branch of Python's left it out
                find_rows(number, Lookups())
        sound = self._watch.is_clean(record, seen.invalid)
        of_both = gradients[: len(dense)], gradients[len(dense) :]
        return Passed(state, tables, distinct, updates, of_both, seen, sound, steady=True)

    def _twice(
        self, state: State, tables: list[Carried], record: Record, batch: Any, count: int
    ) -> Passed:
        trainable, other, optimizer, metrics = state
        looked_up, sound = self._find_ids(state, tables, record, batch, count)
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
        updates, gradients, seen = self._differentiate(state, looked_up, distinct, batch)
        steady = same_ids(looked_up.ids, seen.ids)
        clean = self._watch.is_clean(record, seen.invalid)
        sound = ops.logical_and(ops.logical_and(sound, clean), steady)
        return Passed(state, tables, distinct, updates, gradients, seen, sound, steady)

    def _find_ids(
        self, state: State, tables: list[Carried], record: Any, batch: Any, count: int
    ) -> tuple[Lookups, Any]:
        """What is looked up, and whether all ids of this batch and of those before are valid."""
        trainable, _, optimizer, _ = state

        def look_up(variable: Any, ids: Any) -> Any:
            number = self._number_of(variable)
            table = self._tables[number]
            return table.look_up(table.spec.values_of(trainable, optimizer), tables[number], ids)

        tape = IdsTape(self._variables, self._hidden, look_up, count)
        if self._tables:
            with recording(tape), suppress(EnoughSeen):
                trainer.loss_and_updates(self._model, state, *batch)
        return tape.seen, self._watch.is_clean(record, tape.seen.invalid)

    def _differentiate(
        self, state: State, looked_up: Lookups, distinct: list[Distinct], batch: Any
    ) -> Any:
        """Loss and gradients, with the rows that were looked up in place of the tables.

        Returns:
            what ``loss_and_updates`` gives besides the loss; the gradients, of the dense variables
            and of what each lookup found; all that this pass looked up.
        """
        trainable = state[0]

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
            tape = RowsTape(self._variables, self._hidden, found, reduce)
            scaled, updates = self._loss(tape, state, dense, batch)
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

    def _loss(self, tape: LookupTape, state: State, dense: Any, batch: Any) -> Any:
        """Loss and updates with ``dense`` values in those places; ``tape`` answers lookups."""
        trainable, other, optimizer, metrics = state
        values = list(trainable)
        for index, value in zip(self._optimizer.dense, dense, strict=True):
            values[index] = value
        with recording(tape):
            given = values, other, optimizer, metrics
            return trainer.loss_and_updates(self._model, given, *batch)

    def _number_of(self, variable: Any) -> int:
        return next(i for i, known in enumerate(self._variables) if known is variable)
