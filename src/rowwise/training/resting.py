"""What has to be true for rows that do not train, before a model trains."""

from typing import Any

import numpy as np

from rowwise.backend import keras, trainer
from rowwise.errors import InvalidArgumentError
from rowwise.training.keras_seam import has_own_train_step


def check_resting_rows(model: Any, layers: list[Any]) -> None:
    """Raise where rows of embedding ``layers`` would train all the same, or are not what they are.

    Raises:
        InvalidArgumentError: the model trains otherwise than by rowwise's steps, or a row of
            padding is not zero.
    """
    others = {
        "train_step of one's own": has_own_train_step(model),
        "strategy of tf.distribute": trainer is not None and trainer.has_strategy(model),
    }
    other = next((what for what, is_there in others.items() if is_there), "")
    for layer in layers:
        if other and layer.resting_rows is not None:
            raise InvalidArgumentError(
                f"Layer {layer.name!r} has rows that do not train, which a {other} cannot see to. "
                f"Remove zero_padding and trainable_rows, or the {other.split()[0]}."
            )
        if layer.zero_padding and _has_padding(layer.table):
            raise InvalidArgumentError(
                f"Layer {layer.name!r} has zero_padding=True, and row 0 of its table is not zero: "
                "weights with another row 0 were set or loaded. Set that row to zero, or make the "
                "layer without zero_padding."
            )


def _has_padding(table: Any) -> bool:
    """Whether row 0 is something else than zero, as far as one device can tell."""
    if keras.distribution.distribution() is not None:
        return False
    return bool(np.any(keras.ops.convert_to_numpy(table.value[:1])))
