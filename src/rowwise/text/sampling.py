"""Pairs of words for skip-gram training."""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> NDArray[np.float64]:
    """Return how likely each word is to be kept, by its rank, as the Keras function of this name.

    Frequent words are kept less often: with f the frequency of a word, a word is kept with
    probability min(1, sqrt(factor / f)), the subsampling of word2vec (Mikolov et al. 2013,
    arXiv:1310.4546). Words are taken to follow Zipf's law, so that a word of rank r has
    frequency 1 / (r (ln r + 0.577) + 1/2 - 1 / (12 r)).

    Args:
        size: the number of ranks; rank 0 is treated as rank 1.
        sampling_factor: the factor above.

    Returns:
        float64 ``(size,)``.

    Raises:
        InvalidArgumentError: ``size`` is not a whole number of at least 1.
    """
    if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1:
        raise InvalidArgumentError(
            f"`size` must be a whole number of at least 1. Received: {size!r}"
        )
    rank = np.arange(size)
    rank[0] = 1
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    kept = sampling_factor * inverse_frequency
    return np.minimum(1.0, kept / np.sqrt(kept))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Sequence[float] | NDArray[np.float64] | None = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[int] | list[list[int]]]:
    """Return pairs of words and whether they stood near each other, as the Keras function.

    Numbers are drawn from Python's global ``random`` in the same order as in Keras, so the same
    state gives the same pairs. As there, ``seed`` decides the order of the result only, and
    shuffling sets the state of ``random`` to it; call ``random.seed`` first to repeat the drawn
    words too.

    Args:
        sequence: ids of the words of a text; id 0 is no word and is skipped.
        vocabulary_size: the number of ids, 0 included.
        window_size: how far apart the words of a pair may stand.
        negative_samples: how many pairs with a word drawn at random, per pair from the text.
        shuffle: whether to shuffle the pairs.
        categorical: give labels as [0, 1] and [1, 0] instead of 1 and 0.
        sampling_table: the probability with which each id is kept, see ``make_sampling_table``.
        seed: for the order of the result; None draws one.

    Returns:
        couples, labels: pairs ``[word, other]``, and for each 1 if ``other`` stood near, else 0.

    Raises:
        InvalidArgumentError: ``negative_samples`` are wanted but ``vocabulary_size`` is below 2.
    """
    if negative_samples > 0 and vocabulary_size < 2:
        raise InvalidArgumentError(
            "`vocabulary_size` must be at least 2 to draw words from [1, vocabulary_size). "
            f"Received: {vocabulary_size}"
        )
    couples: list[list[int]] = []
    for place, word in enumerate(sequence):
        if not word:
            continue
        if sampling_table is not None and sampling_table[word] < random.random():
            continue
        before = sequence[max(0, place - window_size) : place]
        after = sequence[place + 1 : place + window_size + 1]
        couples += [[word, other] for near in (before, after) for other in near if other]
    near_count = len(couples)
    far_count = 0
    if negative_samples > 0:
        far_count = int(near_count * negative_samples)
        words = [word for word, _ in couples]
        random.shuffle(words)
        couples += [
            [words[draw % near_count], random.randint(1, vocabulary_size - 1)]
            for draw in range(far_count)
        ]
    labels: list[int] | list[list[int]]
    if categorical:
        labels = [[0, 1] for _ in range(near_count)] + [[1, 0] for _ in range(far_count)]
    else:
        labels = [1] * near_count + [0] * far_count
    if shuffle:
        if seed is None:
            seed = random.randint(0, 10_000_000)
        # The same seed twice keeps couples and labels together.
        random.seed(seed)
        random.shuffle(couples)
        random.seed(seed)
        random.shuffle(labels)
    return couples, labels
