"""A table gets other words; rows and slots follow theirs, and training goes on."""

from typing import Any

import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError, InvalidIdError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training import Sequential, load_keras_model

BEFORE = Vocabulary(["a", "b", "c", "d", "e"])
AFTER = Vocabulary(["e", "new", "b", "a"])
GENERATOR = np.random.default_rng(1)
IDS = GENERATOR.integers(0, len(BEFORE), (40, 3)).astype("int32")
TARGETS = GENERATOR.normal(size=(40, 1)).astype("float32")
# ids of padding, unknown and the words that stay
OLD, NEW = [0, 1, 6, 3, 2], [0, 1, 2, 4, 5]


def build(updates: str, optimizer: Any, **settings: Any) -> Any:
    keras.utils.set_random_seed(2)
    layer = Embedding(BEFORE, 3, input_length=3, updates=updates, name="words", **settings)
    model = Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def fit(model: Any, ids: Any, epochs: int = 2) -> None:
    model.fit(ids, TARGETS, batch_size=4, epochs=epochs, shuffle=False, verbose=0)


def slots(model: Any) -> list[np.ndarray]:
    shape = model.layers[0].table.shape
    return [v.numpy() for v in model.optimizer.variables if v.shape == shape]


OPTIMIZERS = {
    "adamw": lambda: keras.optimizers.AdamW(0.05),
    "adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "schedule-free": lambda: keras.optimizers.ScheduleFreeAdamW(0.05),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("updates", ["exact", "dense"])
def test_rows_and_slots_follow_their_words(updates: str, optimizer: str) -> None:
    model = build(updates, OPTIMIZERS[optimizer]())
    fit(model, IDS)
    before, kept = model.get_weights()[0], slots(model)
    model.resize(AFTER)
    after, moved = model.get_weights()[0], slots(model)
    assert after.shape == (6, 3)
    assert np.array_equal(after[NEW], before[OLD])
    assert len(moved) == len(kept) > 0
    for one, other in zip(moved, kept, strict=True):
        assert np.array_equal(one[NEW], other[OLD])
    assert model.layers[0].vocabulary == AFTER
    assert model.layers[0].input_dim == 6


def test_training_goes_on_as_if_nothing_had_been() -> None:
    """Words in another order, and one more that no batch has: the same weights afterwards."""
    other = Vocabulary([*reversed(BEFORE.words[2:]), "new"])
    to_new = np.array([0, 1, 6, 5, 4, 3, 2])
    for updates in ("exact", "dense"):
        resized, left = build(updates, "adam"), build(updates, "adam")
        fit(resized, IDS)
        fit(left, IDS)
        resized.resize(other, layer="words")
        fit(resized, to_new[IDS].astype("int32"))
        fit(left, IDS)
        table = resized.get_weights()[0]
        np.testing.assert_allclose(table[to_new], left.get_weights()[0], atol=1e-6)
        np.testing.assert_allclose(resized.get_weights()[1], left.get_weights()[1], atol=1e-6)


def test_masks_follow_ids_are_checked_and_files_are_whole(tmp_path: Any) -> None:
    model = build("exact", "adam", trainable_rows=[2, 6])
    fit(model, IDS)
    model.resize(AFTER)
    assert np.flatnonzero(model.layers[0].trainable_rows).tolist() == [2, 3, 5]
    with pytest.raises(InvalidIdError, match="6 rows"):
        model.predict(np.array([[1, 2, 6]]), verbose=0)
    fit(model, IDS % 6)
    model.save(tmp_path / "model.keras")
    loaded = load_keras_model(tmp_path / "model.keras")
    assert loaded.layers[0].vocabulary == AFTER
    assert np.array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_before_compile_and_before_fit() -> None:
    model = Sequential([Embedding(BEFORE, 3, input_length=3)])
    model.resize(AFTER)
    assert model.get_weights()[0].shape == (6, 3)
    assert model.predict(np.array([[1, 2, 5]]), verbose=0).shape == (1, 3, 3)


def test_what_cannot_be_resized() -> None:
    with pytest.raises(InvalidArgumentError, match="There are: none"):
        Sequential([Embedding(5, 3, input_length=3)]).resize(AFTER)
    model = build("dense", keras.optimizers.Adafactor())
    with pytest.raises(InvalidArgumentError, match=r"There are: '.*Received: layer='other'"):
        model.resize(AFTER, layer="other")
    with pytest.raises(InvalidArgumentError, match=r"Vocabulary.*Received: int"):
        model.resize(7)
    fit(model, IDS, epochs=1)
    with pytest.raises(InvalidArgumentError, match="Adafactor"):
        model.resize(AFTER)
    assert model.get_weights()[0].shape == (7, 3)


def test_a_table_that_another_model_resized_is_an_error_until_it_is_compiled() -> None:
    model = build("exact", "adam")
    around = Sequential([*model.layers[:2], keras.layers.Dense(1)])
    around.compile("adam", "mse")
    for one in (model, around):
        fit(one, IDS % 4)
    model.resize(AFTER)
    with pytest.raises(InvalidArgumentError, match="another model resized the table"):
        fit(around, IDS % 4)
    around.compile("adam", "mse")
    fit(around, IDS % 4)
    assert around.table_updates()[0].how == "exact"
