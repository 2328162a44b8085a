"""A table out of an HDF5 file, whose claims are checked before memory is set aside for them."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.vectors.formats.packed import HARMLESS_BYTES, MOST_TIMES

# Keras writes bfloat16, which HDF5 does not have, as two bytes, and says so in this attribute.
_DTYPE, _BFLOAT16 = "dtype", "bfloat16"


def find(file: Any, place: str, name: str) -> Any:
    """The group or dataset at a place of an open ``h5py.File``, which stands in that file itself.

    Args:
        file: the file, or a group of it.
        place: names with ``/`` between them.
        name: what messages call the file.

    Raises:
        DataFileError: it is not there, or is a link, which may lead to any other file.
    """
    import h5py

    found = file
    for part in place.split("/"):
        held = isinstance(found, h5py.Group) and part in found
        if not held or not isinstance(found.get(part, getlink=True), h5py.HardLink):
            raise DataFileError(f"{name} is not a whole Keras model: it has no {place!r}.")
        found = found[part]
    return found


def read(table: Any, size: int, name: str) -> npt.NDArray[Any]:
    """The numbers (n, d) of a dataset; bfloat16 comes as float32.

    Args:
        table: an ``h5py.Dataset``.
        size: bytes of its file.
        name: what messages call it.

    Raises:
        DataFileError: it holds other things than numbers with a fraction, or promises more of them
            than are stored.
    """
    kind = table.dtype.kind
    is_bfloat16 = table.dtype.str == "|V2" and table.attrs.get(_DTYPE) == _BFLOAT16
    if kind in "iu":
        raise DataFileError(
            f"The table in {name} is quantised ({table.dtype}). Load the model with Keras and ask "
            "its layer for rows, or save it before it is quantised."
        )
    if kind != "f" and not is_bfloat16:
        raise DataFileError(f"The table in {name} holds {table.dtype} in place of numbers.")
    if not _is_stored(table, size):
        raise DataFileError(
            f"The table in {name} claims the shape {table.shape}, and the file does not hold as "
            "much. It is damaged, or was made to fill a memory."
        )
    numbers: npt.NDArray[Any] = np.asarray(table)
    if is_bfloat16:
        return (numbers.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return numbers


def _is_stored(table: Any, size: int) -> bool:
    """Whether the file has all that the table claims; HDF5 makes up what was never written."""
    if table.is_virtual or table.external:  # the numbers stand in other files
        return False
    item = table.dtype.itemsize
    claimed: int = math.prod(table.shape) * item
    stored = min(int(table.id.get_storage_size()), size)
    piece = math.prod(table.chunks or ()) * item
    if piece > max(claimed, HARMLESS_BYTES):
        return False
    if table.id.get_create_plist().get_nfilters():  # packed
        stored = max(MOST_TIMES * stored, HARMLESS_BYTES)
    return claimed <= stored
