"""What users give to a classifier, as lists and arrays."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from rowwise.errors import InvalidArgumentError, InvalidShapeError


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
    """Labels (n,) of any sequence or column: strings, whole numbers or booleans."""
    if labels is None:
        raise InvalidArgumentError("`fit` requires y to be passed, but the target y is None.")
    array: npt.NDArray[Any] = np.asarray(labels if hasattr(labels, "dtype") else list(labels))
    if array.ndim != 1 and array.shape[1:] != (1,):
        raise InvalidShapeError(f"Expected one label a text. Received shape {array.shape}.")
    array = column_or_1d(array, warn=True)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidArgumentError("Labels must not be NaN or infinite.")
    check_classification_targets(array)
    return array
