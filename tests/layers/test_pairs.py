import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import WordPairs, suggest_output_dim
from rowwise.training import Model


def oracle(ids: np.ndarray, buckets: int) -> np.ndarray:
    """The formula of the docstring in Python's integers, which do not overflow."""
    multiplier = math.isqrt(buckets) | 1
    result = np.zeros(ids.shape, dtype="int32")
    for row, words in enumerate(ids.tolist()):
        for place, (a, b) in enumerate(pairwise(words)):
            if a and b:
                mixed = ((a % buckets) * multiplier + b % buckets) % buckets
                result[row, place] = 1 + mixed % (buckets - 1)
    return result


@given(
    hnp.arrays(
        "int32",
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.integers(0, 2**31 - 1),
    ),
    st.sampled_from([2, 3, 7, 2**15, 2**17, 2**20]),
)
def test_pair_ids_follow_the_formula_without_overflow(ids: np.ndarray, buckets: int) -> None:
    found = keras.ops.convert_to_numpy(WordPairs(buckets)(ids))
    assert found.dtype == "int32"
    assert np.array_equal(found, oracle(ids, buckets))


def test_padding_on_either_side_makes_no_pair() -> None:
    pairs = WordPairs(100)
    after = keras.ops.convert_to_numpy(pairs(np.array([[5, 6, 0, 0]])))
    before = keras.ops.convert_to_numpy(pairs(np.array([[0, 0, 5, 6]])))
    assert (after[0, 0] > 0, after[0, 1:].tolist()) == (True, [0, 0, 0])
    assert (before[0, 2], before[0, :2].tolist()) == (after[0, 0], [0, 0])


def test_order_counts() -> None:
    ids = keras.ops.convert_to_numpy(WordPairs(2**16)(np.array([[5, 6], [6, 5]])))
    assert ids[0, 0] != ids[1, 0]


def test_pairs_of_frequent_words_do_not_share_an_id() -> None:
    first, second = np.divmod(np.arange(300 * 300), 300)
    ids = np.stack([first + 1, second + 1], axis=1)
    found = keras.ops.convert_to_numpy(WordPairs(2**17)(ids))[:, 0]
    assert len(np.unique(found)) >= len(ids) - 1


def test_pairs_of_any_words_share_ids_no_more_than_by_chance() -> None:
    ids = np.random.default_rng(0).integers(1, 50_000, (20_000, 2))
    found = keras.ops.convert_to_numpy(WordPairs(2**17)(ids))[:, 0]
    # 20,000 pairs thrown at random into 131,072 buckets fill about 18,545 of them.
    assert len(np.unique(found)) > 18_300


def test_a_model_with_pairs_saves_and_loads(tmp_path: Any) -> None:
    ids = keras.Input((4,), dtype="int32")
    model = Model(ids, WordPairs(50)(ids))
    model.save(tmp_path / "pairs.keras")
    loaded = keras.models.load_model(tmp_path / "pairs.keras")
    given_ids = np.array([[1, 2, 3, 0]])
    assert np.array_equal(loaded.predict(given_ids, verbose=0), model.predict(given_ids, verbose=0))


@pytest.mark.parametrize("buckets", [0, 1, 2**20 + 1, 2.5, "many"])
def test_buckets_out_of_range_are_an_error(buckets: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="from 2 to"):
        WordPairs(buckets)


@pytest.mark.parametrize(
    ("size", "columns"),
    [
        (1, 8),
        (4096, 8),
        (4097, 16),
        (10_000, 16),
        (65_536, 16),
        (65_537, 32),
        (10**6, 32),
        (10**12, 300),
        (np.int64(10_000), 16),  # as from ids.max() + 1
    ],
)
def test_the_guideline_for_columns(size: int, columns: int) -> None:
    assert suggest_output_dim(size) == columns


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "many"])
def test_the_guideline_needs_a_size(size: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="positive integer"):
        suggest_output_dim(size)
