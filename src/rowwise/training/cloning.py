"""Cloning models that stay rowwise's."""

from typing import Any

from rowwise.backend import keras
from rowwise.layers import Embedding
from rowwise.training.model import Functional, KerasFunctional
from rowwise.training.sequential import Sequential


def clone_model(model: Any, *args: Any, **kwargs: Any) -> Any:
    """A model of the same layers with weights of its own, as ``keras.models.clone_model`` makes.

    Keras makes stock models even of rowwise's; here they stay what they are, and their tables
    keep their vocabularies.
    """
    clone = keras.models.clone_model(model, *args, **kwargs)
    if isinstance(model, (Sequential, Functional)):
        as_rowwise(model, clone)
    for old, new in zip(model.layers, clone.layers, strict=True):
        if isinstance(old, Embedding) and isinstance(new, Embedding):
            new.vocabulary, new.trainable_rows = old.vocabulary, old.trainable_rows
    return clone


def as_rowwise(model: Any, clone: Any) -> Any:
    """``clone``, which Keras made of ``model``, as one of rowwise's models.

    Keras falls back to classes of its own for it; all else is as it should be.
    """
    for ours, stock in ((Sequential, keras.Sequential), (Functional, KerasFunctional)):
        if isinstance(model, stock) and type(clone) is stock:
            clone.__class__ = ours
    return clone
