"""Where in the data a bad id stands; a compiled function knows its place in a batch alone."""

from typing import Any

import numpy as np

from rowwise.errors import InvalidIdError, RowwiseError
from rowwise.training.data import named_inputs


def located(error: RowwiseError, model: Any, data: Any, when: str = "") -> RowwiseError:
    """``error`` with the input and the row of ``data`` where the bad id stands, if that is sure.

    Args:
        error: what was found; comes back as it is if it is located, or not about an id.
        model: that was given the data.
        data: arrays are looked at, and nothing else.
        when: a sentence to add.
    """
    if not isinstance(error, InvalidIdError) or error.is_located:
        return error
    position, said = error.position, [str(error)]
    inputs = named_inputs(model, data) if position else []
    found: list[tuple[Any, int]] = []
    for name, values in inputs:
        rows = _rows_with(values, error.worst, position)
        if rows is None:  # it may be the one
            found.clear()
            break
        found += [(name, row) for row in rows]
    of_input = ""
    if len({name for name, _ in found}) == 1 < len(inputs):
        of_input = f" of input {found[0][0]!r}"
    if len(found) == 1 and found[0][1] != position[0]:
        position = (found[0][1], *position[1:])
        said.append(
            f"The position is within a batch: in the data it is row {position[0]}{of_input}."
        )
    elif of_input:
        said.append(f"In the data it is a row{of_input}.")
    if when:
        said.append(when)
    # Also of the one that was found, which others may have collected, too.
    error.is_located = True
    told = InvalidIdError(" ".join(said))
    told.worst, told.position, told.is_located = error.worst, position, True
    return told


def _rows_with(values: Any, worst: Any, position: tuple[int, ...]) -> list[int] | None:
    """The rows of an array in which ``worst`` stands where the position says, but for its row.

    None for what cannot be looked at.
    """
    if not isinstance(values, np.ndarray):
        return None
    if values.ndim == 1 and len(position) == 2:  # Keras makes a column of it
        values = values[:, np.newaxis]
    column: Any = (slice(None), *position[1:])
    if values.ndim != len(position) or any(
        index >= size for index, size in zip(position[1:], values.shape[1:], strict=True)
    ):
        return []
    return [int(row) for row in np.flatnonzero(values[column] == worst)]
