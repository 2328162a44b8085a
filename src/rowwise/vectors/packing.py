"""Words as bytes: all of them in one block of UTF-8, until somebody asks for strings.

400,000 Python strings take 25 MB and 50 ms to make; their bytes are 3 MB and can be mapped.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_MIXER = np.uint64(0x9E3779B97F4A7C15)
_MARKED_BYTES = 48
_BLOCK_WORDS = 65_536
_SAMPLED = 16_384


class PackedWords:
    """n words in UTF-8, one after the other.

    Args:
        data: uint8, all words; lone surrogates are allowed, as Python's ``surrogatepass`` has it.
        ends: int64 (n,), the byte at which each word ends.
    """

    def __init__(self, data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        self.data = data
        self.ends = ends

    @classmethod
    def pack(cls, words: Iterable[str]) -> "PackedWords":
        """Pack strings."""
        return cls.join([word.encode("utf-8", "surrogatepass") for word in words])

    @classmethod
    def join(cls, encoded: list[bytes]) -> "PackedWords":
        """Pack words that are bytes already."""
        data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        return cls(data, np.cumsum(lengths))

    @classmethod
    def checked(cls, data: npt.NDArray[Any], ends: npt.NDArray[Any]) -> "PackedWords":
        """Words out of a file; ValueError unless ``ends`` cut ``data`` into pieces."""
        if (
            data.ndim != 1
            or data.dtype != np.uint8
            or ends.ndim != 1
            or ends.dtype.kind not in "iu"
            or (int(ends[-1]) if len(ends) else 0) != len(data)
            or bool(np.any(ends[:1] < 0) or np.any(ends[1:] < ends[:-1]))
        ):
            raise ValueError("the words do not fit together with their ends")
        return cls(data, ends.astype(np.int64, copy=False))

    def checksum(self) -> str:
        """A checksum of the first and the last words and of how many there are, in hexadecimal.

        It takes the same time for any number of words, and small files are covered as a whole.
        """
        value = zlib.crc32(f"{len(self.ends)} {len(self.data)}".encode())
        for array in (self.data, self.ends):
            for part in (array[:_SAMPLED], array[max(_SAMPLED, len(array) - _SAMPLED) :]):
                value = zlib.crc32(part.tobytes(), value)
        return f"{value:08x}"

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """int64 (n,), the byte at which each word starts."""
        starts = np.zeros(len(self.ends), dtype=np.int64)
        starts[1:] = self.ends[:-1]
        return starts

    def encoded(self) -> list[bytes]:
        """Each word as bytes."""
        data = self.data.tobytes()
        starts, ends = self.starts.tolist(), self.ends.tolist()
        return [data[start:end] for start, end in zip(starts, ends, strict=True)]

    def decode(self) -> tuple[str, ...]:
        """Each word as a string; bytes that are not UTF-8 become U+FFFD."""
        return tuple(map(decode_word, self.encoded()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.decode())

    def take(self, positions: npt.NDArray[np.intp]) -> "PackedWords":
        """The words at ``positions``."""
        data, starts, ends = self.data, self.starts, self.ends
        return PackedWords.join(
            [data[starts[place] : ends[place]].tobytes() for place in positions.tolist()]
        )

    def undecodable(self) -> npt.NDArray[np.intp]:
        """Positions of words that are not UTF-8."""
        starts, ends = self.starts, self.ends
        wrong: list[int] = []
        for first in range(0, len(ends), _BLOCK_WORDS):
            block = slice(first, first + _BLOCK_WORDS)
            begins, stops = starts[block], ends[block]
            data = self.data[begins[0] : stops[-1]]
            firsts = data[begins[stops > begins] - begins[0]]
            # Words that stand one after the other are UTF-8 if all of it is and none of them
            # starts within a character. Only where that fails they are looked at one by one.
            if not _is_utf8(data.tobytes()) or np.any((firsts & 0xC0) == 0x80):
                wrong += [
                    first + place
                    for place, (begin, stop) in enumerate(zip(begins, stops, strict=True))
                    if not _is_utf8(self.data[begin:stop].tobytes())
                ]
        return np.array(wrong, dtype=np.intp)

    def first(self, count: int) -> "PackedWords":
        """The first so many words, which share the bytes."""
        ends = self.ends[:count]
        return PackedWords(self.data[: int(ends[-1]) if len(ends) else 0], ends)

    def repeated(self) -> npt.NDArray[np.intp]:
        """Positions of words that stood at an earlier position, too."""
        # A set of all words would take many times the memory of their bytes. So they are told
        # apart by 64 bits each, and only where these are equal by what they are.
        marks = self._marks()
        ordered = np.sort(marks)
        if not np.any(ordered[1:] == ordered[:-1]):
            return np.empty(0, dtype=np.intp)
        order = np.argsort(marks, kind="stable")
        equal = np.flatnonzero(marks[order[1:]] == marks[order[:-1]])
        suspects = np.unique(np.concatenate([order[equal], order[equal + 1]]))
        starts, seen, repeats = self.starts, set[bytes](), []
        for place in suspects.tolist():
            word = self.data[starts[place] : self.ends[place]].tobytes()
            if word in seen:
                repeats.append(place)
            seen.add(word)
        return np.array(repeats, dtype=np.intp)

    def _marks(self) -> npt.NDArray[np.uint64]:
        """uint64 (n,), nearly always different for different words."""
        starts, ends = self.starts, self.ends
        marks = (ends - starts).astype(np.uint64) * _MIXER
        left = np.flatnonzero(ends > starts)
        for byte in range(_MARKED_BYTES):
            marks[left] = (marks[left] ^ self.data[starts[left] + byte]) * _MIXER
            marks[left] ^= marks[left] >> np.uint64(29)
            left = left[starts[left] + byte + 1 < ends[left]]
            if not len(left):
                break
        else:  # long words often differ at their ends
            for byte in range(1, _MARKED_BYTES + 1):
                marks[left] = (marks[left] ^ self.data[ends[left] - byte]) * _MIXER
        return marks


def decode_word(word: bytes) -> str:
    """A word's bytes as a string."""
    try:
        return word.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return word.decode("utf-8", "replace")


def _is_utf8(word: bytes) -> bool:
    if word.isascii():  # which is known much faster
        return True
    try:
        word.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
