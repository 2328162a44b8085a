"""Variables that tell when they are read.

The loops of Keras's trainer take the values of tables as they are; everybody else gets them with
all rows current. And while a model is saved, variables can show something else than their values.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy.typing as npt

from rowwise.training.keras_seam import in_stateless_scope


class Watcher(Protocol):
    """What makes a variable's value current."""

    def read(self) -> None:
        """The variable is about to be read."""

    def forget(self) -> None:
        """The variable was written."""


def watch(variable: Any) -> None:
    """Let ``variable`` tell its table, and ``noting_reads``, when it is read."""
    variable.__class__ = _watched_class(type(variable))


_of_thread = threading.local()


@contextmanager
def as_they_are(tables: list[Any]) -> Iterator[None]:
    """Read and assign the variables of ``tables`` as they are, rows behind or not."""
    before = getattr(_of_thread, "unwatched", ())
    _of_thread.unwatched = (*before, *tables)
    try:
        yield
    finally:
        _of_thread.unwatched = before


@contextmanager
def showing(arrays: dict[int, npt.NDArray[Any]]) -> Iterator[None]:
    """Let watched variables, by their ``id``, be other arrays for NumPy than their values."""
    _of_thread.shown = arrays
    try:
        yield
    finally:
        _of_thread.shown = {}


_classes: dict[type, type] = {}


def _watched_class(cls: type) -> type:
    """A class like ``cls``, one of Keras's variables, that makes values current when read."""
    if hasattr(cls, "rowwise_table"):
        return cls
    if cls not in _classes:
        parent: Any = cls

        class Watched(parent):
            rowwise_table: Watcher | None = None

            @property
            def value(self) -> Any:
                _make_current(self)
                return super().value

            def assign(self, value: Any) -> Any:
                # The slots would else be caught up by rows that they do not belong to.
                table = _make_current(self)
                if table is not None:
                    table.forget()
                return super().assign(value)

            def __array__(self, dtype: Any = None) -> Any:
                shown = getattr(_of_thread, "shown", {}).get(id(self))
                return super().__array__(dtype) if shown is None else shown

        Watched.__name__, Watched.__qualname__ = cls.__name__, cls.__qualname__
        Watched.__module__ = cls.__module__
        _classes[cls] = Watched
    return _classes[cls]


def _make_current(variable: Any) -> Watcher | None:
    """Catch up the table that watches ``variable``; None where there is none to be told."""
    if in_stateless_scope():
        for note in getattr(_of_thread, "reads", ()):
            note(variable)
        return None
    table: Watcher | None = variable.rowwise_table
    if table is None or table in getattr(_of_thread, "unwatched", ()):
        return None
    table.read()
    return table


@contextmanager
def noting_reads(note: Any) -> Iterator[None]:
    """Call ``note(variable)`` for each watched variable that a traced function reads."""
    before = getattr(_of_thread, "reads", ())
    _of_thread.reads = (*before, note)
    try:
        yield
    finally:
        _of_thread.reads = before
