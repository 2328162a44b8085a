"""``keras.preprocessing.sequence`` as it was before Keras 3."""

from typing import Any

from rowwise.backend import keras as _keras
from rowwise.text import make_sampling_table, pad_sequences, skipgrams

__all__ = ["make_sampling_table", "pad_sequences", "skipgrams"]


def __getattr__(name: str) -> Any:
    return getattr(_keras.preprocessing.sequence, name)
