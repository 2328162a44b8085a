from typing import Any

import numpy as np
import pytest

from rowwise.errors import InvalidArgumentError, InvalidShapeError, UnknownWordError
from rowwise.text import Vocabulary
from rowwise.vectors import Vectors, align

WORDS = ["king", "queen", "man", "woman"]
ROWS = np.array([[1, 1, 0], [1, 0.9, 0], [0, 1, 1], [-1, -1, 0]], dtype="float32")


def test_words_find_their_rows() -> None:
    vectors = Vectors(WORDS, ROWS)
    assert (len(vectors), vectors.dimension, list(vectors)) == (4, 3, WORDS)
    assert np.array_equal(vectors["man"], ROWS[2])
    assert "queen" in vectors
    assert "Queen" not in vectors
    assert vectors.index("woman") == 3


def test_rows_are_not_copied() -> None:
    assert Vectors(WORDS, ROWS).rows is ROWS


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
        (["a", "b", 3, "c"], ROWS, InvalidArgumentError, "3 at position 2"),
    ],
)
def test_words_and_rows_that_do_not_fit_are_an_error(
    words: Any, rows: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Vectors(words, rows)


def test_a_table_for_a_vocabulary() -> None:
    vocabulary = Vocabulary(["queen", "dog", "MAN", "king"])
    found = align(Vectors(WORDS, ROWS), vocabulary, seed=1)
    assert found.rows.shape == (6, 3)
    assert np.array_equal(found.rows[[2, 4, 5]], ROWS[[1, 2, 0]])
    assert found.covered.tolist() == [False, False, True, False, True, True]
    assert found.coverage == 0.75
    assert not found.rows[0].any()
    assert found.rows[3].any()
    again = align(Vectors(WORDS, ROWS), vocabulary, seed=1)
    assert np.array_equal(found.rows, again.rows)
    assert not np.array_equal(found.rows, align(Vectors(WORDS, ROWS), vocabulary, seed=2).rows)


def test_missing_words_get_rows_like_the_others() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal([5, -3], [0.5, 2], size=(2000, 2))
    vocabulary = Vocabulary([f"m{i}" for i in range(2000)])
    made = align(Vectors([f"w{i}" for i in range(2000)], rows), vocabulary).rows[2:]
    assert np.allclose(made.mean(axis=0), [5, -3], atol=0.2)
    assert np.allclose(made.std(axis=0), [0.5, 2], rtol=0.1)
