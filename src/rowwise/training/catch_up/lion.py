"""Lion. A resting step is ``w -= rate sign(b1 m); m = b2 m``, so a row walks at the full rate.

Without decay ``X = sign(m) (R_t - R_s)``, R the prefix sum of the rates. With decay the steps of a
row add up to ``w_t = w + E (w + sign(m) / wd)``, E = P(s, t) - 1.

XLA on CPUs flushes denormal numbers, so ``b1 m`` becomes zero when m has shrunk enough, and the
row stops walking: an element walks for ``floor(ln(b1 |m| / 2**-126) / -ln b2) + 1`` rests.
"""

import math
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
SMALLEST_NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}


class Lion(CatchUp):
    """Rows that walk on in the direction of their momentum.

    Args:
        capacity: the most steps between two flushes.
        beta_1: of the optimizer, rounded as it multiplies by it.
        beta_2: what m is multiplied by in a resting step.
        decay: the weight decay, or None.
    """

    def __init__(
        self, capacity: int, beta_1: float, beta_2: float, decay: WeightDecay | None
    ) -> None:
        super().__init__(capacity)
        self.decay = decay
        self.rests_at_zero = decay is None
        self._beta_1, self._beta_2 = beta_1, beta_2
        self._shrink = Powers(beta_2, capacity)

    def history(self, dtype: str) -> History:
        history = pair_history("rates", self.capacity, dtype)
        return history if self.decay is None else {**history, **self.decay.history(dtype)}

    def record(self, history: History, step: Step) -> History:
        history = record_pair(history, "rates", step, step.rate)
        return history if self.decay is None else self.decay.record(history, step)

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        return {"since": column(last), "kept": self._shrink(now.clock - last, dtype)}

    def rest(
        self, rows: Any, slots: list[Any], factors: Factors, now: Now
    ) -> tuple[Any, list[Any]]:
        (momentum,) = slots
        since, until = factors["since"], now.clock
        stop = ops.minimum(since + self._walking_steps(momentum), until)
        direction = ops.sign(momentum)
        if self.decay is None:
            rows = rows - direction * difference(now.history, "rates", since, stop)
        else:
            walked = self.decay.growth(now.history, since, stop)
            rows = rows + walked * (rows + direction / self.decay.strength)
            rows = rows + rows * self.decay.growth(now.history, stop, until)
        return rows, [momentum * factors["kept"]]

    def _walking_steps(self, momentum: Any) -> Any:
        """int32 (n, d): the rests in which ``b1 m`` is not yet flushed to zero."""
        dtype = keras.backend.standardize_dtype(momentum.dtype)
        smallest = SMALLEST_NORMAL.get(dtype, 2.0**-126)
        size = ops.maximum(ops.abs(momentum), smallest)
        steps = ops.floor(
            (ops.log(size) + math.log(self._beta_1) - math.log(smallest)) / -math.log(self._beta_2)
        )
        steps = ops.where(steps < 0, 0.0, steps + 1)
        return ops.cast(ops.minimum(steps, self.capacity), "int32")
