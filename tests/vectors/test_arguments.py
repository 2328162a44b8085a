"""Arguments of the wrong kind: errors of rowwise that say what was expected and what came."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gensim.models import FastText

from rowwise.errors import (
    DataFileError,
    InvalidArgumentError,
    InvalidShapeError,
    InvalidTextError,
    RowwiseError,
)
from rowwise.layers import Embedding
from rowwise.text import Tokenizer, Vocabulary
from rowwise.vectors import ApproximateIndex, Vectors

V = Vectors(["a", "b", "c"], [[1, 2], [3, 4], [5, 6]])
WORDS = Vocabulary(["a", "z"])

Call = Callable[[Path], Any]
BAD: list[tuple[Call, type[RowwiseError], str]] = [
    # Paths and formats.
    (lambda f: Vectors.load(5), InvalidArgumentError, r"`path` must be a string or .*Received: 5"),
    (lambda f: Vectors.load(None), InvalidArgumentError, "`path` must be .*Received: None"),
    (lambda f: Vectors.load(b"v.txt"), InvalidArgumentError, "`path` must be .*b'v.txt'"),
    (lambda f: Vectors.load("n" * 300), DataFileError, "no file of vectors at"),
    (lambda f: Vectors.load("a\0b"), InvalidArgumentError, "character that no path can have"),
    (lambda f: V.save(f / "a\0b.vec"), InvalidArgumentError, "character that no path can have"),
    (lambda f: V.save("\ud800.vec"), InvalidArgumentError, "character that no path can have"),
    (lambda f: Vectors.load(f / "v.txt", words=5), InvalidArgumentError, "`words` must be a str"),
    (lambda f: Vectors.load(f / "v.txt", format=[]), InvalidArgumentError, "`format` must be one"),
    (lambda f: Vectors.load(f, format="rowwise"), DataFileError, "is a folder, and the format"),
    (lambda f: Vectors.load(f, format="npy"), DataFileError, "is a folder, and the format npy"),
    (lambda f: V.save(5), InvalidArgumentError, "`path` must be a string"),
    (lambda f: V.save(f / "v", format=[]), InvalidArgumentError, "`format` must be one of"),
    (lambda f: V.evaluate(5), InvalidArgumentError, "`path` must be a string"),
    # Addresses and well-known names.
    (lambda f: Vectors.load("https://[::1/x"), InvalidArgumentError, "is no address"),
    (lambda f: Vectors.load("HTTP://example.org/x"), InvalidArgumentError, "by https only"),
    (lambda f: Vectors.load("glove.6B.51d"), DataFileError, "Did you mean 'glove.6B.50d'"),
    (lambda f: Vectors.load("x", checksum=5), InvalidArgumentError, "`checksum` must be 'sha256:'"),
    (lambda f: Vectors.load("x", checksum="foo:12"), InvalidArgumentError, "Received: 'foo:12'"),
    (lambda f: Vectors.load("x", checksum="sha256:12"), InvalidArgumentError, "64 hexadecimal"),
    (lambda f: Vectors.load("x", checksum="shake_128:"), InvalidArgumentError, "64 hexadecimal"),
    # What is wanted of a file.
    (lambda f: Vectors.load(f / "v.txt", member=2.5), InvalidArgumentError, "`member` must be the"),
    (lambda f: Vectors.load(f / "v.txt", member=True), InvalidArgumentError, "`member` must be"),
    (lambda f: Vectors.load(f / "v.txt", dtype=None), InvalidArgumentError, "Received: None"),
    (
        lambda f: Vectors.load(f / "v.txt", only=Tokenizer()),
        InvalidArgumentError,
        "knows no words yet: call fit_on_texts",
    ),
    # Words and rows.
    (lambda f: Vectors(None, None), InvalidArgumentError, "`rows` must hold real numbers"),
    (lambda f: Vectors(None, np.eye(2)), InvalidTextError, "`words` must be a list"),
    (lambda f: Vectors("ab", np.eye(2)), InvalidTextError, "`words` must be a list"),
    (lambda f: Vectors(["a", 3], np.eye(2)), InvalidTextError, "Received 3 of type int at pos.* 1"),
    (lambda f: Vectors(["a", "b"], [[1, 2], [3]]), InvalidShapeError, "the same length"),
    (lambda f: Vectors(["a"], [["1"]]), InvalidArgumentError, "real numbers.*dtype <U1"),
    (lambda f: Vectors(["a"], [[1j]]), InvalidArgumentError, "real numbers.*complex128"),
    (lambda f: Vectors(["a"], [[None]]), InvalidArgumentError, "real numbers.*object"),
    (lambda f: V[["a"]], InvalidTextError, r"A word must be a string. Received: \['a'\]"),
    (lambda f: V[0], InvalidTextError, "A word must be a string. Received: 0"),
    # Questions.
    (lambda f: V.most_similar("a", index=5), InvalidArgumentError, "ApproximateIndex.*int"),
    (lambda f: V.most_similar(np.array([1j, 2])), InvalidArgumentError, "or rows of numbers"),
    (lambda f: V.evaluate("n" * 300), DataFileError, "There is no file"),
    (lambda f: V.most_similar(positive=5), InvalidArgumentError, "words or rows, or lists of them"),
    (lambda f: V.doesnt_match(5), InvalidTextError, "`words` must be a list"),
    (lambda f: V.doesnt_match([1, 2, 3]), InvalidTextError, "Received 1 of type int"),
    # Rows for models.
    (lambda f: V.get("z", None), InvalidArgumentError, "`oov` must be a rule.*None"),
    (lambda f: V.get("z", 5), InvalidArgumentError, "`oov` must be a rule.*5"),
    (lambda f: V.matrix(WORDS, None), InvalidArgumentError, "`oov` must be a rule"),
    (lambda f: V.get("z", "random", seed="x"), InvalidArgumentError, "`seed` must be a whole num"),
    (lambda f: V.get("z", "random", seed=None), InvalidArgumentError, "`seed` must be a whole num"),
    (lambda f: V.matrix(WORDS, seed=1.5), InvalidArgumentError, "`seed` must be a whole number"),
    (lambda f: V.matrix(["a"]), InvalidArgumentError, "Expected a Vocabulary or a Tokenizer"),
    (lambda f: V.matrix(Tokenizer()), InvalidArgumentError, "no `oov_token`"),
    (lambda f: V.coverage(WORDS, counts=[1]), InvalidArgumentError, "`counts` must say of words"),
    (lambda f: V.coverage(WORDS, counts={"a": "b"}), InvalidArgumentError, "`counts` must say of"),
    (lambda f: V.coverage(WORDS, texts=[], splitter=5), InvalidArgumentError, "must be a Splitter"),
    (lambda f: V.coverage(WORDS, texts=5), InvalidTextError, "`texts` must be a list"),
    (
        lambda f: Embedding.from_vectors("glove.6B.50d", WORDS),
        InvalidArgumentError,
        "Expected Vectors. Received: 'glove.6B.50d'.*Vectors.load",
    ),
    (lambda f: Embedding.from_vectors(V, ["a"]), InvalidArgumentError, "Expected a Vocabulary or"),
    # Other libraries.
    (lambda f: ApproximateIndex(5), InvalidArgumentError, "Expected Vectors. Received: 5"),
    (lambda f: ApproximateIndex(V, connectivity="x"), InvalidArgumentError, "`connectivity` must"),
    (lambda f: ApproximateIndex.load(5, V), InvalidArgumentError, "`path` must be a string"),
    (lambda f: ApproximateIndex.load("x", 5), InvalidArgumentError, "Expected Vectors"),
    (
        lambda f: Vectors.from_pandas(pd.DataFrame({"x": [1]}), word="w"),
        InvalidArgumentError,
        "There is no column 'w' of words; the columns are 'x'",
    ),
]


@pytest.mark.parametrize(
    ("call", "error", "message"), BAD, ids=[f"{i}-{case[2][:30]}" for i, case in enumerate(BAD)]
)
def test_what_came_is_named(
    call: Call, error: type[RowwiseError], message: str, tmp_path: Path
) -> None:
    (tmp_path / "v.txt").write_text("a 1 2\nb 3 4\n")
    with pytest.raises(error, match=message):
        call(tmp_path)


def test_what_is_no_word_is_in_no_vectors() -> None:
    assert ["a"] not in V
    assert 0 not in V


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    for seed in (3, -3, 2**70):
        assert np.array_equal(V.get("z", "random", seed=seed), V.get("z", "random", seed=seed))
    same = V.get("z", "random", seed=3)
    assert np.array_equal(V.get("z", "random", seed=np.int64(3)), same)
    assert np.array_equal(V.matrix(WORDS, seed=np.uint8(3)), V.matrix(WORDS, seed=3))
    assert len(V.most_similar("a", topn=np.int32(1))) == 1


@pytest.mark.parametrize("rows", [[[True], [False]], np.array([[1], [2]], dtype="uint8")])
def test_whole_numbers_and_truths_are_numbers(rows: Any) -> None:
    assert Vectors(["a", "b"], rows).rows.dtype == np.float32


def test_a_fitted_tokenizer_stands_for_its_vocabulary() -> None:
    tokenizer = Tokenizer(oov_token="[UNK]")
    tokenizer.fit_on_texts(["b a b", "z"])
    vocabulary = tokenizer.vocabulary
    assert np.array_equal(V.matrix(tokenizer), V.matrix(vocabulary))
    assert V.matrix(tokenizer)[tokenizer.word_index["a"]].tolist() == [1, 2]
    assert str(V.coverage(tokenizer)) == str(V.coverage(vocabulary))
    layer = Embedding.from_vectors(V, tokenizer)
    assert layer.vocabulary is not None
    assert layer.vocabulary.words == vocabulary.words


def test_subwords_come_from_gensim() -> None:
    texts = [["king", "queen", "man"]] * 5
    model = FastText(texts, vector_size=4, min_count=1, workers=1, bucket=50)
    vectors = Vectors.from_gensim(model)
    assert "kingdom" not in vectors
    assert np.allclose(vectors.get("kingdom", "subword"), model.wv["kingdom"], atol=1e-6)
    plain = FastText(texts, vector_size=4, min_count=1, workers=1, max_n=0, bucket=50)
    assert Vectors.from_gensim(plain.wv).subwords is None
