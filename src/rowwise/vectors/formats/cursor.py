"""Reading a binary file field by field, never past its end."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError


class Cursor:
    """A place in the bytes of a file.

    Args:
        content: uint8, all bytes of the file.
        name: of the file, for messages.
        what: the format, for messages.
        position: of the first byte to read.
    """

    def __init__(
        self, content: npt.NDArray[np.uint8], name: str, what: str, position: int = 0
    ) -> None:
        self.content, self.name, self.what, self.position = content, name, what, position

    def skip(self, count: int) -> None:
        """Go on by so many bytes."""
        self._end(count)
        self.position += count

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Fields as ``struct`` has them, little endian."""
        end = self._end(struct.calcsize("<" + layout))
        found = struct.unpack("<" + layout, self.content[self.position : end].tobytes())
        self.position = end
        return found

    def array(self, dtype: str, *shape: int) -> npt.NDArray[Any]:
        """An array of this shape, mapped where the file is."""
        # A size that is larger than the file belongs to an array of nothing, with another size 0.
        if any(not 0 <= size <= len(self.content) for size in shape):
            raise self.damaged(f"it promises an array of shape {shape}")
        kind, count = np.dtype(dtype), 1
        for size in shape:
            count *= size
        end = self._end(count * kind.itemsize)
        part = self.content[self.position : end]
        self.position = end
        return part.view(kind).reshape(shape)

    def damaged(self, why: str) -> DataFileError:
        """The error to raise for a file that does not hold what it should."""
        return DataFileError(f"{self.name!r} is damaged or no {self.what}: {why}.")

    def _end(self, count: int) -> int:
        if count > len(self.content) - self.position:
            raise DataFileError(
                f"{self.name!r} is cut short, or no {self.what}: at byte {self.position:,} it "
                f"promises {count:,} bytes, and {len(self.content) - self.position:,} follow."
            )
        return self.position + count
