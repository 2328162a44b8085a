"""Which values the parameters of ``TextClassifier`` may have."""

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from rowwise.classify.heads import HEADS
from rowwise.errors import InvalidArgumentError
from rowwise.layers.pairs import MAX_BUCKETS
from rowwise.vectors import Vectors


def check_parameters(classifier: Any) -> None:
    """Raise an InvalidArgumentError that names the first attribute of ``classifier`` without sense.

    The attributes are those that its constructor sets.
    """
    for name, (allowed, expected) in _RULES.items():
        value = getattr(classifier, name)
        if not allowed(value):
            raise InvalidArgumentError(f"`{name}` must be {expected}. Received: {value!r}.")
    if classifier.patience is not None and not classifier.validation_split:
        raise InvalidArgumentError(
            "`patience` looks at the validation loss: give `validation_split`, too, for "
            "instance 0.1."
        )


def _whole(lowest: int, highest: float = math.inf) -> Callable[[Any], bool]:
    def allowed(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            return False
        return bool(lowest <= value <= highest)

    return allowed


def _share(value: Any) -> bool:
    return isinstance(value, Real) and 0 <= float(value) < 1


def _positive(value: Any) -> bool:
    return isinstance(value, Real) and 0 < float(value) < math.inf


def _or_none(allowed: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or allowed(value)


def _weights(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(w, Real) and 0 <= float(w) < math.inf for w in value.values())
    return value in (None, "balanced")


_Rule = tuple[Callable[[Any], bool], str]
_COUNT: _Rule = (_or_none(_whole(1)), "None or a positive whole number")
_SHARE: _Rule = (_share, "a share from 0 to less than 1")
_RULES: dict[str, _Rule] = {
    "head": (lambda v: v in HEADS, f"one of {', '.join(map(repr, HEADS))}"),
    "output_dim": _COUNT,
    "max_words": (_or_none(_whole(3)), "None or a whole number from 3, two of them reserved"),
    "min_count": (_whole(1), "a positive whole number"),
    "max_length": _COUNT,
    "pair_buckets": (
        lambda v: _whole(0, MAX_BUCKETS)(v) and v != 1,
        f"0, or a whole number from 2 to {MAX_BUCKETS}",
    ),
    "dropout": (_or_none(_share), "None or a share from 0 to less than 1"),
    "epochs": _COUNT,
    "batch_size": _COUNT,
    "learning_rate": (_or_none(_positive), "None or a positive number"),
    "label_smoothing": _SHARE,
    "vectors": (_or_none(lambda v: isinstance(v, Vectors)), "None or Vectors"),
    "train_vectors": (lambda v: v in (True, False), "True or False"),
    "validation_split": _SHARE,
    "patience": (_or_none(_whole(0)), "None or a whole number from 0"),
    "callbacks": (
        _or_none(lambda v: isinstance(v, (list, tuple))),
        "None or a list of Keras callbacks",
    ),
    "class_weight": (
        _weights,
        "None, 'balanced' or a mapping from labels to weights that are not negative",
    ),
}
