"""Processes that each have everything: one alone, or those that train together on PyTorch."""

from typing import Any

import keras

from rowwise.backend.places import Part, Read
from rowwise.backend.processes import connected


def process() -> tuple[int, int]:
    """See ``rowwise.backend.places``."""
    found = connected()
    return (0, 1) if found is None else (found.rank, found.count)


def wait_for_all(name: str) -> None:
    """See ``rowwise.backend.places``."""
    del name
    found = connected()
    if found is not None:
        found.wait()


def parts_of(value: Any) -> list[Part]:
    """See ``rowwise.backend.places``; the first process writes."""
    shape = tuple(value.shape)
    values = None if process()[0] else keras.ops.convert_to_numpy(value)
    return [Part((0,) * len(shape), shape, values)]


def assign(variable: Any, read: Read) -> None:
    """See ``rowwise.backend.places``."""
    shape = tuple(variable.shape)
    variable.assign(read((0,) * len(shape), shape))
