"""rowwise's own file: a safetensors file with the rows and the words.

``rows`` is float32 (n, d); ``words`` is uint8, all words in UTF-8 one after the other, and
``ends`` is int64 (n,), the byte at which each word ends. No word is forbidden. Layout of
safetensors itself: 8 bytes with the header's length (little endian), a JSON header, then data.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.files import atomic_path

START_BYTES = 9
_TENSORS = ("rows", "words", "ends")


def matches(start: bytes) -> bool:
    """Whether a file's first ``START_BYTES`` bytes are those of a safetensors file."""
    # No line of a text format has seven NUL bytes before a brace.
    return len(start) == START_BYTES and start[8:9] == b"{" and start[4:8] == bytes(4)


def write(path: Path, words: Sequence[str], rows: npt.NDArray[np.float32]) -> None:
    """Write ``words`` and ``rows`` (n, d) to ``path``."""
    from safetensors.numpy import save_file

    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    tensors: dict[str, npt.NDArray[Any]] = {
        "rows": np.ascontiguousarray(rows),
        "words": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "ends": np.cumsum([len(word) for word in encoded], dtype=np.int64),
    }
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"format": "rowwise vectors 1"})


def read(path: Path) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Words and rows (n, d) of the file at ``path``; DataFileError when it holds something else."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise DataFileError(f"{str(path)!r} is not a whole safetensors file: {error}.") from error
    missing = [name for name in _TENSORS if name not in tensors]
    if missing:
        raise DataFileError(
            f"{str(path)!r} is a safetensors file without {', '.join(missing)}; expected one that "
            f"`Vectors.save` wrote. It holds: {', '.join(sorted(tensors)) or 'nothing'}."
        )
    rows, packed, ends = (tensors[name] for name in _TENSORS)
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    if (
        rows.ndim != 2
        or len(rows) != len(ends)
        or np.any(ends < starts)
        or (len(ends) and ends[-1] != len(packed))
    ):
        raise DataFileError(f"{str(path)!r} is damaged: its words and rows do not fit together.")
    text = packed.tobytes()
    words = [
        text[start:end].decode("utf-8", "surrogatepass")
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    return words, rows.astype(np.float32, copy=False)
