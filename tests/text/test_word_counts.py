"""Word counts: a value whose parts can be merged in any order and grouping."""

import pickle
from dataclasses import FrozenInstanceError
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_corpora import CORPORA

from rowwise.errors import InvalidArgumentError, InvalidTextError
from rowwise.text import Splitter, Tokenizer, Vocabulary, WordCounts
from rowwise.text.counting import counts as counts_module
from rowwise.text.counting.counts import Merger, merged

TEXTS = ["the cat sat", "the dog the cat!", ""]
WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd", "longer than eight"]), max_size=6)
FILES = st.lists(st.lists(WORDS.map(" ".join), max_size=5), min_size=1, max_size=4)


def cut_up(files: list[list[str]], data: st.DataObject) -> list[WordCounts]:
    """The counts of parts of the files, shuffled."""
    parts = []
    for number, texts in enumerate(files):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=3)))
        for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True):
            parts.append(WordCounts.from_texts(texts[start:end], file=number, first=start))
    return data.draw(st.permutations(parts))


def test_what_is_counted() -> None:
    counts = WordCounts.from_texts(TEXTS, file=3, first=10)
    assert counts.words == ["the", "cat", "sat", "dog"]
    assert counts.counts.tolist() == [3, 2, 1, 1]
    assert counts.text_counts.tolist() == [2, 2, 1, 1]
    assert counts.files.tolist() == [3, 3, 3, 3]
    assert counts.places.tolist() == [10, 10, 10, 11]
    assert counts.positions.tolist() == [0, 1, 2, 1]
    assert (len(counts), counts.texts) == (4, 3)
    kinds = [str(getattr(counts, name).dtype) for name in ("counts", "text_counts", "files")]
    assert kinds == ["int64", "int64", "int32"]
    assert (counts.places.dtype, counts.positions.dtype) == ("int64", "int32")
    assert repr(counts) == "<WordCounts of 3 texts: 4 different words, 7 in all>"


@given(FILES, st.data())
def test_merging_in_any_order_is_one_pass(files: list[list[str]], data: st.DataObject) -> None:
    parts = cut_up(files, data)
    together = [text for texts in files for text in texts]
    found = merged(parts)
    once = WordCounts.from_texts(together)
    for name in ("words", "texts"):
        assert getattr(found, name) == getattr(once, name)
    for name in ("counts", "text_counts"):
        assert getattr(found, name).tolist() == getattr(once, name).tolist()
    assert found.to_vocabulary() == Vocabulary.build(together)
    # Grouped from the left, from the right, and as they are added one by one.
    assert reduce(add, parts) == found
    assert reduce(lambda right, left: left + right, parts[::-1]) == found
    assert parts[0].merge(*parts[1:]) == found


@given(FILES, st.data(), st.integers(1, 9))
def test_a_merger_merges(files: list[list[str]], data: st.DataObject, few: int) -> None:
    parts = cut_up(files, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts_module, "_FEW_WORDS", few)
        merger = Merger()
        for part in parts:
            merger.add(part)
        assert merger.result() == merger.result() == merged(parts)


@given(st.lists(st.lists(WORDS.map(" ".join), max_size=3), min_size=2, max_size=4), st.data())
def test_order_does_not_matter_where_places_are_claimed_twice(
    lists: list[list[str]], data: st.DataObject
) -> None:
    parts = [WordCounts.from_texts(texts) for texts in lists]
    assert reduce(add, data.draw(st.permutations(parts))) == merged(parts)


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize(
    "splitter",
    [None, Splitter(marks=True), Splitter(char_level=True), Splitter(lower=False, separator="##")],
    ids=["keras", "marks", "characters", "long separator"],
)
def test_hard_texts(name: str, splitter: Splitter | None) -> None:
    texts = CORPORA[name]
    parts = [WordCounts.from_texts([text], splitter, first=i) for i, text in enumerate(texts)]
    found = merged(parts[::-1])
    assert found == WordCounts.from_texts(texts, splitter)
    assert found.to_vocabulary() == Vocabulary.build(texts, splitter)


@given(
    st.lists(st.sampled_from(["a", "b", "[UNK]", "c", "d"])), st.integers(2, 8), st.integers(0, 3)
)
def test_vocabularies(words: list[str], max_size: int, min_count: int) -> None:
    splitter = Splitter(filters="", lower=False)
    texts = [" ".join(words)]
    found = WordCounts.from_texts(texts, splitter).to_vocabulary(max_size, min_count)
    assert found == Vocabulary.build(texts, splitter, max_size, min_count)


def test_a_value() -> None:
    counts = WordCounts.from_texts(TEXTS)
    assert pickle.loads(pickle.dumps(counts)) == counts
    assert merged([]) == WordCounts.from_texts([]) == merged([WordCounts.from_texts([])] * 2)
    assert counts + merged([]) == merged([counts]) == counts
    different = [
        WordCounts.from_texts([*TEXTS, ""]),
        WordCounts.from_texts(TEXTS, file=1),
        WordCounts.from_texts(TEXTS, first=1),
        WordCounts.from_texts(["the cat sat", "the dog the cat cat", ""]),
        WordCounts.from_texts(["the cat sat the", "dog the cat", ""]),
        WordCounts.from_texts(["the cat sat", "the fox the cat!", ""]),
    ]
    assert all(other != counts for other in different)
    assert counts != TEXTS
    with pytest.raises(FrozenInstanceError):
        counts.texts = 1  # type: ignore[misc]
    with pytest.raises(TypeError, match="unhashable"):
        hash(counts)


def test_pickles_are_small() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"{number:x}" for number in rng.integers(0, 1 << 28, 100_000))]
    counts = WordCounts.from_texts(texts)
    letters = sum(map(len, counts.words))
    assert len(pickle.dumps(counts)) < letters + 41 * len(counts)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: WordCounts.from_texts("a"), InvalidTextError, "Received one str"),
        (lambda: WordCounts.from_texts(["a", None]), InvalidTextError, "position 1"),  # type: ignore[list-item]
        (lambda: WordCounts.from_texts([]).to_vocabulary(1), InvalidArgumentError, "max_size"),
        (lambda: merged([3]), InvalidArgumentError, "Only WordCounts can be merged. Received: 3"),  # type: ignore[list-item]
        (lambda: WordCounts.from_texts([]) + 3, TypeError, "unsupported operand"),
    ],
)
def test_wrong_arguments(wrong: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        wrong()


def test_a_tokenizer_counts_the_same() -> None:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    counts = WordCounts.from_texts(TEXTS)
    assert dict(tokenizer.word_counts) == dict(zip(counts.words, counts.counts, strict=True))
    assert tokenizer.word_docs == dict(zip(counts.words, counts.text_counts, strict=True))
