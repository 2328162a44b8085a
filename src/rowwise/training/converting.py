"""Making a rowwise model of a stock Keras model."""

import warnings
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding
from rowwise.training.careful import CarefulModel
from rowwise.training.cloning import as_rowwise
from rowwise.training.model import KerasFunctional


def convert(model: Any, updates: str = "auto") -> Any:
    """A model like ``model`` whose tables can train row-wise.

    It shares all layers but embedding layers, and all variables: what one model learns, the other
    has learned. Where ``model`` is compiled, so is the new one, with the same optimizer.

    Args:
        model: a functional or Sequential model of Keras's, which may hold others.
        updates: of its embedding layers; see ``rowwise.layers.Embedding``.

    Raises:
        InvalidArgumentError: no model, or one that is a class of its own, or not built yet.

    Warns:
        UserWarning: an embedding layer stays as it is, since it is quantised, has LoRA or is of a
            class of its own; or the optimizer cannot be shared.
    """
    if isinstance(model, CarefulModel):
        return model
    if not isinstance(model, keras.Model):
        raise InvalidArgumentError(
            f"`model` must be a Keras model. Received: {type(model).__name__}."
        )
    if not isinstance(model, (keras.Sequential, KerasFunctional)):
        raise InvalidArgumentError(
            f"A model of the class {type(model).__name__} holds code of its own and cannot be "
            "made again. Make the class a subclass of rowwise.Model, and use "
            "rowwise.layers.Embedding in it."
        )
    if not model.built:
        raise InvalidArgumentError(
            f"The model {model.name!r} is not built, so its shapes are not known. Give it an "
            "Input, or call it on a batch first."
        )

    def converted(layer: Any) -> Any:
        if isinstance(layer, (keras.Sequential, KerasFunctional)):
            return convert(layer, updates)
        if isinstance(layer, keras.layers.InputLayer):
            return type(layer).from_config(layer.get_config())
        if isinstance(layer, keras.layers.Embedding) and not isinstance(layer, Embedding):
            return _converted_embedding(layer, updates)
        return layer

    new = as_rowwise(model, keras.models.clone_model(model, clone_function=converted))
    _compile_like(model, new)
    return new


def _converted_embedding(layer: Any, updates: str) -> Any:
    """A layer with the table of ``layer``, or ``layer`` itself where that cannot be."""
    reasons = {
        f"is of the class {type(layer).__name__}": type(layer) is not keras.layers.Embedding,
        "is quantised": getattr(layer, "quantization_mode", None) is not None,
        "has LoRA": getattr(layer, "lora_enabled", False),
    }
    why = next((why for why, applies in reasons.items() if applies), None)
    if why is not None:
        warnings.warn(
            f"Layer {layer.name!r} {why}, so it stays as it is and trains densely.", stacklevel=4
        )
        return layer
    config = layer.get_config()
    return Embedding(**config, weights=layer.embeddings, updates=updates)


def _compile_like(model: Any, new: Any) -> None:
    """Compile ``new`` as ``model`` is, with its very optimizer."""
    if not model.compiled or model.optimizer is None:
        return
    config = keras.saving.deserialize_keras_object(model.get_compile_config())
    same = [id(variable) for variable in model.trainable_variables] == [
        id(variable) for variable in new.trainable_variables
    ]
    if not same:
        warnings.warn(
            f"The trainable variables of {model.name!r} came out in another order, so its "
            "optimizer cannot be shared. Compile the converted model yourself.",
            stacklevel=3,
        )
        return
    new.compile(**{**config, "optimizer": model.optimizer})
