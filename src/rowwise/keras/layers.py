"""``keras.layers`` with rowwise's layers."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.keras._names import public_names
from rowwise.layers import Embedding as Embedding

__all__ = list(public_names(_keras.layers))


def __getattr__(name: str) -> Any:
    return getattr(_keras.layers, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
