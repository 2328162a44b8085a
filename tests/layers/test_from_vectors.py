"""``Embedding.from_vectors``: a table that starts with known rows, and what they cover."""

from pathlib import Path

import numpy as np
import pytest

from rowwise.classify import load_model
from rowwise.errors import InvalidShapeError, UnknownWordError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training import Sequential
from rowwise.vectors import Vectors

VECTORS = Vectors(["good", "bad", "film"], np.arange(9, dtype="float32").reshape(3, 3))
VOCABULARY = Vocabulary(["Film", "awful", "good"], [5, 3, 2])


def test_the_table_starts_with_the_rows() -> None:
    layer = Embedding.from_vectors(VECTORS, VOCABULARY, mask_zero=True, name="words")
    table = layer.get_weights()[0]
    assert np.array_equal(table, VECTORS.matrix(VOCABULARY))
    assert table[[2, 4]].tolist() == [[6, 7, 8], [0, 1, 2]]
    assert (layer.name, layer.mask_zero, layer.trainable) == ("words", True, True)
    assert layer.vocabulary is VOCABULARY
    assert layer(np.array([[4, 0]])).shape == (1, 2, 3)


def test_the_report_is_kept_with_the_layer() -> None:
    layer = Embedding.from_vectors(VECTORS, VOCABULARY)
    assert layer.coverage is not None
    assert layer.coverage.found.tolist() == [False, False, True, False, True]
    assert layer.coverage.running_words == pytest.approx(0.7)
    counted = Embedding.from_vectors(VECTORS, VOCABULARY, texts=["good awful awful awful"])
    assert counted.coverage is not None
    assert counted.coverage.running_words == pytest.approx(0.25)
    assert Embedding(VOCABULARY, 3).coverage is None


def test_rules_seed_and_trainable_are_passed_on() -> None:
    zeros = Embedding.from_vectors(VECTORS, VOCABULARY, oov=["zero"], trainable=False)
    assert zeros.trainable is False
    assert zeros.get_weights()[0][2].tolist() == [0, 0, 0]
    one, other = (
        Embedding.from_vectors(VECTORS, VOCABULARY, seed=seed).get_weights()[0] for seed in (1, 2)
    )
    assert not np.array_equal(one[3], other[3])
    with pytest.raises(UnknownWordError, match="'Film'"):
        Embedding.from_vectors(VECTORS, VOCABULARY, oov=["error"])
    with pytest.raises(InvalidShapeError, match=r"\(5, 3\)"):
        Embedding(VOCABULARY, 3, weights=np.ones((5, 2)))


def test_without_a_vocabulary_the_words_are_the_vectors_own() -> None:
    vectors = Vectors(["a", "[UNK]", "b"], [[1.0, 2], [3, 4], [5, 6]])
    layer = Embedding.from_vectors(vectors)
    assert layer.vocabulary is not None
    assert layer.vocabulary.words[2:] == ("a", "b")
    assert layer.get_weights()[0].tolist() == [[0, 0], [3, 4], [1, 2], [5, 6]]


def test_a_model_with_such_a_layer_is_saved(tmp_path: Path) -> None:
    layer = Embedding.from_vectors(VECTORS, VOCABULARY, input_length=2, trainable=False)
    Sequential([layer]).save(tmp_path / "model.keras")
    read = load_model(tmp_path / "model.keras").layers[0]
    assert np.array_equal(read.get_weights()[0], layer.get_weights()[0])
    assert read.trainable is False
    assert read.coverage is None
