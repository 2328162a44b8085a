"""Splitter with marks, its configuration, and characters; Keras's style is in the conformance."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_corpora import CORPORA

from rowwise.errors import InvalidArgumentError
from rowwise.text import Splitter

MARKS = Splitter(marks=True)


def words_and_marks(text: str) -> list[str]:
    """The rule, character by character."""
    text = text.lower()
    tokens: list[str] = []
    last = "space"  # what the last character was part of: "word", "mark" or "space"
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        following = text[place + 1 : place + 2]
        if (
            character.isalnum()
            or character == "_"
            or (
                character in "'\u2019"
                and last == "word"
                and (following.isalnum() or following == "_")
            )
        ):
            kind = "word"
        elif category == "Cf" or (category[0] == "M" and last != "space"):
            if last != "space":
                tokens[-1] += character
            continue
        elif character.isspace() or category[0] == "Z" or category == "Cc":
            kind = "space"
        else:
            kind = "mark"
        if kind == "word" and last == "word":
            tokens[-1] += character
        elif kind != "space":
            tokens.append(character)
        # An accent that stands alone takes no further accent.
        last = "space" if category[0] == "M" else kind
    return tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop!", ["don't", "stop", "!"]),
        (
            "'quoted' rock'n'roll dogs' ''",
            ["'", "quoted", "'", "rock'n'roll", "dogs", "'", "'", "'"],
        ),
        ("it\u2019s", ["it\u2019s"]),
        ("a_b 3.5% x--y", ["a_b", "3", ".", "5", "%", "x", "-", "-", "y"]),
        ("", []),
        (" \t\n\0 ", []),
        ("a\0b", ["a", "b"]),
        ("我爱北京。", ["我爱北京", "。"]),
        ("안녕, 세계", ["안녕", ",", "세계"]),
        ("👍🏽❤️ok", ["👍", "🏽", "❤️", "ok"]),
        ("e\u0301té", ["e\u0301té"]),
        ("हिन्दी।", ["हिन्दी", "।"]),
        ("\u0301a \u200db", ["\u0301", "a", "b"]),
        (" \u0301\u200d", ["\u0301"]),
        (" \u0301\u200db", ["\u0301", "b"]),
        ("İΣ Σ", ["i\u0307ς", "σ"]),
    ],
)
def test_words_and_marks(text: str, tokens: list[str]) -> None:
    assert MARKS.split(text) == tokens
    assert MARKS.split_all(["before", text, "after"]).to_lists() == [["before"], tokens, ["after"]]
    assert words_and_marks(text) == tokens


@pytest.mark.parametrize("corpus", CORPORA)
def test_words_and_marks_of_corpora(corpus: str) -> None:
    texts = CORPORA[corpus]
    assert MARKS.split_all(texts).to_lists() == [words_and_marks(text) for text in texts]


HARD = st.one_of(
    st.sampled_from("aB_1' \u2019.,\u0301\u0308\u200d\ufe0f\0\tİΣ中❤👩"),
    st.characters(exclude_categories=["Cs"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet=HARD, max_size=20), max_size=5))
def test_words_and_marks_of_any_text(texts: list[str]) -> None:
    assert MARKS.split_all(texts).to_lists() == [words_and_marks(text) for text in texts]


def test_marks_with_case_kept() -> None:
    assert Splitter(marks=True, lower=False).split("Don't, É") == ["Don't", ",", "É"]


def test_characters() -> None:
    words = Splitter(char_level=True).split_all(["Ab, ", "", "İ\0👍"])
    assert words.to_lists() == [["a", "b", ",", " "], [], ["i", "\u0307", "\0", "👍"]]
    assert Splitter(char_level=True, lower=False).split("aB") == ["a", "B"]


def test_words_as_arrays() -> None:
    words = Splitter().split_all(["b a b", "", "a c"])
    assert words.unique == ["b", "a", "c"]
    assert (words.codes.dtype, words.offsets.dtype) == ("int32", "int64")
    assert words.codes.tolist() == [0, 1, 0, 1, 2]
    assert words.offsets.tolist() == [0, 3, 3, 5]
    assert words.lengths.tolist() == [3, 0, 2]
    assert words.counts().tolist() == [2, 2, 1]
    assert words.text_counts().tolist() == [1, 2, 1]
    assert len(words) == 3


@pytest.mark.parametrize(
    "splitter", [Splitter(), MARKS, Splitter(char_level=True), Splitter(separator="##")]
)
def test_no_texts(splitter: Splitter) -> None:
    words = splitter.split_all([])
    assert (len(words), words.unique, words.to_lists()) == (0, [], [])
    assert words.counts().shape == words.text_counts().shape == (0,)


@pytest.mark.parametrize(
    "splitter",
    [
        Splitter(),
        MARKS,
        Splitter(lower=False, filters="é\0", separator=None),
        Splitter(char_level=True),
    ],
)
def test_configuration(splitter: Splitter) -> None:
    assert Splitter.from_config(json.loads(json.dumps(splitter.to_config()))) == splitter
    assert hash(splitter) == hash(Splitter.from_config(splitter.to_config()))


def test_configuration_of_a_newer_version() -> None:
    with pytest.raises(InvalidArgumentError, match="has no stem"):
        Splitter.from_config({"lower": True, "stem": True})


def test_impossible_splitters() -> None:
    with pytest.raises(InvalidArgumentError, match="must not be empty"):
        Splitter(separator="")
    with pytest.raises(InvalidArgumentError, match="exclude each other"):
        Splitter(char_level=True, marks=True)
    with pytest.raises(InvalidArgumentError, match="`filters` must be a string"):
        Splitter(filters=None)  # type: ignore[arg-type]
