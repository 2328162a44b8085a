"""Decoupled weight decay: before each step Keras multiplies a row by ``D_i = 1 - wd * rate_i``.

With the prefix sums ``L_t = sum of log D_i, i < t``, a row that is current after s steps has
shrunk by ``P(s, t) = exp(L_t - L_s)`` after t. A sum of float32 alone would be off by 8e-6 after
20,000 steps, so it is kept as a pair whose second part holds what the first rounds away.
"""

from typing import Any

from rowwise.backend import keras
from rowwise.training.catch_up.form import History, Step, entries, zeros

ops = keras.ops

# Below this, `w - w * wd * rate` is w in float32: Keras's own decay does nothing.
_ROUNDED_AWAY = {"float32": 2.0**-25, "float64": 2.0**-54}


class WeightDecay:
    """The decay of a table's rows.

    Args:
        strength: the optimizer's ``weight_decay``.
        capacity: the most steps between two flushes.
    """

    def __init__(self, strength: float, capacity: int) -> None:
        self.strength = strength
        self._capacity = capacity

    def history(self, dtype: str) -> History:
        """The prefix sums of a table that was just flushed."""
        return pair_history("decay", self._capacity, dtype)

    def record(self, history: History, step: Step) -> History:
        """``history`` with the logarithm of this step's factor."""
        dtype = keras.backend.standardize_dtype(step.rate.dtype)
        part = step.rate * ops.cast(self.strength, dtype)
        logarithm = ops.where(part < _ROUNDED_AWAY.get(dtype, 0.0), 0.0, ops.log1p(-part))
        return record_pair(history, "decay", step, ops.cast(logarithm, dtype))

    def growth(self, history: History, since: Any, until: Any) -> Any:
        """``P(since, until) - 1``, never positive, for clocks of any shape."""
        return ops.expm1(difference(history, "decay", since, until))


def pair_history(name: str, capacity: int, dtype: str) -> History:
    """Prefix sums with room for ``capacity`` steps."""
    return {
        f"{name}_high": zeros((capacity + 1,), dtype),
        f"{name}_low": zeros((capacity + 1,), dtype),
    }


def record_pair(history: History, name: str, step: Step, term: Any) -> History:
    """The prefix sums ``name`` with ``term`` added at this step."""
    high, low = history[f"{name}_high"], history[f"{name}_low"]
    before, rest = entries(high, step.clock), entries(low, step.clock)
    total = before + term
    # Knuth's two-sum: exactly what the addition rounded away.
    seen = total - before
    lost = (before - (total - seen)) + (term - seen)
    at = ops.reshape(step.clock + 1, (1,))
    return {
        **history,
        f"{name}_high": ops.slice_update(high, at, ops.reshape(total, (1,))),
        f"{name}_low": ops.slice_update(low, at, ops.reshape(rest + lost, (1,))),
    }


def difference(history: History, name: str, since: Any, until: Any) -> Any:
    """The sum ``name`` over the steps ``since`` to ``until - 1``."""
    high, low = history[f"{name}_high"], history[f"{name}_low"]
    return (entries(high, until) - entries(high, since)) + (
        entries(low, until) - entries(low, since)
    )
