"""``keras.saving`` with rowwise's loading and saving."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.training import load_keras_model as load_model
from rowwise.training import save_model as save_model


def __getattr__(name: str) -> Any:
    return getattr(_keras.saving, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_keras.saving)})


__all__ = ["load_model", "save_model"]
