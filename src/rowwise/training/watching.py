"""Variables that tell when they are read.

The loops of Keras's trainer take the values of tables as they are; everybody else gets them with
all rows current. And while a model is saved, variables can show something else than their values.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Any, Protocol

import numpy.typing as npt

from rowwise.layers.spare_rows import spare_rows_of, with_spare
from rowwise.training.keras_seam import in_stateless_scope


class Watcher(Protocol):
    """What makes a variable's value current."""

    def read(self) -> None:
        """The variable is about to be read."""

    def forget(self) -> None:
        """The variable was written."""

    def hand_out(self, variable: Any) -> None:
        """Somebody gets the variable's value."""


def watch(variable: Any) -> None:
    """Let ``variable`` tell its table, and ``noting_reads``, when it is read."""
    variable.__class__ = _watched_class(type(variable))


class _OfThread(threading.local):
    """What holds for the thread that is running."""

    unwatched: tuple[Any, ...] = ()
    shown: Mapping[int, npt.NDArray[Any]] = MappingProxyType({})
    reads: tuple[Any, ...] = ()

    @contextmanager
    def with_(self, name: str, value: Any) -> Iterator[None]:
        """Let ``name`` be ``value`` in the block."""
        before = getattr(self, name)
        setattr(self, name, value)
        try:
            yield
        finally:
            setattr(self, name, before)


_of_thread = _OfThread()


def as_they_are(tables: list[Any]) -> AbstractContextManager[None]:
    """Read and assign the variables of ``tables`` as they are, rows behind or not."""
    return _of_thread.with_("unwatched", (*_of_thread.unwatched, *tables))


def showing(arrays: dict[int, npt.NDArray[Any]]) -> AbstractContextManager[None]:
    """Let watched variables, by their ``id``, be other arrays for NumPy than their values."""
    return _of_thread.with_("shown", arrays)


def noting_reads(note: Any) -> AbstractContextManager[None]:
    """Call ``note(variable)`` for each watched variable that a traced function reads."""
    return _of_thread.with_("reads", (*_of_thread.reads, note))


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
                table = _make_current(self)
                if table is not None:
                    table.hand_out(self)
                return super().value

            def assign(self, value: Any) -> Any:
                # The slots would else be caught up by rows that they do not belong to.
                table = _make_current(self)
                if table is not None:
                    table.forget()
                if spare_rows_of(self):
                    value = with_spare(value, self.shape[0])
                return super().assign(value)

            def numpy(self) -> Any:
                shown = _of_thread.shown.get(id(self))
                return super().numpy() if shown is None else shown

            def __array__(self, dtype: Any = None) -> Any:
                shown = _of_thread.shown.get(id(self))
                return super().__array__(dtype) if shown is None else shown

        Watched.__name__, Watched.__qualname__ = cls.__name__, cls.__qualname__
        Watched.__module__ = cls.__module__
        _classes[cls] = Watched
    return _classes[cls]


def _make_current(variable: Any) -> Watcher | None:
    """Catch up the table that watches ``variable``; None where there is none to be told."""
    if in_stateless_scope():
        for note in _of_thread.reads:
            note(variable)
        return None
    table: Watcher | None = variable.rowwise_table
    if table is None or table in _of_thread.unwatched:
        return None
    table.read()
    return table
