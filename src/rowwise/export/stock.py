"""A model of stock Keras layers in place of one of rowwise's layers."""

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

from rowwise.backend import keras
from rowwise.classify import TextClassifier
from rowwise.errors import InvalidArgumentError
from rowwise.export.graph import flat, follow, is_graph, new_inputs, require_graph
from rowwise.export.stock_layers import EXPRESSIONS
from rowwise.training.keras_seam import all_layers

ops = keras.ops


def stock_model(model: Any) -> Any:
    """A ``keras.Model`` that predicts what ``model`` does, of Keras's own layers only.

    Saved, it loads where rowwise is not installed. The weights are copies. Layers of rowwise become
    stock layers and operations of ``keras.ops``; layers that Keras has stay, with their names.
    Models within the model are taken apart. The new model is not compiled, and what rowwise does
    beyond Keras is gone: words, errors for bad ids, row-wise training, rows that rest.

    Args:
        model: a functional or Sequential model, rowwise's or Keras's; or a fitted
            ``TextClassifier``, whose model is taken, with one step before it: ids of a text
            without words, which are all padding, are read as one unknown word, as ``predict`` does.

    Raises:
        InvalidArgumentError: the model, or a layer in it, is code of its own; a quantised table of
            rowwise's; or ``model`` is something else.
    """
    if isinstance(model, TextClassifier):
        return Rebuilt(fitted(model).model_, classifier_step).model
    return Rebuilt(model).model


def fitted(classifier: TextClassifier) -> TextClassifier:
    """``classifier``, once it has been fitted; before that an InvalidArgumentError."""
    if not hasattr(classifier, "model_"):
        raise InvalidArgumentError(
            "This TextClassifier has not learned anything yet. Call fit, or load one from a file."
        )
    return classifier


class Rebuilt:
    """A stock model made of another one.

    Args:
        original: a functional or Sequential model.
        before: makes, of the model's one input, the ids that the first layer gets.

    Attributes:
        model: the stock model.
        merging_masked: names of layers with several inputs of which some were masked.
    """

    def __init__(self, original: Any, before: Callable[[Any], Any] | None = None) -> None:
        require_graph(original)
        self.merging_masked: set[str] = set()
        self._made: dict[int, Any] = {}
        self._names: dict[int, str] = {}
        self._taken = {one.name for one in getattr(original, "operations", original.layers)}
        self._within = ""
        for layer in original.layers:
            _require_known(layer)
        _reserve_names(original)
        inputs = new_inputs(original)
        values = inputs if before is None else [before(one) for one in inputs]
        with warnings.catch_warnings():
            # Whoever built the model was warned of masks that end somewhere.
            warnings.filterwarnings("ignore", ".*does not support masking", UserWarning)
            outputs = follow(original, values, self._call)
        self.model = keras.Model(
            *_as_given(original, inputs, outputs),
            name=original.name,
        )

    def _call(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if is_graph(operation):
            return self._inside(operation, args)
        if not isinstance(operation, keras.layers.Layer):
            # Without its name: Keras gives another, and so none twice.
            config = {key: v for key, v in operation.get_config().items() if key != "name"}
            return type(operation).from_config(config)(*args, **kwargs)
        masks = [mask_of(one) for one in flat(list(args))]
        if any(mask is not None for mask in masks):
            if len(masks) > 1:
                self.merging_masked.add(self._name_of(operation))
            elif kwargs.get("mask") is None and _takes_mask(operation):
                # Said, so that it stands in the model: other programs know no hidden masks.
                kwargs = {**kwargs, "mask": masks[0]}
        expression = EXPRESSIONS.get(type(operation))
        if expression is not None:
            return expression(operation, self._stock, *args, **kwargs)
        layer = self._stock(operation, type(operation), operation.get_config())
        found = layer(*args, **kwargs)
        layer.set_weights(operation.get_weights())
        return found

    def _inside(self, model: Any, args: tuple[Any, ...]) -> Any:
        """What comes out of a model within the model."""
        outer, self._within = self._within, f"{self._within}{model.name}_"
        _reserve_names(model)
        found = follow(model, flat(list(args)), self._call)
        self._within = outer
        return found[0] if len(found) == 1 else found

    def _stock(self, original: Any, kind: Any, config: dict[str, Any]) -> Any:
        """The one layer that stands for ``original``, however often it is called."""
        if id(original) not in self._made:
            named = {**config, "name": self._name_of(original)}
            self._made[id(original)] = kind.from_config(named)
        return self._made[id(original)]

    def _name_of(self, original: Any) -> str:
        """Its name; that of a layer of a model within tells of which, and is no other layer's."""
        if id(original) not in self._names:
            name = self._within + original.name
            while self._within and name in self._taken:
                name += "_"
            self._taken.add(name)
            self._names[id(original)] = name
        return self._names[id(original)]


def mask_of(tensor: Any) -> Any:
    """The mask that a layer left on a symbolic tensor, or None."""
    return getattr(tensor, "_keras_mask", None)


def _as_given(original: Any, inputs: list[Any], outputs: list[Any]) -> tuple[Any, Any]:
    """Inputs and outputs in the lists or dictionaries in which ``original`` has its own."""
    if isinstance(original, keras.Sequential):
        return inputs[0], outputs[0]
    together = keras.tree.pack_sequence_as
    return together(original.input, inputs), together(original.output, outputs)


def _takes_mask(layer: Any) -> bool:
    return "mask" in inspect.signature(layer.call).parameters


def classifier_step(ids: Any) -> Any:
    """``ids`` (n, length), where a text that is all padding has become one unknown word."""
    first = ids[:, :1]
    first = ops.where(ops.equal(first, 0), 1, first)
    return first if ids.shape[1] == 1 else ops.concatenate([first, ids[:, 1:]], axis=1)


def _require_known(layer: Any) -> None:
    """Raise an InvalidArgumentError if ``layer`` is neither Keras's nor rowwise's, or is code."""
    if is_graph(layer):
        for inner in layer.layers:
            _require_known(inner)
        return
    if type(layer) in EXPRESSIONS:
        return
    kind = type(layer)
    if kind.__module__.split(".")[0] != "keras" or kind is keras.layers.Lambda:
        raise InvalidArgumentError(
            f"Layer {layer.name!r} of the class {kind.__name__} is code of its own, which no other "
            "program can run. Use layers of Keras and rowwise, and functions of keras.ops."
        )
    foreign = _own_activation(layer)
    if foreign is None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            foreign = _foreign(keras.saving.serialize_keras_object(layer))
        if any("lambda" in str(each.message) for each in caught):
            foreign = "a lambda"  # whose code Keras writes where it would name a function
    if foreign is not None:
        raise InvalidArgumentError(
            f"Layer {layer.name!r} uses {foreign}, which is code of its own, and which no other "
            "program can run. Use what Keras has."
        )


def _own_activation(layer: Any) -> str | None:
    """The name of a function that a layer, or one in it, has for an activation, or None.

    A configuration has an activation by its name alone, which may be that of one of Keras's.
    """
    for one in (layer, *all_layers(layer)):
        for name in ("activation", "recurrent_activation"):
            function = getattr(one, name, None)
            if function is not None and not isinstance(function, keras.layers.Layer):
                known = getattr(function, "__name__", type(function).__name__)
                if not _is_of_keras(function, known):
                    return "a lambda" if known == "<lambda>" else str(known)
    return None


def _is_of_keras(function: Any, name: str) -> bool:
    """Whether a function is one of ``keras.activations``, or that of ``keras.ops`` which is it."""
    activation = getattr(keras.activations, name, None)
    # The gelu of keras.ops is another one: it takes the short way unless it is told not to.
    same = getattr(ops, name, None) if name != "gelu" else None
    return activation is not None and (function is activation or function is same)


def _foreign(config: Any) -> str | None:
    """The name of something in a configuration that Keras does not have, or None."""
    if isinstance(config, dict):
        if "class_name" in config and "module" in config:
            known = config["module"] in ("builtins", None) or config["module"].startswith("keras")
            is_function = config["class_name"] == "function"
            if not known or is_function or config.get("registered_name"):
                return str(config["config"] if is_function else config["class_name"])
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        return next((found for one in config if (found := _foreign(one)) is not None), None)
    return None


_LARGEST_COUNT = 100_000


def _reserve_names(model: Any) -> None:
    """Let Keras give no name to a new operation that something in ``model`` has already.

    A model from a file has names that Keras would give again, counting from one. Larger numbers are
    no count: a date, say.
    """
    for one in getattr(model, "operations", model.layers):
        prefix, number = re.fullmatch(r"(.+?)(?:_(\d+))?", one.name).groups()  # type: ignore[union-attr]
        last = int(number or 0)
        while last <= _LARGEST_COUNT and keras.backend.get_uid(prefix) <= last:
            pass
