"""Windows of examples as ids, and a small store of them that threads share."""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rowwise.text.encoded import EncodedTexts, pad_rows, row_mask
from rowwise.text.indexed.example_files import ExampleBlock

# Texts are encoded many at a time, which pays off, but padded rows of too many take memory.
_CHARACTERS = 1 << 24
_PADDED_IDS = 1 << 22


class Encoder(Protocol):
    """What turns texts into ids: a ``Tokenizer``, or anything with such a method."""

    def encode(
        self, texts: list[str], *, max_length: int, padding: str, truncating: str
    ) -> EncodedTexts:
        """Ids of texts, padded to ``max_length``."""


@dataclass(frozen=True)
class Padding:
    """How ids become rows of one length."""

    length: int
    padding: str
    truncating: str


class Batch(NamedTuple):
    """Padded ids, int32 ``(examples, length)``, and labels and weights if there are any."""

    ids: NDArray[np.int32]
    labels: NDArray[np.int32] | None
    weights: NDArray[np.float32] | None

    @classmethod
    def joined(cls, parts: "list[Batch]") -> "Batch":
        """One batch of all examples of some."""
        if len(parts) == 1:
            return parts[0]
        columns: Iterable[Any] = zip(*parts, strict=True)
        joined: list[Any] = [None if one[0] is None else np.concatenate(one) for one in columns]
        return cls(*joined)


@dataclass(frozen=True, eq=False)
class Window:
    """Examples as ids, without padding, in the order of their files.

    Attributes:
        order: in which order the examples are taken, ``(examples,)``.
        ids: int32, of one example after the other.
        offsets: int64 ``(examples + 1,)``; example i has ``ids[offsets[i]:offsets[i + 1]]``.
        labels: int32 ``(examples,)``, or None.
        weights: float32 ``(examples,)``, or None.
    """

    order: NDArray[np.int64]
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int32] | None
    weights: NDArray[np.float32] | None

    def take(self, first: int, last: int, padding: Padding) -> Batch:
        """The examples from ``first`` to before ``last``, by their order."""
        examples = self.order[first:last]
        starts = self.offsets[examples]
        lengths = self.offsets[examples + 1] - starts
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        rows = pad_rows(
            self.ids[places], offsets, padding.length, padding.padding, padding.truncating
        )
        return Batch(
            rows.ids,
            None if self.labels is None else self.labels[examples],
            None if self.weights is None else self.weights[examples],
        )


def window_of(
    blocks: Iterable[ExampleBlock], order: NDArray[np.int64], encoder: Encoder, padding: Padding
) -> Window:
    """Encode the examples of some blocks, which will be taken in this order."""
    flat: list[NDArray[np.int32]] = []
    lengths: list[NDArray[np.int32]] = []
    labels: list[NDArray[np.int32]] = []
    weights: list[NDArray[np.float32]] = []
    most = max(_PADDED_IDS // max(padding.length, 1), 1)
    waiting: list[str] = []
    characters = 0

    def encode() -> None:
        nonlocal waiting, characters
        for first in range(0, len(waiting), most):
            found = encoder.encode(
                waiting[first : first + most],
                max_length=padding.length,
                padding=padding.padding,
                truncating=padding.truncating,
            )
            there = row_mask(found.lengths.astype(np.int64), padding.length, padding.padding)
            flat.append(found.ids[there])
            lengths.append(found.lengths)
        waiting, characters = [], 0

    for block in blocks:
        waiting += block.texts
        characters += sum(map(len, block.texts))
        if block.labels is not None:
            labels.append(block.labels)
        if block.weights is not None:
            weights.append(block.weights)
        if characters >= _CHARACTERS:
            encode()
    encode()
    return Window(
        order,
        np.concatenate([np.zeros(0, np.int32), *flat]),
        np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int32), *lengths]))]),
        np.concatenate(labels) if labels else None,
        np.concatenate(weights) if weights else None,
    )


class WindowStore:
    """The windows that were used last, each made once however many threads ask for it.

    Args:
        make: makes the window of a key.
        ahead: how many of the windows to come are made before they are asked for, each in a
            thread of its own.
    """

    def __init__(self, make: Callable[[Any], Window], ahead: int) -> None:
        self._make, self._ahead = make, ahead
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._made: OrderedDict[Any, Future[Window]] = OrderedDict()
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(max(self._ahead, 1), thread_name_prefix="rowwise-window")

    def get(self, key: Any, following: Iterable[Any] = ()) -> Window:
        """The window of a key.

        Args:
            key: of the window.
            following: keys of those that are asked for next.
        """
        if os.getpid() != self._process:
            self._start()  # a process that was forked has none of the threads
        with self._lock:
            asked = self._future(key)
            for _, later in zip(range(self._ahead), following, strict=False):
                self._future(later)
            # A batch may reach from one window into the next; another thread may be one behind.
            while len(self._made) > self._ahead + 2:
                self._made.popitem(last=False)
        try:
            return asked.result()
        except BaseException:
            with self._lock:
                self._made.pop(key, None)
            raise

    def _future(self, key: Any) -> Future[Window]:
        if key not in self._made:
            self._made[key] = self._threads.submit(self._make, key)
        self._made.move_to_end(key)
        return self._made[key]

    def close(self) -> None:
        """Make no more windows."""
        self._threads.shutdown(wait=False, cancel_futures=True)
