"""One process that has everything."""

from typing import Any

import keras

from rowwise.backend.places import Part, Read


def process() -> tuple[int, int]:
    """See ``rowwise.backend.places``."""
    return 0, 1


def wait_for_all(name: str) -> None:
    """See ``rowwise.backend.places``."""
    del name


def parts_of(value: Any) -> list[Part]:
    """See ``rowwise.backend.places``."""
    array = keras.ops.convert_to_numpy(value)
    return [Part((0,) * array.ndim, array.shape, array)]


def assign(variable: Any, read: Read) -> None:
    """See ``rowwise.backend.places``."""
    shape = tuple(variable.shape)
    variable.assign(read((0,) * len(shape), shape))
