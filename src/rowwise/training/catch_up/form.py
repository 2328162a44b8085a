"""What every form of catch-up has in common.

Time: a table's clock counts the steps since its last flush, from 0. A row is *current after s
steps* when steps 0 to s - 1 are in it. When it is read after t steps it has rested in the
``k = t - s`` steps s to t - 1, the j-th of which is step ``s + j - 1``, j = 1 to k.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.training.constant import Constant

ops = keras.ops

History = dict[str, Any]
"""Arrays that all rows of a table share, with one entry for each step since the flush."""

Factors = dict[str, Any]
"""What the history says of rows: arrays (n, ...), with one entry for each row."""


@dataclass(frozen=True)
class Step:
    """A training step, as its catch-up has to know it; all are scalars."""

    clock: Any
    """int32: steps since the flush, before this one."""
    iteration: Any
    """int32: the optimizer's iterations before this one."""
    rate: Any
    """The learning rate, in the table's dtype."""
    counts: Any
    """Boolean: false when the optimizer skipped the step, as loss scaling does."""
    globals: list[Any]
    """What the optimizer keeps once and not for each variable, before the step."""


@dataclass(frozen=True)
class Now:
    """The moment at which rows are read."""

    clock: Any
    """int32 scalar: steps since the flush."""
    base: Any
    """int32 scalar: the optimizer's iterations at the flush."""
    history: History


class CatchUp(ABC):
    """A closed form for the steps in which a row rested.

    Args:
        capacity: the most steps between two flushes.
    """

    rests_at_zero: bool
    """Whether a row whose slots are all zero stays as it is, however long it rests."""
    moves_rows: bool = True
    """Whether resting changes rows."""
    moves_slots: bool = True
    """Whether resting changes slots."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    @property
    def moves(self) -> bool:
        """Whether resting changes anything."""
        return self.moves_rows or self.moves_slots

    @abstractmethod
    def history(self, dtype: str) -> History:
        """The arrays of a table that was just flushed."""

    @abstractmethod
    def record(self, history: History, step: Step) -> History:
        """``history`` after ``step``, in which most rows rested."""

    @abstractmethod
    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        """What ``rest`` has to know of rows that were current after ``last`` (n,) steps."""

    @abstractmethod
    def rest(
        self, rows: Any, slots: list[Any], factors: Factors, now: Now
    ) -> tuple[Any, list[Any]]:
        """Rows and slots (n, d) as they are now, from what they were when they were current."""

    def asleep(self, slots: list[Any]) -> Any:
        """Which rows stay as they are however long they rest: boolean (n,), by slots (n, d)."""
        none = ops.zeros((slots[0].shape[0],), dtype="bool")
        if not self.rests_at_zero:
            return none
        # By largest and smallest numbers: a comparison of all would be an array of a table's size.
        ends = [
            end(slot, axis=-1) for slot in self.moving_slots(slots) for end in (ops.max, ops.min)
        ]
        moving = [ops.not_equal(end, 0) for end in ends]
        return ops.logical_not(reduce(ops.logical_or, moving, none))

    def moving_slots(self, slots: list[Any]) -> list[Any]:
        """Those of a row's ``slots`` without which nothing moves."""
        return slots


class Powers:
    """``rate ** k`` for k from 0 to ``capacity``, computed in 64 bits."""

    def __init__(self, rate: float, capacity: int) -> None:
        self._table = Constant(np.power(np.float64(rate), np.arange(capacity + 1)))

    def __call__(self, rested: Any, dtype: str) -> Any:
        """(n, 1): what values shrink by in ``rested`` (n,) steps."""
        return column(entries(self._table(dtype), rested))


def entries(values: Any, places: Any) -> Any:
    """Entries of ``values`` (n,), or rows of it (n, k), at int32 ``places`` of any shape.

    In fewer operations than by Keras, which looks for places that count from the end.
    """
    assert backend_rows is not None
    return backend_rows.take_rows(values, places)


def column(values: Any) -> Any:
    """(n,) as (n, 1), which goes with rows (n, d)."""
    return ops.expand_dims(values, -1)


def zeros(shape: tuple[int, ...], dtype: str) -> Any:
    """An array of zeros."""
    return ops.zeros(shape, dtype=dtype)


def kept(rate: float, dtype: str = "float32") -> float:
    """What an exponential average keeps in a step, as Keras computes ``m + (g - m) * (1 - b)``.

    Its ``1 - b`` is rounded to the variable's dtype, which moves the rate by up to 6e-8 of it.
    """
    return float(1 - np.float64(np.dtype(dtype).type(1 - rate)))


def rounded(rate: float, dtype: str = "float32") -> float:
    """A rate as Keras multiplies by it, rounded to the variable's dtype."""
    return float(np.dtype(dtype).type(rate))


def as_cast(rate: float, dtype: str) -> float:
    """A rate as Keras's ``ops.cast`` rounds it: on TensorFlow to float32, whatever the dtype."""
    return float(ops.convert_to_numpy(ops.cast(rate, dtype)))
