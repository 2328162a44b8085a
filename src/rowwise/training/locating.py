"""Where in the data a bad id stands; a compiled function knows its place in a batch alone."""

from contextlib import suppress
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.errors import InvalidIdError, RowwiseError


def named_inputs(model: Any, data: Any) -> list[tuple[Any, Any]]:
    """What is given for each input of a model, with the input's name; its number if it has none."""
    if isinstance(data, dict):
        return list(data.items())
    given = keras.tree.flatten(data)
    inputs = getattr(model, "inputs", None) or []  # a subclassed or unbuilt model names none
    if len(inputs) == len(given):
        return [(spec.name, values) for spec, values in zip(inputs, given, strict=True)]
    return list(enumerate(given))


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
    if position:
        inputs = named_inputs(model, data)
        found = [
            (name, row)
            for name, values in inputs
            for row in _rows_with(values, error.worst, position)
        ]
        names = {name for name, _ in found}
        of_input = f" of input {found[0][0]!r}" if len(names) == 1 < len(inputs) else ""
        if len(found) == 1 and found[0][1] != position[0]:
            row = found[0][1]
            position = (row, *position[1:])
            said.append(f"The position is within a batch: in the data it is row {row}{of_input}.")
        elif of_input:
            said.append(f"In the data it is a row{of_input}.")
    if when:
        said.append(when)
    told = InvalidIdError(" ".join(said))
    told.worst, told.position, told.is_located = error.worst, position, True
    return told


def _rows_with(values: Any, worst: Any, position: tuple[int, ...]) -> list[int]:
    """The rows of an array in which ``worst`` stands where the position says, but for its row."""
    if isinstance(values, np.ndarray) and values.ndim == len(position):
        column: Any = (slice(None), *position[1:])
        with suppress(IndexError):  # another input, with fewer columns
            return [int(row) for row in np.flatnonzero(values[column] == worst)]
    return []
