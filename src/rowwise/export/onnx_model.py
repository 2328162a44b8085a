"""A model as an ONNX graph, which needs no Keras to run.

Keras writes ONNX by way of TensorFlow, of jax2onnx or of torch. This writer needs the package onnx
alone, and writes the same on every backend.
"""

import json
from typing import Any

import numpy as np

from rowwise import __version__
from rowwise.backend import keras
from rowwise.classify import TextClassifier
from rowwise.errors import InvalidArgumentError
from rowwise.export.graph import follow
from rowwise.export.onnx_builder import IR_VERSION, OPSET, Builder, Value, import_onnx
from rowwise.export.onnx_layers import LAYERS, MERGING
from rowwise.export.onnx_operations import OPERATIONS
from rowwise.export.stock import Rebuilt, classifier_step, fitted

# In the file's metadata.
LABELS, MAX_LENGTH = "labels", "max_length"


def onnx_model(model: Any) -> Any:
    """An ``onnx.ModelProto`` that predicts what ``model`` does.

    Inputs and outputs have any batch size and the names of the model's input and output layers; a
    name that is there already gets a number: the outputs of a layer that is called twice are
    ``score`` and ``score_1``. Of a ``TextClassifier`` the input is ``ids``, int32 (batch,
    max_length), and the output ``probabilities``, float32 (batch, classes); its metadata hold
    ``labels``, a JSON list in the order of the columns, and ``max_length``.

    Args:
        model: as for ``stock_model``.

    Raises:
        MissingExtraError: the package onnx is not installed.
        InvalidArgumentError: as for ``stock_model``; or a layer, or an argument of one, that this
            writer does not know.
    """
    onnx = import_onnx()
    if isinstance(model, TextClassifier):
        rebuilt = Rebuilt(fitted(model).model_, classifier_step)
        metadata = {
            LABELS: json.dumps(model.classes_.tolist(), ensure_ascii=False),
            MAX_LENGTH: str(model.max_length_),
        }
        names = ["probabilities"]
    else:
        rebuilt = Rebuilt(model)
        metadata, names = {}, list(rebuilt.model.output_names)
    stock = rebuilt.model
    names = _apart(names, [one.name for one in stock.inputs])
    graph = Builder([*(one.name for one in stock.inputs), *names])
    writer = _Writer(graph, rebuilt.merging_masked)
    inputs = [_input(one, graph) for one in stock.inputs]
    found = follow(stock, [value for value, _ in inputs], writer.call)
    outputs = [
        _output(graph, value, name, tensor)
        for value, name, tensor in zip(found, names, stock.outputs, strict=True)
    ]
    helper = onnx.helper
    made = helper.make_model(
        helper.make_graph(
            graph.nodes, stock.name, [info for _, info in inputs], outputs, graph.constants
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rowwise",
        producer_version=__version__,
    )
    helper.set_model_props(made, metadata)
    return made


def _apart(names: list[str], taken: list[str]) -> list[str]:
    """The names, with a number behind those that are taken already."""
    used = set(taken)
    apart = []
    for name in names:
        found, number = name, 0
        while found in used:
            number += 1
            found = f"{name}_{number}"
        used.add(found)
        apart.append(found)
    return apart


class _Writer:
    """Writes one layer or operation after the other."""

    def __init__(self, graph: Builder, merging_masked: set[str]) -> None:
        self._graph = graph
        self._merging_masked = merging_masked

    def call(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
        """The value that comes out of a layer or operation of a stock model."""
        kind = type(operation).__name__
        if not isinstance(operation, keras.layers.Layer):
            if kind not in OPERATIONS:
                raise InvalidArgumentError(
                    f"ONNX export does not know the operation {kind}, which the model calls as a "
                    f"function. It knows: {', '.join(OPERATIONS)}."
                )
            made: Value = OPERATIONS[kind](self._graph, operation.get_config(), *args, **kwargs)
            return made
        maker = LAYERS.get(type(operation))
        if maker is None:
            known = ", ".join(sorted(known.__name__ for known in LAYERS))
            raise InvalidArgumentError(
                f"ONNX export does not know layers of the class {kind}, as {operation.name!r} is "
                f"one. It knows those of rowwise, and of Keras: {known}."
            )
        if getattr(operation, "quantization_mode", None) is not None:
            raise InvalidArgumentError(
                f"Layer {operation.name!r} is quantised, which ONNX export does not know. Export "
                "the model as it was before `quantize`."
            )
        if operation.compute_dtype != "float32":
            raise InvalidArgumentError(
                f"ONNX export takes models that compute in float32. Layer {operation.name!r} "
                f"computes in {operation.compute_dtype}."
            )
        if isinstance(operation, MERGING) and operation.name in self._merging_masked:
            raise InvalidArgumentError(
                f"Layer {operation.name!r} merges rows of which some are masked, which ONNX export "
                "does not know. Merge after pooling, or use an Embedding without mask_zero."
            )
        return maker(self._graph, operation, *args, **kwargs)


def _input(tensor: Any, graph: Builder) -> tuple[Value, Any]:
    return Value(tensor.name, tensor.dtype), _described(graph, tensor.name, tensor)


def _output(graph: Builder, value: Value, name: str, tensor: Any) -> Any:
    """Give ``value`` the name of an output."""
    node = graph.onnx.helper.make_node("Identity", [value.name], [name])
    graph.nodes.append(node)
    return _described(graph, name, tensor, value.dtype)


def _described(graph: Builder, name: str, tensor: Any, dtype: str | None = None) -> Any:
    """Name, dtype and shape of an input or output, as ONNX has them."""
    helper = graph.onnx.helper
    shape = [
        size if size is not None else f"{name}_{axis}" if axis else "batch"
        for axis, size in enumerate(tensor.shape)
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype or tensor.dtype))
    return helper.make_tensor_value_info(name, kind, shape)
