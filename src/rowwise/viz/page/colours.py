"""What the dots of a page can be coloured by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError

# More colours could not be told apart; what is beyond them is drawn as one.
MOST_CATEGORIES = 10
_OTHERS = "others"


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

    def described(self) -> dict[str, Any]:
        """For the header of a page."""
        found: dict[str, Any] = {"name": self.name, "array": f"colour:{self.name}"}
        if self.names:
            return {**found, "names": list(self.names)}
        finite = self.values[np.isfinite(self.values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        return {**found, "low": low, "high": high, "log": self.logarithmic and low > 0}


def colouring_of(name: str, values: Sequence[Any] | npt.NDArray[Any], count: int) -> Colouring:
    """A number for each word, or a category for each.

    Raises:
        InvalidArgumentError: another number of values than words.
    """
    given = list(values)
    if len(given) != count:
        raise InvalidArgumentError(
            f"{name!r} must have a value for each of the {count:,} words. Received {len(given):,}."
        )
    if all(isinstance(one, int | float | np.number) for one in given):
        return Colouring(name, np.array(given, dtype=np.float32), logarithmic=name == "frequency")
    return of_categories(name, [str(one) for one in given])


def of_categories(name: str, values: Sequence[str]) -> Colouring:
    """Categories, the most frequent ones first; those beyond the tenth become one."""
    found, places, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    names = [str(found[place]) for place in order]
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    if len(names) > MOST_CATEGORIES:
        names = [*names[: MOST_CATEGORIES - 1], _OTHERS]
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
    return Colouring("cluster", rank[found], tuple(names))


def all_colourings(
    words: Sequence[str],
    rows: npt.NDArray[np.float32],
    given: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    seed: int,
) -> list[Colouring]:
    """What was given, then the clusters, then the order of the words."""
    found = [colouring_of(name, values, len(words)) for name, values in given.items()]
    if (grouped := clusters(words, rows, seed)) is not None:
        found.append(grouped)
    ranks = np.arange(1, len(words) + 1, dtype=np.float32)
    found.append(Colouring("rank", ranks, logarithmic=True))
    return found
