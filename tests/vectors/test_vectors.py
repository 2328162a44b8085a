from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rowwise.errors import InvalidArgumentError, InvalidShapeError, UnknownWordError
from rowwise.text import Vocabulary
from rowwise.vectors import Vectors, align, neighbours

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
        (["a", "b", 3, "c"], ROWS, InvalidArgumentError, "3 at position 2"),
    ],
)
def test_words_and_rows_that_do_not_fit_are_an_error(
    words: Any, rows: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Vectors(words, rows)


def oracle(rows: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Cosines in float64; 0 where a row is zero."""
    exact, wanted = rows.astype("float64"), query.astype("float64")
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(wanted)
    return np.divide(exact @ wanted, lengths, out=np.zeros(len(rows)), where=lengths > 0)


@given(
    hnp.arrays(
        "float32",
        st.tuples(st.integers(1, 40), st.integers(1, 5)),
        elements=st.integers(-3, 3).map(float),
    ),
    st.integers(1, 12),
    st.integers(1, 9),
)
def test_most_similar_is_exact_whatever_the_blocks(rows: np.ndarray, topn: int, block: int) -> None:
    words = [f"w{i}" for i in range(len(rows))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "BLOCK_ROWS", block)
        found = Vectors(words, rows).most_similar("w0", topn=topn)
    cosines = oracle(rows, rows[0])
    assert [word for word, _ in found if word == "w0"] == []
    assert len(found) == min(topn, len(rows) - 1)
    best = np.sort(cosines[1:])[::-1][: len(found)]
    assert np.allclose([cosine for _, cosine in found], best, atol=1e-5)
    for word, cosine in found:
        assert cosine == pytest.approx(cosines[int(word[1:])], abs=1e-5)


def test_equal_rows_come_in_the_order_of_the_words() -> None:
    rows = np.ones((50, 4), dtype="float32")
    found = Vectors([f"w{i}" for i in range(50)], rows).most_similar("w7", topn=5)
    assert [word for word, _ in found] == ["w0", "w1", "w2", "w3", "w4"]


def test_a_query_may_be_a_row() -> None:
    found = Vectors(WORDS, ROWS).most_similar(-ROWS[0], topn=2)
    assert [word for word, _ in found] == ["woman", "man"]
    assert found[0][1] == pytest.approx(1)


@pytest.mark.parametrize("topn", [0, -1, 2.5, True, "3"])
def test_topn_without_sense_is_an_error(topn: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="positive whole number"):
        Vectors(WORDS, ROWS).most_similar("king", topn=topn)


def test_rows_with_nan_are_near_to_nothing() -> None:
    rows = np.array([[1, 0], [np.nan, 1], [1, 1], [0, np.inf], [1, 0.5]])
    vectors = Vectors(["a", "nan", "b", "inf", "c"], rows)
    assert [word for word, _ in vectors.most_similar("a", topn=4)] == ["c", "b"]
    with pytest.raises(InvalidArgumentError, match="'nan' holds NaN"):
        vectors.most_similar("nan")


def test_a_query_of_another_length_is_an_error() -> None:
    with pytest.raises(InvalidShapeError, match=r"\(3,\)"):
        Vectors(WORDS, ROWS).most_similar([1.0, 2.0])


def test_real_neighbours(shared_data: Path) -> None:
    vectors = Vectors.load(shared_data / "vectors" / "glove.6B.50d.5k.txt")
    assert len(vectors) == 5050
    found = vectors.most_similar("king", topn=2)
    assert [word for word, _ in found] == ["prince", "queen"]
    assert found[0][1] == pytest.approx(0.823618, abs=1e-6)


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
