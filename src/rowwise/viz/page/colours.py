"""What the dots of a page can be coloured by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# More colours could not be told apart; what is beyond them is drawn as one.
MOST_CATEGORIES = 10
# Colours that a page makes itself.
CLUSTER, RANK, FREQUENCY, DRIFT = "cluster", "rank", "frequency", "drift"


@dataclass(frozen=True)
class Colouring:
    """A number or a category for each word."""

    name: str
    values: npt.NDArray[np.float32] | npt.NDArray[np.uint8]
    """(n,): numbers, with NaN where there is none; or which of ``names``."""
    names: tuple[str, ...] = ()
    """Of the categories; none for numbers."""
    logarithmic: bool = False
    """Whether numbers are told apart by their ratios."""

    def described(self, array: str) -> dict[str, Any]:
        """For the header of a page, where the values are called ``array``."""
        found: dict[str, Any] = {"name": self.name, "array": array}
        if self.names:
            return {**found, "names": list(self.names)}
        known = self.values[np.isfinite(self.values)]
        missing = int(len(self.values) - len(known))
        if self.logarithmic:
            known = known[known > 0]  # 0 has no logarithm: it is drawn as the smallest
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        return {
            **found,
            "low": low,
            "high": high,
            "log": self.logarithmic and low > 0,
            "missing": missing,
        }


def colouring_of(name: str, values: Sequence[Any]) -> Colouring:
    """A number for each word, or a category for each; booleans are categories.

    Numbers that float32 cannot hold count as missing, as NaN does.
    """
    numeric = (int, float, np.integer, np.floating)
    if all(isinstance(one, numeric) and not isinstance(one, bool) for one in values):
        exact = np.array([float(one) for one in values])
        exact[~(np.abs(exact) <= np.finfo(np.float32).max)] = np.nan
        return Colouring(name, exact.astype(np.float32), logarithmic=name == FREQUENCY)
    return of_categories(name, [str(one) for one in values])


def of_categories(name: str, values: Sequence[str]) -> Colouring:
    """Categories, the most frequent ones first; those beyond the tenth become one."""
    found, places, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    names = [str(found[place]) for place in order]
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    if (beyond := len(names) - MOST_CATEGORIES + 1) > 1:
        names = [*names[: MOST_CATEGORIES - 1], f"{beyond:,} others"]
    numbers = np.minimum(rank[places.ravel()], len(names) - 1).astype(np.uint8)
    return Colouring(name, numbers, tuple(names))


def clusters(words: Sequence[str], rows: npt.NDArray[np.float32], seed: int) -> Colouring | None:
    """Clusters of words by k-means, each named by its first words; None for too few words.

    Args:
        words: n of them, the most frequent first.
        rows: (n, d), of length 1 or 0.
        seed: of k-means.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    count = min(MOST_CATEGORIES, len(np.unique(rows, axis=0)) // 3)
    if count < 2:
        return None
    kind = KMeans if len(rows) <= 5000 else MiniBatchKMeans
    with threadpool_limits(limits=1):  # the same sums on any number of cores
        found = kind(count, n_init=3, random_state=seed).fit_predict(rows)
    sizes = np.bincount(found, minlength=count)
    order = [int(place) for place in np.argsort(-sizes, kind="stable") if sizes[place]]
    names = []
    for place in order:
        members = np.flatnonzero(found == place)
        middle = rows[members].mean(axis=0)
        # Typical ones among the frequent: what a reader knows.
        typical = members[:200][np.argsort(-(rows[members[:200]] @ middle), kind="stable")[:3]]
        names.append(", ".join(words[one] for one in sorted(typical)))
    rank = np.zeros(count, dtype=np.uint8)
    rank[order] = np.arange(len(order))
    return Colouring(CLUSTER, rank[found], tuple(names))


def all_colourings(
    words: Sequence[str],
    rows: npt.NDArray[np.float32],
    given: Mapping[str, Sequence[Any]],
    seed: int,
) -> list[Colouring]:
    """What was given, then the clusters, then the order of the words."""
    found = [colouring_of(name, values) for name, values in given.items()]
    if (grouped := clusters(words, rows, seed)) is not None:
        found.append(grouped)
    ranks = np.arange(1, len(words) + 1, dtype=np.float32)
    found.append(Colouring(RANK, ranks, logarithmic=True))
    return found
