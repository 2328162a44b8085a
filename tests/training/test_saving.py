"""Saving large tables: the files are Keras's own, and no array of a table's size is made."""

import tracemalloc

import h5py
import numpy as np
import pytest

from rowwise import Sequential
from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training.large_arrays import LARGE
from rowwise.training.loading import load_keras_model

ROWS, COLUMNS = 20_000, 32
TABLE_BYTES = 4 * ROWS * COLUMNS
assert TABLE_BYTES > 2 * LARGE


class Halved(Embedding):
    """Saves something that it makes of its table."""

    def save_own_variables(self, store):
        store["half"] = np.asarray(self.embeddings)[:5] / 2

    def load_own_variables(self, store):
        values = np.zeros(self.embeddings.shape, "float32")
        values[:5] = 2 * store["half"]
        self.embeddings.assign(values)


def trained(layer, optimizer="adam"):
    model = Sequential([layer, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    ids = np.random.default_rng(0).integers(0, ROWS, (64, 4))
    model.fit(ids, np.ones((64, 1)), batch_size=8, verbose=0)
    return model


def contents(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: (item[()], dict(item.attrs))})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found


def assert_same_contents(path, other):
    one, two = contents(path), contents(other)
    assert one.keys() == two.keys()
    for name, (value, attributes) in one.items():
        assert value.dtype == two[name][0].dtype
        np.testing.assert_array_equal(value, two[name][0])
        assert attributes.keys() == two[name][1].keys()


OPTIMIZERS = {
    "adam": lambda: "adam",
    "momentum": lambda: keras.optimizers.SGD(momentum=0.9),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_weights_are_those_that_keras_writes(optimizer, tmp_path):
    model = trained(Embedding(ROWS, COLUMNS), optimizer())
    model.save_weights(tmp_path / "ours.weights.h5")
    keras.Model.save_weights(model, tmp_path / "its.weights.h5")
    assert_same_contents(tmp_path / "ours.weights.h5", tmp_path / "its.weights.h5")


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "bfloat16", "float16"])
def test_a_saved_model_loads_with_and_without_rowwise(dtype, tmp_path):
    model = trained(Embedding(ROWS, COLUMNS, dtype=dtype))
    model.save(tmp_path / "model.keras")
    keras.Model.save(model, tmp_path / "its.keras")
    for load in (load_keras_model, keras.saving.load_model):
        loaded = load(tmp_path / "model.keras")
        expected = keras.saving.load_model(tmp_path / "its.keras")
        for one, two in zip(
            (*loaded.variables, *loaded.optimizer.variables),
            (*expected.variables, *expected.optimizer.variables),
            strict=True,
        ):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(np.asarray(one), np.asarray(two))


def test_a_layer_that_saves_in_its_own_way_does_so(tmp_path):
    model = trained(Halved(ROWS, COLUMNS))
    before = model.layers[0].embeddings.numpy()
    model.save_weights(tmp_path / "ours.weights.h5")
    model.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_array_equal(model.layers[0].embeddings.numpy()[:5], before[:5])
    assert not model.layers[0].embeddings.numpy()[5:].any()


def test_what_is_merged_before_it_is_saved_is_saved_merged(tmp_path):
    model = trained(Embedding(ROWS, COLUMNS))
    layer = model.layers[0]
    layer.enable_lora(2)
    layer.lora_embeddings_b.assign(np.ones(layer.lora_embeddings_b.shape))
    model.compile("sgd", "mse")
    model.save_weights(tmp_path / "ours.weights.h5")
    keras.Model.save_weights(model, tmp_path / "its.weights.h5")
    assert_same_contents(tmp_path / "ours.weights.h5", tmp_path / "its.weights.h5")


@pytest.mark.parametrize("save", [Sequential.save, Sequential.save_weights])
def test_no_array_as_large_as_a_table_is_made(save, tmp_path):
    model = trained(Embedding(ROWS, COLUMNS))
    name = "model.keras" if save is Sequential.save else "model.weights.h5"
    save(model, tmp_path / name)  # whatever is imported or compiled once
    model.layers[0].embeddings.numpy()
    tracemalloc.start()
    try:
        save(model, tmp_path / name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < TABLE_BYTES / 2
    assert (tmp_path / name).stat().st_size > 3 * TABLE_BYTES


def test_weights_that_cannot_be_written_leave_the_old_ones(tmp_path):
    model = trained(Embedding(ROWS, COLUMNS))
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    before = path.read_bytes()

    class Failing(keras.layers.Dense):
        def save_own_variables(self, store):
            raise RuntimeError("disk full")

    other = Sequential([Embedding(ROWS, COLUMNS), Failing(1)])
    other.build((None, 4))
    with pytest.raises(RuntimeError, match="disk full"):
        other.save_weights(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_weights_in_parts_are_keras_s_own(tmp_path):
    model = trained(Embedding(ROWS, COLUMNS))
    model.save_weights(tmp_path / "model.weights.json", max_shard_size=0.003)
    again = trained(Embedding(ROWS, COLUMNS))
    again.load_weights(tmp_path / "model.weights.json")
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_what_a_legacy_file_would_lose_is_said(tmp_path):
    def model(**settings):
        table = Embedding(Vocabulary(["a", "b"]), 3, input_length=4, **settings)
        return Sequential([table, keras.layers.Flatten(), keras.layers.Dense(1)])

    with pytest.raises(InvalidArgumentError, match="has trainable_rows, for which"):
        model(trainable_rows=[1]).save(tmp_path / "model.h5")
    assert not (tmp_path / "model.h5").exists()
    with pytest.warns(UserWarning, match="no place for the vocabulary of layer"):
        model().save(tmp_path / "model.h5")
    assert (tmp_path / "model.h5").exists()
