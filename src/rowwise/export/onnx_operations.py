"""Operations of ``keras.ops`` in ONNX.

They are found by name: Keras has no public classes for them. What an operation was given beside
tensors stands in its configuration.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rowwise.errors import InvalidArgumentError
from rowwise.export.onnx_builder import Builder, Value

# Makes the value of an operation: the graph, its configuration, and what it is called with.
Maker = Callable[..., Value]

_FAR = np.iinfo(np.int64).max


def _together(operator: str, dtype: str | None = None) -> Maker:
    def make(graph: Builder, config: dict[str, Any], x: Any, y: Any) -> Value:
        return graph.together(operator, x, y, dtype=dtype)

    return make


def _alone(operator: str) -> Maker:
    def make(graph: Builder, config: dict[str, Any], x: Value) -> Value:
        floating = x if "float" in x.dtype else graph.cast(x, "float32")
        return graph.add(operator, floating)

    return make


def _as_is(operator: str) -> Maker:
    return lambda graph, config, x: graph.add(operator, x)


def _logical(operator: str) -> Maker:
    def make(graph: Builder, config: dict[str, Any], *inputs: Any) -> Value:
        return graph.add(operator, *(graph.cast(one, "bool") for one in inputs))

    return make


def _not_equal(graph: Builder, config: dict[str, Any], x: Any, y: Any) -> Value:
    return graph.add("Not", graph.together("Equal", x, y, dtype="bool"))


def _divide(graph: Builder, config: dict[str, Any], x: Any, y: Any) -> Value:
    # Of two whole numbers, too, Keras makes a float; a constant gives way.
    of_floats = any("float" in one.dtype for one in (x, y) if isinstance(one, Value))
    if of_floats:
        return graph.together("Div", x, y)
    return graph.add("Div", graph.cast(x, "float32"), graph.cast(y, "float32"))


def _mod(graph: Builder, config: dict[str, Any], x: Any, y: Any) -> Value:
    found = graph.together("Mod", x, y)  # with the sign of the divisor, as Keras's
    if "float" in found.dtype:
        raise InvalidArgumentError("ONNX has `mod` as Keras computes it for whole numbers only.")
    return found


def _square(graph: Builder, config: dict[str, Any], x: Value) -> Value:
    x = graph.cast(x, "int32") if x.dtype == "bool" else x
    return graph.add("Mul", x, x)


def _cast(graph: Builder, config: dict[str, Any], x: Value) -> Value:
    return graph.cast(x, config["dtype"])


def _where(graph: Builder, config: dict[str, Any], chosen: Any, x: Any, y: Any) -> Value:
    common = graph.alike(x, y)
    kind = common[0].dtype
    x, y = (graph.cast(one, "int32" if kind == "bool" else kind) for one in common)
    found = graph.add("Where", graph.cast(chosen, "bool"), x, y, dtype=x.dtype)
    return graph.cast(found, kind)


def _absolute(graph: Builder, config: dict[str, Any], x: Value) -> Value:
    return x if x.dtype == "bool" else graph.add("Abs", x)


def _filled(number: int) -> Maker:
    def make(graph: Builder, config: dict[str, Any], x: Value) -> Value:
        dtype = config.get("dtype") or x.dtype
        value = graph.onnx.numpy_helper.from_array(np.full(1, number, dtype=dtype))
        shape = graph.add("Shape", x, dtype="int64")
        return graph.add("ConstantOfShape", shape, dtype=dtype, value=value)

    return make


def _axes(graph: Builder, axis: Any) -> Value | None:
    """The axes as ONNX takes them; None for all."""
    return None if axis is None else graph.value(np.atleast_1d(np.asarray(axis, dtype=np.int64)))


def _reduced(operator: str) -> Maker:
    def make(graph: Builder, config: dict[str, Any], x: Value) -> Value:
        axes, keep = _axes(graph, config.get("axis")), int(bool(config.get("keepdims")))
        if operator == "ReduceMean" and "float" not in x.dtype:
            x = graph.cast(x, "float32")
        if x.dtype != "bool":
            return graph.add(operator, x, axes, keepdims=keep)
        found = graph.add(operator, graph.cast(x, "int32"), axes, keepdims=keep)
        # Keras counts what is true, and the largest of truths is one.
        return found if operator == "ReduceSum" else graph.cast(found, "bool")

    return make


def _any_or_all(operator: str) -> Maker:
    def make(graph: Builder, config: dict[str, Any], x: Value) -> Value:
        counted = graph.cast(graph.cast(x, "bool"), "int32")
        return graph.cast(_reduced(operator)(graph, config, counted), "bool")

    return make


def _relu(graph: Builder, config: dict[str, Any], x: Value) -> Value:
    return graph.add("Relu", x) if "float" in x.dtype else graph.together("Max", x, 0)


def _clip(graph: Builder, config: dict[str, Any], x: Value) -> Value:
    for bound in (config["x_min"], config["x_max"]):
        if "float" not in x.dtype and bound != int(bound):
            raise InvalidArgumentError(
                f"ONNX export clips whole numbers at whole numbers. Received: {bound!r}."
            )
    x = graph.cast(x, "int32") if x.dtype == "bool" else x
    return graph.add(
        "Clip", x, graph.value(config["x_min"], x.dtype), graph.value(config["x_max"], x.dtype)
    )


def _concatenate(graph: Builder, config: dict[str, Any], parts: list[Any]) -> Value:
    return graph.together("Concat", *parts, axis=int(config.get("axis", -1)))


def _expand_dims(graph: Builder, config: dict[str, Any], x: Value) -> Value:
    return graph.add("Unsqueeze", x, _axes(graph, config["axis"]))


def _squeeze(graph: Builder, config: dict[str, Any], x: Value) -> Value:
    if config.get("axis") is None:  # which may be that of the batch, or may not
        raise InvalidArgumentError("ONNX export takes `squeeze` with an axis. Received none.")
    return graph.add("Squeeze", x, _axes(graph, config.get("axis")))


def _pad(graph: Builder, config: dict[str, Any], x: Value, constant_values: Any = None) -> Value:
    if config.get("mode", "constant") != "constant":
        raise InvalidArgumentError(f"ONNX export pads with constants. Received: {config['mode']}.")
    widths = np.asarray(config["pad_width"], dtype=np.int64)
    filling = graph.value(constant_values or 0, x.dtype)
    return graph.add("Pad", x, graph.value(widths.T.ravel()), filling)


def _get_item(graph: Builder, config: dict[str, Any], x: Value, key: Any) -> Value:
    parts = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(part, (slice, int)) for part in parts):
        raise InvalidArgumentError(
            f"ONNX export takes parts of tensors by whole numbers and slices. Received: {key!r}."
        )
    bounds = [
        (axis, part, part + 1 if part != -1 else _FAR, 1)
        if isinstance(part, int)
        else (axis, *_bounds(part))
        for axis, part in enumerate(parts)
        if part != slice(None)
    ]
    if bounds:
        axes, starts, ends, steps = np.array(bounds, dtype=np.int64).T.copy()
        x = graph.add("Slice", x, starts, ends, axes, steps)
    dropped = [axis for axis, part in enumerate(parts) if isinstance(part, int)]
    return graph.add("Squeeze", x, _axes(graph, dropped)) if dropped else x


def _bounds(part: slice) -> tuple[int, int, int]:
    step = 1 if part.step is None else part.step
    first, last = (0, _FAR) if step > 0 else (_FAR, -_FAR)
    return (
        first if part.start is None else part.start,
        last if part.stop is None else part.stop,
        step,
    )


OPERATIONS: dict[str, Maker] = {
    "Absolute": _absolute,
    "Add": _together("Add"),
    "All": _any_or_all("ReduceMin"),
    "Any": _any_or_all("ReduceMax"),
    "Cast": _cast,
    "Clip": _clip,
    "Concatenate": _concatenate,
    "Divide": _divide,
    "Equal": _together("Equal", "bool"),
    "Exp": _alone("Exp"),
    "ExpandDims": _expand_dims,
    "Floor": _alone("Floor"),
    "GetItem": _get_item,
    "Greater": _together("Greater", "bool"),
    "GreaterEqual": _together("GreaterOrEqual", "bool"),
    "Less": _together("Less", "bool"),
    "LessEqual": _together("LessOrEqual", "bool"),
    "Log": _alone("Log"),
    "LogicalAnd": _logical("And"),
    "LogicalNot": _logical("Not"),
    "LogicalOr": _logical("Or"),
    "Matmul": _together("MatMul"),
    "Max": _reduced("ReduceMax"),
    "Maximum": _together("Max"),
    "Mean": _reduced("ReduceMean"),
    "Min": _reduced("ReduceMin"),
    "Minimum": _together("Min"),
    "Mod": _mod,
    "Multiply": _together("Mul"),
    "Negative": _as_is("Neg"),
    "NotEqual": _not_equal,
    "OnesLike": _filled(1),
    "Pad": _pad,
    "Relu": _relu,
    "Sigmoid": _alone("Sigmoid"),
    "Sqrt": _alone("Sqrt"),
    "Square": _square,
    "Squeeze": _squeeze,
    "Subtract": _together("Sub"),
    "Sum": _reduced("ReduceSum"),
    "Tanh": _alone("Tanh"),
    "TrueDivide": _divide,
    "Where": _where,
    "ZerosLike": _filled(0),
}
