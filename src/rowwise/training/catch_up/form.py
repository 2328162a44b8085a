"""What every form of catch-up has in common.

Time: a table's clock counts the steps since its last flush, from 0. A row is *current after s
steps* when steps 0 to s - 1 are in it. When it is read after t steps it has rested in the
``k = t - s`` steps s to t - 1, the j-th of which is step ``s + j - 1``, j = 1 to k.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from rowwise.backend import keras

ops = keras.ops

History = dict[str, Any]
"""Arrays that all rows of a table share, with one entry for each step since the flush."""


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
    """Whether resting changes rows, and not their slots alone."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    @abstractmethod
    def history(self, dtype: str) -> History:
        """The arrays of a table that was just flushed."""

    @abstractmethod
    def record(self, history: History, step: Step) -> History:
        """``history`` after ``step``, in which most rows rested."""

    @abstractmethod
    def rest(self, rows: Any, slots: list[Any], last: Any, now: Now) -> tuple[Any, list[Any]]:
        """Rows and slots (n, d) as they are now, which were current after ``last`` (n,) steps."""


class Powers:
    """``rate ** k`` for k from 0 to ``capacity``, computed in 64 bits."""

    def __init__(self, rate: float, capacity: int) -> None:
        self._rate = rate
        self._table = np.power(np.float64(rate), np.arange(capacity + 1))

    def __call__(self, values: Any, rested: Any) -> Any:
        """``values`` (n, d) after resting (n,) steps in which they shrank by the rate."""
        if self._rate == 1:
            return values
        table = ops.convert_to_tensor(self._table.astype(_numpy_dtype(values)))
        return values * column(ops.take(table, rested))


def column(values: Any) -> Any:
    """(n,) as (n, 1), which goes with rows (n, d)."""
    return ops.expand_dims(values, -1)


def _numpy_dtype(values: Any) -> str:
    return str(keras.backend.standardize_dtype(values.dtype))


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
