"""``keras.models`` with rowwise's models, loading and saving."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.keras._names import public_names
from rowwise.keras.saving import load_model as load_model
from rowwise.keras.saving import save_model as save_model
from rowwise.training import Model as Model
from rowwise.training import Sequential as Sequential
from rowwise.training import clone_model as clone_model

__all__ = list(public_names(_keras.models))


def __getattr__(name: str) -> Any:
    return getattr(_keras.models, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
