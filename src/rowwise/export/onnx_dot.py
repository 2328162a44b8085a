"""``Dot``, the product of two tensors along one axis of each, in ONNX."""

from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.export.onnx_builder import Builder, Value


def dot(graph: Builder, layer: Any, parts: list[Value], **kwargs: Any) -> Value:
    """For (batch, d) or with one axis more; that axis stays, and (batch, 1) for two without."""
    ranks = [len(shape) for shape in layer.get_build_config()["input_shape"]]
    if not set(ranks) <= {2, 3}:
        raise InvalidArgumentError(
            f"ONNX export takes a Dot of tensors with two or three axes. Those of layer "
            f"{layer.name!r} have {ranks[0]} and {ranks[1]}."
        )
    given = [layer.axes] * 2 if isinstance(layer.axes, int) else layer.axes
    rows = []
    for x, axis, rank in zip(parts, given, ranks, strict=True):
        axis %= rank
        if layer.normalize:
            x = _normalized(graph, x, axis)
        if rank == 2:
            x = graph.add("Unsqueeze", x, np.array([1], dtype=np.int64))
        elif axis == 1:
            x = graph.add("Transpose", x, perm=[0, 2, 1])
        rows.append(x)  # (batch, other, d)
    found = graph.add("MatMul", rows[0], graph.add("Transpose", rows[1], perm=[0, 2, 1]))
    if ranks[0] == 2:
        return graph.add("Squeeze", found, np.array([1], dtype=np.int64))
    if ranks[1] == 2:
        return graph.add("Squeeze", found, np.array([2], dtype=np.int64))
    return found


def _normalized(graph: Builder, x: Value, axis: int) -> Value:
    axes = np.array([axis], dtype=np.int64)
    squares = graph.add("ReduceSumSquare", x, axes, keepdims=1)
    length = graph.add("Sqrt", graph.add("Max", squares, keras.backend.epsilon() ** 2))
    return graph.add("Div", x, length)
