"""In which order examples come: a function of seed and epoch alone."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EpochOrder:
    """One epoch: windows, which are read one after the other, and the examples within each.

    Attributes:
        windows: the blocks of each window, growing numbers, int64.
        begins: the number of the first example of each window, and of all, ``(windows + 1,)``.
    """

    windows: list[NDArray[np.int64]]
    begins: NDArray[np.int64]

    def windows_of(self, first: int, last: int) -> range:
        """The windows in which the examples from ``first`` to before ``last`` are."""
        start = int(np.searchsorted(self.begins, first, side="right")) - 1
        return range(start, int(np.searchsorted(self.begins, last, side="left")))


@dataclass(frozen=True, eq=False)
class Order:
    """The order of all epochs.

    Shuffled, each window has blocks from all over the files and its examples are in random order;
    otherwise blocks and examples come in the order of the files.

    Args:
        counts: examples of each block, ``(blocks,)``; blocks without any are left out.
        window: blocks of a window.
        seed: of the shuffling; None: none.
    """

    counts: NDArray[np.int64]
    window: int
    seed: int | None

    def epoch(self, number: int) -> EpochOrder:
        """The windows of an epoch."""
        return _epoch(self, number if self.seed is not None else 0)

    def within(self, epoch: int, window: int, size: int) -> NDArray[np.int64]:
        """In which order the ``size`` examples of a window come, int64 ``(size,)``."""
        if self.seed is None:
            return np.arange(size)
        return np.random.default_rng([self.seed, epoch, window]).permutation(size)


@lru_cache(maxsize=8)
def _epoch(order: Order, number: int) -> EpochOrder:
    blocks = np.flatnonzero(order.counts)
    if order.seed is not None:
        blocks = np.random.default_rng([order.seed, number]).permutation(blocks)
    windows = [
        np.sort(blocks[first : first + order.window])
        for first in range(0, len(blocks), order.window)
    ]
    sizes = [int(order.counts[window].sum()) for window in windows]
    return EpochOrder(windows, np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]))
