"""Putting an ONNX graph together, node by node."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError, MissingExtraError

# What onnxruntime 1.20, the oldest that is meant, reads; older readers know less.
OPSET = 18
IR_VERSION = 9

# Operators that take booleans, too.
_TAKE_TRUTHS = ("Concat", "Equal")


@dataclass(frozen=True)
class Value:
    """A tensor in the graph: its name, and its dtype as Keras calls it."""

    name: str
    dtype: str


class Builder:
    """Nodes and constants, in the order in which they were added.

    A value in an argument may be a Python number or an array, too, which becomes a constant.

    Args:
        taken: names that no node may have: those of inputs and outputs.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self.onnx = import_onnx()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._weights: dict[tuple[int, str], Value] = {}
        self._count = 0

    def add(
        self,
        operator: str,
        *inputs: Any,
        dtype: str | None = None,
        **attributes: Any,
    ) -> Value:
        """Add a node with one output, which has the dtype of the first input or another one."""
        first = self.value(inputs[0])
        (made,) = self.several(operator, (dtype or first.dtype,), first, *inputs[1:], **attributes)
        return made

    def several(
        self, operator: str, dtypes: tuple[str, ...], *inputs: Any, **attributes: Any
    ) -> list[Value]:
        """Add a node with an output for each of ``dtypes``."""
        names = ["" if one is None else self.value(one).name for one in inputs]
        made = [Value(self._name(operator), dtype) for dtype in dtypes]
        outputs = [one.name for one in made]
        self.nodes.append(self.onnx.helper.make_node(operator, names, outputs, **attributes))
        return made

    def value(self, given: Any, dtype: str | None = None) -> Value:
        """``given`` itself, or the constant that holds this number or array."""
        if isinstance(given, Value):
            return given
        array = as_array(given, dtype)
        if array.size > 16:
            return self._constant("constant", array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self._constant("constant", array)
        return self._known[key]

    def weight(self, layer: Any, what: str, array: npt.NDArray[Any]) -> Value:
        """The weight ``what`` of ``layer``, stored once, however often the layer is called."""
        # By the layer itself, since layers in two wrappers may have the same name.
        key = (id(layer), what)
        if key not in self._weights:
            self._weights[key] = self._constant(f"{layer.name}.{what}", array)
        return self._weights[key]

    def _constant(self, hint: str, array: npt.NDArray[Any]) -> Value:
        made = Value(self._name(hint), array.dtype.name)
        self.constants.append(self.onnx.numpy_helper.from_array(array, made.name))
        return made

    def cast(self, given: Any, dtype: str) -> Value:
        """``given`` as a value of ``dtype``."""
        if not isinstance(given, Value):
            return self.value(given, dtype)
        if given.dtype == dtype:
            return given
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", given, dtype=dtype, to=kind)

    def alike(self, *inputs: Any) -> list[Value]:
        """The inputs in one dtype: the one that Keras makes of theirs."""
        kinds = [one.dtype if isinstance(one, Value) else _kind(one) for one in inputs]
        common = keras.backend.result_type(*kinds)
        return [self.cast(one, common) for one in inputs]

    def together(
        self, operator: str, *inputs: Any, dtype: str | None = None, **attributes: Any
    ) -> Value:
        """Add an operator whose inputs need one dtype, see ``alike``."""
        same = self.alike(*inputs)
        if same[0].dtype != "bool" or operator in _TAKE_TRUTHS:
            return self.add(operator, *same, dtype=dtype, **attributes)
        numbers = [self.cast(one, "int32") for one in same]
        return self.cast(self.add(operator, *numbers, dtype=dtype, **attributes), "bool")

    def _name(self, hint: str) -> str:
        while True:
            self._count += 1
            if (name := f"{hint.lower()}_{self._count}") not in self._taken:
                return name


def import_onnx() -> Any:
    """The package onnx.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingExtraError("Writing ONNX", "onnx", "export") from error
    return onnx


def as_array(given: Any, dtype: str | None = None) -> npt.NDArray[Any]:
    """A number or a tensor of the running backend as a NumPy array."""
    if isinstance(given, (bool, int, float)):
        usual = {bool: "bool", int: "int32", float: "float32"}[type(given)]
        return np.asarray(given, dtype=dtype or usual)
    array = np.asarray(keras.ops.convert_to_numpy(given), dtype=dtype)
    if array.dtype.kind not in "biuf":
        raise InvalidArgumentError(
            f"Expected a tensor or a number. Received: {given!r} of type {type(given).__name__}."
        )
    return array


def _kind(given: Any) -> Any:
    """The dtype of a constant; of a Python number its class, which gives way to a tensor's."""
    return type(given) if isinstance(given, (bool, int, float)) else as_array(given).dtype.name
