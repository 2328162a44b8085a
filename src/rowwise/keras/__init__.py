"""All of Keras, with rowwise's parts in their places.

``from rowwise import keras`` or ``from rowwise.keras.layers import Embedding``: whatever public
Keras has stands here under the same name, and these differ: ``layers.Embedding``, ``Model``,
``Sequential``, ``models.load_model`` and ``saving``, ``preprocessing.text`` and
``preprocessing.sequence``, ``callbacks.Unfreeze``.
"""

import sys
from types import ModuleType
from typing import Any

from rowwise.backend import keras as _keras
from rowwise.keras import callbacks as callbacks
from rowwise.keras import layers as layers
from rowwise.keras import models as models
from rowwise.keras import preprocessing as preprocessing
from rowwise.keras import saving as saving
from rowwise.keras._names import public_names
from rowwise.training import Model as Model
from rowwise.training import Sequential as Sequential

__all__ = list(public_names(_keras))


def __getattr__(name: str) -> Any:
    return getattr(_keras, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _stand_in(module: ModuleType, path: str) -> None:
    """Let ``import rowwise.keras.X.Y`` find Keras's own ``X.Y`` wherever rowwise has none."""
    for name, value in vars(module).copy().items():
        if not isinstance(value, ModuleType) or name.startswith("_") or name == "src":
            continue
        if value.__name__ == f"{module.__name__}.{name}":
            sys.modules.setdefault(f"{path}.{name}", value)
            _stand_in(value, f"{path}.{name}")


_stand_in(_keras, __name__)
