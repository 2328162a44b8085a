"""Forms in which a resting row goes on moving by a tail: ``w_t = w P - P X``.

``P`` is the weight decay's factor, 1 without; ``X`` sums what each resting step subtracted, and
each optimizer has its own. Written as ``w + (w E - (1 + E) X)`` with ``E = P - 1``: multiplying by
a rounded P would bias rows that are caught up often.

Sums over resting steps are kept in *moments*: entry s holds, for a row that is current after s
steps, the sum over the steps since of ``c_i phi(j) / P(s, i + 1)``, with the step's own c_i. Each
step adds to the newest ``window`` entries, since later terms shrink as ``phi`` does, and older
entries never change again.
"""

import math
from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.training.catch_up.decay import WeightDecay
from rowwise.training.catch_up.form import (
    CatchUp,
    Factors,
    History,
    Now,
    Powers,
    Step,
    column,
    entries,
    zeros,
)

ops = keras.ops

# Terms below this part of the whole are left out: less than float32 keeps.
TOLERANCE = 2.0**-27


class Tail(CatchUp):
    """Rows that move by a tail while their slots shrink.

    Args:
        capacity: the most steps between two flushes.
        rates: what each slot is multiplied by in a resting step.
        decay: the weight decay, or None.
    """

    def __init__(self, capacity: int, rates: list[float], decay: WeightDecay | None) -> None:
        super().__init__(capacity)
        self._powers = {
            slot: Powers(rate, capacity) for slot, rate in enumerate(rates) if rate != 1
        }
        self.decay = decay
        self.rests_at_zero = decay is None

    def history(self, dtype: str) -> History:
        return {} if self.decay is None else self.decay.history(dtype)

    def record(self, history: History, step: Step) -> History:
        return history if self.decay is None else self.decay.record(history, step)

    def moving_slots(self, slots: list[Any]) -> list[Any]:
        return [slots[number] for number in self._powers]

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        rested = now.clock - last
        factors = {f"kept_{slot}": shrink(rested, dtype) for slot, shrink in self._powers.items()}
        if self.decay is not None:
            factors["growth"] = column(self.decay.growth(now.history, last, now.clock))
        return factors

    def rest(
        self, rows: Any, slots: list[Any], factors: Factors, now: Now
    ) -> tuple[Any, list[Any]]:
        del now
        shift = self.shift(slots, factors)
        if self.decay is not None:
            growth = factors["growth"]
            change = rows * growth
            rows = rows + (change if shift is None else change - (1 + growth) * shift)
        elif shift is not None:
            rows = rows - shift
        kept = [factors.get(f"kept_{number}") for number in range(len(slots))]
        return rows, [
            slot if factor is None else slot * factor
            for slot, factor in zip(slots, kept, strict=True)
        ]

    @abstractmethod
    def shift(self, slots: list[Any], factors: Factors) -> Any:
        """X, (n, d), of rows with these slots; None for nothing."""


class Still(Tail):
    """SGD, Adagrad, Adadelta, RMSprop without momentum: nothing moves a row but its decay."""

    def __init__(self, capacity: int, rates: list[float], decay: WeightDecay | None) -> None:
        super().__init__(capacity, rates, decay)
        self.moves_rows = decay is not None
        self.moves_slots = bool(self._powers)

    def shift(self, slots: list[Any], factors: Factors) -> None:
        return None


class Lazy(CatchUp):
    """Rows that stay as they are until they are looked up again, as torch's SparseAdam does."""

    rests_at_zero = True
    moves_rows = moves_slots = False

    def history(self, dtype: str) -> History:
        return {}

    def record(self, history: History, step: Step) -> History:
        return history

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        return {}

    def rest(
        self, rows: Any, slots: list[Any], factors: Factors, now: Now
    ) -> tuple[Any, list[Any]]:
        return rows, slots


class Moments:
    """Sums over resting steps, ``count`` of them for each step since the flush."""

    def __init__(self, window: int, count: int, capacity: int, decay: WeightDecay | None) -> None:
        self.window, self.count = window, count
        self._capacity, self._decay = capacity, decay

    def history(self, dtype: str) -> History:
        # Entry s stands at s + window - 1, so that the window never starts before the array.
        return {"moments": zeros((self._capacity + self.window, self.count), dtype)}

    def newest(self, step: Step) -> Any:
        """int32 (window,): the s of the entries that a step adds to, oldest first."""
        return step.clock - ops.arange(self.window - 1, -1, -1, dtype="int32")

    def add(self, history: History, step: Step, terms: Any) -> History:
        """Add ``terms`` (window, count) to the newest entries; ``history`` has the step's decay."""
        dtype = keras.backend.standardize_dtype(terms.dtype)
        terms = terms * ops.cast(step.counts, dtype)
        if self._decay is not None:
            since = ops.maximum(self.newest(step), 0)
            growth = self._decay.growth(history, since, step.clock + 1)
            terms = terms / column(1 + growth)
        assert backend_rows is not None
        moments = backend_rows.add_at(history["moments"], step.clock, terms)
        return {**history, "moments": moments}

    def read(self, history: History, last: Any) -> Any:
        """(n, count) for rows that are current after ``last`` (n,) steps."""
        return entries(history["moments"], last + (self.window - 1))


def window_of(ratio: float) -> int:
    """How many terms of a sum matter whose terms shrink by ``ratio``."""
    return max(1, math.ceil(math.log(TOLERANCE) / math.log(ratio)))


def ages(window: int) -> npt.NDArray[np.float64]:
    """j of the entries that a step adds to, oldest first: (window,)."""
    return np.arange(window, 0, -1, dtype=np.float64)
