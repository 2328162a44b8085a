"""What each layer of rowwise is in stock Keras: layers that Keras has, and its operations."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding, EmbedReduce, Pool, WordPairs

ops = keras.ops

# Makes the stock layer for one of rowwise's, or finds it: the layer, its class, its configuration.
Stock = Callable[[Any, Any, dict[str, Any]], Any]

_TABLE = (
    "trainable",
    "dtype",
    "input_dim",
    "output_dim",
    "embeddings_regularizer",
    "embeddings_constraint",
    "activity_regularizer",
)


def _embedding(layer: Embedding, stock: Stock, inputs: Any, **kwargs: Any) -> Any:
    return _rows(layer, stock, _valid(layer, inputs), mask_zero=layer.mask_zero)


def _embed_reduce(
    layer: EmbedReduce, stock: Stock, inputs: Any, weights: Any = None, **kwargs: Any
) -> Any:
    ids = _valid(layer, inputs)
    rows = _rows(layer, stock, ids, mask_zero=False)
    shares = ops.ones_like(ids, rows.dtype) if weights is None else ops.cast(weights, rows.dtype)
    if layer.mask_zero:
        shares = shares * ops.cast(ops.not_equal(ids, 0), rows.dtype)
    total = ops.sum(rows * ops.expand_dims(shares, -1), axis=-2)
    if layer.combiner == "sum":
        return total
    if layer.combiner == "mean":
        size = ops.sum(shares, axis=-1, keepdims=True)
    else:
        size = ops.sqrt(ops.sum(ops.square(shares), axis=-1, keepdims=True))
    return total / ops.where(ops.equal(size, 0), ops.ones_like(size), size)


def _pool(layer: Pool, stock: Stock, inputs: Any, mask: Any = None, **kwargs: Any) -> Any:
    if mask is None:  # all of them, in a tensor of which Keras knows the shape
        mask = ops.ones_like(inputs[:, :, 0], "bool")
    return layer.call(inputs, mask)


def _word_pairs(layer: WordPairs, stock: Stock, inputs: Any, **kwargs: Any) -> Any:
    return layer.call(inputs)


EXPRESSIONS: dict[type, Callable[..., Any]] = {
    Embedding: _embedding,
    EmbedReduce: _embed_reduce,
    Pool: _pool,
    WordPairs: _word_pairs,
}


def _rows(layer: Embedding, stock: Stock, ids: Any, mask_zero: bool) -> Any:
    if getattr(layer, "quantization_mode", None) is not None:
        raise InvalidArgumentError(
            f"The table of layer {layer.name!r} is quantised. Export the model as it was before "
            "`quantize`."
        )
    config = {key: value for key, value in layer.get_config().items() if key in _TABLE}
    table = stock(layer, keras.layers.Embedding, {**config, "mask_zero": mask_zero})
    rows = table(ids)
    table.set_weights([np.asarray(keras.ops.convert_to_numpy(layer.embeddings))])  # LoRA added
    return rows


def _valid(layer: Embedding, ids: Any) -> Any:
    """``ids`` as ``layer`` reads those that have no row. What is an error there is none here."""
    if layer.invalid_ids == "clip":
        numbers = ops.nan_to_num(ids) if "float" in ids.dtype else ids
        return ops.cast(ops.clip(numbers, 0, layer.input_dim - 1), "int32")
    if layer.invalid_ids == "oov":
        wrong = layer.id_range.invalid_tensor(ids)
        return ops.where(wrong, layer.oov_id, ops.cast(ids, "int32"))
    return ids
