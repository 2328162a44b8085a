"""``Pool``: from the rows of a text's words to one row for the text."""

from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError

ops = keras.ops
COMBINERS = ("mean", "sum", "sqrtn", "max")


@keras.saving.register_keras_serializable(package="rowwise")
class Pool(keras.layers.Layer):
    """Combines the rows of each example into one, leaving out masked ones.

    An example whose rows are all masked becomes zeros, where Keras's own pooling gives NaN.

    Args:
        combiner: ``"sum"``; ``"mean"``, the sum over the number of rows; ``"sqrtn"``, the sum over
            the square root of that number, which keeps the spread of long and short examples
            alike; ``"max"``, column by column.
        **kwargs: as for every Keras layer.

    Input: (batch, length, columns), with or without a mask. Output: (batch, columns).

    Raises:
        InvalidArgumentError: an unknown combiner.
    """

    def __init__(self, combiner: str = "mean", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if combiner not in COMBINERS:
            raise InvalidArgumentError(
                f"`combiner` must be one of {', '.join(map(repr, COMBINERS))}. "
                f"Received: {combiner!r}."
            )
        self.combiner = combiner
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """One row (batch, columns) for rows (batch, length, columns) and a mask (batch, length)."""
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], dtype="bool")
        present = ops.expand_dims(mask, -1)
        if self.combiner == "max":
            highest = ops.max(ops.where(present, inputs, ops.cast(-float("inf"), inputs.dtype)), 1)
            return ops.where(ops.any(present, axis=1), highest, ops.zeros_like(highest))
        weights = ops.cast(present, inputs.dtype)
        total = ops.sum(inputs * weights, axis=1)
        if self.combiner == "sum":
            return total
        count = ops.maximum(ops.sum(weights, axis=1), 1)
        return total / (count if self.combiner == "mean" else ops.sqrt(count))

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: one row for an example is never padding."""
        del inputs, mask

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(batch, columns)."""
        return (input_shape[0], input_shape[2])

    def get_config(self) -> dict[str, Any]:
        """What the constructor needs to make such a layer."""
        return {**super().get_config(), "combiner": self.combiner}
