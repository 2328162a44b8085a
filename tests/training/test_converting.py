"""A stock model becomes a rowwise model that shares its variables."""

from typing import Any

import numpy as np
import pytest

import rowwise
from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding

GENERATOR = np.random.default_rng(0)
IDS = GENERATOR.integers(0, 30, (64, 4)).astype("int32")
TARGETS = GENERATOR.normal(size=(64, 1)).astype("float32")


def sequential() -> Any:
    layers = [
        keras.layers.Embedding(30, 3, name="table"),
        keras.layers.LSTM(3),
        keras.layers.Dense(1),
    ]
    return keras.Sequential([keras.Input((4,), dtype="int32"), *layers])


def functional() -> Any:
    ids = keras.Input((4,), dtype="int32")
    rows = keras.layers.Embedding(30, 3, name="table", mask_zero=True)(ids)
    return keras.Model(ids, keras.layers.Dense(1)(keras.layers.LSTM(3)(rows)))


def nested() -> Any:
    ids = keras.Input((4,), dtype="int32")
    inner = keras.Sequential(
        [keras.Input((4,), dtype="int32"), keras.layers.Embedding(30, 3), keras.layers.Flatten()]
    )
    return keras.Model(ids, keras.layers.Dense(1)(inner(ids)))


@pytest.mark.parametrize("build", [sequential, functional, nested])
def test_it_shares_variables_and_goes_on_as_stock_keras_would(build: Any) -> None:
    results = []
    for convert in (True, False):
        keras.utils.set_random_seed(4)
        model = build()
        model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
        fit = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
        model.fit(IDS, TARGETS, **fit)
        trained = rowwise.convert(model, updates="exact") if convert else model
        history = trained.fit(IDS, TARGETS, **fit).history
        if convert:
            assert isinstance(trained, (rowwise.Model, rowwise.Sequential))
            assert [decision.how for decision in trained.table_updates()] == ["exact"]
            assert trained.optimizer is model.optimizer
            for one, other in zip(trained.weights, model.weights, strict=True):
                assert one is other
            assert np.allclose(model.predict(IDS, verbose=0), trained.predict(IDS, verbose=0))
        results.append([*model.get_weights(), *history["loss"], *history["mae"]])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_it_saves_as_a_rowwise_model(tmp_path: Any) -> None:
    model = rowwise.convert(sequential())
    model.save(tmp_path / "model.keras")
    loaded = rowwise.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.layers[0], Embedding)
    assert np.array_equal(loaded.predict(IDS, verbose=0), model.predict(IDS, verbose=0))


def test_a_rowwise_model_is_what_it_is() -> None:
    model = rowwise.convert(functional())
    assert rowwise.convert(model) is model


def test_what_cannot_be_converted() -> None:
    class Own(keras.Model):
        def call(self, inputs: Any) -> Any:
            return inputs

    with pytest.raises(InvalidArgumentError, match=r"subclass of rowwise\.Model"):
        rowwise.convert(Own())
    with pytest.raises(InvalidArgumentError, match=r"must be a Keras model\. Received: int"):
        rowwise.convert(3)
    with pytest.raises(InvalidArgumentError, match="not built"):
        rowwise.convert(keras.Sequential([keras.layers.Embedding(3, 2)]))


def test_a_layer_that_stays_as_it_is_is_named() -> None:
    class Louder(keras.layers.Embedding):
        def call(self, inputs: Any) -> Any:
            return 2 * super().call(inputs)

    model = keras.Sequential([keras.Input((4,), dtype="int32"), Louder(30, 3, name="loud")])
    with pytest.warns(UserWarning, match="'loud' is of the class Louder"):
        assert rowwise.convert(model).layers[0] is model.layers[0]


def test_tables_are_shared_only_by_their_shape() -> None:
    table = keras.Variable(np.zeros((3, 2), dtype="float32"), name="embeddings")
    assert Embedding(3, 2, weights=table).table is table
    with pytest.raises(rowwise.errors.InvalidShapeError, match=r"\(4, 2\)"):
        Embedding(4, 2, weights=table)
