"""Choosing examples to measure on, label by label, without sorting all of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# So many examples are divided at a time.
_GROUP = 1 << 16


def hold_out(codes: NDArray[Any] | None, size: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Which of ``size`` examples to hold out; of each label as near to ``share`` as can be.

    They are drawn from runs of examples one after the other; what a run is short of or has too
    many of a label, the next ones make up for.

    Args:
        codes: their labels as small numbers, ``(size,)``; None: they count as one label.
        size: how many there are.
        share: from 0 to 1.
        seed: of the choice.

    Returns:
        bool ``(size,)``.
    """
    held = np.zeros(size, dtype=np.bool_)
    classes = 1 if codes is None else int(codes.max(initial=0)) + 1
    owed = np.full(classes, 0.5)  # so that the sum is rounded to the nearest number
    for run, first in enumerate(range(0, size, _GROUP)):
        last = min(first + _GROUP, size)
        lots = np.random.default_rng([seed, run]).random(last - first)
        labels = np.zeros(last - first, dtype=np.uint8) if codes is None else codes[first:last]
        order = np.lexsort((lots, labels))
        counts = np.bincount(labels, minlength=classes)
        exact = owed + counts * share
        taken = np.floor(exact + 1e-9).astype(np.int64)
        owed = exact - taken
        # The place of each among those of its label.
        ranks = np.arange(last - first) - np.repeat(np.cumsum(counts) - counts, counts)
        held[first + order[ranks < np.repeat(taken, counts)]] = True
    return held
