"""Ftrl without l2 shrinkage: each step computes a row anew from its slots and the current rate.

``w = (clip(z, -l1, l1) - z) / (A / rate + 2 l2 + beta / rate)``, A = accumulator ** -p. A gradient
of zero leaves the slots, so resting k steps is doing it once with the last rate. What weight decay
did before is overwritten. A row that never had a gradient is zero from the first step on.
"""

from typing import Any

from rowwise.backend import keras
from rowwise.training.catch_up.form import CatchUp, Factors, History, Now, Step, column, zeros

ops = keras.ops


class Ftrl(CatchUp):
    """Rows that follow the current rate.

    Args:
        capacity: the most steps between two flushes.
        power: the optimizer's ``learning_rate_power``.
        l1: ``l1_regularization_strength``.
        l2: ``l2_regularization_strength``.
        beta: of the optimizer.
    """

    rests_at_zero = False

    def __init__(self, capacity: int, power: float, l1: float, l2: float, beta: float) -> None:
        super().__init__(capacity)
        self._power, self._l1, self._l2, self._beta = power, l1, l2, beta

    def history(self, dtype: str) -> History:
        return {"rate": zeros((), dtype)}

    def record(self, history: History, step: Step) -> History:
        return {"rate": ops.where(step.counts, step.rate, history["rate"])}

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        del dtype
        return {"rested": column(now.clock > last)}

    def rest(
        self, rows: Any, slots: list[Any], factors: Factors, now: Now
    ) -> tuple[Any, list[Any]]:
        accumulator, linear = slots
        rate = now.history["rate"]
        strength = self._l2 + self._beta / (2 * rate)
        quadratic = ops.power(accumulator, -self._power) / rate + 2 * strength
        again = (ops.clip(linear, -self._l1, self._l1) - linear) / quadratic
        return ops.where(factors["rested"], again, rows), slots
