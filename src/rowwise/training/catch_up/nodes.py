"""Nadam, and Adam with betas for which the series of ``adaptive`` is long.

What a resting step subtracts is ``c m b1**j / (q x + eps)``: x is ``beta**j``, beta = sqrt(b2),
times ``c_s / c_i`` for Nadam, whose second slot is divided by ``c_i**2 = 1 - b2**(i + 1)``; and
then q is ``sqrt(v) / c_s``. As a function of ln x, ``x / (q x + eps)`` is smooth, so it is
interpolated at K Chebyshev nodes of ln x over the window. The moments are sums of
``c b1**j / x T_n(y)``,
``y = -2 ln x / T - 1``, T the largest -ln x of the window. Then

    X = m sum over nodes k of W_k X_k / (X_k q + eps),  X_k = exp(-T (1 + y_k) / 2)
    W = moments (2 / K) T_n(y_k), the first of them halved
"""

import math
from typing import Any

import numpy as np

from rowwise.backend import keras, rows
from rowwise.training.catch_up.adaptive import adam_rate
from rowwise.training.catch_up.decay import WeightDecay
from rowwise.training.catch_up.form import Factors, History, Now, Step, column
from rowwise.training.catch_up.tails import TOLERANCE, Moments, Tail, ages, window_of
from rowwise.training.constant import Constant

ops = keras.ops


class Nodes(Tail):
    """Adam's tail by interpolation.

    Args:
        capacity: the most steps between two flushes.
        betas: b1 and b2 as the user gave them.
        kept_rates: what m and v are multiplied by in a resting step.
        epsilon: of the optimizer.
        count: of the nodes; see ``node_count``.
        ratio: a factor of the learning rate, as Muon's.
        decay: the weight decay, or None.
    """

    def __init__(
        self,
        capacity: int,
        betas: tuple[float, float],
        kept_rates: tuple[float, float],
        epsilon: float,
        count: int,
        ratio: float = 1.0,
        decay: WeightDecay | None = None,
    ) -> None:
        super().__init__(capacity, list(kept_rates), decay)
        self._betas, self._epsilon, self._ratio = betas, epsilon, ratio
        self._first, self._shrinking = kept_rates[0], math.sqrt(kept_rates[1])
        window = min(window_of(self._first / self._shrinking), capacity)
        self._moments = Moments(window, count, capacity, decay)
        nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
        # (n, k): T_n at the nodes, with the factor that turns moments into weights of nodes.
        turned = np.cos(np.arange(count)[:, None] * np.arccos(nodes)) * (2 / count)
        turned[0] /= 2
        self._turned = Constant(turned)
        self._places = Constant(-(1 + nodes) / 2)
        j = ages(self._moments.window)
        self._logs = Constant(-j * math.log(self._shrinking))
        self._powers_of_first = Constant(j * math.log(self._first))

    def history(self, dtype: str) -> History:
        return {**super().history(dtype), **self._moments.history(dtype)}

    def record(self, history: History, step: Step) -> History:
        history = super().record(history, step)
        dtype = step.rate.dtype
        logs = self._logs(dtype) + self._log_ratio(step)
        span = self._span(step.iteration - step.clock, self._moments.newest(step), dtype)
        y = ops.clip(2 * logs / span - 1, -1, 1)
        order = ops.cast(ops.arange(self._moments.count), dtype)
        polynomials = ops.cos(column(ops.arccos(y)) * order)
        scale = self._rate(step) * ops.exp(self._powers_of_first(dtype) + logs)
        return self._moments.add(history, step, column(scale) * polynomials)

    def factors(self, last: Any, now: Now, dtype: str) -> Factors:
        assert rows is not None
        moments = self._moments.read(now.history, last)
        span = column(self._span(now.base, last, dtype))
        return {
            **super().factors(last, now, dtype),
            "weights": rows.multiply(moments, self._turned(dtype)),
            "x": ops.exp(span * self._places(dtype)),
            **self._correction(now.base + last, dtype),
        }

    def shift(self, slots: list[Any], factors: Factors) -> Any:
        momentum, second = slots
        root = self._root(second, factors)
        total = ops.zeros_like(momentum)
        for k in range(self._moments.count):
            node, weight = factors["x"][:, k : k + 1], factors["weights"][:, k : k + 1]
            total = total + weight * node / (node * root + self._epsilon)
        return momentum * total

    def _rate(self, step: Step) -> Any:
        """c of a step."""
        return adam_rate(step, *self._betas) * self._ratio

    def _log_ratio(self, step: Step) -> Any:
        """ln(c_i / c_s) for the newest entries s, (window,); what x has besides its power."""
        return ops.zeros((self._moments.window,), dtype=step.rate.dtype)

    def _span(self, base: Any, since: Any, dtype: Any) -> Any:
        """T for rows that are current after ``since`` (n,) steps."""
        del base
        span = -self._moments.window * math.log(self._shrinking)
        return ops.cast(ops.full(ops.shape(since), span), dtype)

    def _correction(self, iterations: Any, dtype: Any) -> Factors:
        """What ``_root`` has to know of rows that are current after ``iterations`` (n,)."""
        del iterations, dtype
        return {}

    def _root(self, second: Any, factors: Factors) -> Any:
        """q for the second slot (n, d)."""
        del factors
        return ops.sqrt(second)


class Nadam(Nodes):
    """Nadam's tail, by interpolation as well."""

    def _rate(self, step: Step) -> Any:
        dtype = step.rate.dtype
        beta_1, fade = ops.cast(self._betas[0], dtype), ops.cast(0.96, dtype)
        local = ops.cast(step.iteration + 1, dtype)
        now = beta_1 * (1 - 0.5 * ops.power(fade, local))
        following = beta_1 * (1 - 0.5 * ops.power(fade, local + 1))
        # Nadam's own variable, the product of all u so far, comes last of those it has once.
        product = ops.cast(step.globals[-1], dtype) * now
        return step.rate * following / (1 - product * following)

    def _log_ratio(self, step: Step) -> Any:
        dtype = step.rate.dtype
        entries = step.iteration - step.clock + self._moments.newest(step)
        return self._log_correction(step.iteration, dtype) - self._log_correction(entries, dtype)

    def _span(self, base: Any, since: Any, dtype: Any) -> Any:
        entries = base + since
        end = self._log_correction(entries + (self._moments.window - 1), dtype)
        return super()._span(base, since, dtype) + end - self._log_correction(entries, dtype)

    def _correction(self, iterations: Any, dtype: Any) -> Factors:
        return {"correction": column(ops.exp(self._log_correction(iterations, dtype)))}

    def _root(self, second: Any, factors: Factors) -> Any:
        return ops.sqrt(second) / factors["correction"]

    def _log_correction(self, iterations: Any, dtype: Any) -> Any:
        """ln c_i, of iterations of any shape; entries from before the first step count as it."""
        local = ops.cast(ops.maximum(iterations, 0) + 1, dtype)
        return 0.5 * ops.log(-ops.expm1(local * math.log(self._betas[1])))


def node_count(span: float, limit: int) -> int | None:
    """How many nodes interpolate over -ln x from 0 to ``span``; None when more than ``limit``."""
    rho = 2 * math.pi / span
    count = math.ceil(-math.log(TOLERANCE) / math.log(rho + math.sqrt(1 + rho * rho)))
    return count if count <= limit else None


def widest_span(first: float, second: float, nadam: bool) -> float:
    """The largest T of any row: for Nadam, of those that are current after the first steps."""
    shrinking = math.sqrt(second)
    window = window_of(first / shrinking)
    span = -window * math.log(shrinking)
    if nadam:
        span += 0.5 * math.log((1 - second**window) / (1 - second))
    return span
