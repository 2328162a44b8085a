"""``get``, ``matrix`` and ``coverage``: rows for words that may be missing."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rowwise.errors import InvalidArgumentError, InvalidTextError, UnknownWordError
from rowwise.text import Vocabulary
from rowwise.vectors import Vectors, norms
from rowwise.vectors.oov import Spread

WORDS = ["the", "cat", "##", "0.0", "a0", "nan"]
ROWS = np.arange(12, dtype="float32").reshape(6, 2)
ROWS[5] = [np.nan, 1]


class Pieces:
    """Rows out of pieces, as fastText makes them: here for words that begin with "sub"."""

    def vector(self, word: str) -> np.ndarray | None:
        return np.array([50, len(word)], dtype="float32") if word.startswith("sub") else None


VECTORS = Vectors(WORDS, ROWS, subwords=Pieces())
MEAN = ROWS[:5].mean(axis=0)

CASES: list[tuple[str, Any, Any]] = [
    ("cat", (), ROWS[1]),
    ("Cat", ["lower"], ROWS[1]),
    ("Cat", "lower", ROWS[1]),
    ("12", ["digits"], ROWS[2]),
    ("3.1", ["digits"], ROWS[3]),
    ("A7", ["lower", "digits"], ROWS[4]),
    ("A7", ["digits", "lower", "zero"], [0, 0]),
    ("A7", ["digits", "mean"], MEAN),
    ("submarine", ["subword"], [50, 9]),
    ("SubMarine", ["lower", "subword", "zero"], [0, 0]),
    ("dog", ["lower", "digits", "subword", "mean"], MEAN),
    ("dog", ["zero"], [0, 0]),
    ("nan", ["zero"], [0, 0]),
    ("NaN", ["lower", "zero"], [0, 0]),
    ("cat", ["zero"], ROWS[1]),
]


@pytest.mark.parametrize(("word", "oov", "row"), CASES)
def test_rules_are_tried_in_order(word: str, oov: Any, row: Any) -> None:
    found = VECTORS.get(word, oov)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(list(row))
    together = VECTORS.get(["the", word, "cat"], oov)
    assert np.array_equal(together, np.stack([ROWS[0], found, ROWS[1]]))


def test_subwords_find_nothing_where_there_are_none() -> None:
    plain = Vectors(WORDS, ROWS)
    assert plain.get("submarine", ["subword", "zero"]).tolist() == [0, 0]
    assert "submarine" not in VECTORS, "only real words are in"


MISSING = [
    (["Cat"], (), r"No row was found for 'Cat'\. Give `oov` a last rule"),
    (["dog"], ["lower"], "No row was found for 'dog'"),
    (["dog"], ["lower", "error"], "No row was found for 'dog'"),
    (list("bcdef"), "error", "'b', 'c', 'd' and 2 more"),
    (["nan"], (), "The row of 'nan' holds NaN"),
]


@pytest.mark.parametrize(("words", "oov", "message"), MISSING)
def test_a_word_without_a_row_is_named(words: Any, oov: Any, message: str) -> None:
    with pytest.raises(UnknownWordError, match=message):
        VECTORS.get(words, oov)


BAD = [
    ({"words": "cat", "oov": ["upper"]}, InvalidArgumentError, "'lower', 'digits'.*'upper'"),
    ({"words": "cat", "oov": "low"}, InvalidArgumentError, "Received: 'low'"),
    ({"words": "cat", "oov": ["lower", "lower"]}, InvalidArgumentError, "may occur once"),
    ({"words": "cat", "oov": ["mean", "lower"]}, InvalidArgumentError, "'mean' must be the last"),
    ({"words": ["cat", 3]}, InvalidTextError, "Received 3 of type int at position 1"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_rules_without_sense_are_an_error(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        VECTORS.get(**arguments)


def test_random_rows_depend_on_word_and_seed_alone() -> None:
    state = np.random.get_state()[1].copy()
    alone = VECTORS.get("dog", "random", seed=3)
    assert np.array_equal(alone, VECTORS.get(["bird", "dog"], "random", seed=3)[1])
    assert not np.array_equal(alone, VECTORS.get("dog", "random", seed=4))
    assert not np.array_equal(alone, VECTORS.get("bird", "random", seed=3))
    assert np.array_equal(state, np.random.get_state()[1])
    assert np.isfinite(alone).all()


def test_random_rows_are_like_the_others() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal([5, -3], [0.5, 2], size=(2000, 2))
    vectors = Vectors([f"w{i}" for i in range(2000)], rows)
    made = vectors.get([f"m{i}" for i in range(2000)], "random")
    assert np.allclose(made.mean(axis=0), [5, -3], atol=0.2)
    assert np.allclose(made.std(axis=0), [0.5, 2], rtol=0.1)
    assert abs(np.corrcoef(made.T)[0, 1]) < 0.1


@given(
    hnp.arrays(
        st.sampled_from(["float16", "float32", "float64"]),
        st.tuples(st.integers(0, 30), st.integers(1, 4)),
        elements=st.integers(-100, 100).map(float) | st.sampled_from([np.nan, np.inf]),
    ),
    st.sampled_from([1, 8, 1000]),
)
def test_mean_and_spread_are_numpys(rows: np.ndarray, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(norms, "BLOCK_NUMBERS", block)
        spread = Spread(rows)
    good = rows[np.isfinite(rows).all(axis=1)].astype("float64")
    if len(good):
        assert spread.mean == pytest.approx(good.mean(axis=0), abs=1e-9)
        assert spread.deviation == pytest.approx(good.std(axis=0), abs=1e-6)
    else:
        assert not spread.mean.any()
        assert not spread.deviation.any()


def test_a_matrix_for_a_vocabulary() -> None:
    vocabulary = Vocabulary(["cat", "dog", "THE"])
    table = VECTORS.matrix(vocabulary, seed=1)
    assert (table.shape, table.dtype) == ((5, 2), np.float32)
    assert np.array_equal(table[[2, 4]], ROWS[[1, 0]])
    assert not table[0].any()
    assert np.array_equal(table[3], VECTORS.get("dog", "random", seed=1))
    assert np.array_equal(table[1], VECTORS.get("[UNK]", "random", seed=1))
    assert VECTORS.matrix(vocabulary, ["lower", "zero"])[[1, 3]].tolist() == [[0, 0], [0, 0]]
    strict = VECTORS.matrix(Vocabulary(["cat"]), "error")
    assert strict[1] == pytest.approx(MEAN)
    with pytest.raises(UnknownWordError, match="'dog'"):
        VECTORS.matrix(vocabulary, ["lower"])
    with pytest.raises(
        InvalidArgumentError, match=r"Expected a Vocabulary or a Tokenizer\. Received: list"
    ):
        VECTORS.matrix(["cat"])  # type: ignore[arg-type]


def test_unknown_takes_a_row_of_its_own() -> None:
    vectors = Vectors(["a", "[UNK]"], [[1, 2], [3, 4]])
    assert vectors.matrix(Vocabulary(["a", "b"]), "zero").tolist() == [
        [0, 0],
        [3, 4],
        [1, 2],
        [0, 0],
    ]


def test_a_matrix_without_vectors_or_words() -> None:
    assert Vectors([], np.empty((0, 3))).matrix(Vocabulary(["a"])).tolist() == [[0] * 3] * 3
    assert VECTORS.matrix(Vocabulary([])).shape == (2, 2)


# The report --------------------------------------------------------------------------------------

VOCABULARY = Vocabulary(["the", "Cat", "12", "subway", "dog", "bird"], [50, 20, 10, 5, 5, 10])
RULES = ["lower", "digits", "subword", "random"]


def test_coverage_says_what_was_found_and_how() -> None:
    report = VECTORS.coverage(VOCABULARY, RULES)
    assert report.found.tolist() == [False, False, True, True, True, True, False, False]
    assert report.types == pytest.approx(4 / 6)
    assert report.running_words == pytest.approx(0.85)
    assert report.by_rule == {"word": 1, "lower": 1, "digits": 1, "subword": 1, "random": 2}
    assert [report.rule_of(word) for word in ("Cat", "dog", "[UNK]", "x")] == [
        "lower",
        "random",
        None,
        None,
    ]
    assert report.missing() == [("bird", 10), ("dog", 5)]
    assert report.missing(1) == [("bird", 10)]
    assert str(report).splitlines() == [
        "4 of 6 words found (66.7 %), 85.0 % of running words",
        "  1 as they are",
        "  1 in lower case",
        "  1 with digits folded",
        "  1 by their subwords",
        "  2 get random rows",
        "missing: bird (10), dog (5)",
    ]


def test_coverage_of_given_counts_and_texts() -> None:
    counted = VECTORS.coverage(VOCABULARY, RULES, counts={"the": 6, "bird": 2, "elsewhere": 2})
    assert counted.running_words == pytest.approx(0.6)
    assert counted.outside == 2
    assert counted.missing() == [("bird", 2), ("dog", 0)]
    from_texts = VECTORS.coverage(VOCABULARY, RULES, texts=["The bird.", "the elsewhere the"])
    assert from_texts.running_words == pytest.approx(3 / 5)
    with pytest.raises(InvalidArgumentError, match="either `counts` or `texts`"):
        VECTORS.coverage(VOCABULARY, counts={}, texts=[])


def test_coverage_without_counts() -> None:
    report = VECTORS.coverage(Vocabulary(["a", "the", *(f"w{i}" for i in range(20))]), ())
    assert report.running_words is None
    assert report.missing(2) == [("a", None), ("w0", None)]
    assert len(report.missing(None)) == 21
    assert str(report).splitlines() == [
        "1 of 22 words found (4.5 %)",
        "   1 as they are",
        "  21 have no row",
        "missing: a, w0, w1, w2, w3, w4, w5, w6, w7, w8, ...",
    ]


def test_coverage_of_no_words() -> None:
    report = VECTORS.coverage(Vocabulary([], []))
    assert (report.types, report.running_words) == (1.0, 1.0)
    assert str(report) == "0 of 0 words found (100.0 %), 100.0 % of running words"
