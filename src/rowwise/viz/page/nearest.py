"""The nearest words of every word, in the space of the rows."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rowwise.vectors.neighbours import best_rows
from rowwise.vectors.norms import Norms
from rowwise.vectors.objectives import Cosine

# Words whose neighbours are looked for in one pass over the rows.
_QUERIES = 256


def nearest_of_all(
    rows: npt.NDArray[np.float32], count: int, tell: Callable[[int], None] | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """For each row the ``count`` others with the highest cosines, best first; exact.

    Args:
        rows: float32 (n, d), of length 1 or 0.
        count: how many; n - 1 where there are fewer.
        tell: is called with how many rows are done.

    Returns:
        places (n, k) int32, and cosines (n, k) float32.
    """
    n = len(rows)
    count = min(count, n - 1)
    norms = Norms(rows)
    places = np.zeros((n, count), dtype=np.int32)
    cosines = np.zeros((n, count), dtype=np.float32)
    for start in range(0, n, _QUERIES):
        part = np.arange(start, min(start + _QUERIES, n))
        itself = np.arange(len(part)), part
        found = best_rows(rows, norms, Cosine(rows[part].astype(np.float64)), count, itself)
        places[part], cosines[part] = found
        if tell is not None:
            tell(int(part[-1]) + 1)
    return places, cosines
