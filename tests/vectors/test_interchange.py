"""Vectors to and from layers and other libraries."""

import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from gensim.models import KeyedVectors, Word2Vec

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError, InvalidShapeError, MissingExtraError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.vectors import Vectors

WORDS = ["the", "\x85", "new york", "猫", '"', ""]
ROWS = np.random.default_rng(0).standard_normal((6, 3)).astype("float32")
VECTORS = Vectors(WORDS, ROWS)


def same(found: Vectors) -> bool:
    return tuple(found.words) == tuple(WORDS) and np.array_equal(found.rows, ROWS)


@pytest.mark.parametrize("library", ["gensim", "model2vec", "pandas", "polars"])
def test_there_and_back(library: str) -> None:
    there = getattr(VECTORS, f"to_{library}")()
    assert same(getattr(Vectors, f"from_{library}")(there))


@pytest.mark.parametrize("library", ["gensim", "pandas", "polars", "model2vec"])
@pytest.mark.parametrize("count", [0, 1])
def test_few_words(library: str, count: int) -> None:
    few = Vectors(["a"][:count], np.ones((count, 2)))
    back = getattr(Vectors, f"from_{library}")(getattr(few, f"to_{library}")())
    assert tuple(back.words) == tuple(few.words)
    assert np.array_equal(back.rows, few.rows)


def test_gensim_answers_as_before(glove: Vectors) -> None:
    keyed = glove.to_gensim()
    assert isinstance(keyed, KeyedVectors)
    ours, theirs = glove.most_similar("king", topn=3), keyed.most_similar("king", topn=3)
    assert [word for word, _ in ours] == [word for word, _ in theirs]


def test_a_gensim_model_gives_its_vectors() -> None:
    model = Word2Vec([["a", "b", "c"]] * 5, vector_size=4, min_count=1, workers=1)
    vectors = Vectors.from_gensim(model)
    assert list(vectors.words) == model.wv.index_to_key
    assert vectors.rows is model.wv.vectors
    assert np.array_equal(vectors["b"], model.wv["b"])


def test_model2vec_encodes_texts_with_these_rows() -> None:
    vectors = Vectors(["good", "film", "!"], [[1, 0], [0, 1], [4, 4]])
    model = vectors.to_model2vec()
    assert model.encode("good film").tolist() == pytest.approx([0.5, 0.5])
    assert model.encode("film! Unseen").tolist() == pytest.approx([2, 2.5])
    back = Vectors.from_model2vec(model)
    assert back.words == ("good", "film", "!")
    assert back.rows.tolist() == [[1, 0], [0, 1], [4, 4]]


def test_shared_and_weighted_rows_of_model2vec() -> None:
    from model2vec import StaticModel

    tokenizer = Vectors(["a", "b", "[UNK]"], np.ones((3, 1))).to_model2vec().tokenizer
    model = StaticModel(
        np.array([[1.0, 2], [3, 4]]),
        tokenizer,
        weights=np.array([1.0, 10, 0]),
        token_mapping=np.array([1, 1, 0]),
    )
    assert Vectors.from_model2vec(model).rows.tolist() == [[3, 4], [30, 40], [0, 0]]


def test_data_frames() -> None:
    frame = VECTORS.to_pandas()
    assert frame.shape == (6, 3)
    assert (frame.index.name, set(frame.dtypes)) == ("word", {np.dtype("float32")})
    named = pd.DataFrame({"w": ["a", "b"], "x": [1, 2], "y": [0.5, 1.5]})
    assert Vectors.from_pandas(named, word="w")["b"].tolist() == [2, 1.5]
    with pytest.raises(InvalidArgumentError, match="must hold numbers"):
        Vectors.from_pandas(named)


def test_polars_frames() -> None:
    frame = VECTORS.to_polars()
    assert frame.schema == {"word": pl.String, "vector": pl.Array(pl.Float32, 3)}
    wide = pl.DataFrame({"w": ["a", "b"], "x": [1, 2], "y": [0.5, 1.5]})
    assert Vectors.from_polars(wide, word="w")["b"].tolist() == [2, 1.5]
    lists = pl.DataFrame({"word": ["a", "b"], "v": [[1.0, 2], [3, 4]]})
    assert Vectors.from_polars(lists)["b"].tolist() == [3, 4]
    with pytest.raises(InvalidArgumentError, match=r"no column 'word'.*'w', 'x', 'y'"):
        Vectors.from_polars(wide)
    with pytest.raises(InvalidShapeError, match="same length"):
        Vectors.from_polars(pl.DataFrame({"word": ["a", "b"], "v": [[1.0, 2], [3]]}))
    with pytest.raises(InvalidArgumentError, match="must hold numbers"):
        Vectors.from_polars(pl.DataFrame({"word": ["a"], "x": ["b"]}))


@pytest.mark.parametrize("name", ["gensim", "model2vec", "pandas", "polars"])
def test_what_is_something_else_or_missing_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name}.*Received: dict"):
        getattr(Vectors, f"from_{name}")({})
    for module in [*sys.modules]:
        if module.split(".")[0] == name:
            monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=rf"the package {name}.*rowwise\[interchange\]"):
        getattr(VECTORS, f"to_{name}")()


# Layers ------------------------------------------------------------------------------------------

VOCABULARY = Vocabulary(["good", "bad"])
TABLE = np.arange(12, dtype="float32").reshape(4, 3)


def test_a_layer_there_and_back() -> None:
    layer = Embedding(VOCABULARY, 3, weights=TABLE)
    vectors = Vectors.from_layer(layer)
    assert vectors.words == ("good", "bad")
    assert np.array_equal(vectors.rows, TABLE[2:])
    again = Embedding.from_vectors(vectors, VOCABULARY)
    assert np.array_equal(again.get_weights()[0][2:], TABLE[2:])


def test_a_layer_of_keras_needs_a_vocabulary() -> None:
    layer = keras.layers.Embedding(4, 3)
    with pytest.raises(InvalidArgumentError, match="has no vocabulary"):
        Vectors.from_layer(layer)
    with pytest.raises(InvalidArgumentError, match="Expected an embedding layer with a table"):
        Vectors.from_layer(layer, VOCABULARY)
    layer.build()
    layer.set_weights([TABLE])
    assert np.array_equal(Vectors.from_layer(layer, VOCABULARY)["bad"], TABLE[3])
    with pytest.raises(InvalidShapeError, match="4 rows, and the vocabulary 3 words"):
        Vectors.from_layer(layer, Vocabulary(["good"]))
    with pytest.raises(InvalidArgumentError, match="Received: int"):
        Vectors.from_layer(3, VOCABULARY)


def test_lora_is_in_the_rows_and_quantised_tables_are_refused() -> None:
    layer: Any = Embedding(VOCABULARY, 3, weights=TABLE)
    layer.enable_lora(2)
    generator = np.random.default_rng(0)
    layer.set_weights([generator.standard_normal(w.shape) for w in layer.get_weights()])
    looked_up = np.asarray(layer(np.array([2, 3])))
    assert Vectors.from_layer(layer).rows == pytest.approx(looked_up, abs=1e-5)
    quantised: Any = Embedding(VOCABULARY, 4)
    quantised.quantize("int8")
    with pytest.raises(InvalidArgumentError, match=r"quantised \(int8\)"):
        Vectors.from_layer(quantised)
