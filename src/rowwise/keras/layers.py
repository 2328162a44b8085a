"""``keras.layers`` with rowwise's layers."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.layers import Embedding as Embedding


def __getattr__(name: str) -> Any:
    return getattr(_keras.layers, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_keras.layers)})
