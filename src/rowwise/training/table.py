"""A table that trains row-wise: what it carries from step to step, and how it is read.

Between two flushes most rows are behind: what rested has not moved yet. Whoever reads the table or
its optimizer slots must not notice, and whoever does not read must not pay. So these variables
are watched: when a value is read, all rows are caught up first, once. The loops of Keras's trainer
take the values as they are.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras, rows
from rowwise.training.catch_up import CatchUp, Now
from rowwise.training.keras_seam import in_stateless_scope

ops = keras.ops

# The most steps between two flushes. A flush is one pass over the table.
CAPACITY = 8192

# Rows that a flush catches up at once: with their slots they stay in cache.
FLUSH_ROWS = 1024

Carried = dict[str, Any]
"""What travels in the compiled step beside the values: ``scratch`` and ``last``, int32 (n,);
``clock`` and ``base``, int32 scalars; ``spoilt``, 0 or NaN, which every row gets; ``history``."""


@dataclass(frozen=True)
class Spec:
    """What a step has to know of a table."""

    index: int
    """Among the model's trainable variables."""
    slots: list[int]
    """Among the optimizer's variables."""
    form: CatchUp
    row_count: int
    columns: int
    dtype: str
    resting: npt.NDArray[np.bool_] | None = None
    """(n,): rows that never train, or None."""

    def rests(self, ids: Any) -> Any:
        """Which of ``ids`` (m,) never train: boolean; false for an id of n."""
        assert self.resting is not None
        assert rows is not None
        known = np.append(self.resting, False)
        return rows.take_rows(ops.convert_to_tensor(known), ids)

    def begin(self, base: Any) -> Carried:
        """What is carried after a flush, with ``base`` iterations made by the optimizer."""
        return {
            "scratch": ops.zeros((self.row_count,), dtype="int32"),
            "last": ops.zeros((self.row_count,), dtype="int32"),
            "clock": ops.zeros((), dtype="int32"),
            "base": ops.cast(base, "int32") + 0,  # a copy: both are given to the step to overwrite
            "spoilt": ops.zeros((), dtype=self.dtype),
            "history": self.form.history(self.dtype),
        }

    def rested(
        self, values: Any, slots: list[Any], last: Any, carried: Carried
    ) -> tuple[Any, list[Any]]:
        """Rows and slots (m, d), current after ``last`` (m,) steps, as they are now."""
        now = Now(carried["clock"], carried["base"], carried["history"])
        values, slots = self.form.rest(values, slots, last, now)
        return values + carried["spoilt"], [slot + carried["spoilt"] for slot in slots]

    def flush(self, values: list[Any], carried: Carried) -> list[Any]:
        """The whole table and its slots, (n, d) each, as they are now; in place when compiled."""
        assert rows is not None
        size = min(FLUSH_ROWS, self.row_count)
        blocks = -(-self.row_count // size)

        def catch_up(number: Any, state: tuple[list[Any], Any]) -> tuple[list[Any], Any]:
            tables, last = state
            # The last block overlaps the one before: what was caught up there rested 0 steps.
            start = ops.minimum(number * size, self.row_count - size)
            ids = start + ops.arange(size, dtype="int32")
            # Slices in place of ids would be as good, but XLA copies whole tables for them.
            some = [rows.take_rows(table, ids) for table in tables]
            current = rows.take_rows(last, ids)
            row, slots = self.rested(some[0], some[1:], current, carried)
            if self.resting is not None:
                still = ops.expand_dims(self.rests(ids), -1)
                row, *slots = [
                    ops.where(still, before, after)
                    for before, after in zip(some, [row, *slots], strict=True)
                ]
            tables = [
                rows.put_rows(table, ids, block)
                for table, block in zip(tables, [row, *slots], strict=True)
            ]
            done = ops.broadcast_to(carried["clock"], (size,))
            return tables, rows.put_rows(last, ids, done)

        tables: list[Any]
        tables, _ = rows.loop(blocks, catch_up, (values, carried["last"]))
        return tables


class Table:
    """A table on the host's side: its variables, and what it carries.

    Args:
        spec: of the table.
        variable: the table.
        slots: the optimizer's variables for it.
        owner: the model, which may hold newer values than the variables do.
    """

    def __init__(self, spec: Spec, variable: Any, slots: list[Any], owner: Any) -> None:
        assert rows is not None
        self.spec, self.variable, self.slots = spec, variable, slots
        self._owner = owner
        self._carried: Carried | None = None
        self.steps = 0
        """At least as many steps as rows may be behind; 0 when all are current."""
        self._flush = rows.compiled(spec.flush, donated=(0,))

    def attach(self) -> None:
        """Watch the variables; another table's watch over them ends with a flush."""
        for variable in self._variables():
            watch(variable)
            if variable.rowwise_table is not None and variable.rowwise_table is not self:
                variable.rowwise_table.detach()
            variable.rowwise_table = self

    def detach(self) -> None:
        """Flush, and leave the variables to others."""
        self.read()
        for variable in self._variables():
            if getattr(variable, "rowwise_table", None) is self:
                variable.rowwise_table = None

    def _variables(self) -> list[Any]:
        return [self.variable, *self.slots]

    def take_carried(self, base: Any) -> Carried:
        """What a step is to carry on with; the step may overwrite it."""
        carried = self.spec.begin(base) if self._carried is None else self._carried
        self._carried = None
        return carried

    def keep_carried(self, carried: Carried, steps: int) -> None:
        """Keep what a step carried, in which ``steps`` steps were made."""
        self._carried = carried
        self.steps += steps

    def flushed(self, values: list[Any]) -> list[Any]:
        """The table's and the slots' ``values``, which may be overwritten, as they are now."""
        if self._carried is None or not self.steps:
            return values
        values = self._flush(values, self._carried)
        self._carried, self.steps = None, 0
        return list(values)

    def read(self) -> None:
        """Make the variables' values current."""
        self._owner.jax_state_sync()
        if not self.steps:
            return
        assert rows is not None
        with as_they_are([self]), rows.at_once():
            values = [variable.value for variable in self._variables()]
            for variable, value in zip(self._variables(), self.flushed(values), strict=True):
                variable.assign(value)


def watch(variable: Any) -> None:
    """Let ``variable`` tell its table, and ``noting_reads``, when it is read."""
    variable.__class__ = _watched_class(type(variable))


_of_thread = threading.local()


@contextmanager
def as_they_are(tables: list[Table]) -> Iterator[None]:
    """Read and assign the variables of ``tables`` as they are, rows behind or not."""
    before = getattr(_of_thread, "unwatched", ())
    _of_thread.unwatched = (*before, *tables)
    try:
        yield
    finally:
        _of_thread.unwatched = before


_classes: dict[type, type] = {}


def _watched_class(cls: type) -> type:
    """A class like ``cls``, one of Keras's variables, that makes values current when read."""
    if hasattr(cls, "rowwise_table"):
        return cls
    if cls not in _classes:
        parent: Any = cls

        class Watched(parent):
            rowwise_table: Table | None = None

            @property
            def value(self) -> Any:
                _make_current(self)
                return super().value

            def assign(self, value: Any) -> Any:
                # The slots would else be caught up by rows that they do not belong to.
                _make_current(self)
                return super().assign(value)

        Watched.__name__, Watched.__qualname__ = cls.__name__, cls.__qualname__
        Watched.__module__ = cls.__module__
        _classes[cls] = Watched
    return _classes[cls]


def _make_current(variable: Any) -> None:
    if in_stateless_scope():
        for note in getattr(_of_thread, "reads", ()):
            note(variable)
        return
    table = variable.rowwise_table
    if table is not None and table not in getattr(_of_thread, "unwatched", ()):
        table.read()


@contextmanager
def noting_reads(note: Any) -> Iterator[None]:
    """Call ``note(variable)`` for each watched variable that a traced function reads."""
    before = getattr(_of_thread, "reads", ())
    _of_thread.reads = (*before, note)
    try:
        yield
    finally:
        _of_thread.reads = before
