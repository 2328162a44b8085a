"""Sequences of different lengths as one array."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.text.checks import require_length, require_side, shorten
from rowwise.text.encoded import row_mask


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> NDArray[Any]:
    """Pad sequences to the same length, as the Keras function of this name.

    Args:
        sequences: sequences of numbers, of strings, or of equally shaped arrays.
        maxlen: length of the result; None: that of the longest sequence.
        dtype: type of the result; ``object`` for strings of any length.
        padding: "pre" or "post", the side at which ``value`` is added.
        truncating: "pre" or "post", the side at which a longer sequence is cut.
        value: what to pad with.

    Returns:
        An array ``(sequences, length) + shape of one step`` of type ``dtype``; ``(0, 0)`` if
        there are no sequences.

    Raises:
        InvalidArgumentError: ``padding`` or ``truncating`` is no side, ``maxlen`` is negative,
            ``sequences`` is not a sequence of sequences, or a string is to pad numbers.
        InvalidShapeError: the steps of two sequences have different shapes.
    """
    require_side("padding", padding)
    require_side("truncating", truncating)
    require_length("maxlen", maxlen)
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OU":
        raise InvalidArgumentError(
            f"The padding {value!r} is a string, but `dtype` is {kind}. "
            "Use dtype=object for strings of any length."
        )
    lengths = _lengths(sequences)
    columns = int(lengths.max(initial=0)) if maxlen is None else int(maxlen)
    kept = np.minimum(lengths, columns)
    rows: Sequence[Any] = sequences
    if (kept < lengths).any():
        cut = slice(None, columns) if truncating == "post" else slice(-columns or None, None)
        # slice(-0, None) would keep everything.
        rows = [row[:0] if columns == 0 else row[cut] for row in sequences]
    step_shape = _step_shape(sequences)
    padded = np.full((len(lengths), columns, *step_shape), value, dtype=dtype)
    if not kept.any():
        return padded
    flat = _flat_numbers(rows, kind, int(kept.sum())) if step_shape == () else None
    if flat is None:
        _fill(padded, rows, padding, step_shape)
    else:
        padded[row_mask(kept, columns, padding)] = flat
    return padded


def _lengths(sequences: Sequence[Any]) -> NDArray[np.int64]:
    if not hasattr(sequences, "__len__"):
        raise InvalidArgumentError(
            "`sequences` must be a list of sequences. "
            f"Received: {shorten(sequences)} of type {type(sequences).__name__}"
        )
    try:
        return np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    except TypeError:
        position, row = next(
            (place, row) for place, row in enumerate(sequences) if not hasattr(row, "__len__")
        )
        raise InvalidArgumentError(
            "`sequences` must be a list of sequences. "
            f"Received: {shorten(row)} of type {type(row).__name__} at position {position}"
        ) from None


def _step_shape(sequences: Sequence[Any]) -> tuple[int, ...]:
    """Return the shape of one step, taken from the first sequence that has one."""
    for row in sequences:
        if len(row):
            return np.asarray(row).shape[1:]
    return ()


def _flat_numbers(rows: Sequence[Any], kind: np.dtype[Any], total: int) -> NDArray[Any] | None:
    """Return all numbers of lists one behind the other; None if they are not plain numbers."""
    if kind.kind not in "iufb" or not set(map(type, rows)) <= {list, tuple}:
        return None
    try:
        return np.fromiter(chain.from_iterable(rows), dtype=kind, count=total)
    except (TypeError, ValueError):
        return None  # steps of several numbers, or something that the slow way reports


def _fill(
    padded: NDArray[Any], rows: Sequence[Any], padding: str, step_shape: tuple[int, ...]
) -> None:
    """Copy row after row, checking that all steps have the same shape."""
    for position, row in enumerate(rows):
        if not len(row):
            continue
        if isinstance(row, str | bytes):
            raise InvalidArgumentError(
                f"The sequence at position {position} is one string: {shorten(row)}. Sequences are "
                "lists of numbers or of strings; text becomes ids with Tokenizer or Vocabulary."
            )
        steps = np.asarray(row, dtype=padded.dtype)
        if steps.shape[1:] != step_shape:
            raise InvalidShapeError(
                f"The steps of the sequence at position {position} have shape {steps.shape[1:]}, "
                f"but those of the first sequence have shape {step_shape}."
            )
        if padding == "post":
            padded[position, : len(steps)] = steps
        else:
            padded[position, -len(steps) :] = steps
