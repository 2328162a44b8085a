"""``most_similar`` and its relatives: what may be asked, and how."""

from typing import Any

import numpy as np
import pytest

from rowwise.errors import InvalidArgumentError, InvalidShapeError, UnknownWordError
from rowwise.vectors import Vectors
from rowwise.vectors.formulas import parse_formula

WORDS = ["king", "queen", "man", "woman"]
ROWS = np.array([[1, 1, 0], [1, 0.9, 0], [0, 1, 1], [-1, -1, 0]], dtype="float32")
VECTORS = Vectors(WORDS, ROWS)


def words_of(found: Any) -> list[str]:
    return [word for word, _ in found]


def test_a_query_may_be_a_word_a_row_or_many() -> None:
    found = VECTORS.most_similar(-ROWS[0], topn=2)
    assert words_of(found) == ["woman", "man"]
    assert found[0][1] == pytest.approx(1)
    many = VECTORS.most_similar(["king", "man"], topn=2)
    assert many == [VECTORS.most_similar("king", topn=2), VECTORS.most_similar("man", topn=2)]
    rows = VECTORS.most_similar(ROWS[[0, 2]], topn=2)
    assert rows == [VECTORS.most_similar(ROWS[0], topn=2), VECTORS.most_similar(ROWS[2], topn=2)]
    assert words_of(rows[0]) == ["king", "queen"], "a row is not left out, a word is"
    assert VECTORS.most_similar(np.array(["king", "man"]), topn=2) == many
    assert VECTORS.most_similar(np.empty((0, 3))) == []


def test_real_neighbours(glove: Vectors) -> None:
    assert len(glove) == 5050
    found = glove.most_similar("king", topn=2)
    assert words_of(found) == ["prince", "queen"]
    assert found[0][1] == pytest.approx(0.823618, abs=1e-6)
    assert words_of(glove.analogy("king - man + woman", topn=1)) == ["queen"]
    assert words_of(glove.analogy("paris - france + germany", topn=1, method="mul")) == ["berlin"]


def test_positive_and_negative_take_one_or_many() -> None:
    one = VECTORS.most_similar(positive="king", negative="man")
    assert one == VECTORS.most_similar(positive=["king"], negative=["man"])
    assert words_of(one) == ["queen", "woman"]
    assert VECTORS.most_similar(positive=ROWS[0])[0][0] == "king"
    assert words_of(VECTORS.most_similar(positive=["queen", ROWS[0]]))[0] == "king"
    assert words_of(VECTORS.most_similar(negative="king", topn=1)) == ["woman"]


def test_topn_larger_than_the_table_gives_all() -> None:
    assert len(VECTORS.most_similar("king", topn=100)) == 3


def test_rows_with_nan_are_near_to_nothing() -> None:
    rows = np.array([[1, 0], [np.nan, 1], [1, 1], [0, np.inf], [1, 0.5]])
    vectors = Vectors(["a", "nan", "b", "inf", "c"], rows)
    assert words_of(vectors.most_similar("a", topn=4)) == ["c", "b"]
    for ask in (vectors.most_similar, lambda word: vectors.similarity(word, "a")):
        with pytest.raises(InvalidArgumentError, match="'nan' holds NaN"):
            ask("nan")


def test_a_row_of_zeros_is_near_to_nothing() -> None:
    vectors = Vectors(["a", "b", "zero"], [[1, 0], [1, 1], [0, 0]])
    for asked in ("zero", ["a", "zero"]):
        with pytest.raises(InvalidArgumentError, match="The row of 'zero' is all zeros"):
            vectors.most_similar(asked)
    # In a sum it is nothing.
    assert vectors.analogy("a + zero") == vectors.most_similar("a")[:1]


BAD = [
    ({"word": "king", "topn": 0}, InvalidArgumentError, "positive whole number"),
    ({"word": "king", "topn": 2.5}, InvalidArgumentError, "positive whole number"),
    ({"word": "king", "topn": True}, InvalidArgumentError, "positive whole number"),
    ({"word": "king", "topn": "3"}, InvalidArgumentError, "positive whole number"),
    ({"word": [1.0, 2.0]}, InvalidShapeError, r"\(3,\).*Received shape \(2,\)"),
    ({"word": np.ones((2, 2, 3))}, InvalidShapeError, r"Received shape \(2, 2, 3\)"),
    ({"word": []}, InvalidShapeError, r"Received shape \(0,\)"),
    ({"word": ["king", 3]}, InvalidArgumentError, "a word, a list of words, or rows of numbers"),
    ({"word": [1.0, np.nan, 0.0]}, InvalidArgumentError, "must not hold NaN"),
    ({"word": [0.0, 0.0, 0.0]}, InvalidArgumentError, "The query is all zeros, which has no dir"),
    ({"word": [[1, 0, 0], [0, 0, 0]]}, InvalidArgumentError, "Query 1 is all zeros"),
    ({"word": "boy"}, UnknownWordError, "'boy' has no row"),
    ({"word": ["king", "King"]}, UnknownWordError, "'king' in lower case is there"),
    ({}, InvalidArgumentError, "at least one word"),
    ({"positive": []}, InvalidArgumentError, "at least one word"),
    ({"positive": ["boy"]}, UnknownWordError, "'boy' has no row"),
    ({"positive": [["king", "man"]]}, InvalidShapeError, "A term must be a word"),
    ({"positive": "king", "negative": "king"}, InvalidArgumentError, "The words of the query add"),
    ({"positive": [("king", 0.1), ("king", 0.2), ("king", -0.3)]}, InvalidArgumentError, "add up"),
    ({"word": "king", "negative": "man"}, InvalidArgumentError, "Give either one query"),
    ({"word": "king", "method": "mul"}, InvalidArgumentError, "Give either one query"),
    ({"positive": [("king", 2)], "method": "mul"}, InvalidArgumentError, "Weights are for sums"),
    ({"positive": "king", "method": "div"}, InvalidArgumentError, "'add' or 'mul'"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_a_question_without_sense_is_an_error(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        VECTORS.most_similar(**arguments)


def test_similarity() -> None:
    assert VECTORS.similarity("king", "woman") == pytest.approx(-1)
    assert VECTORS.similarity("king", [0, 0, 5]) == 0
    assert VECTORS.similarity("king", [0, 0, 0]) == 0
    assert VECTORS.similarity("king", "king") == pytest.approx(1)
    with pytest.raises(InvalidArgumentError, match="compares two words"):
        VECTORS.similarity(["king", "man"], "king")


def test_the_odd_one_out() -> None:
    assert VECTORS.doesnt_match(["king", "woman", "queen"]) == "woman"
    with pytest.raises(InvalidArgumentError, match="three words or more"):
        VECTORS.doesnt_match(["king", "man"])
    with pytest.raises(InvalidArgumentError, match="three words or more"):
        VECTORS.doesnt_match("king")
    with pytest.raises(UnknownWordError, match="'boy'"):
        VECTORS.doesnt_match(["king", "man", "boy"])


FORMULAS = [
    ("king - man + woman", ["king", "woman"], ["man"]),
    ("king-man+woman", ["king", "woman"], ["man"]),
    ("  king ", ["king"], []),
    ("- man + king", ["king"], ["man"]),
    ("+king", ["king"], []),
    ("'new york' - \"vice-president\"", ["new york"], ["vice-president"]),
    ("don't + o'clock", ["don't", "o'clock"], []),
    ("\"don't\"-'\"'", ["don't"], ['"']),
    ("猫 - 犬", ["猫"], ["犬"]),
    ("3.5 + $5", ["3.5", "$5"], []),
    ("'' + a", ["", "a"], []),
]


@pytest.mark.parametrize(("formula", "added", "taken"), FORMULAS)
def test_formulas(formula: str, added: list[str], taken: list[str]) -> None:
    assert parse_formula(formula) == (added, taken)


BAD_FORMULAS = [
    ("", "Expected a word at its end"),
    ("   ", "Expected a word at its end"),
    ("king -", "Expected a word at its end"),
    ("king - - man", "Expected a word at '- man'"),
    ("new york - usa", r"Expected \+ or - after 'new'.*Found: 'york - usa'.*quotes"),
    ("'new york", "quote before 'new york' is never closed"),
    ("'a''b'", r"Expected \+ or - after 'a'"),
    (3, "must be a string"),
]


@pytest.mark.parametrize(("formula", "message"), BAD_FORMULAS)
def test_what_is_no_formula_is_named(formula: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        VECTORS.analogy(formula)
