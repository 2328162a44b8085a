"""What users give to a classifier, as lists and arrays."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.text.checks import is_missing


def as_texts(texts: Any) -> list[str]:
    """Texts of any sequence, an array or a column of a data frame."""
    if isinstance(texts, (str, bytes)):
        raise InvalidArgumentError(
            f"Expected several texts, as in [{texts!r}]. Received a single one."
        )
    if hasattr(texts, "ndim") and texts.ndim != 1:
        raise InvalidShapeError(
            f"Expected texts in one dimension. Received an array of shape {texts.shape}; Reshape "
            "your data or choose the column of texts."
        )
    return list(texts)


def as_labels(labels: Any) -> npt.NDArray[Any]:
    """Labels (n,) of any sequence or column: strings, whole numbers or booleans.

    Raises:
        InvalidArgumentError: a label is missing (the message names its position), or some are
            strings and some are not.
        InvalidShapeError: not one label a text.
    """
    if labels is None:
        raise InvalidArgumentError("`fit` requires y to be passed, but the target y is None.")
    values = labels if hasattr(labels, "dtype") else list(labels)
    array: npt.NDArray[Any] = np.asarray(values)
    # Before NumPy makes one type of them: NaN beside strings would become the label "nan".
    one_type = isinstance(values, np.ndarray) and array.dtype.kind != "O"
    if array.ndim == 1 and not one_type:
        _check_mixed(list(values))
    if array.ndim != 1 and array.shape[1:] != (1,):
        raise InvalidShapeError(f"Expected one label a text. Received shape {array.shape}.")
    array = column_or_1d(array, warn=True)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidArgumentError("Labels must not be NaN or infinite.")
    check_classification_targets(array)
    return array


def _check_mixed(labels: list[Any]) -> None:
    for position, label in enumerate(labels):
        if is_missing(label):
            raise InvalidArgumentError(
                f"Every text needs a label. The one at position {position} is missing: {label!r}. "
                "Add it, or leave this text out."
            )
    kinds = {isinstance(label, str) for label in labels}
    if len(kinds) > 1:
        position = next(i for i, label in enumerate(labels) if not isinstance(label, str))
        raise InvalidArgumentError(
            "Labels must be strings or numbers, and not some of each. Received "
            f"{labels[position]!r} at position {position} beside strings. Convert it to a string."
        )
