"""Which words a vocabulary takes, by how often they occur."""

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import require_length


def require_sizes(max_size: int | None, min_count: int) -> None:
    """Check the arguments of ``most_frequent``.

    Raises:
        InvalidArgumentError: ``max_size`` is less than 2, or ``min_count`` is negative.
    """
    require_length("max_size", max_size)
    require_length("min_count", min_count)
    if max_size is not None and max_size < 2:
        raise InvalidArgumentError(
            "`max_size` must be at least 2: ids 0 and 1 are reserved for padding and unknown "
            f"words. Received: {max_size}"
        )


def most_frequent(
    counts: NDArray[np.int64], max_size: int | None, min_count: int, unknown: int | None
) -> NDArray[np.intp]:
    """Choose words, the most frequent first, of equals the first.

    Args:
        counts: int64 ``(words,)``, in the order in which the words were first seen.
        max_size: the largest ``len(vocabulary)``, two reserved ids included; None: no limit.
        min_count: words that occur less often are left out.
        unknown: the place of "[UNK]", if it is among the words: a text may hold it, too.

    Returns:
        places in ``counts``, int ``(chosen,)``.
    """
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] >= min_count]
    if unknown is not None:
        order = order[order != unknown]
    return order if max_size is None else order[: max_size - 2]
