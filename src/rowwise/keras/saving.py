"""``keras.saving`` with rowwise's loading and saving."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.keras._names import public_names
from rowwise.training import load_keras_model as _load_keras_model
from rowwise.training import save_model as save_model

load_model = _load_keras_model

__all__ = list(public_names(_keras.saving))


def __getattr__(name: str) -> Any:
    return getattr(_keras.saving, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
