"""What a classifier says about its decisions, compared with leaving words out one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from rowwise import TextClassifier
from rowwise.classify import explaining
from rowwise.classify.explaining import find_words
from rowwise.errors import InvalidArgumentError, InvalidTextError
from rowwise.text import Splitter

TEXTS = ["good fun", "great film , good", "a great time", "bad soup", "awful film", "a bad time"]
LABELS = [2, 2, 2, 1, 1, 1]
ASKED = [
    "A GREAT film, a bad soup!",
    "good",
    "",
    "of unknown words",
    "bad bad bad",
    "the word number six is great and bad",
]


@pytest.fixture(scope="module", params=["pooled", "lstm", "cnn"])
def classifier(request: Any) -> TextClassifier:
    made = TextClassifier(
        request.param,
        output_dim=8,
        pair_buckets=64,
        max_length=6,
        learning_rate=0.02,
        random_state=0,
    )
    return made.fit(TEXTS * 8, LABELS * 8)


def test_a_share_is_what_the_label_loses_without_the_word(classifier: TextClassifier) -> None:
    whole = classifier.predict_proba(ASKED)
    for text, shares, found in zip(ASKED, whole, classifier.explain(ASKED), strict=True):
        words = Splitter(marks=True).split(text)
        label = int(shares.argmax())
        assert found.label == classifier.classes_[label]
        np.testing.assert_allclose(found.probabilities, shares, atol=1e-6)
        assert [each.word for each in found.words] == words
        if words:
            without = [" ".join(words[:n] + words[n + 1 :]) for n in range(len(words))]
            lost = shares[label] - classifier.predict_proba(without)[:, label]
            assert [each.share for each in found.words] == pytest.approx(lost, abs=1e-6)


def test_words_that_are_not_looked_at_have_no_share(classifier: TextClassifier) -> None:
    [found] = classifier.explain(["a time " * 3 + "bad bad great"])
    assert [each.share for each in found.words[6:]] == [0, 0, 0]
    assert any(each.share for each in found.words[:6])


def test_words_have_their_places_in_the_text(classifier: TextClassifier) -> None:
    text = "  A GREAT film, a\tbad soup!"
    [found] = classifier.explain([text])
    pieces = [text[each.start : each.end] for each in found.words]
    assert pieces == ["A", "GREAT", "film", ",", "a", "bad", "soup", "!"]


def test_telling_words_have_larger_shares_than_others(classifier: TextClassifier) -> None:
    for text, telling in [("a great film", "great"), ("a bad time", "bad")]:
        [found] = classifier.explain([text])
        shares = {each.word: each.share for each in found.words}
        assert shares[telling] > max(0, shares["a"])


def test_blocks_do_not_matter(classifier: TextClassifier, monkeypatch: Any) -> None:
    def shares() -> list[float]:
        return [each.share for found in classifier.explain(ASKED) for each in found.words]

    at_once = shares()
    monkeypatch.setattr(explaining, "BLOCK", 3)
    assert shares() == pytest.approx(at_once, abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "error"),
    [("one text", InvalidArgumentError), (["good", None], InvalidTextError)],
)
def test_what_is_no_texts_is_named(classifier: TextClassifier, asked: Any, error: Any) -> None:
    with pytest.raises(error):
        classifier.explain(asked)


def test_no_texts_have_no_explanations(classifier: TextClassifier) -> None:
    assert classifier.explain([]) == []


def test_an_unfitted_classifier_explains_nothing() -> None:
    with pytest.raises(NotFittedError):
        TextClassifier().explain(["good"])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("İstanbul İ x", ["İstanbul", "İ", "x"]),
        ("ΟΔΟΣ ΣΟΦΟΣ.", ["ΟΔΟΣ", "ΣΟΦΟΣ", "."]),
        ("don't 'stop'", ["don't", "'", "stop", "'"]),
        ("a\u0301b e\u200dx \U0001f44d\U0001f3fd ok", ["a\u0301b", "e\u200dx", "👍", "🏽", "ok"]),
        ("new\x00 line\n\nx", ["new", "line", "x"]),
    ],
)
def test_places_in_texts_of_all_kinds(text: str, pieces: list[str]) -> None:
    words = Splitter(marks=True).split(text)
    assert [text[start:end] for start, end in find_words(text, words, True)] == pieces


@given(st.text(), st.booleans())
def test_every_word_is_found_in_order(text: str, lower: bool) -> None:
    words = Splitter(marks=True, lower=lower).split(text)
    places = find_words(text, words, lower)
    read = text.lower() if lower else text
    last = 0
    for word, (start, end) in zip(words, places, strict=True):
        piece = text[start:end].lower() if lower else text[start:end]
        # Of "İ", two characters in lower case, a word may hold one; and the sigma at the end of
        # a word is another one than within.
        assert word in piece or piece in word or word.replace("ς", "σ") == piece.replace("ς", "σ")
        assert last <= end
        assert word in read
        last = end
