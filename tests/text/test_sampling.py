"""skipgrams and make_sampling_table give what Keras's give, number by number."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_preprocessing import sequence as keras_sequence

from rowwise.errors import InvalidArgumentError
from rowwise.text import make_sampling_table, skipgrams


@pytest.mark.parametrize("size", [1, 2, 100, 5000])
@pytest.mark.parametrize("factor", [1e-5, 1e-3, 1.0])
def test_sampling_table(size: int, factor: float) -> None:
    np.testing.assert_array_equal(
        make_sampling_table(size, factor), keras_sequence.make_sampling_table(size, factor)
    )


@settings(deadline=None)
@given(
    sequence=st.lists(st.integers(0, 9), max_size=12),
    state=st.integers(0, 1000),
    options=st.fixed_dictionaries(
        {"seed": st.integers(0, 1000)},
        optional={
            "window_size": st.integers(0, 5),
            "negative_samples": st.sampled_from([0, 0.5, 1.0, 2.3]),
            "shuffle": st.booleans(),
            "categorical": st.booleans(),
            "sampling_table": st.just(make_sampling_table(10, 1e-2)),
        },
    ),
)
def test_skipgrams(sequence: list[int], state: int, options: dict[str, Any]) -> None:
    random.seed(state)
    theirs = keras_sequence.skipgrams(sequence, 10, **options)
    after = random.getstate()
    random.seed(state)
    assert skipgrams(sequence, 10, **options) == theirs
    assert random.getstate() == after


def test_order_drawn_from_random() -> None:
    random.seed(1)
    first = skipgrams(list(range(1, 9)), 10)
    random.seed(1)
    assert skipgrams(list(range(1, 9)), 10) == first


def test_errors() -> None:
    for size in (0, -1, 2.0, None):
        with pytest.raises(InvalidArgumentError, match="`size`"):
            make_sampling_table(size)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="`vocabulary_size`"):
        skipgrams([1, 2], 1)
