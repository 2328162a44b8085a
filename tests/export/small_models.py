"""Small models to export, and what goes into them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.layers import Embedding

layers, ops = keras.layers, keras.ops

LENGTH = 6
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(0, 5, (9, LENGTH)).astype("int32")
IDS[0] = 0  # nothing but padding
IDS[1, :3] = IDS[2, 4:] = IDS[3, 2:4] = 0  # in front, behind and between
OTHERS = IDS[::-1].copy()
WEIGHTS = RANDOM.normal(1, 0.2, IDS.shape).astype("float32")
BAD = IDS.copy()
BAD[4] = [-5, 99, 3, 0, 1, 5]


def ids(dtype: str = "int32", length: int | None = LENGTH) -> Any:
    return keras.Input((length,), dtype=dtype)


def chain(*parts: Any, mask: bool = True, length: int | None = LENGTH) -> Any:
    """A model that looks up ids and runs through ``parts``."""
    given = ids(length=length)
    rows = Embedding(5, 4, mask_zero=mask)(given)
    for part in parts:
        rows = part(rows)
    return keras.Model(given, rows)


def two(merge: Callable[[Any, Any], Any], mask: bool = False) -> Any:
    """A model that merges the rows of two inputs."""
    first, second = ids(), ids()
    table = Embedding(5, 4, mask_zero=mask)
    return keras.Model([first, second], merge(table(first), table(second)))


def on_ids(function: Callable[[Any], Any]) -> Any:
    given = ids()
    return keras.Model(given, function(given))
