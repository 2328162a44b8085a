"""What a checkpoint has: ``checkpoint.json``, and beside it a ``.npy`` file for each part.

A part is a block of an array, of whatever size the process had that wrote it. So what is read can
be cut otherwise, for another number of devices. Rows that no ids are for are not in it.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rowwise.errors import DataFileError

FILE = "checkpoint.json"
_FORMAT, _VERSION = "rowwise checkpoint", 1


@dataclass(frozen=True)
class StoredPart:
    """A block of an array, in a file of its own."""

    file: str
    start: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class StoredArray:
    """The value of a variable."""

    path: str
    """The variable's, for messages."""
    shape: tuple[int, ...]
    dtype: str
    parts: tuple[StoredPart, ...]


@dataclass(frozen=True)
class Manifest:
    """The content of ``checkpoint.json``."""

    step: int
    """Updates that the optimizer had made."""
    optimizer_class: str
    """The optimizer's; "" without one."""
    trained: tuple[bool, ...]
    """Which of the model's variables the optimizer trains."""
    model: tuple[StoredArray, ...]
    """The model's variables, whether they train or not."""
    optimizer: tuple[StoredArray, ...]

    def write(self, folder: Path) -> None:
        """Write the file into ``folder``."""
        content = {"format": _FORMAT, "version": _VERSION, **asdict(self)}
        with open(folder / FILE, "w", encoding="utf-8") as opened:
            opened.write(json.dumps(content, indent=1) + "\n")
            opened.flush()
            os.fsync(opened.fileno())


def read_manifest(folder: Path) -> Manifest:
    """What is in the checkpoint ``folder``.

    Raises:
        DataFileError: it is none, or of a later version.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        if content["version"] != _VERSION:
            raise ValueError(f"its version is {content['version']!r}, and {_VERSION} is known")
        return Manifest(
            int(content["step"]),
            str(content["optimizer_class"]),
            tuple(map(bool, content["trained"])),
            tuple(map(_array, content["model"])),
            tuple(map(_array, content["optimizer"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataFileError(f"{str(path)!r} is not that of a checkpoint: {error}.") from error


def _array(content: dict[str, Any]) -> StoredArray:
    parts = []
    for one in content["parts"]:
        file = str(one["file"])
        if Path(file).name != file:
            raise ValueError(f"{file!r} is no name of a file in the folder")
        parts.append(StoredPart(file, _sizes(one["start"]), _sizes(one["shape"])))
    return StoredArray(
        str(content["path"]), _sizes(content["shape"]), str(content["dtype"]), tuple(parts)
    )


def _sizes(content: list[Any]) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in content)
    if any(size < 0 for size in sizes):
        raise ValueError("a size is negative")
    return sizes
