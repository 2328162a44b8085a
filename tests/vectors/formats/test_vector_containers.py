import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from rowwise.backend import keras
from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training import Model, Sequential
from rowwise.vectors import Vectors

ODD_WORDS = ["the", "\x85", " ", "\u2028", "new york", "猫", "é", "👍🏽", '"', ",", "a\tb", "-0.5"]
FORMATS = [".safetensors", ".txt", ".vec"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_was_saved_loads_exactly(suffix: str, tmp_path: Path) -> None:
    words = [word for word in ODD_WORDS if suffix == ".safetensors" or " " not in word]
    rows = np.random.default_rng(0).normal(size=(len(words), 7)).astype("float32")
    rows[0] = [0, -0.0, 1e-38, 3.4e38, 1 / 3, -1e-45, 16777217]
    path = tmp_path / f"vectors{suffix}"
    Vectors(words, rows).save(path)
    loaded = Vectors.load(path)
    assert loaded.words == tuple(words)
    assert np.array_equal(loaded.rows, rows)
    assert os.listdir(tmp_path) == [path.name]


@given(st.lists(st.text(st.characters(), max_size=5), unique=True, max_size=6))
def test_the_native_file_holds_any_words(words: list[str]) -> None:
    import tempfile

    rows = np.arange(len(words) * 2, dtype="float32").reshape(len(words), 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.safetensors"
        Vectors(words, rows).save(path)
        loaded = Vectors.load(path)
    assert loaded.words == tuple(words)
    assert np.array_equal(loaded.rows, rows)


def test_the_format_is_told_by_content(tmp_path: Path) -> None:
    Vectors(["a"], [[1.0]]).save(tmp_path / "a.safetensors")
    (tmp_path / "a.safetensors").rename(tmp_path / "a.txt")
    assert Vectors.load(tmp_path / "a.txt").words == ("a",)


TEXT_FILES = [
    ("glove", b"the 0.1 -0.2\ncat 1e-3 4\n", ["the", "cat"]),
    ("word2vec header", b"2 2\nthe 0.1 -0.2\ncat 1 4\n", ["the", "cat"]),
    ("trailing spaces", b"2 2\nthe 0.1 -0.2 \ncat 1 4 \n", ["the", "cat"]),
    ("carriage returns", b"the 0.1 -0.2\r\ncat 1 4\r\n", ["the", "cat"]),
    ("no final line break", b"the 0.1 -0.2\ncat 1 4", ["the", "cat"]),
    ("words with spaces", b"2 2\nnew york 0.1 -0.2\n. . . 1 4\n", ["new york", ". . ."]),
    ("white space of Unicode", "\x85 1 2\n\u2028x 3 4\n".encode(), ["\x85", "\u2028x"]),
    ("not UTF-8", b"caf\xe9 1 2\nthe 3 4\n", ["caf\ufffd", "the"]),
    ("a word twice", b"a 1 2\nb 3 4\na 5 6\n", ["a", "b"]),
    ("empty lines", b"a 1 2\n\nb 3 4\n\n", ["a", "b"]),
]


@pytest.mark.parametrize(("_", "content", "words"), TEXT_FILES, ids=[t[0] for t in TEXT_FILES])
def test_text_files_of_every_tool_load(
    _: str, content: bytes, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "v").write_bytes(content)
    vectors = Vectors.load(tmp_path / "v")
    assert list(vectors) == words
    assert vectors.dimension == 2
    if _ == "a word twice":
        assert vectors["a"].tolist() == [1, 2]


BAD_FILES = [
    (b"", "no line with a word"),
    (b"3 4\n", "no line with a word"),
    (b"the 1 2\ncat 1\n", "line 2: expected a word and 2 numbers"),
    (b"the 1 2\ncat 1 two\n", "line 2: the last 2 fields"),
    (b"3 2\nthe 1 2\ncat 1 2\n", "announces 3 words, and 2 follow"),
    (b"3 4\nthe .1 .2 .3\ncat .1 .2 .3\ndog .1 .2 .3\n", "announces 4 columns"),
    (b"3 2\nthe .1 .2 .3\ncat .1 .2 .3\ndog .1 .2 .3\n", "announces 2 columns"),
    (b"3 5\n" + b"the .1 .2 .3\n" * 3, "announces 5 columns"),
    (b"2 300\n" + b"the .1 .2\n" * 300, "announces 300 columns"),
    (b"justaword\n", "line 1: expected a word"),
    (b"PK\x03\x04 not a zip", "no whole zip file"),
    (b"\x10\x00\x00\x00\x00\x00\x00\x00{nonsense", "not a whole safetensors file"),
]


@pytest.mark.parametrize(("content", "message"), BAD_FILES)
def test_a_faulty_file_is_named_with_its_line(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(DataFileError, match=message):
        Vectors.load(tmp_path / "v")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no file of vectors at"):
        Vectors.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weights": np.ones(3)}, "without rows, words, ends"),
        (
            {"rows": np.ones((2, 2)), "words": np.zeros(3, "uint8"), "ends": np.array([5, 3])},
            "damaged",
        ),
    ],
)
def test_a_safetensors_file_of_another_kind_is_named(
    tensors: Any, message: str, tmp_path: Path
) -> None:
    save_file(tensors, tmp_path / "v.safetensors")
    with pytest.raises(DataFileError, match=message):
        Vectors.load(tmp_path / "v.safetensors")


@pytest.mark.parametrize("word", ["new york", "", "a\nb"])
def test_a_word_that_text_cannot_hold_is_refused(word: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"cannot hold .* Save as \.safetensors"):
        Vectors(["a", word], np.ones((2, 2))).save(tmp_path / "v.txt")
    assert os.listdir(tmp_path) == []


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="suffix must be one of"):
        Vectors(["a"], [[1.0]]).save(tmp_path / "v.csv")


def test_the_table_of_a_keras_file_comes_with_its_words(tmp_path: Path) -> None:
    table = np.arange(10, dtype="float32").reshape(5, 2)
    vocabulary = Vocabulary(["good", "bad", "猫"])
    first = Embedding(7, 2, name="other")
    layer = Embedding(vocabulary, 2, weights=table)
    ids = keras.Input((3,), dtype="int32")
    Model(ids, [first(ids), layer(ids)]).save(tmp_path / "two.keras")
    Sequential([Embedding(vocabulary, 2, weights=table, input_length=3)]).save(
        tmp_path / "one.keras"
    )
    for name in ("one.keras", "two.keras"):
        vectors = Vectors.load(tmp_path / name)
        assert vectors.words == ("good", "bad", "猫")
        assert np.array_equal(vectors.rows, table[2:])


# Keras's own: it warns of every layer that has nothing to quantise.
@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`:UserWarning")
def test_a_quantised_table_is_refused(tmp_path: Path) -> None:
    model = Sequential([Embedding(Vocabulary(["good", "bad"]), 4, input_length=3)])
    model.quantize("int8")
    model.save(tmp_path / "model.keras")
    with pytest.raises(DataFileError, match=r"quantised \(int8\)"):
        Vectors.load(tmp_path / "model.keras")


def test_a_keras_file_without_words_is_named(tmp_path: Path) -> None:
    Sequential([Embedding(5, 2, input_length=3)]).save(tmp_path / "model.keras")
    with pytest.raises(DataFileError, match=r"no vocabulary.*Embedding\(vocabulary"):
        Vectors.load(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "prose")
    with pytest.raises(DataFileError, match="not a Keras model"):
        Vectors.load(tmp_path / "other.zip")
