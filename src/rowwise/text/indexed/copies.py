"""Temporary copies of examples whose own files can be read from the beginning only."""

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rowwise.text.indexed.rows import BLOCK_BYTES, Place
from rowwise.text.indexed.values import Values


class Copy:
    """Texts and weights in a file of Arrow's, of which any block can be read.

    It is there as long as the object that made it, and its process. Pickles of it lead to the
    same file.
    """

    def __init__(self) -> None:
        handle, self.path = tempfile.mkstemp(prefix="rowwise-", suffix=".arrow")
        os.close(handle)
        # Not where a process that was forked ends.
        self._finalizer: Any = weakref.finalize(self, _remove, self.path, os.getpid())

    def write(self, blocks: Iterable[Values]) -> Iterator[tuple[Place, Values]]:
        """Write examples as they pass by, and say in which block each went.

        Args:
            blocks: examples of one file, in blocks of any size.
        """
        import pyarrow as pa

        schema = pa.schema([("texts", pa.large_string()), ("weights", pa.float64())])
        with pa.OSFile(self.path, "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for number, values in enumerate(_larger(blocks)):
                texts = pa.array(values.texts, pa.large_string())
                weights = pa.nulls(len(texts), pa.float64())
                if values.weights is not None:
                    weights = pa.array(values.weights, pa.float64())
                writer.write_batch(pa.record_batch([texts, weights], schema=schema))
                yield Place(number, number + 1, values.numbers[0]), values

    def read(self, places: Iterable[Place]) -> Iterator[tuple[list[str], list[float]]]:
        """Texts and weights of blocks."""
        import pyarrow as pa

        # Not a map of memory: what was read of one counts as memory of the process.
        with pa.OSFile(self.path, "rb") as stream, pa.ipc.open_file(stream) as file:
            for place in places:
                batch = file.get_batch(place.start)
                yield batch.column(0).to_pylist(), batch.column(1).to_pylist()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}


def _remove(path: str, process: int) -> None:
    if os.getpid() == process:
        Path(path).unlink(missing_ok=True)


def _larger(blocks: Iterable[Values]) -> Iterator[Values]:
    """Blocks of about ``BLOCK_BYTES`` out of smaller ones, none of them empty."""
    waiting: list[Values] = []
    size = 0
    for values in blocks:
        if values.texts:
            waiting.append(values)
            size += sum(map(len, values.texts))
        if size >= BLOCK_BYTES:
            yield _joined(waiting)
            waiting, size = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Values]) -> Values:
    if len(parts) == 1:
        return parts[0]
    labels = weights = None
    if parts[0].labels is not None:
        labels = [label for part in parts for label in part.labels or []]
    if parts[0].weights is not None:
        weights = [weight for part in parts for weight in part.weights or []]
    return Values(
        [number for part in parts for number in part.numbers],
        [text for part in parts for text in part.texts],
        labels,
        weights,
    )
