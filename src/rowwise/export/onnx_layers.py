"""Stock Keras layers in ONNX, as they predict."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.export.onnx_activations import by_function
from rowwise.export.onnx_builder import Builder, Value, as_array
from rowwise.export.onnx_dot import dot
from rowwise.export.onnx_recurrent import bidirectional, recurrent

# Adds a layer to a graph and returns what comes out of it.
Maker = Callable[..., Value]
layers = keras.layers


def _same(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    """What a layer does in training only is nothing here."""
    if kwargs.get("training"):
        raise InvalidArgumentError(
            f"Layer {layer.name!r} is called with training=True, so what it predicts is random. "
            "ONNX export takes models that predict the same every time."
        )
    return x


def _embedding(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    table = _weight(graph, layer, "embeddings")
    ids = x if x.dtype in ("int32", "int64") else graph.cast(x, "int32")
    return graph.add("Gather", table, ids, axis=0)


def _dense(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    x = graph.add("MatMul", graph.cast(x, "float32"), _weight(graph, layer, "kernel"))
    return _activated(graph, layer, _with_bias(graph, layer, x))


def _conv1d(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    _need(layer, data_format="channels_last")
    (width,), (step,), (spread,) = layer.kernel_size, layer.strides, layer.dilation_rate
    reach = (width - 1) * spread
    where: dict[str, Any] = {"pads": [0, 0]}
    if layer.padding == "causal":
        where = {"pads": [reach, 0]}
    elif layer.padding == "same":
        # With longer steps it depends on the length how much is padded.
        where = {"pads": [reach // 2, reach - reach // 2]} if step == 1 else {}
        where = where or {"auto_pad": "SAME_UPPER"}
    kernel = _array(layer.kernel).transpose(2, 1, 0)  # (out, in, width), as ONNX wants it
    x = graph.add(
        "Conv",
        _swapped(graph, x),
        graph.weight(layer, "kernel", np.ascontiguousarray(kernel)),
        dilations=[spread],
        strides=[step],
        group=layer.groups,
        **where,
    )
    return _activated(graph, layer, _with_bias(graph, layer, _swapped(graph, x)))


def _global_average(graph: Builder, layer: Any, x: Value, mask: Any = None, **kwargs: Any) -> Value:
    _need(layer, data_format="channels_last")
    axes, keep = np.array([1], dtype=np.int64), int(layer.keepdims)
    if mask is None:
        return graph.add("ReduceMean", x, axes, keepdims=keep)
    present = graph.add("Unsqueeze", graph.cast(mask, "bool"), np.array([2], dtype=np.int64))
    total = graph.add(
        "ReduceSum", graph.add("Where", present, x, 0.0, dtype=x.dtype), axes, keepdims=keep
    )
    count = graph.add("ReduceSum", graph.cast(present, "float32"), axes, keepdims=keep)
    return graph.add("Div", total, count)


def _global_max(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    _need(layer, data_format="channels_last")
    return graph.add("ReduceMax", x, np.array([1], dtype=np.int64), keepdims=int(layer.keepdims))


def _windows(operator: str, **attributes: Any) -> Maker:
    def make(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
        _need(layer, data_format="channels_last")
        found = graph.add(
            operator,
            _swapped(graph, x),
            kernel_shape=[_one(layer.pool_size)],
            strides=[_one(layer.strides)],
            auto_pad="SAME_UPPER" if layer.padding == "same" else "VALID",
            **attributes,
        )
        return _swapped(graph, found)

    return make


def _flatten(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    _need(layer, data_format="channels_last")
    return graph.add("Reshape", x, np.array([0, -1], dtype=np.int64))


def _reshape(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    shape = np.array([0, *layer.target_shape], dtype=np.int64)
    return graph.add("Reshape", x, shape)


def _permute(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    return graph.add("Transpose", x, perm=[0, *layer.dims])


def _repeat(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    longer = graph.add("Unsqueeze", x, np.array([1], dtype=np.int64))
    return graph.add("Tile", longer, np.array([1, layer.n, 1], dtype=np.int64))


def _rescaling(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    x = graph.add("Mul", graph.cast(x, "float32"), graph.value(layer.scale, "float32"))
    return graph.add("Add", x, graph.value(layer.offset, "float32"))


def _concatenate(graph: Builder, layer: Any, parts: list[Value], **kwargs: Any) -> Value:
    return graph.together("Concat", *parts, axis=layer.axis)


def _merged(operator: str) -> Maker:
    def make(graph: Builder, layer: Any, parts: list[Value], **kwargs: Any) -> Value:
        found = parts[0]
        for part in parts[1:]:
            found = graph.together(operator, found, part)
        return found

    return make


def _average(graph: Builder, layer: Any, parts: list[Value], **kwargs: Any) -> Value:
    return graph.together("Mul", _merged("Add")(graph, layer, parts), 1 / len(parts))


def _activation(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    return _activated(graph, layer, x)


def _softmax(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    if kwargs.get("mask") is not None or not isinstance(layer.axis, int):
        raise InvalidArgumentError(
            f"ONNX export takes the softmax of layer {layer.name!r} over one axis and no mask."
        )
    return graph.add("Softmax", x, axis=layer.axis)


def _relu(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    _need(layer, max_value=None, negative_slope=0.0, threshold=0.0)
    return graph.add("Relu", x)


def _leaky_relu(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    return graph.add("LeakyRelu", x, alpha=float(layer.negative_slope))


def _batch_norm(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    if kwargs.get("training"):
        _same(graph, layer, x, **kwargs)
    mean, variance = _array(layer.moving_mean), _array(layer.moving_variance)
    scale = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        scale = scale * _array(layer.gamma)
    offset = -mean * scale
    if layer.center:
        offset = offset + _array(layer.beta)
    _need(layer, axis=-1)
    return graph.add("Add", graph.add("Mul", x, scale), offset)


def _layer_norm(graph: Builder, layer: Any, x: Value, **kwargs: Any) -> Value:
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if list(axes) != [-1]:
        _need(layer, axis=-1)
    size = layer.get_build_config()["input_shape"][-1]
    scale = _array(layer.gamma) if layer.scale else np.ones(size, dtype=np.float32)
    # onnxruntime 1.32 crashes where the offset, which may be left out, is.
    offset = _array(layer.beta) if layer.center else np.zeros(size, dtype=np.float32)
    return graph.add("LayerNormalization", x, scale, offset, axis=-1, epsilon=layer.epsilon)


LAYERS: dict[type, Maker] = {
    layers.Activation: _activation,
    layers.ActivityRegularization: _same,
    layers.Add: _merged("Add"),
    layers.Average: _average,
    layers.AveragePooling1D: _windows("AveragePool", count_include_pad=0),
    layers.BatchNormalization: _batch_norm,
    layers.Bidirectional: bidirectional,
    layers.Concatenate: _concatenate,
    layers.Conv1D: _conv1d,
    layers.Dense: _dense,
    layers.Dot: dot,
    layers.Dropout: _same,
    layers.Embedding: _embedding,
    layers.Flatten: _flatten,
    layers.GRU: recurrent,
    layers.GaussianNoise: _same,
    layers.GlobalAveragePooling1D: _global_average,
    layers.GlobalMaxPooling1D: _global_max,
    layers.Identity: _same,
    layers.LSTM: recurrent,
    layers.LayerNormalization: _layer_norm,
    layers.LeakyReLU: _leaky_relu,
    layers.MaxPooling1D: _windows("MaxPool"),
    layers.Maximum: _merged("Max"),
    layers.Minimum: _merged("Min"),
    layers.Multiply: _merged("Mul"),
    layers.Permute: _permute,
    layers.ReLU: _relu,
    layers.RepeatVector: _repeat,
    layers.Rescaling: _rescaling,
    layers.Reshape: _reshape,
    layers.SimpleRNN: recurrent,
    layers.Softmax: _softmax,
    layers.SpatialDropout1D: _same,
    layers.Subtract: _merged("Sub"),
}

# What Keras computes here depends on masks, which then are no arguments.
MERGING = (
    layers.Add,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Subtract,
)

# Layers that may be the activation of another one.
ACTIVATING = (
    layers.Activation,
    layers.Identity,
    layers.LeakyReLU,
    layers.ReLU,
    layers.Softmax,
)


def _array(tensor: Any) -> npt.NDArray[np.float32]:
    return as_array(tensor, "float32")


def _activated(graph: Builder, layer: Any, x: Value) -> Value:
    """``x`` after the ``activation`` of ``layer``, which may be a layer itself."""
    inner = layer.activation
    if not isinstance(inner, layers.Layer):
        return by_function(graph, layer, x)
    if type(inner) not in ACTIVATING:
        known = ", ".join(sorted(kind.__name__ for kind in ACTIVATING))
        raise InvalidArgumentError(
            f"ONNX export does not know the activation of layer {layer.name!r}, which is a layer "
            f"{type(inner).__name__}. It knows the names of functions, and layers here: {known}."
        )
    return LAYERS[type(inner)](graph, inner, x)


def _weight(graph: Builder, layer: Any, name: str) -> Value:
    return graph.weight(layer, name, _array(getattr(layer, name)))


def _with_bias(graph: Builder, layer: Any, x: Value) -> Value:
    return graph.add("Add", x, _weight(graph, layer, "bias")) if layer.use_bias else x


def _swapped(graph: Builder, x: Value) -> Value:
    """(batch, length, columns) as (batch, columns, length), and back."""
    return graph.add("Transpose", x, perm=[0, 2, 1])


def _one(value: Any) -> int:
    return int(value[0] if isinstance(value, (list, tuple)) else value)


def _need(layer: Any, **wanted: Any) -> None:
    """Raise an InvalidArgumentError where an argument of ``layer`` is another one."""
    for name, value in wanted.items():
        if getattr(layer, name) != value:
            raise InvalidArgumentError(
                f"ONNX export takes a layer {type(layer).__name__} with {name}={value!r}. Layer "
                f"{layer.name!r} has {name}={getattr(layer, name)!r}."
            )
