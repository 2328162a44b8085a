"""Which form catches up the rows of an optimizer.

A form belongs to an optimizer's exact class: a subclass may do anything.
"""

import math
from collections.abc import Callable
from typing import Any

from rowwise.backend import keras
from rowwise.training.catch_up.adaptive import Adaptive, series_length
from rowwise.training.catch_up.decay import WeightDecay
from rowwise.training.catch_up.form import CatchUp, as_cast, kept, rounded
from rowwise.training.catch_up.ftrl import Ftrl
from rowwise.training.catch_up.lion import Lion
from rowwise.training.catch_up.momentum import Momentum
from rowwise.training.catch_up.nodes import Nadam, Nodes, node_count, widest_span
from rowwise.training.catch_up.schedule_free import ScheduleFree
from rowwise.training.catch_up.tails import Still
from rowwise.training.keras_seam import multiplies_averages, public_class

# Up to this many terms the series is cheaper than nodes; more nodes than this are too many.
MAX_TERMS = 8
MAX_NODES = 64


class NoCatchUp(Exception):
    """Says why rows cannot be caught up."""


def find_catch_up(
    optimizer: Any, decays: bool, capacity: int, dtype: str
) -> tuple[CatchUp | None, str]:
    """The form for a table's rows under ``optimizer``, or None and the reason.

    Args:
        optimizer: of Keras, the inner one where another scales the loss.
        decays: whether the optimizer's weight decay is for this table, too.
        capacity: the most steps between two flushes.
        dtype: of the table.
    """
    maker = _MAKERS.get(public_class(optimizer))
    name = type(optimizer).__name__
    if maker is None:
        return None, _WHY_NOT.get(name, f"no closed form is known for the optimizer {name}")
    try:
        return maker(optimizer, _decay(optimizer, decays, capacity), capacity, dtype), ""
    except NoCatchUp as reason:
        return None, str(reason)


def _decay(optimizer: Any, decays: bool, capacity: int) -> WeightDecay | None:
    muon = _MAKERS.get(public_class(optimizer)) is _muon
    strength = optimizer.adam_weight_decay if muon else optimizer.weight_decay
    if not decays or not strength:
        return None
    return WeightDecay(float(strength), capacity)


def _kept(optimizer: Any, rate: float, dtype: str) -> float:
    """What an average of the optimizer's keeps in a step."""
    if multiplies_averages(optimizer):  # PyTorch's products are in float32 at least
        return rounded(rate, "float64" if dtype == "float64" else "float32")
    return kept(rate, dtype)


def _sgd(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    if not optimizer.momentum:
        return Still(capacity, [], decay)
    mu = rounded(optimizer.momentum, dtype)
    if mu >= 1:
        raise NoCatchUp("a momentum of 1 or more never comes to rest")
    return Momentum(capacity, [mu], 0, -mu if optimizer.nesterov else -1.0, decay)


def _adagrad(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    del optimizer, dtype
    return Still(capacity, [1.0], decay)


def _adadelta(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    rho = rounded(optimizer.rho, dtype)
    return Still(capacity, [rho, rho], decay)


def _rmsprop(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    rho = rounded(optimizer.rho, dtype)
    centered = [rho] if optimizer.centered else []
    if not optimizer.momentum > 0:
        return Still(capacity, [rho, *centered], decay)
    mu = rounded(optimizer.momentum, dtype)
    if mu >= 1:
        raise NoCatchUp("a momentum of 1 or more never comes to rest")
    return Momentum(capacity, [rho, mu, *centered], 1, 1.0, decay)


def _adam(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    betas = (optimizer.beta_1, optimizer.beta_2)
    rates = _kept(optimizer, betas[0], dtype), _kept(optimizer, betas[1], dtype)
    return _adam_like(
        betas, rates, optimizer.epsilon, decay, capacity, amsgrad=bool(optimizer.amsgrad)
    )


def _muon(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    if not optimizer.exclude_embeddings:
        raise NoCatchUp("Muon with exclude_embeddings=False mixes all rows of a table")
    betas = (optimizer.adam_beta_1, optimizer.adam_beta_2)
    rates = _kept(optimizer, betas[0], dtype), _kept(optimizer, betas[1], dtype)
    ratio = float(optimizer.adam_lr_ratio)
    return _adam_like(betas, rates, optimizer.epsilon, decay, capacity, ratio=ratio)


def _adam_like(
    betas: tuple[float, float],
    rates: tuple[float, float],
    epsilon: float,
    decay: WeightDecay | None,
    capacity: int,
    amsgrad: bool = False,
    ratio: float = 1.0,
) -> CatchUp:
    if betas[0] == 0:
        return Still(capacity, [0.0, rates[1], *([1.0] if amsgrad else [])], decay)
    if amsgrad:
        return Adaptive(capacity, betas, rates, epsilon, 1, amsgrad=True, ratio=ratio, decay=decay)
    _check_betas(*betas)
    terms = series_length(rates[0], math.sqrt(rates[1]), MAX_TERMS)
    if terms is not None:
        return Adaptive(capacity, betas, rates, epsilon, terms, ratio=ratio, decay=decay)
    nodes = node_count(widest_span(*rates, nadam=False), MAX_NODES)
    if nodes is None:
        raise NoCatchUp(f"its betas {betas} would need more than {MAX_NODES} terms")
    return Nodes(capacity, betas, rates, epsilon, nodes, ratio, decay)


def _adamax(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    betas = (optimizer.beta_1, optimizer.beta_2)
    rates = _kept(optimizer, betas[0], dtype), rounded(betas[1], dtype)
    if betas[0] == 0:
        return Still(capacity, [0.0, rates[1]], decay)
    if betas[0] >= betas[1]:
        raise NoCatchUp(f"Adamax with beta_1={betas[0]} >= beta_2={betas[1]} never comes to rest")
    terms = series_length(*rates, 4 * MAX_TERMS)
    if terms is None:
        raise NoCatchUp(f"its betas {betas} would need more than {4 * MAX_TERMS} terms")
    return Adaptive(capacity, betas, rates, optimizer.epsilon, terms, squared=False, decay=decay)


def _nadam(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    betas = (optimizer.beta_1, optimizer.beta_2)
    rates = as_cast(betas[0], dtype), as_cast(betas[1], dtype)
    if betas[0] == 0:
        raise NoCatchUp("Nadam without a beta_1 has no closed form")
    _check_betas(*betas)
    nodes = node_count(widest_span(*rates, nadam=True), MAX_NODES)
    if nodes is None:
        raise NoCatchUp(f"its betas {betas} would need more than {MAX_NODES} terms")
    return Nadam(capacity, rates, rates, optimizer.epsilon, nodes, 1.0, decay)


def _check_betas(beta_1: float, beta_2: float) -> None:
    if beta_1**2 >= beta_2:
        raise NoCatchUp(
            f"with beta_1={beta_1} >= sqrt(beta_2={beta_2}) a resting row's steps do not shrink"
        )


def _lion(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    betas = rounded(optimizer.beta_1, dtype), rounded(optimizer.beta_2, dtype)
    if betas[0] <= 0 or not 0 < betas[1] < 1:
        raise NoCatchUp(f"Lion with betas {betas} has no closed form")
    return Lion(capacity, *betas, decay)


def _ftrl(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    del decay, dtype  # a resting row is computed anew, whatever decay did before
    if optimizer.l2_shrinkage_regularization_strength:
        raise NoCatchUp("Ftrl with l2 shrinkage moves all rows by their own values")
    return Ftrl(
        capacity,
        optimizer.learning_rate_power,
        optimizer.l1_regularization_strength,
        optimizer.l2_regularization_strength,
        optimizer.beta,
    )


def _schedule_free(optimizer: Any, decay: WeightDecay | None, capacity: int, dtype: str) -> CatchUp:
    return ScheduleFree(capacity, rounded(optimizer.beta_2, dtype), decay)


_Maker = Callable[[Any, "WeightDecay | None", int, str], CatchUp]
_NAMED: dict[str, _Maker] = {
    "SGD": _sgd,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
    "RMSprop": _rmsprop,
    "Adam": _adam,
    "AdamW": _adam,
    "Adamax": _adamax,
    "Nadam": _nadam,
    "Lion": _lion,
    "Ftrl": _ftrl,
    "ScheduleFreeAdamW": _schedule_free,
    "Muon": _muon,
}
# Older versions of Keras lack some of them.
_MAKERS: dict[type, _Maker] = {
    getattr(keras.optimizers, name): maker
    for name, maker in _NAMED.items()
    if hasattr(keras.optimizers, name)
}
_WHY_NOT = {
    "Lamb": "Lamb scales every row's step by the norm of the whole table",
    "Adafactor": "Adafactor keeps statistics of the whole table",
    "MultiOptimizer": "it hands variables to several optimizers",
}
