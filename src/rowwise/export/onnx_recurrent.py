"""Recurrent layers in ONNX, with masks of any kind.

ONNX leaves out the end of a sequence only, by its length. So what a mask leaves in is moved to the
front, and the answers are moved back. Keras and ONNX order the gates differently.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.export.onnx_activations import recurrent_activations
from rowwise.export.onnx_builder import Builder, Value, as_array

layers = keras.layers

# For each gate of ONNX its place among Keras's: input, output, forget, cell; update, reset, hidden.
_GATES = {"LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2), "RNN": (0,)}


def recurrent(graph: Builder, layer: Any, x: Value, mask: Any = None, **kwargs: Any) -> Value:
    """An LSTM, GRU or SimpleRNN: (batch, units), or (batch, length, units) with all its answers."""
    return _run(graph, layer, x, mask, layer.go_backwards, kwargs)


def bidirectional(graph: Builder, layer: Any, x: Value, mask: Any = None, **kwargs: Any) -> Value:
    """Two of them, one from each end, and their answers together."""
    parts = []
    for one in (layer.forward_layer, layer.backward_layer):
        if type(one) not in (layers.LSTM, layers.GRU, layers.SimpleRNN):
            raise InvalidArgumentError(
                f"ONNX export takes a Bidirectional around LSTM, GRU or SimpleRNN. Layer "
                f"{layer.name!r} holds a {type(one).__name__}."
            )
        # Keras turns the backward layer's answers round. ONNX has each at its time.
        parts.append(_run(graph, one, x, mask, layer.forward_layer.go_backwards, kwargs))
    if layer.merge_mode == "concat":
        return graph.add("Concat", *parts, axis=-1)
    if layer.merge_mode == "mul":
        return graph.add("Mul", *parts)
    if layer.merge_mode == "sum":
        return graph.add("Add", *parts)
    if layer.merge_mode == "ave":
        return graph.add("Mul", graph.add("Add", *parts), 0.5)
    raise InvalidArgumentError(
        f"ONNX export takes a Bidirectional with one answer. Layer {layer.name!r} has "
        f"merge_mode={layer.merge_mode!r}."
    )


def _run(
    graph: Builder, layer: Any, x: Value, mask: Any, turned: bool, kwargs: dict[str, Any]
) -> Value:
    """Args: ``turned``: whether the last answer is to stand first."""
    for name in ("stateful", "return_state"):
        if getattr(layer, name):
            raise InvalidArgumentError(
                f"ONNX export takes recurrent layers without {name}. Layer {layer.name!r} has it."
            )
    if kwargs.get("training") and (layer.dropout or layer.recurrent_dropout):
        raise InvalidArgumentError(
            f"Layer {layer.name!r} is called with training=True, so what it predicts is random. "
            "ONNX export takes models that predict the same every time."
        )
    if kwargs.get("initial_state") is not None:
        raise InvalidArgumentError(
            f"ONNX export takes recurrent layers that start from zeros. Layer {layer.name!r} is "
            "given an initial_state."
        )
    packed = None if mask is None else _Packed(graph, graph.cast(mask, "bool"))
    rows = graph.cast(x, "float32") if packed is None else packed.rows(graph.cast(x, "float32"))
    operator, weights, attributes = _cell(layer)
    every, last = graph.several(
        operator,
        ("float32", "float32"),
        graph.add("Transpose", rows, perm=[1, 0, 2]),
        *(
            None if one is None else graph.weight(layer, name, one)
            for name, one in zip("WRB", weights, strict=True)
        ),
        *([] if packed is None else [packed.lengths]),
        hidden_size=layer.units,
        direction="reverse" if layer.go_backwards else "forward",
        **attributes,
    )
    if not layer.return_sequences:
        return graph.add("Squeeze", last, _whole(0))
    # (length, 1, batch, units) becomes (batch, length, units).
    answers = graph.add("Transpose", graph.add("Squeeze", every, _whole(1)), perm=[1, 0, 2])
    if packed is not None:
        carried = not layer.zero_output_for_mask or layer.unroll
        answers = packed.back(answers, carried, layer.go_backwards)
    if turned:
        far = np.iinfo(np.int64).max
        answers = graph.add("Slice", answers, _whole(-1), _whole(-far), _whole(1), _whole(-1))
    return answers


class _Packed:
    """Sequences whose masked members are moved to the end."""

    def __init__(self, graph: Builder, mask: Value) -> None:
        self._graph = graph
        self._mask = mask
        ones = graph.cast(mask, "int32")
        self.lengths = graph.add("ReduceSum", ones, _whole(1), keepdims=0)
        self._until = graph.add("CumSum", ones, np.array(1, dtype=np.int64))  # (batch, length)
        # Ranked: what is left in comes first, then the earlier. In float32, since not every reader
        # ranks whole numbers of 32 bits.
        length = graph.add("Gather", graph.add("Shape", mask, dtype="int64"), _whole(1))
        size = graph.cast(graph.add("Squeeze", length), "float32")
        place = graph.add("Range", 0.0, size, 1.0)
        rank = graph.add("Sub", graph.add("Mul", graph.cast(ones, "float32"), size), place)
        _, self._order = graph.several("TopK", ("float32", "int64"), rank, length, axis=1)

    def rows(self, x: Value) -> Value:
        """Rows (batch, length, columns) with those left in first."""
        return self._taken(x, self._order)

    def back(self, answers: Value, carried: bool, backwards: bool) -> Value:
        """Answers (batch, length, units) to packed rows, each at its own place.

        Args:
            answers: to rows as ``rows`` gave them.
            carried: whether a masked place has the answer before it, and not zeros.
            backwards: whether what is before stands behind.
        """
        graph = self._graph
        ones = graph.cast(self._mask, "int32")
        # Which of the packed rows was the newest here: -1 for none; backwards, one behind the last.
        newest = graph.add("Sub", self._until, ones if backwards else 1)
        count = graph.add("Unsqueeze", self.lengths, _whole(1))
        first = graph.add("Less", newest, count, dtype="bool")
        found = first if backwards else graph.add("Less", -1, newest, dtype="bool")
        inside = graph.add("Where", found, newest, 0, dtype="int32")
        seen = self._taken(answers, graph.cast(inside, "int64"))
        kept = found if carried else graph.add("And", found, self._mask)
        return graph.add(
            "Where", graph.add("Unsqueeze", kept, _whole(2)), seen, 0.0, dtype="float32"
        )

    def _taken(self, x: Value, places: Value) -> Value:
        """The rows of x (batch, length, columns) at places (batch, length), int64."""
        graph = self._graph
        return graph.add("GatherND", x, graph.add("Unsqueeze", places, _whole(2)), batch_dims=1)


def _cell(layer: Any) -> tuple[str, list[Any], dict[str, Any]]:
    """The operator, its weights W, R and B, and its attributes."""
    kind = {layers.LSTM: "LSTM", layers.GRU: "GRU", layers.SimpleRNN: "RNN"}[type(layer)]
    gates, units = _GATES[kind], layer.units
    attributes = recurrent_activations(layer, layer.activation)
    if kind == "LSTM":
        functions = (layer.recurrent_activation, layer.activation, layer.activation)
        attributes = recurrent_activations(layer, *functions)
    elif kind == "GRU":
        attributes = recurrent_activations(layer, layer.recurrent_activation, layer.activation)
        attributes["linear_before_reset"] = int(layer.reset_after)
    cell = layer.cell
    kernel, recurrent_kernel = (
        _ordered(as_array(one, "float32"), gates, units)
        for one in (cell.kernel, cell.recurrent_kernel)
    )
    return kind, [kernel, recurrent_kernel, _bias(layer, gates, units)], attributes


def _ordered(matrix: npt.NDArray[Any], gates: tuple[int, ...], units: int) -> npt.NDArray[Any]:
    """(columns, gates x units) in Keras's order as (1, gates x units, columns) in ONNX's."""
    parts = [matrix[:, gate * units : (gate + 1) * units] for gate in gates]
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T[None])


def _bias(layer: Any, gates: tuple[int, ...], units: int) -> npt.NDArray[Any] | None:
    """Both biases of ONNX, of the input and of the state: (1, 2 x gates x units)."""
    if not layer.use_bias:
        return None
    given = as_array(layer.cell.bias, "float32")
    both = given if given.ndim == 2 else np.stack([given, np.zeros_like(given)])
    return _ordered(both, gates, units).transpose(0, 2, 1).reshape(1, -1)


def _whole(number: int) -> npt.NDArray[np.int64]:
    return np.array([number], dtype=np.int64)
