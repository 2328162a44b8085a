from typing import Any

import numpy as np
import pytest

from rowwise.errors import InvalidArgumentError, InvalidShapeError, UnknownWordError
from rowwise.vectors import Vectors

WORDS = ["king", "queen", "man", "woman"]
ROWS = np.array([[1, 1, 0], [1, 0.9, 0], [0, 1, 1], [-1, -1, 0]], dtype="float32")


def test_words_find_their_rows() -> None:
    vectors = Vectors(WORDS, ROWS)
    assert (len(vectors), vectors.dimension, list(vectors)) == (4, 3, WORDS)
    assert np.array_equal(vectors["man"], ROWS[2])
    assert "queen" in vectors
    assert "Queen" not in vectors
    assert vectors.index("woman") == 3


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rows_are_not_copied(dtype: str) -> None:
    rows = ROWS.astype(dtype)
    assert Vectors(WORDS, rows).rows is rows


def test_other_numbers_become_float32() -> None:
    assert Vectors(WORDS, ROWS.astype("float64")).rows.dtype == np.float32
    assert Vectors(WORDS, ROWS.astype("int64").tolist()).rows.dtype == np.float32


@pytest.mark.parametrize(
    ("word", "hint"), [("King", "'king' in lower case is there"), ("boy", "among 4")]
)
def test_an_unknown_word_is_named(word: str, hint: str) -> None:
    with pytest.raises(UnknownWordError, match=hint):
        Vectors(WORDS, ROWS)[word]
    with pytest.raises(KeyError):
        Vectors(WORDS, ROWS).most_similar(word)


@pytest.mark.parametrize(
    ("words", "rows", "error", "message"),
    [
        (WORDS[:3], ROWS, InvalidShapeError, r"3 words\. Received an array of shape \(4, 3\)"),
        (WORDS, ROWS[0], InvalidShapeError, r"shape \(3,\)"),
        (["a", "b", "a", "c"], ROWS, InvalidArgumentError, "'a' at positions 0 and 2"),
        (["a", "b", 3, "c"], ROWS, InvalidArgumentError, "3 of type int at position 2"),
    ],
)
def test_words_and_rows_that_do_not_fit_are_an_error(
    words: Any, rows: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Vectors(words, rows)
