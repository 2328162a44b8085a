"""Rows that do not train stay as they are, row-wise and densely, slots included."""

from typing import Any

import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding, EmbedReduce
from rowwise.text import Vocabulary
from rowwise.training import Sequential, clone_model
from rowwise.vectors import Vectors

ROWS, COLUMNS = 20, 3
GENERATOR = np.random.default_rng(0)
IDS = GENERATOR.integers(0, ROWS, (40, 5)).astype("int32")
TARGETS = GENERATOR.normal(size=(40, 1)).astype("float32")
MASK = np.arange(ROWS) % 3 != 1


def build(updates: str, optimizer: Any, layer: Any = Embedding, **settings: Any) -> Any:
    keras.utils.set_random_seed(2)
    table = layer(ROWS, COLUMNS, input_length=5, updates=updates, name="table", **settings)
    flatten = [] if layer is EmbedReduce else [keras.layers.Flatten()]
    model = Sequential([table, *flatten, keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def slots(model: Any) -> list[np.ndarray]:
    return [v.numpy() for v in model.optimizer.variables if v.shape == (ROWS, COLUMNS)]


OPTIMIZERS = {
    "adamw": lambda: keras.optimizers.AdamW(0.1, weight_decay=0.1),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "clipped": lambda: keras.optimizers.Adam(0.1, global_clipnorm=0.1),
}


@pytest.mark.parametrize("layer", [Embedding, EmbedReduce])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_trainable_rows_move(optimizer: str, layer: Any) -> None:
    results = []
    for updates in ("exact", "dense"):
        model = build(updates, OPTIMIZERS[optimizer](), layer, trainable_rows=MASK)
        before, kept = model.get_weights()[0], slots_at_start(model)
        model.fit(IDS, TARGETS, batch_size=4, epochs=3, shuffle=False, verbose=0)
        assert [decision.how for decision in model.table_updates()] == [updates]
        after = model.get_weights()[0]
        assert np.array_equal(after[~MASK], before[~MASK])
        assert (np.abs(after[MASK] - before[MASK]).max(axis=1) > 1e-4).all()
        for slot, first in zip(slots(model), kept, strict=True):
            assert np.array_equal(slot[~MASK], first[~MASK])
        results.append([*model.get_weights(), *slots(model)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def slots_at_start(model: Any) -> list[np.ndarray]:
    model.optimizer.build(model.trainable_variables)
    return slots(model)


@pytest.mark.parametrize("updates", ["exact", "dense", "lazy"])
def test_padding_is_zero_and_stays_so(updates: str) -> None:
    model = build(updates, OPTIMIZERS["adamw"](), zero_padding=True)
    assert not model.get_weights()[0][0].any()
    model.fit(IDS, TARGETS, batch_size=4, epochs=2, verbose=0)
    table = model.get_weights()[0]
    assert not table[0].any()
    assert table[1:].all()


def test_rows_that_trained_before_rest_from_now_on() -> None:
    """Their momentum does not carry them on."""
    for updates in ("exact", "dense"):
        model = build(updates, OPTIMIZERS["momentum"]())
        model.fit(IDS, TARGETS, batch_size=4, verbose=0)
        layer = model.layers[0]
        layer.trainable_rows = MASK
        model.make_train_function(force=True)
        before, kept = model.get_weights()[0], slots(model)
        model.fit(IDS, TARGETS, batch_size=4, verbose=0)
        assert np.array_equal(model.get_weights()[0][~MASK], before[~MASK])
        assert np.array_equal(slots(model)[0][~MASK], kept[0][~MASK])
        assert not np.array_equal(model.get_weights()[0][MASK], before[MASK])


@pytest.mark.parametrize("chosen", [MASK, np.flatnonzero(MASK).tolist(), slice(2, 9)])
def test_rows_are_chosen_by_mask_ids_or_slice(chosen: Any) -> None:
    layer = Embedding(ROWS, COLUMNS, trainable_rows=chosen)
    expected = np.zeros(ROWS, dtype=bool)
    expected[chosen] = True
    assert np.array_equal(layer.trainable_rows, expected)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (MASK[:-1], r"shape \(20,\)"),
        ([3, ROWS], "from 0 to 19"),
        ([0.5], "dtype float64"),
        ([[1]], "mask, by a list of ids or by a slice"),
    ],
)
def test_rows_that_are_not_there(chosen: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        Embedding(ROWS, COLUMNS, trainable_rows=chosen)


def test_they_are_saved_and_cloned(tmp_path: Any) -> None:
    model = build("exact", "adam", trainable_rows=MASK, zero_padding=True)
    model.fit(IDS, TARGETS, verbose=0)
    model.save(tmp_path / "model.keras")
    for again in (keras.models.load_model(tmp_path / "model.keras"), clone_model(model)):
        assert np.array_equal(again.layers[0].trainable_rows, MASK)
        assert again.layers[0].zero_padding


def test_a_train_step_of_ones_own_cannot_see_to_it() -> None:
    class Own(Sequential):
        def train_step(self, state: Any, data: Any) -> Any:
            return super().train_step(state, data)

    model = Own([Embedding(ROWS, COLUMNS, input_length=5, zero_padding=True)])
    model.compile("sgd", "mse")
    with pytest.raises(InvalidArgumentError, match="train_step"):
        model.fit(IDS, np.zeros((40, 5, COLUMNS)), verbose=0)


def test_only_words_that_the_vectors_lack_are_trained() -> None:
    vectors = Vectors(["good", "bad"], [[1.0, 2.0], [3.0, 4.0]])
    vocabulary = Vocabulary(["good", "new", "bad"])
    layer = Embedding.from_vectors(vectors, vocabulary, trainable_rows="missing", input_length=5)
    # padding, unknown, good, new, bad
    assert layer.trainable_rows.tolist() == [False, True, False, True, False]
    model = Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    before = layer.get_weights()[0]
    model.fit(IDS % 5, TARGETS, verbose=0)
    moved = (layer.get_weights()[0] != before).any(axis=1)
    assert moved.tolist() == layer.trainable_rows.tolist()
    with pytest.raises(InvalidArgumentError, match='"missing"'):
        Embedding.from_vectors(vectors, vocabulary, trainable_rows="absent")


def test_a_row_of_padding_that_is_not_zero_is_an_error() -> None:
    model = build("auto", "adam", zero_padding=True)
    model.layers[0].set_weights([np.ones((ROWS, COLUMNS))])
    with pytest.raises(InvalidArgumentError, match="row 0 of its table is not zero"):
        model.fit(IDS, TARGETS, verbose=0)
    assert model.get_weights()[0].min() == 1
    model.layers[0].set_weights([np.ones((ROWS, COLUMNS)) * (np.arange(ROWS) > 0)[:, None]])
    model.fit(IDS, TARGETS, verbose=0)
    assert not model.get_weights()[0][0].any()
