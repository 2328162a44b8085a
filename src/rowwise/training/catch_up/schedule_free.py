"""ScheduleFreeAdamW: a resting step i moves y towards z, ``y - z`` shrinks by ``i / (i + 1)``.

Counted from the optimizer's first step, ``y_t = z + (s / t) (y - z)`` without decay. With decay y
shrinks before each step and z does not: ``y_t = (s / t) P(s, t) y + (z / t) sum of P(i + 1, t)``,
since ``t y_t`` grows by z and shrinks by D in each step. With ``Q_t = sum of 1 / P(0, i + 1)``,
i < t, the sum is ``P(0, t) (Q_t - Q_s)``.
"""

from typing import Any

from rowwise.backend import keras
from rowwise.training.catch_up.decay import (
    WeightDecay,
    difference,
    pair_history,
    record_pair,
)
from rowwise.training.catch_up.form import (
    CatchUp,
    Factors,
    History,
    Now,
    Powers,
    Step,
    column,
)

ops = keras.ops


class ScheduleFree(CatchUp):
    """Rows that move towards their own average.

    Args:
        capacity: the most steps between two flushes.
        beta_2: what the velocity keeps in a resting step.
        decay: the weight decay, or None.
    """

    def __init__(self, capacity: int, beta_2: float, decay: WeightDecay | None) -> None:
        super().__init__(capacity)
        self.decay = decay
        self.rests_at_zero = False  # a row at rest has z = y, which is not zero
        self._shrink = Powers(beta_2, capacity)

    def history(self, dtype: str) -> History:
        if self.decay is None:
            return {}
        return {**self.decay.history(dtype), **pair_history("inverse", self.capacity, dtype)}

    def record(self, history: History, step: Step) -> History:
        if self.decay is None:
            return history
        history = self.decay.record(history, step)
        start = ops.zeros((), dtype="int32")
        shrunk = 1 + self.decay.growth(history, start, step.clock + 1)
        return record_pair(history, "inverse", step, 1 / shrunk)

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        rested = now.clock - last
        until = ops.cast(ops.maximum(now.base + now.clock, 1), dtype)
        share = column(ops.cast(now.base + last, dtype)) / until
        factors = {"rested": column(rested > 0), "kept": self._shrink(rested, dtype)}
        if self.decay is None:
            return {**factors, "of_row": share}
        start = ops.zeros((), dtype="int32")
        kept = 1 + column(self.decay.growth(now.history, last, now.clock))
        whole = 1 + self.decay.growth(now.history, start, now.clock)
        inverse = column(difference(now.history, "inverse", last, now.clock))
        return {**factors, "of_row": share * kept, "of_z": whole * inverse / until}

    def rest(
        self, rows: Any, slots: list[Any], factors: Factors, now: Now
    ) -> tuple[Any, list[Any]]:
        z, velocity = slots
        if self.decay is None:
            moved = z + factors["of_row"] * (rows - z)
        else:
            moved = factors["of_row"] * rows + factors["of_z"] * z
        rows = ops.where(factors["rested"], moved, rows)
        return rows, [z, velocity * factors["kept"]]
