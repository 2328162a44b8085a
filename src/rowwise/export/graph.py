"""Following a model from its inputs to its outputs, layer by layer.

Keras runs such a graph on tensors only. Here the values that move through it may be anything:
Keras's symbolic tensors when a model is made again, names when it is written in another format.
What is followed is the model's configuration, which is what ``.keras`` files hold.
"""

from collections.abc import Callable, Sequence
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.training.model import KerasFunctional

Call = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
# A tensor in a configuration: the name of what made it, its how-manieth call, and which output.
_Place = tuple[str, int, int]


def is_graph(model: Any) -> bool:
    """Whether ``model`` consists of layers that can be followed."""
    return isinstance(model, (keras.Sequential, KerasFunctional))


def require_graph(model: Any) -> None:
    """Raise an InvalidArgumentError unless the layers of ``model`` can be followed."""
    if not isinstance(model, keras.Model):
        raise InvalidArgumentError(
            f"Expected a TextClassifier or a Keras model. Received: {type(model).__name__}."
        )
    if not is_graph(model):
        raise InvalidArgumentError(
            f"The model {model.name!r} of the class {type(model).__name__} holds code of its own, "
            "which no other program can run. Build it as Model(inputs, outputs) or as Sequential."
        )
    if not model.built or not getattr(model, "inputs", None):
        raise InvalidArgumentError(
            f"The model {model.name!r} is not built, so its shapes are not known. Give it an "
            "Input, or call it on a batch first."
        )


def follow(model: Any, inputs: Sequence[Any], call: Call) -> list[Any]:
    """What comes out of ``model`` when ``inputs`` go in.

    Args:
        model: one for which ``is_graph`` holds.
        inputs: a value for each of its inputs, in the order of ``model.inputs``.
        call: given a layer or operation, its arguments and keyword arguments, in which values
            stand for tensors; returns one value or a list of them. It decides about models within
            the model, too.

    Returns:
        a value for each of ``model.outputs``.
    """
    if isinstance(model, keras.Sequential):
        (value,) = inputs
        for layer in model.layers:
            value = call(layer, (value,), {})
        return flat(value)
    # A subclass of a functional model may have a configuration of its own; this one has Keras's.
    plain = keras.Model(model.inputs, model.outputs)
    operations = {operation.name: operation for operation in plain.operations}
    config = plain.get_config()
    values: dict[_Place, Any] = {
        _place(place): value for place, value in zip(config["input_layers"], inputs, strict=True)
    }
    waiting = [
        (layer["name"], number, node)
        for layer in config["layers"]
        for number, node in enumerate(layer["inbound_nodes"])
    ]
    while waiting:
        later = []
        for name, number, node in waiting:
            try:
                arguments = _filled(node["args"], values), _filled(node["kwargs"], values)
            except _NotYet:
                later.append((name, number, node))
                continue
            found = call(operations[name], *arguments)
            for place, value in enumerate(flat(found)):
                values[name, number, place] = value
        if len(later) == len(waiting):
            raise AssertionError(f"{model.name} has calls without inputs: {later}")
        waiting = later
    return [values[_place(place)] for place in config["output_layers"]]


def new_inputs(model: Any) -> list[Any]:
    """Symbolic inputs like those of ``model``, with the names of its input layers.

    A Sequential model that starts with an embedding layer takes ids, whatever dtype Keras gave to
    its input.
    """
    places = keras.Model(model.inputs, model.outputs).get_config()["input_layers"]
    sequential = isinstance(model, keras.Sequential)
    takes_ids = sequential and isinstance(model.layers[0], keras.layers.Embedding)
    return [
        keras.Input(
            batch_shape=one.shape, dtype="int32" if takes_ids else one.dtype, name=_place(place)[0]
        )
        for one, place in zip(model.inputs, places, strict=True)
    ]


def flat(value: Any) -> list[Any]:
    """``value`` as a list of values: itself, or what its lists, tuples and dictionaries hold."""
    if isinstance(value, dict):
        return [one for key in sorted(value) for one in flat(value[key])]
    if isinstance(value, (list, tuple)):
        return [one for each in value for one in flat(each)]
    return [value]


class _NotYet(Exception):
    """A value is asked for that is not there yet."""


def _place(written: Sequence[Any]) -> _Place:
    name, number, place = written
    return (name, number, place)


def _filled(argument: Any, values: dict[_Place, Any]) -> Any:
    """An argument as a configuration writes it, with ``values`` in the place of its tensors."""
    if isinstance(argument, dict):
        if argument.get("class_name") == "__keras_tensor__":
            place = _place(argument["config"]["keras_history"])
            if place not in values:
                raise _NotYet
            return values[place]
        if "class_name" in argument and "config" in argument:
            return keras.saving.deserialize_keras_object(argument)
        return {key: _filled(one, values) for key, one in argument.items()}
    if isinstance(argument, (list, tuple)):
        return type(argument)(_filled(one, values) for one in argument)
    return argument
