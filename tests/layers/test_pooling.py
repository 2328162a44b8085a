from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding, Pool
from rowwise.training import Sequential

COMBINE = {
    "sum": lambda rows: rows.sum(axis=0),
    "mean": lambda rows: rows.mean(axis=0),
    "sqrtn": lambda rows: rows.sum(axis=0) / np.sqrt(len(rows)),
    "max": lambda rows: rows.max(axis=0),
}
IDS = st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=5)


@pytest.mark.parametrize("combiner", sorted(COMBINE))
@given(ids=IDS)
def test_rows_that_are_not_masked_are_combined(combiner: str, ids: list[list[int]]) -> None:
    table = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    layer = Embedding(5, 4, mask_zero=True, weights=table)
    found = keras.ops.convert_to_numpy(Pool(combiner)(layer(np.array(ids))))
    for row, words in zip(found, ids, strict=True):
        present = [word for word in words if word]
        expected = COMBINE[combiner](table[present]) if present else np.zeros(4)
        assert np.allclose(row, expected, atol=1e-6)


@pytest.mark.parametrize("combiner", sorted(COMBINE))
def test_without_a_mask_all_rows_count(combiner: str) -> None:
    rows = np.random.default_rng(1).normal(size=(2, 3, 4)).astype("float32")
    found = keras.ops.convert_to_numpy(Pool(combiner)(rows))
    assert np.allclose(found, [COMBINE[combiner](example) for example in rows], atol=1e-6)


def test_it_saves_and_loads(tmp_path: Any) -> None:
    model = Sequential([Embedding(5, 4, input_length=3, mask_zero=True), Pool("sqrtn")])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].combiner == "sqrtn"
    assert loaded.output_shape == (None, 4)


def test_an_unknown_combiner_is_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="'mean', 'sum', 'sqrtn', 'max'"):
        Pool("median")
