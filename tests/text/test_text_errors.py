"""What is not a text is an error that names its position."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rowwise.errors import InvalidArgumentError, InvalidIdError, InvalidTextError
from rowwise.text import (
    Splitter,
    Tokenizer,
    Vocabulary,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)


def fitted() -> Tokenizer:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["a b"])
    return tokenizer


TAKERS: dict[str, Callable[[Any], Any]] = {
    "split_all": Splitter().split_all,
    "split_all marks": Splitter(marks=True).split_all,
    "split_all characters": Splitter(char_level=True).split_all,
    "split_all two characters": Splitter(separator="##").split_all,
    "build": Vocabulary.build,
    "encode": Vocabulary(["a"]).encode,
    "tokenizer.encode": fitted().encode,
    "fit_on_texts": lambda texts: Tokenizer().fit_on_texts(texts),
    "fit_on_texts generator": lambda texts: Tokenizer().fit_on_texts(iter(texts)),
    "fit_on_texts characters": lambda texts: Tokenizer(char_level=True).fit_on_texts(texts),
    "texts_to_sequences": fitted().texts_to_sequences,
    "generator": lambda texts: list(fitted().texts_to_sequences_generator(texts)),
    "texts_to_matrix": fitted().texts_to_matrix,
}
MODERN = ("split_all", "split_all marks", "build", "encode", "tokenizer.encode")


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("bad", [None, 3, 2.5, b"bytes", float("nan"), ("a", "tuple")])
def test_not_a_text(taker: str, bad: Any) -> None:
    with pytest.raises(InvalidTextError, match=rf"of type {type(bad).__name__} at position 2"):
        TAKERS[taker](["good", "", bad, "good"])


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        (None, "Replace missing texts by ''"),
        (float("nan"), "Replace missing texts by ''"),
        (pd.NA, "Replace missing texts by ''"),
        (np.array([1.0, 2.0]), "Convert it first"),
        (3, "Convert it first"),
    ],
)
def test_what_to_do_about_it(bad: Any, hint: str) -> None:
    with pytest.raises(InvalidTextError, match=hint):
        Splitter().split_all(["good", bad])


@pytest.mark.parametrize("taker", TAKERS)
def test_lone_surrogate(taker: str) -> None:
    with pytest.raises(
        InvalidTextError, match=r"position 2 .*surrogate pair, '\\udc80', as its character 3"
    ):
        TAKERS[taker](["good", "é", "abc\udc80", "good"])


def test_position_in_a_later_group() -> None:
    texts = ["good"] * 40_000
    for bad in (None, "\ud800"):
        with pytest.raises(InvalidTextError, match="position 40000"):
            Tokenizer().fit_on_texts(text for text in [*texts, bad])  # type: ignore[misc]


@pytest.mark.parametrize("taker", MODERN)
def test_one_string_instead_of_a_list(taker: str) -> None:
    with pytest.raises(InvalidTextError, match=r"Received one str: 'the cat'. Put it into a list"):
        TAKERS[taker]("the cat")


@pytest.mark.parametrize("taker", TAKERS)
def test_no_list_at_all(taker: str) -> None:
    with pytest.raises(TypeError):
        TAKERS[taker](None)


def test_a_failed_fit_changes_nothing() -> None:
    tokenizer = fitted()
    before = tokenizer.to_json()
    with pytest.raises(InvalidTextError):
        tokenizer.fit_on_texts(["c", None])  # type: ignore[list-item]
    assert tokenizer.to_json() == before


def test_a_word_that_is_none() -> None:
    with pytest.raises(InvalidTextError, match=r"words of a text` must hold.*at position 1"):
        Tokenizer().fit_on_texts([["a"], ["b", None]])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "function", [text_to_word_sequence, Splitter().split, lambda t: one_hot(t, 9)]
)
@pytest.mark.parametrize("bad", [None, 3, ["a"]])
def test_one_text_functions(function: Callable[[Any], Any], bad: Any) -> None:
    with pytest.raises(InvalidTextError, match=f"of type {type(bad).__name__}"):
        function(bad)


@pytest.mark.parametrize("n", [1, 0, -3, 2.5, None, True])
def test_hashing_needs_ids(n: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="`n` must be a whole number of at least 2"):
        one_hot("a", n)


def test_hashing_needs_a_function() -> None:
    with pytest.raises(InvalidArgumentError, match="'sha1'"):
        hashing_trick("a", 9, hash_function="sha1")


@pytest.mark.parametrize("filters", [None, 3, ["ab"], [1]])
def test_wrong_filters(filters: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="`filters` must be"):
        Tokenizer(filters=filters).fit_on_texts(["a"])


def test_unfitted_unknown_word() -> None:
    for use in (Tokenizer.texts_to_sequences, Tokenizer.sequences_to_texts):
        with pytest.raises(InvalidArgumentError, match="call fit_on_texts first"):
            use(Tokenizer(oov_token="?"), [["a"]])  # type: ignore[operator]


def test_arguments_of_the_tokenizer() -> None:
    with pytest.warns(UserWarning, match="num_words"):
        assert Tokenizer(nb_words=3).num_words == 3
    with pytest.raises(TypeError, match="'words'"):
        Tokenizer(words=3)


def test_matrix() -> None:
    with pytest.raises(InvalidArgumentError, match="fit on texts first"):
        Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(InvalidArgumentError, match="tfidf"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")
    with pytest.raises(InvalidArgumentError, match="`mode` must be one of"):
        fitted().sequences_to_matrix([[1]], "counts")
    for bad in (-1, 1.0, None, "1"):
        with pytest.raises(InvalidIdError, match="position 1"):
            fitted().sequences_to_matrix([[1], [1, bad]])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"config": {}}', '{"config": 3}', Tokenizer().to_json()[:-3]]
)
def test_other_json(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="JSON of a Tokenizer was expected"):
        tokenizer_from_json(text)


def test_json_of_another_version() -> None:
    text = Tokenizer().to_json().replace('"lower"', '"lowest"')
    with pytest.raises(InvalidArgumentError, match="lowest"):
        tokenizer_from_json(text)
