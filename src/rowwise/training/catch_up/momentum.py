"""SGD and RMSprop with momentum.

A resting step is ``v = mu v; w += f v``: f is 1 for SGD, mu with Nesterov's momentum and -1 for
RMSprop. So ``X = -f v S``, ``S = sum of mu**j / P(s, s + j)``.
"""

from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.training.catch_up.decay import WeightDecay
from rowwise.training.catch_up.form import Factors, History, Now, Step, column, entries
from rowwise.training.catch_up.tails import Moments, Tail, ages, window_of
from rowwise.training.constant import Constant

ops = keras.ops


class Momentum(Tail):
    """Rows that coast on their momentum.

    Args:
        capacity: the most steps between two flushes.
        rates: what each slot is multiplied by in a resting step; mu for the momentum's.
        slot: which slot the momentum is.
        factor: -f, see above.
        decay: the weight decay, or None.
    """

    def __init__(
        self,
        capacity: int,
        rates: list[float],
        slot: int,
        factor: float,
        decay: WeightDecay | None,
    ) -> None:
        super().__init__(capacity, rates, decay)
        self._slot, self._factor, self._mu = slot, factor, rates[slot]
        sums = np.concatenate([[0], np.cumsum(self._mu ** np.arange(1, capacity + 1.0))])
        self._sums = Constant(sums)
        self._moments = Moments(min(window_of(self._mu), capacity), 1, capacity, decay)
        self._terms = Constant(self._mu ** ages(self._moments.window)[:, None])

    def history(self, dtype: str) -> History:
        history = super().history(dtype)
        return history if self.decay is None else {**history, **self._moments.history(dtype)}

    def record(self, history: History, step: Step) -> History:
        history = super().record(history, step)
        if self.decay is None:
            return history
        return self._moments.add(history, step, self._terms(step.rate.dtype))

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        factors = super().factors(last, now, dtype)
        if self.decay is not None:
            return {**factors, "total": self._moments.read(now.history, last)}
        return {**factors, "total": column(entries(self._sums(dtype), now.clock - last))}

    def shift(self, slots: list[Any], factors: Factors) -> Any:
        return self._factor * slots[self._slot] * factors["total"]
