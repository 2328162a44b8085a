"""``tokenizer.json``: the package tokenizers gives the ids that rowwise gives."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rowwise.errors import InvalidArgumentError
from rowwise.export import tokenizer_json
from rowwise.text import Splitter, Vocabulary, read_texts
from rowwise.text.characters import class_of

SPLITTERS = {
    "marks": Splitter(marks=True),
    "marks as they are": Splitter(marks=True, lower=False),
    "as Keras": Splitter(),
    "as Keras, not lower": Splitter(lower=False),
    "characters": Splitter(char_level=True),
    "white space": Splitter(separator=None),
    "white space alone": Splitter(filters="", separator=None, lower=False),
    "nothing filtered": Splitter(filters="", lower=False),
    "brackets": Splitter(filters="]^-[\\&~ab"),
    "long separator": Splitter(separator="--"),
    "separator from filters": Splitter(separator="ab", filters="xyz\n"),
}
STYLES = pytest.mark.parametrize("splitter", SPLITTERS.values(), ids=SPLITTERS)


def check(texts: list[str], splitter: Splitter, max_length: int | None = None) -> None:
    """Compare ids; every other word is unknown."""
    words = [word for word in splitter.split_all(texts).unique if word != "[UNK]"]
    vocabulary = Vocabulary(words[::2])
    tokenizer = Tokenizer.from_str(tokenizer_json(vocabulary, splitter, max_length))
    for text, found in zip(texts, tokenizer.encode_batch(texts), strict=True):
        expected = vocabulary.encode([text], splitter, max_length).ids[0]
        assert found.ids == expected.tolist(), ascii(text)


@STYLES
@pytest.mark.parametrize("max_length", [None, 1, 7])
def test_naughty_strings(splitter: Splitter, max_length: int | None, shared_data: Path) -> None:
    lines = (shared_data / "text" / "blns.txt").read_bytes().decode().split("\n")
    assert len(lines) > 600
    check(lines, splitter, max_length)


CHARACTERS = "aZ 'β\u2019Σςσİiſ_-.,\t\n\0\u0301\u200d\u00ad\ufeff車😞ªʰ\u0345[]PADUNK"


@STYLES
@given(texts=st.lists(st.text(alphabet=CHARACTERS, max_size=12), max_size=6))
def test_texts_made_of_what_is_difficult(splitter: Splitter, texts: list[str]) -> None:
    check(texts, splitter)


# Of what this Python's Unicode does not know, the package tokenizers may know a lower case.
KNOWN = st.characters(exclude_categories=["Cs", "Cn"])


@STYLES
@given(texts=st.lists(st.text(KNOWN, max_size=12), max_size=6))
def test_any_texts(splitter: Splitter, texts: list[str]) -> None:
    check(texts, splitter)


def test_characters_that_lower_case_or_a_class_sets_apart() -> None:
    """The limits of what the file says in ranges, and all that has another lower case."""
    known = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    interesting = [one for one in known if one.lower() != one]
    classes = [class_of(one) for one in known]
    for place in np.flatnonzero(np.diff(classes)).tolist():
        interesting += known[place : place + 2]
    interesting = [one for one in interesting if unicodedata.category(one) != "Cn"]
    check([f"a{one}b {one} {one}Σ AΣ{one} x" for one in interesting], SPLITTERS["marks"])


def test_a_file_says_nothing_that_depends_on_a_version_of_unicode() -> None:
    written = tokenizer_json(Vocabulary(["a"]), SPLITTERS["marks"])
    assert r"\\p" not in written
    assert r"\\w" not in written
    assert written.isascii(), "bytes are the same in every encoding"


def test_reserved_words_in_a_text_are_unknown() -> None:
    splitter = Splitter(filters="", lower=False)
    vocabulary = Vocabulary(["a"])
    tokenizer = Tokenizer.from_str(tokenizer_json(vocabulary, splitter, 4))
    assert tokenizer.encode("[PAD] a [UNK]").ids == [1, 2, 1, 0]


def test_a_length_without_sense() -> None:
    with pytest.raises(InvalidArgumentError, match=r"must be at least 1\. Received: 0\."):
        tokenizer_json(Vocabulary(["a"]), max_length=0)


def test_texts_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("Don’t panic\nΟΔΟΣ\n", encoding="utf-8")
    check(read_texts(str(path)), SPLITTERS["marks"])
