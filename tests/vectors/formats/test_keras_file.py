"""Models as files of vectors: which layer, which numbers, and what a file only claims."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training import Model, Sequential
from rowwise.vectors import Vectors

QUERY = np.arange(8, dtype="float32").reshape(4, 2)
DOC = np.arange(15, dtype="float32").reshape(5, 3) / 8


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with two vocabularies."""
    path = tmp_path_factory.mktemp("two") / "two.keras"
    query = Embedding(Vocabulary(["a", "b"]), 2, weights=QUERY, name="query")
    doc = Embedding(Vocabulary(["c", "d", "e"]), 3, weights=DOC, name="doc")
    ids = keras.Input((3,), dtype="int32")
    Model(ids, [query(ids), doc(ids)]).save(path)
    return path


@pytest.mark.parametrize(
    ("member", "words", "rows"),
    [
        ("query", ("a", "b"), QUERY),
        (2, ("a", "b"), QUERY),
        ("doc", ("c", "d", "e"), DOC),
        ("layers/embedding_1", ("c", "d", "e"), DOC),
        (3, ("c", "d", "e"), DOC),
    ],
)
def test_a_layer_is_chosen(two: Path, member: Any, words: tuple[str, ...], rows: Any) -> None:
    vectors = Vectors.load(two, member=member)
    assert vectors.words == words
    assert np.array_equal(vectors.rows, rows[2:])


@pytest.mark.parametrize(
    ("member", "error", "message"),
    [
        (
            None,
            DataFileError,
            r"several layers with a vocabulary: query \(2 columns\), doc \(3 columns\).*"
            "for instance member='query'",
        ),
        ("dog", DataFileError, "no layer 'dog' with a vocabulary. It has: query"),
        (4, DataFileError, "no layer 4 with a vocabulary"),
        (2.5, InvalidArgumentError, "`member` must be the name of"),
        (True, InvalidArgumentError, "`member` must be the name of"),
    ],
)
def test_layers_are_listed(two: Path, member: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Vectors.load(two, member=member)


def test_a_table_of_bfloat16_is_read_as_its_layer_gives_it(tmp_path: Path) -> None:
    words = Vocabulary(["c", "d", "e"])
    layer = Embedding(words, 3, weights=DOC / 7, dtype="bfloat16", input_length=2)
    Sequential([layer]).save(tmp_path / "m.keras")
    vectors = Vectors.load(tmp_path / "m.keras")
    assert vectors.rows.dtype == np.float32
    assert np.array_equal(vectors.rows, Vectors.from_layer(layer).rows)


def write(path: Path, put: Callable[[h5py.Group], Any]) -> Path:
    """A model of two words, with what ``put`` writes for its table."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        put(file.create_group("layers/embedding/vars"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as model:
        model.writestr("assets/layers/embedding/vocabulary.json", Vocabulary(["a", "b"]).to_json())
        model.writestr("model.weights.h5", weights.getvalue())
    return path


def test_packed_numbers_are_read(tmp_path: Path) -> None:
    rows = np.zeros((4, 500), dtype="float64")
    path = write(tmp_path / "m.keras", lambda g: g.create_dataset("0", data=rows, compression=9))
    assert np.array_equal(Vectors.load(path).rows, rows[2:])


CLAIMS: dict[str, tuple[Callable[[h5py.Group], Any], str]] = {
    "pieces that were never written": (
        lambda g: g.create_dataset("0", (4, 10**9), "f4", chunks=(4, 1000)),
        "claims the shape",
    ),
    "numbers that were never written": (
        lambda g: g.create_dataset("0", (4, 10**9), "f4"),
        "claims the shape",
    ),
    "packed pieces that were never written": (
        lambda g: g.create_dataset("0", (4, 10**9), "f4", chunks=(4, 1000), compression=1),
        "claims the shape",
    ),
    "one huge piece": (
        lambda g: g.create_dataset(
            "0", (4, 2), "f4", chunks=(4, 10**8), maxshape=(4, None), compression=1
        ),
        "claims the shape",
    ),
    "more rows than words": (
        lambda g: g.create_dataset("0", (10**9, 100), "f4", chunks=(1000, 100)),
        "1,000,000,000 rows for 4 words",
    ),
    "numbers of another file": (
        lambda g: g.create_dataset("0", (4, 2), "f4", external=[("/etc/passwd", 0, 32)]),
        "claims the shape",
    ),
    "a link to another file": (
        lambda g: g.__setitem__("0", h5py.ExternalLink("other.h5", "/0")),
        "it has no '0'",
    ),
    "a link": (lambda g: g.__setitem__("0", h5py.SoftLink("/layers/embedding")), "has no '0'"),
    "a group": (lambda g: g.create_group("0"), "no table"),
    "texts": (lambda g: g.create_dataset("0", data=[["a"]] * 4), "in place of numbers"),
    "a line": (lambda g: g.create_dataset("0", data=[1.0] * 4), "no table"),
    "no numbers": (lambda g: g.create_dataset("0", dtype="f4", data=h5py.Empty("f4")), "no table"),
    "whole numbers": (lambda g: g.create_dataset("0", data=[[1]] * 4), "quantised"),
    "nothing": (lambda g: None, "it has no '0'"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_table_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    put, message = CLAIMS[name]
    with pytest.raises(DataFileError, match=message):
        Vectors.load(write(tmp_path / "m.keras", put))
