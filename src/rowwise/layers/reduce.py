"""``EmbedReduce``: from the ids of a text to one row for the text, without the rows in between."""

import math
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers.embedding import Embedding
from rowwise.layers.lookups import current_tape

ops = keras.ops
COMBINERS = ("mean", "sum", "sqrtn")


@keras.saving.register_keras_serializable(package="rowwise")
class EmbedReduce(Embedding):
    """Looks up the rows of each text and combines them, in one: an ``Embedding`` with a ``Pool``.

    Trained row-wise, neither the looked-up rows (batch, length, columns) nor their gradient are
    ever stored.

    Args:
        input_dim: as for ``Embedding``.
        output_dim: as for ``Embedding``.
        combiner: ``"sum"``, of the rows by their weights; ``"mean"``, that over the sum of the
            weights; ``"sqrtn"``, that over the root of the sum of the weights' squares. A text
            that weighs nothing becomes zeros.
        **kwargs: as for ``Embedding``. With ``mask_zero``, id 0 weighs nothing.

    Input: ids (..., length), and optionally ``weights`` of the same shape. Output: float
    (..., output_dim).

    Raises:
        InvalidArgumentError: an unknown combiner.
    """

    def __init__(
        self, input_dim: Any, output_dim: int, *args: Any, combiner: str = "mean", **kwargs: Any
    ) -> None:
        super().__init__(input_dim, output_dim, *args, **kwargs)
        if combiner not in COMBINERS:
            raise InvalidArgumentError(
                f"`combiner` must be one of {', '.join(map(repr, COMBINERS))}. "
                f"Received: {combiner!r}."
            )
        self.combiner = combiner

    def call(  # type: ignore[override]  # one argument more, in the place Keras wants it
        self, inputs: Any, weights: Any = None, training: bool | None = None
    ) -> Any:
        """One row for each text: for ids and weights (..., length), shape (..., output_dim)."""
        ids = self._valid(inputs, training)
        tape = current_tape()
        if tape is not None and tape.takes(self.table):
            reduced = tape.reduced(self.table, ids, self._shares(ids, weights))
            return ops.cast(reduced, self.compute_dtype)
        return self._combined(self._from_table(ids), ids, weights)

    def quantized_call(self, inputs: Any, weights: Any = None, training: bool | None = None) -> Any:
        """As ``call``, for a quantised table."""
        ids = self._valid(inputs, training)
        return self._combined(super().quantized_call(ids, training=training), ids, weights)

    def _combined(self, rows: Any, ids: Any, weights: Any) -> Any:
        if weights is None and not self.mask_zero and ids.shape[-1]:  # no product for each
            return ops.sum(rows, axis=-2) * self._equal_share(ids.shape[-1])
        shares = ops.cast(self._shares(ids, weights), rows.dtype)
        return ops.sum(rows * ops.expand_dims(shares, -1), axis=-2)

    def _shares(self, ids: Any, weights: Any) -> Any:
        """What each row is multiplied by before all are added up: the shape of ``ids``."""
        if weights is None and not self.mask_zero and ids.shape[-1]:
            return ops.full(ops.shape(ids), self._equal_share(ids.shape[-1]), self.variable_dtype)
        given = ops.ones(ops.shape(ids), self.variable_dtype) if weights is None else weights
        shares = ops.cast(given, self.variable_dtype)
        if self.mask_zero:
            shares = shares * ops.cast(ops.not_equal(ids, 0), self.variable_dtype)
        return shares / self._size(shares)

    def _equal_share(self, length: int) -> float:
        """What each of ``length`` rows is multiplied by where all weigh the same."""
        return 1 / {"sum": 1, "mean": length, "sqrtn": math.sqrt(length)}[self.combiner]

    def _size(self, weights: Any) -> Any:
        """What weights (..., length) are divided by, (..., 1)."""
        if self.combiner == "sum":
            return ops.ones((), weights.dtype)
        if self.combiner == "mean":
            size = ops.sum(weights, axis=-1, keepdims=True)
        else:
            size = ops.sum(ops.square(weights), axis=-1, keepdims=True)
        size = ops.where(ops.equal(size, 0), ops.ones_like(size), size)
        # The root comes last: its derivative at 0 would be infinite.
        return size if self.combiner == "mean" else ops.sqrt(size)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: one row for a text is never padding."""
        del inputs, mask

    def compute_output_shape(self, input_shape: Any, *others: Any) -> tuple[int | None, ...]:
        """(..., output_dim)."""
        return (*input_shape[:-1], self.output_dim)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The shape and dtype of the output."""
        return keras.KerasTensor((*inputs.shape[:-1], self.output_dim), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """What the constructor needs to make such a layer."""
        return {**super().get_config(), "combiner": self.combiner}
