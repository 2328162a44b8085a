"""What a newcomer gives to a model in place of arrays of numbers, and what to do about it."""

from typing import Any

import numpy as np

from rowwise.errors import InvalidArgumentError, InvalidShapeError


def check_data(data: Any, targets: Any = None) -> None:
    """Raise for texts, and for lists of each text's ids: Keras just knows no such type.

    Raises:
        InvalidShapeError: ``data`` is a list of lists of ids.
        InvalidArgumentError: ``data`` or ``targets`` are strings.
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


def _are_strings(data: Any) -> bool:
    if isinstance(data, np.ndarray):
        return data.dtype.kind in "US" or (
            data.dtype.kind == "O" and data.size > 0 and isinstance(data.flat[0], str)
        )
    return isinstance(data, (list, tuple)) and bool(data) and isinstance(data[0], str)


def _is_list_of_ids(row: Any) -> bool:
    return isinstance(row, list) and all(isinstance(id, (int, np.integer)) for id in row)
