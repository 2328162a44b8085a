"""What a newcomer gives to a model in place of arrays of numbers, and what to do about it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError, InvalidShapeError


def check_data(data: Any, targets: Any = None) -> None:
    """Raise for texts, lists of each text's ids, Python objects and nothing at all.

    Keras says of those that it knows no such type, or that a variable of its own has no value.

    Raises:
        InvalidShapeError: ``data`` is a list of lists of ids, or an array of such lists.
        InvalidArgumentError: ``data`` or ``targets`` are strings; an array in ``data`` holds Python
            objects, or no example.
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
    for array in data.values() if isinstance(data, dict) else keras.tree.flatten(data):
        if isinstance(array, np.ndarray):
            _check_array(array)
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


def _check_array(array: npt.NDArray[Any]) -> None:
    if array.ndim and not len(array):
        raise InvalidArgumentError(
            f"There is no example in the data: an array has the shape {array.shape}."
        )
    if array.dtype.kind != "O":
        return
    first = array.flat[0] if array.size else None
    if isinstance(first, (list, tuple, np.ndarray)):
        raise InvalidShapeError(
            "A model takes one array of numbers, and received an array of lists. First pad them "
            "to one length, as with pad_sequences."
        )
    raise InvalidArgumentError(
        "A model takes numbers, and received an array of Python objects (dtype object). Make "
        'whole numbers of them, as with ids.astype("int32").'
    )


def _are_strings(data: Any) -> bool:
    if isinstance(data, np.ndarray):
        return data.dtype.kind in "US" or (
            data.dtype.kind == "O" and data.size > 0 and isinstance(data.flat[0], str)
        )
    return isinstance(data, (list, tuple)) and bool(data) and isinstance(data[0], str)


def _is_list_of_ids(row: Any) -> bool:
    return isinstance(row, list) and all(isinstance(id, (int, np.integer)) for id in row)
