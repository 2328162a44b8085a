"""Safetensors files, with their tensors mapped instead of read.

Layout: 8 bytes with the header's length (little endian), a JSON header, then data. The library
``safetensors`` writes them; its reader copies every tensor, which for a big table takes long.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.vectors.formats.damage import damage_named
from rowwise.vectors.formats.source import Source

# The format's own limit.
_LONGEST_HEADER = 100_000_000
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U8": "<u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "BOOL": "?",
}


def matches(start: bytes) -> bool:
    """Whether a file's first bytes are those of a safetensors file."""
    # No line of a text format has four NUL bytes before a brace.
    return len(start) >= 9 and start[8:9] == b"{" and start[4:8] == bytes(4)


def open_tensors(source: Source) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """The tensors by name, read only and not copied, and the metadata.

    bfloat16, which NumPy does not have, comes as float32.

    Raises:
        DataFileError: the file is damaged or cut short.
    """
    content = source.content
    with damage_named(f"{source.name!r} is not a whole safetensors file"):
        length = int.from_bytes(content[:8].tobytes(), "little")
        if len(content) < 8 or length > min(_LONGEST_HEADER, len(content) - 8):
            raise ValueError("its header is longer than the file")
        header = json.loads(content[8 : 8 + length].tobytes())
        data = content[8 + length :]
        metadata = header.pop("__metadata__", {})
        tensors = {name: _tensor(data, described) for name, described in header.items()}
        if not all(isinstance(value, str) for value in metadata.values()):
            raise ValueError("its metadata are no strings")
    return tensors, metadata


def _tensor(data: npt.NDArray[np.uint8], described: dict[str, Any]) -> npt.NDArray[Any]:
    name = described["dtype"]
    dtype = np.dtype(_DTYPES[name])
    shape = [int(size) for size in described["shape"]]
    start, end = (int(place) for place in described["data_offsets"])
    count = 1
    for size in shape:
        if size < 0:
            raise ValueError("a negative size")
        count *= size
    if not 0 <= start <= end <= len(data) or end - start != count * dtype.itemsize:
        raise ValueError("a tensor does not fit into the file")
    tensor: npt.NDArray[Any] = data[start:end].view(dtype).reshape(shape)
    if name == "BF16":
        return (tensor.astype(np.uint32) << 16).view(np.float32)
    return tensor
