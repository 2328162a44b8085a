"""Tokenizer gives what keras-preprocessing's gives, for every option on every corpus."""

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_preprocessing import text as keras_text
from text_corpora import CORPORA

from rowwise.text import Splitter, Tokenizer, text_to_word_sequence, tokenizer_from_json

OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "num_words": {"num_words": 3},
    "oov": {"oov_token": "<oov>"},
    "oov num_words": {"oov_token": "<oov>", "num_words": 4},
    "oov is a word": {"oov_token": "mat"},
    "cased": {"lower": False},
    "no filters": {"filters": ""},
    "filters list": {"filters": [",", "."]},
    "filters with letters": {"filters": "aBé\0"},
    "filters of other scripts": {"filters": "，。！\u0301"},
    "split comma": {"split": ","},
    "split letter": {"split": "A"},
    "split letter, cased": {"split": "A", "lower": False},
    "split of another script": {"split": "。"},
    "split NUL": {"split": "\0"},
    "split two characters": {"split": "##"},
    "split two equal filters": {"split": "__", "filters": "_,"},
    "split None": {"split": None},
    "characters": {"char_level": True},
    "characters, cased": {"char_level": True, "lower": False, "oov_token": "?"},
    "characters num_words": {"char_level": True, "num_words": 5, "split": ""},
}
TABLES = ("word_counts", "word_docs", "word_index", "index_word", "index_docs", "document_count")
QUESTIONS = ["the unseen mat", "", "İ Σ 안녕하세요 x\0 abcdefghi", "天安门 a##b"]
MODES = ("binary", "count", "freq", "tfidf")


def assert_same(ours: Tokenizer, theirs: Any) -> None:
    for name in TABLES:
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("word_counts", "word_index", "index_word"):
        assert list(getattr(ours, name)) == list(getattr(theirs, name)), name


def assert_same_results(ours: Tokenizer, theirs: Any, texts: list[Any]) -> None:
    sequences = theirs.texts_to_sequences(texts)
    assert ours.texts_to_sequences(texts) == sequences
    assert list(ours.texts_to_sequences_generator(iter(texts))) == sequences
    assert ours.sequences_to_texts(sequences) == theirs.sequences_to_texts(sequences)
    beyond = [[0, 1, 99], [2, 3, 4, 5]]
    assert ours.sequences_to_texts(beyond) == theirs.sequences_to_texts(beyond)
    encoded = ours.encode(texts)
    assert [row[:n].tolist() for row, n in zip(*encoded, strict=True)] == sequences
    if theirs.word_index and theirs.document_count:
        for mode in MODES:
            np.testing.assert_allclose(
                ours.texts_to_matrix(texts, mode), theirs.texts_to_matrix(texts, mode), rtol=1e-14
            )


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("options", OPTIONS)
def test_same_as_keras(options: str, corpus: str) -> None:
    ours, theirs = Tokenizer(**OPTIONS[options]), keras_text.Tokenizer(**OPTIONS[options])
    texts = CORPORA[corpus]
    ours.fit_on_texts(texts)
    theirs.fit_on_texts(texts)
    assert_same(ours, theirs)
    assert_same_results(ours, theirs, texts + QUESTIONS)
    # A second corpus is added to the first.
    ours.fit_on_texts(iter(CORPORA["plain"]))
    theirs.fit_on_texts(iter(CORPORA["plain"]))
    assert_same(ours, theirs)
    assert_same_results(ours, theirs, texts + QUESTIONS)


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(
        st.text(
            alphabet=st.one_of(
                st.characters(exclude_categories=["Cs"]), st.sampled_from("aAbB ,.\n#_Σİ\0é")
            ),
            max_size=30,
        ),
        max_size=6,
    ),
    more=st.lists(st.text(alphabet="abC ,\t"), max_size=3),
    options=st.fixed_dictionaries(
        {},
        optional={
            "num_words": st.integers(1, 6),
            "oov_token": st.sampled_from(["<oov>", "a"]),
            "lower": st.booleans(),
            "char_level": st.booleans(),
            "filters": st.text(alphabet="aB,.é\0#", max_size=4),
            "split": st.sampled_from([" ", ",", "a", "é", "##", ", ", None]),
        },
    ),
)
def test_same_as_keras_on_any_text(
    texts: list[str], more: list[str], options: dict[str, Any]
) -> None:
    ours, theirs = Tokenizer(**options), keras_text.Tokenizer(**options)
    for corpus in (texts, more):
        ours.fit_on_texts(corpus)
        theirs.fit_on_texts(corpus)
        assert_same(ours, theirs)
    assert_same_results(ours, theirs, texts + more + ["b a unseen"])


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("corpus", CORPORA)
def test_text_to_word_sequence(options: str, corpus: str) -> None:
    known = {k: v for k, v in OPTIONS[options].items() if k in ("filters", "lower", "split")}
    if known.get("split") == "":
        known["split"] = " "
    words = [keras_text.text_to_word_sequence(text, **known) for text in CORPORA[corpus]]
    assert [text_to_word_sequence(text, **known) for text in CORPORA[corpus]] == words
    splitter = Splitter(
        lower=known.get("lower", True),
        filters="".join(known.get("filters", Splitter().filters)),
        separator=known.get("split", " "),
    )
    assert splitter.split_all(CORPORA[corpus]).to_lists() == words


def test_lists_of_words_and_texts_mixed() -> None:
    texts = [["The", "the cat"], "the cat sat", [], "", ["sat"]]
    for options in ({}, {"lower": False}, {"oov_token": "?"}, {"char_level": True}):
        ours, theirs = Tokenizer(**options), keras_text.Tokenizer(**options)
        ours.fit_on_texts(texts)
        theirs.fit_on_texts(texts)
        assert_same(ours, theirs)
        assert_same_results(ours, theirs, [*texts, ["unseen", "the"]])


def test_one_string_is_many_texts_of_one_character_as_in_keras() -> None:
    ours, theirs = Tokenizer(), keras_text.Tokenizer()
    ours.fit_on_texts("abca b")
    theirs.fit_on_texts("abca b")
    assert_same(ours, theirs)


def test_naughty_strings(shared_data: Any) -> None:
    texts = (shared_data / "text" / "blns.txt").read_text(encoding="utf-8").split("\n")
    assert len(texts) > 500
    for options in ({}, {"lower": False, "filters": "", "oov_token": "?"}, {"char_level": True}):
        ours, theirs = Tokenizer(**options), keras_text.Tokenizer(**options)
        ours.fit_on_texts(texts)
        theirs.fit_on_texts(texts)
        assert_same(ours, theirs)
        assert ours.texts_to_sequences(texts) == theirs.texts_to_sequences(texts)


def test_many_texts_in_groups() -> None:
    # More texts than are taken from a generator at once, and more characters than in one run.
    texts = [f"word{i % 977} other{i % 31}, İ{i % 5}" for i in range(40_000)]
    ours, theirs = Tokenizer(), keras_text.Tokenizer()
    ours.fit_on_texts(text for text in texts)
    theirs.fit_on_texts(texts)
    assert_same(ours, theirs)
    assert ours.texts_to_sequences(text for text in texts) == theirs.texts_to_sequences(texts)


def test_one_long_text() -> None:
    text = " ".join(f"w{i % 5003}" for i in range(300_000))
    ours, theirs = Tokenizer(), keras_text.Tokenizer()
    ours.fit_on_texts(["first", text, "last"])
    theirs.fit_on_texts(["first", text, "last"])
    assert_same(ours, theirs)
    assert ours.encode([text]).ids.tolist() == theirs.texts_to_sequences([text])


def test_sequences_seen_count_for_tfidf() -> None:
    sequences = [[1, 2, 2], [2, 5], [], [9]]
    ours, theirs = Tokenizer(num_words=6), keras_text.Tokenizer(num_words=6)
    ours.fit_on_sequences(sequences)
    theirs.fit_on_sequences(sequences)
    assert_same(ours, theirs)
    for mode in MODES:
        np.testing.assert_allclose(
            ours.sequences_to_matrix(sequences, mode),
            theirs.sequences_to_matrix(sequences, mode),
            rtol=1e-14,
        )


def test_analyzer_cuts_texts() -> None:
    tokenizer = Tokenizer(analyzer=lambda text: text.split("|"))
    tokenizer.fit_on_texts(["A|b b", "b b|c", ["a|A"]])
    assert tokenizer.word_index == {"b b": 1, "A": 2, "c": 3, "a|a": 4}
    assert tokenizer.texts_to_sequences(["c|A|x"]) == [[3, 2]]
    with pytest.warns(UserWarning, match="analyzer"):
        written = tokenizer.to_json()
    again = tokenizer_from_json(written, analyzer=tokenizer.analyzer)
    assert again.texts_to_sequences(["c|A|x"]) == [[3, 2]]


def test_characters_ignore_the_analyzer() -> None:
    tokenizer = Tokenizer(char_level=True, analyzer=str.split)
    tokenizer.fit_on_texts(["a a b"])
    assert set(tokenizer.word_index) == {"a", " ", "b"}


def identity(text: str) -> str:
    return text


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("rewrite", [identity, lambda text: json.dumps(json.loads(text), indent=1)])
def test_json_both_ways(options: str, rewrite: Callable[[str], str]) -> None:
    ours, theirs = Tokenizer(**OPTIONS[options]), keras_text.Tokenizer(**OPTIONS[options])
    texts = CORPORA["plain"] + CORPORA["case"]
    ours.fit_on_texts(texts)
    theirs.fit_on_texts(texts)
    from_keras = tokenizer_from_json(rewrite(theirs.to_json()))
    assert_same(from_keras, theirs)
    assert_same_results(from_keras, theirs, texts + QUESTIONS)
    from_rowwise = keras_text.tokenizer_from_json(rewrite(ours.to_json()))
    assert_same(ours, from_rowwise)
    assert_same_results(ours, from_rowwise, texts + QUESTIONS)
    # word_docs is counted in another order, which Keras's sets leave open.
    for name, value in ours.get_config().items():
        if name not in ("word_docs", "index_docs"):
            assert value == theirs.get_config()[name], name


def test_fit_goes_on_after_json() -> None:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["a b b"])
    again = tokenizer_from_json(tokenizer.to_json())
    again.fit_on_texts(["a a c"])
    tokenizer.fit_on_texts(["a a c"])
    assert_same(again, tokenizer)


def test_what_was_cut_for_fitting_is_used_for_the_same_texts_alone():
    def expected(tokenizer, texts):
        """The ids of texts in another list, for which nothing was kept."""
        return [tokenizer.texts_to_sequences([text])[0] for text in texts]

    texts = ["a b c", "b c", "C a"]
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    found = tokenizer.texts_to_sequences(texts)
    assert found == expected(tokenizer, texts) == [[2, 3, 1], [3, 1], [1, 2]]

    tokenizer.fit_on_texts(texts)
    texts[1] = "a a"  # the same list, another text in it
    found = tokenizer.texts_to_sequences(texts)
    assert found == expected(tokenizer, texts)
    assert len(set(found[1])) == 1

    tokenizer.fit_on_texts(texts)
    tokenizer.lower = False  # the same texts, cut in another way
    found = tokenizer.texts_to_sequences(texts)
    assert found == expected(tokenizer, texts)
    assert len(found[2]) == 1  # "C" is no word of it

    tokenizer.lower = True
    tokenizer.fit_on_texts(texts)
    copied = copy.deepcopy(tokenizer)
    assert copied.texts_to_sequences(texts) == tokenizer.texts_to_sequences(texts)

    lists = [["a", "b"], ["c"]]
    tokenizer.fit_on_texts(lists)
    lists[1].append("a")  # lists of words may change
    found = tokenizer.texts_to_sequences(lists)
    assert found == expected(tokenizer, lists)
    assert len(found[1]) == 2
