"""Adam, AdamW, Adamax and Muon's path for embeddings.

A resting step i, the j-th, is ``m = b1 m; q = beta q; w -= a_i m / (q + eps)``. For Adam q is
``sqrt(v)`` and beta ``sqrt(b2)``; for Adamax q is the norm itself and beta is b2. With
``u = q / (q + eps)`` and x = 1 - beta**j, ``q beta**j + eps = (q + eps) (1 - u x)``, and since
b1**j is gone before x has grown, a few terms of the geometric series in u x are exact in float32:

    X = m / (q + eps) * sum over n of u**n sum over j of a_i b1**j (1 - beta**j)**n

The inner sums are the moments. With amsgrad the denominator rests, and n = 0 is all there is.
"""

import math
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.training.catch_up.decay import WeightDecay
from rowwise.training.catch_up.form import Factors, History, Now, Step
from rowwise.training.catch_up.tails import TOLERANCE, Moments, Tail, ages, window_of
from rowwise.training.constant import Constant

ops = keras.ops


def adam_rate(step: Step, beta_1: float, beta_2: float) -> Any:
    """a_i of Adam, by the expression that Keras computes it with."""
    dtype = step.rate.dtype
    local = ops.cast(step.iteration + 1, dtype)
    first = ops.power(ops.cast(beta_1, dtype), local)
    second = ops.power(ops.cast(beta_2, dtype), local)
    return step.rate * ops.sqrt(1 - second) / (1 - first)


def adamax_rate(step: Step, beta_1: float, beta_2: float) -> Any:
    """a_i of Adamax."""
    del beta_2
    dtype = step.rate.dtype
    return step.rate / (1 - ops.power(ops.cast(beta_1, dtype), ops.cast(step.iteration + 1, dtype)))


class Adaptive(Tail):
    """Rows that coast on a momentum whose divisor shrinks, or rests with ``amsgrad``.

    Args:
        capacity: the most steps between two flushes.
        betas: b1 and b2 as the user gave them.
        kept_rates: what m and the second slot are multiplied by in a resting step.
        epsilon: of the optimizer.
        terms: of the series in u; see ``series_length``.
        squared: whether the second slot is the square of q, as Adam's.
        amsgrad: whether there is a third slot, the highest second one.
        ratio: a factor of the learning rate, as Muon's.
        decay: the weight decay, or None.
    """

    def __init__(
        self,
        capacity: int,
        betas: tuple[float, float],
        kept_rates: tuple[float, float],
        epsilon: float,
        terms: int,
        squared: bool = True,
        amsgrad: bool = False,
        ratio: float = 1.0,
        decay: WeightDecay | None = None,
    ) -> None:
        super().__init__(capacity, [*kept_rates, *([1.0] if amsgrad else [])], decay)
        self._betas, self._epsilon, self._ratio = betas, epsilon, ratio
        self._squared, self._amsgrad = squared, amsgrad
        first, second = kept_rates
        shrinking = math.sqrt(second) if squared else second
        count = 1 if amsgrad else terms
        window = min(window_of(first if amsgrad else first / shrinking), capacity)
        j = ages(window)[:, None]
        self._weights = Constant(first**j * (1 - shrinking**j) ** np.arange(count))
        self._moments = Moments(window, count, capacity, decay)

    def history(self, dtype: str) -> History:
        return {**super().history(dtype), **self._moments.history(dtype)}

    def record(self, history: History, step: Step) -> History:
        history = super().record(history, step)
        scale = (adam_rate if self._squared else adamax_rate)(step, *self._betas)
        weights = self._weights(step.rate.dtype)
        return self._moments.add(history, step, scale * self._ratio * weights)

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        moments = self._moments.read(now.history, last)
        return {**super().factors(last, now, dtype), "moments": moments}

    def shift(self, slots: list[Any], factors: Factors) -> Any:
        moments = factors["moments"]
        root = slots[2] if self._amsgrad else slots[1]
        root = ops.sqrt(root) if self._squared else root
        # By its reciprocal, which is cheap to multiply by: XLA computes all of this in one loop.
        inverse = 1 / (root + self._epsilon)
        count = self._moments.count
        total = moments[:, count - 1 :]
        if count > 1:
            share = 1 - self._epsilon * inverse
            for n in range(count - 2, -1, -1):
                total = total * share + moments[:, n : n + 1]
        return slots[0] * inverse * total


def series_length(first: float, shrinking: float, limit: int) -> int | None:
    """How many terms of the series are exact in float32; None when they are more than ``limit``.

    Cut after N terms, its relative error is ``N! Gamma(p) / Gamma(p + N)``, p = ln b1 / ln beta.
    """
    if not 0 < first < 1 or not 0 < shrinking < 1:
        return None
    p = math.log(first) / math.log(shrinking)
    for n in range(1, limit + 1):
        error = math.lgamma(n + 1) + math.lgamma(p) - math.lgamma(p + n)
        if error < math.log(TOLERANCE / 10):
            return n
    return None
