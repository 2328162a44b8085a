"""Loading the ``.h5`` files of older Keras, with what Keras 3 lost on the way.

Such a file has the model's configuration and the arguments of ``compile`` as JSON in the
attributes ``model_config`` and ``training_config``, the weights in the group ``model_weights``
and the optimizer's in ``optimizer_weights``.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rowwise.backend import keras
from rowwise.errors import DataFileError
from rowwise.layers import Embedding
from rowwise.training.model import Functional
from rowwise.training.sequential import Sequential

# Which metric these stand for depends on the loss.
_NAMES_OF_COMPILE = ("accuracy", "acc", "crossentropy", "ce")

_CLASSES = {
    "Embedding": Embedding,
    "Sequential": Sequential,
    "Functional": Functional,
    "Model": Functional,
}


def load_h5_model(
    path: Path, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool
) -> Any:
    """The model in the file at ``path``; see ``load_keras_model``."""
    known = {**_CLASSES, **(custom_objects or {})}
    model = keras.models.load_model(path, known, compile=False, safe_mode=safe_mode)
    if not compile:
        return model
    with h5py.File(path, "r") as file:
        config = file.attrs.get("training_config")
        slots = [np.asarray(value) for value in _members(file.get("optimizer_weights"))]
    if config is None:
        return model
    with keras.saving.custom_object_scope(known):
        try:
            model.compile(**_compile_arguments(json.loads(config), known))
        except (ValueError, TypeError, KeyError) as error:
            raise DataFileError(
                f"The model in {str(path)!r} cannot be compiled as it was: {error} Load it with "
                "compile=False and compile it yourself."
            ) from error
    _restore(model.optimizer, model.trainable_variables, slots)
    return model


def _compile_arguments(config: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """What was given to ``compile``; ``known`` holds the user's own functions by name.

    Keras 3 tries to make objects of the names, too, and fails for short ones such as "mse";
    ``compile`` itself understands them all.
    """
    arguments = {"optimizer": keras.optimizers.deserialize(config["optimizer_config"])}
    arguments["loss"] = _objects(config.get("loss"), keras.losses, known)
    for name in ("metrics", "weighted_metrics"):
        arguments[name] = _objects(config.get(name), keras.metrics, known)
    arguments["loss_weights"] = config.get("loss_weights")
    return arguments


def _objects(config: Any, module: Any, known: dict[str, Any]) -> Any:
    """Objects in place of their configurations, anywhere in lists and dictionaries."""
    if isinstance(config, dict):
        if "class_name" in config:
            return module.deserialize(config)
        return {name: _objects(value, module, known) for name, value in config.items()}
    if isinstance(config, list):
        return [_objects(value, module, known) for value in config]
    if not isinstance(config, str) or config in _NAMES_OF_COMPILE:
        return config
    if config in known:
        return known[config]
    module.get(config)  # raises now, not in the first `fit`, for a name that nothing has
    return config


def _restore(optimizer: Any, trained: list[Any], slots: list[Any]) -> None:
    """Give ``optimizer`` the state that was saved, if it is the state of such an optimizer.

    Keras 3 builds the optimizer for the variables of the model itself, not for those of its
    layers, so that nothing is restored and the model cannot be trained further.
    """
    optimizer.build(trained)
    # Files of Keras 2 hold other slots: the optimizer then starts afresh, as in Keras 3.
    if [tuple(variable.shape) for variable in optimizer.variables] == [s.shape for s in slots]:
        for variable, value in zip(optimizer.variables, slots, strict=True):
            variable.assign(value)


def _members(group: Any) -> list[Any]:
    """The arrays of a group in the order of its ``weight_names``, which Keras may cut in pieces."""
    if group is None:
        return []
    keys = [name for name in group.attrs if name.startswith("weight_names")]
    keys.sort(key=lambda name: int(name.removeprefix("weight_names") or 0))
    names = [name for key in keys for name in group.attrs[key]]
    return [group[name.decode() if isinstance(name, bytes) else name] for name in names]
