"""Arrays and a header in one block of bytes, for a script to unpack.

The length of the header (little-endian, 4 bytes), the header as JSON in UTF-8, then the arrays,
each from a multiple of 8 bytes on. The header's ``arrays`` say for each its name, its type as
JavaScript calls it, and where it starts and how many numbers it has.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_TYPES = {
    "float32": "Float32Array",
    "int32": "Int32Array",
    "int16": "Int16Array",
    "int8": "Int8Array",
    "uint8": "Uint8Array",
}
_STEP = 8


def packed(header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """The block, compressed and in base64: a page can hold it as text."""
    places: dict[str, Any] = {}
    parts: list[bytes] = []
    start = 0
    for name, array in arrays.items():
        kind = array.dtype.name
        data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        places[name] = {"type": _TYPES[kind], "start": start, "count": array.size}
        parts.append(data + bytes(-len(data) % _STEP))
        start += len(parts[-1])
    # Lone surrogates, which a word may hold, are written as escapes.
    text = json.dumps({**header, "arrays": places}, ensure_ascii=True, allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % _STEP)
    return compressed(len(text).to_bytes(4, "little") + text + b"".join(parts))


def compressed(data: bytes) -> str:
    """Bytes by gzip, without a date, in base64."""
    return base64.b64encode(gzip.compress(data, compresslevel=9, mtime=0)).decode("ascii")
