"""Activation functions of Keras in ONNX."""

from collections.abc import Callable
from math import sqrt
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.export.onnx_builder import Builder, Value


def _node(operator: str, **attributes: Any) -> Callable[[Builder, Value], Value]:
    return lambda graph, x: graph.add(operator, x, **attributes)


def _silu(graph: Builder, x: Value) -> Value:
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def _gelu(graph: Builder, x: Value) -> Value:
    error = graph.add("Erf", graph.add("Mul", x, 1 / sqrt(2)))
    return graph.add("Mul", graph.add("Mul", x, 0.5), graph.add("Add", error, 1.0))


def _mish(graph: Builder, x: Value) -> Value:
    return graph.add("Mul", x, graph.add("Tanh", graph.add("Softplus", x)))


def _relu6(graph: Builder, x: Value) -> Value:
    return graph.add("Clip", x, 0.0, 6.0)


_ACTIVATIONS: dict[str, Callable[[Builder, Value], Value]] = {
    "elu": _node("Elu"),
    "exponential": _node("Exp"),
    "gelu": _gelu,
    "hard_sigmoid": _node("HardSigmoid", alpha=1 / 6, beta=0.5),
    "leaky_relu": _node("LeakyRelu", alpha=0.2),
    "linear": lambda graph, x: x,
    "log_softmax": _node("LogSoftmax", axis=-1),
    "mish": _mish,
    "relu": _node("Relu"),
    "relu6": _relu6,
    "selu": _node("Selu", alpha=1.6732632423543772, gamma=1.0507009873554805),
    "sigmoid": _node("Sigmoid"),
    "silu": _silu,
    "softmax": _node("Softmax", axis=-1),
    "softplus": _node("Softplus"),
    "softsign": _node("Softsign"),
    "tanh": _node("Tanh"),
}

# Those that ONNX knows inside a recurrent layer, with their parameters there.
_RECURRENT: dict[str, tuple[str, float, float]] = {
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "relu": ("Relu", 0.0, 0.0),
    "sigmoid": ("Sigmoid", 0.0, 0.0),
    "softsign": ("Softsign", 0.0, 0.0),
    "tanh": ("Tanh", 0.0, 0.0),
}


def by_function(graph: Builder, layer: Any, x: Value) -> Value:
    """``x`` after the ``activation`` of ``layer``, which is a function."""
    found: Value = _named(layer, layer.activation, _ACTIVATIONS)(graph, x)
    return found


def recurrent_activations(layer: Any, *functions: Any) -> dict[str, Any]:
    """The attributes of a recurrent node whose cell has these activations."""
    found = [_named(layer, function, _RECURRENT) for function in functions]
    return {
        "activations": [name for name, _, _ in found],
        "activation_alpha": [alpha for _, alpha, _ in found],
        "activation_beta": [beta for _, _, beta in found],
    }


def _named(layer: Any, function: Any, known: dict[str, Any]) -> Any:
    is_layer = isinstance(function, keras.layers.Layer)
    name = type(function).__name__ if is_layer else keras.activations.serialize(function)
    if is_layer or name not in known:
        raise InvalidArgumentError(
            f"ONNX export does not know the activation {name!r} of layer {layer.name!r}. It knows "
            f"here: {', '.join(known)}."
        )
    return known[name]
