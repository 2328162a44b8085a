"""What a newcomer gives to a model in place of arrays of numbers, and what to do about it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError, InvalidShapeError


def named_inputs(model: Any, data: Any) -> list[tuple[Any, Any]]:
    """What is given for each input of a model, with the input's name; its number if it has none."""
    if isinstance(data, dict):
        return [(name, leaf) for name in data for leaf in keras.tree.flatten(data[name])]
    given = keras.tree.flatten(data)
    inputs = getattr(model, "inputs", None) or []  # a subclassed or unbuilt model names none
    if len(inputs) == len(given):
        return [(spec.name, values) for spec, values in zip(inputs, given, strict=True)]
    return list(enumerate(given))


def check_data(model: Any, data: Any, targets: Any = None, needs_examples: bool = True) -> None:
    """Raise for texts, lists of each text's ids, numbers as objects, and nothing at all.

    Keras says of those that it knows no such type, or that a variable of its own has no value.

    Args:
        model: that is given the data.
        data: for its inputs.
        targets: for its outputs.
        needs_examples: whether Keras fails where there are none.

    Raises:
        InvalidShapeError: ``data`` is a list of lists of ids, or holds an array of such lists.
        InvalidArgumentError: ``data`` or ``targets`` are strings; an array in ``data`` holds
            numbers as objects; there is no example.
    """
    if _are_strings(data):
        raise InvalidArgumentError(
            "A model takes ids, and received texts. Turn them into ids with a Tokenizer or a "
            "Vocabulary, or use TextClassifier, which takes texts."
        )
    if _are_strings(targets):
        raise InvalidArgumentError(
            "Labels must be numbers, and strings were received. Number them, for instance with "
            "names, y = np.unique(labels, return_inverse=True)."
        )
    arrays = [(name, each) for name, each in named_inputs(model, data) if _is_array(each)]
    for name, array in arrays:
        _check_array(array, f"input {name!r}" if len(arrays) > 1 else "the data")
    if needs_examples and arrays and not any(len(array) for _, array in arrays):
        raise InvalidArgumentError(
            f"There is no example in the data: an array has the shape {arrays[0][1].shape}."
        )
    if isinstance(data, list) and data and all(_is_list_of_ids(row) for row in data):
        lengths = sorted({len(row) for row in data})
        remedy = (
            f"pad them to one length, as with pad_sequences: they have {lengths[0]} to "
            f"{lengths[-1]} ids"
            if len(lengths) > 1
            else "make one array of them: np.array(ids)"
        )
        raise InvalidShapeError(
            f"A model takes one array of ids, and received a list of {len(data)} lists. First "
            f"{remedy}."
        )


def _is_array(given: Any) -> bool:
    return isinstance(given, np.ndarray) and given.ndim > 0


def _check_array(array: npt.NDArray[Any], where: str) -> None:
    first = array.flat[0] if array.dtype.kind == "O" and array.size else None
    if isinstance(first, (list, tuple, np.ndarray)):
        raise InvalidShapeError(
            f"A model takes arrays of numbers, and {where} is an array of lists. First pad them "
            "to one length, as with pad_sequences."
        )
    if isinstance(first, (int, float, np.number)):
        raise InvalidArgumentError(
            f"A model takes arrays of numbers, and {where} is one of Python objects (dtype "
            'object). Make numbers of them, as with ids.astype("int32").'
        )


def _are_strings(data: Any) -> bool:
    if isinstance(data, np.ndarray):
        return data.dtype.kind in "US" or (
            data.dtype.kind == "O" and data.size > 0 and isinstance(data.flat[0], str)
        )
    return isinstance(data, (list, tuple)) and bool(data) and isinstance(data[0], str)


def _is_list_of_ids(row: Any) -> bool:
    return isinstance(row, list) and all(isinstance(id, (int, np.integer)) for id in row)
