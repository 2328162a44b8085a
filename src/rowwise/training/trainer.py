"""``RowwiseTrainer``: Keras's ``fit`` with row-wise steps in it."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any, TextIO

import numpy as np

from rowwise.backend import rows, shards_of, trainer
from rowwise.backend.processes import connected
from rowwise.errors import WorkerError
from rowwise.text import Vocabulary
from rowwise.training.id_watch import IdWatch, Record
from rowwise.training.keras_seam import has_own_train_step, on_one_device
from rowwise.training.plan import (
    Decision,
    check_before_training,
    decide,
    embedding_layers,
    of_stock_layers,
    preview,
)
from rowwise.training.resizing import find_table, resize_table
from rowwise.training.spare_rows import note_spare_rows
from rowwise.training.split_optimizer import SplitOptimizer
from rowwise.training.step import RowwiseStep
from rowwise.training.table import CAPACITY, Spec, Table
from rowwise.training.together import Alone, together
from rowwise.training.watching import as_they_are

# Executions of the step between two looks for bad ids. A look waits for the step.
LOOK_EVERY = 32


class _Run:
    """What a model trains by, from its first batch after `compile` on."""

    def __init__(self, model: Any, state: Any, data: Any, together: Alone) -> None:
        self.together = together
        self.decisions, hidden = decide(model, state, data, CAPACITY, self.together.totals)
        by_table = {id(d.layer.table): d for d in self.decisions if d.form is not None}
        variables, optimizer = model.trainable_variables, model.optimizer
        indices = [i for i, variable in enumerate(variables) if id(variable) in by_table]
        chosen = [by_table[id(variables[i])] for i in indices]
        most = max((decision.lookups for decision in chosen), default=1)
        assert rows is not None
        assert trainer is not None
        block = rows.batch_block(most)
        with on_one_device():  # its variables are blocks, or hold no values
            split = SplitOptimizer(optimizer, variables, indices, block)
        self.tables = []
        for index, slots, decision in zip(indices, split.slots, chosen, strict=True):
            variable = variables[index]
            assert decision.form is not None
            row_count, columns = variable.shape
            resting = decision.layer.resting_rows
            if resting is not None:
                resting = np.pad(resting, (0, row_count - len(resting)))
            shards = shards_of(state[0][index])[0]
            if shards is not None:
                row_count //= shards.count
            room = rows.batch_room(min(decision.lookups, row_count), block)
            spec = Spec(
                index,
                slots,
                decision.form,
                row_count,
                columns,
                variable.dtype,
                room,
                resting,
                shards,
                split.may_spoil,
            )
            held = [optimizer.variables[place] for place in slots]
            self.tables.append(Table(spec, variable, held, model))
        self._split = split
        self.watch = IdWatch()
        self.record: Record = self.watch.begin()
        self._executions = 0
        specs = [table.spec for table in self.tables]
        step = RowwiseStep(model, specs, hidden, split, block, self.watch, self.together)
        self._step = trainer.compiled(model, step)

    def begin(self, model: Any) -> None:
        """Let all processes that train together start from the same values."""
        for table in self.tables:
            table.read()
        self.together.begin(model)
        for table in self.tables:
            table.forget()

    def train(self, state: Any, data: Any) -> tuple[Any, Any]:
        """The logs and the state after a step on ``data``."""
        base = self._split.iterations(state[2])
        carried = [
            table.take_carried([state[2][place] for place in table.spec.slots], base)
            for table in self.tables
        ]
        try:
            logs, state, carried, self.record = self._step(state, carried, self.record, data)
        except BaseException:
            # In tracing for a batch of another shape, nothing was overwritten yet. Where rows were,
            # in their places, they are as current as what is carried says.
            for table, kept in zip(self.tables, carried, strict=True):
                table.keep_carried(kept, 0)
            raise
        for table, kept in zip(self.tables, carried, strict=True):
            table.keep_carried(kept, 1)
        self._executions += 1
        return logs, state

    @property
    def is_look_due(self) -> bool:
        """Whether enough steps were made since the last look for bad ids."""
        return self._executions % LOOK_EVERY == LOOK_EVERY - 1

    def with_room(self, state: Any) -> Any:
        """The state, with all rows current if their histories have no room for another step."""
        if all(table.steps < CAPACITY for table in self.tables):
            return state
        trainable, other, optimizer, metrics = (list(part) for part in state)
        for table in self.tables:
            values = table.flushed(table.spec.values_of(trainable, optimizer))
            table.spec.put_values(values, trainable, optimizer)
        return trainable, other, optimizer, metrics

    def raise_bad_ids(self) -> None:
        """Raise an InvalidIdError if a batch had a bad id, and forget it."""
        error = self.watch.error(self.record)
        if error is not None:
            self.record = self.watch.begin()
            raise error


class RowwiseTrainer(object if trainer is None else trainer.TrainerSeam):  # type: ignore[misc]
    """A base of models, before ``keras.Model``, that train tables row-wise where that is possible.

    On a backend without row operations a model trains as Keras does.
    """

    def explain_updates(self, file: TextIO | None = None) -> None:
        """Print how each table trains, and why: one line for each embedding layer.

        ``exact``: row-wise, with the weights that a dense step gives. ``lazy``: row-wise, rows at
        rest stay as they are. ``dense``: all rows in each step, as in Keras. ``frozen``: not at
        all. Before the first batch it is ``undecided``, except where it could not be otherwise.

        Args:
            file: where to print; standard output by default.
        """
        for decision in self.table_updates():
            print(decision, file=file or sys.stdout)

    def table_updates(self) -> list[Decision]:
        """How each embedding layer's table trains, as ``explain_updates`` prints it."""
        run = self._run()
        decisions = preview(self, CAPACITY) if run is None else run.decisions
        decisions = [*decisions, *of_stock_layers(self)]
        return decisions if run is None else [run.together.explained(one) for one in decisions]

    def _run(self) -> _Run | None:
        run: _Run | None = getattr(self, "_rowwise_run", None)
        return run

    if rows is not None:

        def make_train_function(self, force: bool = False) -> None:
            """Prepare the step of ``fit`` and ``train_on_batch``, as in Keras."""
            if getattr(self, "train_function", None) is not None and not force:
                return
            self._end_run()
            check_before_training(self, CAPACITY)
            alone = connected() is None
            if has_own_train_step(self) or (alone and not embedding_layers(self)):
                super().make_train_function(force=force)
                return

            def steps(state: Any, iterator: Iterator[Any]) -> tuple[Any, Any]:
                try:
                    first = next(iterator)  # which may end here, with values that somebody read
                    run = self._run_for(state, first)
                    if run.is_look_due:
                        run.raise_bad_ids()
                    for data in (first, *islice(iterator, self.steps_per_execution - 1)):
                        state = run.with_room(state)
                        logs, state = run.train(state, data)
                except Exception:
                    self.hold_state(state)
                    raise
                return logs, state

            self.train_by(steps)

        def _run_for(self, state: Any, data: Any) -> _Run:
            run = self._run()
            if run is not None and run.together.processes is not connected():
                self._end_run()  # others have come, or gone, since then
                run = None
            if run is None:
                self._rowwise_together = together(connected())
                run = _Run(self, state, data, self._rowwise_together)
                self._rowwise_run = run
            for table in run.tables:
                table.check_shapes()
                table.attach()
            if not run.together.has_begun:
                run.begin(self)
            return run

        def _end_run(self) -> None:
            """Leave the tables to whoever trains next."""
            run = self._run()
            if run is not None:
                for table in run.tables:
                    table.detach()
                del self._rowwise_run

        def values_as_they_are(self) -> AbstractContextManager[None]:
            """See ``rowwise.backend.trainers.Seam``."""
            run = self._run()
            return as_they_are([] if run is None else run.tables)

    def compile_from_config(self, config: Any) -> None:
        """As Keras's; the optimizer then takes slots from files without spare rows."""
        super().compile_from_config(config)
        note_spare_rows(self)

    def resize(self, vocabulary: Vocabulary, layer: Any = None) -> None:
        """Give a table other words; rows and optimizer state follow their words.

        Words may be added, dropped and reordered, and training goes on as if the table had always
        been so: new words start with rows of the layer's initializer and fresh optimizer state.

        Args:
            vocabulary: the words from now on.
            layer: the embedding layer or its name; None for the only one with a vocabulary.

        Raises:
            InvalidArgumentError: there is no such layer, or its rows cannot be moved.
            BackendError: the backend does not train.
        """
        chosen = find_table(self, layer)
        self.make_tables_current()
        if rows is not None:
            self._end_run()
        resize_table(self, chosen, vocabulary)
        # Compiled for other shapes; Keras makes them again.
        for function in ("train_function", "test_function", "predict_function"):
            setattr(self, function, None)

    def make_tables_current(self) -> None:
        """Catch up all rows that are behind, and raise for bad ids met in training."""
        run = self._run()
        if run is not None:
            run.raise_bad_ids()
        for layer in embedding_layers(self):  # whose table another model may have trained last
            table = getattr(layer.table, "rowwise_table", None)
            if table is not None:
                table.read()

    def end_together(self, fit: bool = False) -> None:
        """Raise where other processes are not at the end of an epoch, or of ``fit``, as well."""
        run = self._run()
        if run is not None:
            run.together.end(fit)

    @contextmanager
    def leaving_others(self) -> Iterator[None]:
        """Let no other process wait for this one if the block ends in an error."""
        try:
            yield
        except BaseException as error:
            together: Alone | None = getattr(self, "_rowwise_together", None)
            processes, run = connected(), self._run()
            if together is not None:
                together.leave()
            elif processes is not None:
                processes.leave()
            if isinstance(error, WorkerError) and run is not None:
                run.raise_bad_ids()  # which may be why the other one has failed
            raise

    @property
    def finds_bad_ids(self) -> bool:
        """Whether the step of ``fit`` keeps a record of bad ids."""
        return rows is not None and not has_own_train_step(self)

    def raise_bad_ids(self, again: bool = False) -> None:
        """Raise an InvalidIdError if training met a bad id since the last time.

        Args:
            again: count batches from here.
        """
        run = self._run()
        if run is not None:
            run.raise_bad_ids()
            if again:
                run.record = run.watch.begin()
