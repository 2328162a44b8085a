"""``WordPairs``: ids for pairs of neighbouring words, made inside the model."""

import math
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError

ops = keras.ops

# Up to here nothing overflows 32 bits with a sign, in which every backend and every exported
# format computes ids: buckets times their square root is below 2**31.
MAX_BUCKETS = 2**20


@keras.saving.register_keras_serializable(package="rowwise")
class WordPairs(keras.layers.Layer):
    """Turns word ids into ids of the pairs of words that stand side by side.

    The pair (a, b) gets the id ``1 + ((a mod B) * M + b) mod B mod (B - 1)``, with B buckets and
    M the odd number at their square root. That is plain integer arithmetic on the ids, so a pair
    needs no vocabulary, and every export of the model keeps it. Different pairs may share an id,
    but not pairs of frequent words: with ids below M, each pair has its own, but for the last
    one folded into the first. A pair with padding (id 0) has id 0.

    Args:
        buckets: how many ids there are, ``input_dim`` of the table that follows; 2 to 2**20.
        **kwargs: as for every Keras layer.

    Input and output: int32 (batch, length); the last position of the output is 0.

    Raises:
        InvalidArgumentError: ``buckets`` out of range.
    """

    def __init__(self, buckets: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(buckets, int) or not 2 <= buckets <= MAX_BUCKETS:
            raise InvalidArgumentError(
                f"`buckets` must be a whole number from 2 to {MAX_BUCKETS}. Received: {buckets!r}."
            )
        self.buckets = buckets
        # A larger one brings pairs of near ids together: with M at an eighth of B, a first word 8
        # further on is nearly the same.
        self._multiplier = math.isqrt(buckets) | 1

    def call(self, inputs: Any) -> Any:
        """Pair ids for word ids (batch, length); the same shape."""
        following = ops.pad(inputs[:, 1:], [[0, 0], [0, 1]])
        mixed = ops.mod(inputs, self.buckets) * self._multiplier + ops.mod(following, self.buckets)
        pairs = 1 + ops.mod(ops.mod(mixed, self.buckets), self.buckets - 1)
        both = ops.logical_and(inputs > 0, following > 0)
        return ops.where(both, pairs, ops.zeros_like(pairs))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape

    def compute_output_spec(self, inputs: Any) -> Any:
        """The shape of the input, int32."""
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self) -> dict[str, Any]:
        """What the constructor needs to make such a layer."""
        return {**super().get_config(), "buckets": self.buckets}
