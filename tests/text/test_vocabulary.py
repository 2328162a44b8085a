"""Vocabulary: ids, reserved words, where it comes from, and that it is a value."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowwise.errors import InvalidArgumentError, InvalidIdError, InvalidTextError
from rowwise.text import Splitter, Tokenizer, Vocabulary

TEXTS = ["the cat sat", "the dog the cat!", ""]


def test_ids() -> None:
    vocabulary = Vocabulary(["the", "cat"], counts=[3, 2])
    assert len(vocabulary) == 4
    assert vocabulary.words == ("", "[UNK]", "the", "cat") == tuple(vocabulary)
    assert vocabulary.counts == (0, 0, 3, 2)
    assert (vocabulary["the"], vocabulary["dog"], vocabulary["[UNK]"], vocabulary[""]) == (
        2,
        1,
        1,
        0,
    )
    assert [vocabulary.word(id) for id in range(4)] == list(vocabulary.words)
    assert vocabulary.word(np.int32(3)) == "cat"
    assert "cat" in vocabulary
    for absent in ("dog", "[UNK]", "", None, 2):
        assert absent not in vocabulary
    ids = vocabulary.ids(["cat", "dog", "the"])
    assert (ids.dtype, ids.tolist()) == ("int32", [3, 1, 2])
    assert vocabulary.ids([]).shape == (0,)
    assert Vocabulary.from_words(["a"]).counts is None


@pytest.mark.parametrize("id", [-1, 4, 1.0, "1", True])
def test_no_such_id(id: Any) -> None:
    with pytest.raises(InvalidIdError, match=r"\[0, 4\)"):
        Vocabulary(["the", "cat"]).word(id)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b", "a"], "'a' twice, at positions 0 and 2"),
        (["a", ""], r"reserved word '' \(position 1\)"),
        (["[UNK]"], r"reserved word '\[UNK\]' \(position 0\)"),
        (["a", None], "None of type NoneType at position 1"),
        (["a", b"b"], "of type bytes at position 1"),
        ("abc", r"Received one str: 'abc'. Put it into a list"),
        (3, "Received: 3 of type int"),
    ],
)
def test_wrong_words(words: Any, message: str) -> None:
    with pytest.raises(InvalidTextError, match=message):
        Vocabulary(words)


@pytest.mark.parametrize("counts", [[1], [1, -2], [1, 2.5], [1, None]])
def test_wrong_counts(counts: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="`counts` must hold"):
        Vocabulary(["a", "b"], counts)


def test_a_number_is_no_word() -> None:
    with pytest.raises(InvalidTextError, match=r"vocabulary\.word\(id\)"):
        Vocabulary(["a"])[2]  # type: ignore[index]


def test_build() -> None:
    assert Vocabulary.build(TEXTS).words == ("", "[UNK]", "the", "cat", "sat", "dog")
    assert Vocabulary.build(TEXTS).counts == (0, 0, 3, 2, 1, 1)
    assert Vocabulary.build(TEXTS, max_size=5).words == ("", "[UNK]", "the", "cat", "sat")
    assert Vocabulary.build(TEXTS, max_size=2).words == ("", "[UNK]")
    assert Vocabulary.build(TEXTS, min_count=2).words == ("", "[UNK]", "the", "cat")
    assert "!" in Vocabulary.build(TEXTS, Splitter(marks=True))
    assert len(Vocabulary.build([])) == 2
    cased = Splitter(lower=False, filters="")
    assert Vocabulary.build(["a [UNK] [UNK] b"], cased, max_size=4).words == ("", "[UNK]", "a", "b")


@pytest.mark.parametrize("arguments", [{"max_size": 1}, {"max_size": -1}, {"min_count": -1}])
def test_wrong_sizes(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(arguments))):
        Vocabulary.build(TEXTS, **arguments)


def test_encode() -> None:
    vocabulary = Vocabulary(["the", "cat", "sat"])
    encoded = vocabulary.encode(["The cat", "", "dog, the sat cat"])
    assert (encoded.ids.dtype, encoded.lengths.dtype, encoded.mask.dtype) == (
        "int32",
        "int32",
        "bool",
    )
    assert encoded.ids.tolist() == [[2, 3, 0, 0], [0, 0, 0, 0], [1, 2, 4, 3]]
    assert encoded.lengths.tolist() == [2, 0, 4]
    ids, lengths = encoded
    assert ids is encoded.ids
    assert encoded.mask.tolist() == [[i < n for i in range(4)] for n in lengths]
    assert vocabulary.encode(["the ."], Splitter(marks=True)).ids.tolist() == [[2, 1]]
    assert vocabulary.encode([]).ids.shape == (0, 0)
    assert vocabulary.encode([], max_length=7).ids.shape == (0, 7)
    assert vocabulary.encode([""]).ids.shape == (1, 0)


SIDES = st.sampled_from(["pre", "post"])


@given(
    st.lists(st.lists(st.sampled_from("abcx"), max_size=5), max_size=5),
    st.none() | st.integers(0, 6),
    SIDES,
    SIDES,
)
def test_encode_pads_and_cuts(
    words: list[list[str]], max_length: int | None, padding: str, truncating: str
) -> None:
    vocabulary = Vocabulary("cba"[i] for i in range(3))
    length = max(map(len, words), default=0) if max_length is None else max_length
    expected = []
    for row in words:
        ids = [vocabulary[word] for word in row]
        ids = ids[:length] if truncating == "post" else ids[max(len(ids) - length, 0) :]
        zeros = [0] * (length - len(ids))
        expected.append(ids + zeros if padding == "post" else zeros + ids)
    encoded = vocabulary.encode(
        map(" ".join, words), max_length=max_length, padding=padding, truncating=truncating
    )
    assert encoded.ids.shape == (len(words), length)
    assert encoded.ids.tolist() == expected
    assert encoded.lengths.tolist() == [min(len(row), length) for row in words]
    assert (encoded.mask.sum(axis=1) == encoded.lengths).all()


@pytest.mark.parametrize(
    "arguments",
    [{"padding": "left"}, {"truncating": None}, {"max_length": -1}, {"max_length": 2.0}],
)
@pytest.mark.parametrize("encoder", [Vocabulary(["the"]), Tokenizer()])
def test_wrong_padding(encoder: Vocabulary | Tokenizer, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=f"`{next(iter(arguments))}` must be"):
        encoder.encode(TEXTS, **arguments)


def test_a_value() -> None:
    vocabulary = Vocabulary(["the", "e\u0301", "👍", "a\0"], [4, 3, 2, 1])
    for same in (
        pickle.loads(pickle.dumps(vocabulary)),
        Vocabulary.from_json(vocabulary.to_json()),
        Vocabulary.from_json(json.dumps(json.loads(vocabulary.to_json()))),
    ):
        assert same == vocabulary
        assert hash(same) == hash(vocabulary)
        assert same["👍"] == 4
    assert Vocabulary.from_json(Vocabulary(["a"]).to_json()) == Vocabulary(["a"])
    assert vocabulary != Vocabulary(vocabulary.words[2:])
    assert vocabulary != vocabulary.words
    for change in (lambda: setattr(vocabulary, "words", ()), lambda: delattr(vocabulary, "_words")):
        with pytest.raises(AttributeError, match="never changes"):
            change()
    assert repr(Vocabulary(["a"])) == "<Vocabulary of 3: '', '[UNK]', 'a'>"
    assert repr(vocabulary).endswith("👍', ...>")
    assert repr(Vocabulary([])) == "<Vocabulary of 2: '', '[UNK]'>"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"words": "abc"}'])
def test_other_json(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="vocabulary's JSON"):
        Vocabulary.from_json(text)


class Layer:
    """What matters here of a TextVectorization or StringLookup."""

    def __init__(self, words: list[Any], **config: Any) -> None:
        self.words = words
        self.config = config

    def get_vocabulary(self) -> list[Any]:
        return self.words

    def get_config(self) -> dict[str, Any]:
        return self.config


def test_from_keras() -> None:
    assert Vocabulary.from_keras(Layer(["", "[UNK]", "the", np.str_("cat")])) == Vocabulary(
        ["the", "cat"]
    )
    other_names = Layer(["<pad>", "<unk>", "the"], mask_token="<pad>", oov_token="<unk>")
    assert Vocabulary.from_keras(other_names).words == ("", "[UNK]", "the")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Layer(["[UNK]", "the"]), "at ids 0 and 1"),
        (Layer(["", "[UNK]", "a"], output_mode="multi_hot"), "output_mode='multi_hot'"),
        (Layer(["", "[UNK]", "[UNK]", "a"], num_oov_indices=2), "num_oov_indices=2"),
        (Layer(["[UNK]", "a"], mask_token=None), "Use mask_token=''"),
        (Layer(["", "[UNK]", 3]), "of type int at position 0"),
        (Layer([]), "at ids 0 and 1"),
        (object(), "get_vocabulary"),
    ],
)
def test_from_another_layer(layer: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        Vocabulary.from_keras(layer)


def test_from_tokenizer() -> None:
    for num_words in (None, 4, 100):
        tokenizer = Tokenizer(oov_token="<oov>", num_words=num_words)
        tokenizer.fit_on_texts(TEXTS)
        vocabulary = tokenizer.vocabulary
        assert len(vocabulary) == (4 if num_words == 4 else 6)
        texts = [*TEXTS, "unseen cat dog"]
        np.testing.assert_array_equal(vocabulary.encode(texts).ids, tokenizer.encode(texts).ids)
    assert vocabulary.counts == (0, 0, 3, 2, 1, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "id 1 is its most frequent word.*oov_token="), ({"oov_token": "cat"}, "also a word")],
)
def test_from_tokenizer_with_other_ids(options: dict[str, Any], message: str) -> None:
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(TEXTS)
    with pytest.raises(InvalidArgumentError, match=message):
        tokenizer.vocabulary  # noqa: B018
    with pytest.raises(InvalidArgumentError):
        Tokenizer(**options).vocabulary  # noqa: B018
