"""``keras.callbacks`` with rowwise's callbacks."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.keras._names import public_names
from rowwise.training import Unfreeze as Unfreeze
from rowwise.training.tensorboard import TensorBoard as TensorBoard

__all__ = list(public_names(_keras.callbacks, ["TensorBoard", "Unfreeze"]))


def __getattr__(name: str) -> Any:
    return getattr(_keras.callbacks, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
