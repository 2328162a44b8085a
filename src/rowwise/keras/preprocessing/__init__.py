"""``keras.preprocessing`` with the text functions that Keras 3 left out."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.keras._names import public_names
from rowwise.keras.preprocessing import sequence as sequence
from rowwise.keras.preprocessing import text as text

__all__ = list(public_names(_keras.preprocessing, ["text"]))


def __getattr__(name: str) -> Any:
    return getattr(_keras.preprocessing, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
