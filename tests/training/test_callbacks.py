from typing import Any

import numpy as np
import pytest

from rowwise import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding
from rowwise.training import Sequential, Unfreeze

IDS = np.random.default_rng(0).integers(0, 50, (64, 4))
TARGETS = np.random.default_rng(1).integers(0, 2, (64, 1))


def frozen(optimizer: Any = "adam", trainable: bool = False) -> Any:
    keras.utils.set_random_seed(3)
    table = Embedding(50, 8, input_length=4, trainable=trainable, name="table")
    model = Sequential([table, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


class Record(keras.callbacks.Callback):
    """What an epoch did to the table, and at which rate."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[np.ndarray] = []
        self.rates: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.tables.append(self.model.layers[0].get_weights()[0])
        self.rates.append(round(float(self.model.optimizer.learning_rate), 6))


def test_the_table_rests_and_then_trains_at_the_lower_rate() -> None:
    model, record = frozen(), Record()
    before = model.layers[0].get_weights()[0]
    history = model.fit(
        IDS, TARGETS, epochs=4, verbose=0, callbacks=[Unfreeze(2, learning_rate=1e-4), record]
    )
    moved = [float(np.abs(table - before).max()) for table in record.tables]
    assert moved[:2] == [0, 0]
    assert 0 < moved[2] < moved[3]
    assert record.rates == [1e-3, 1e-3, 1e-4, 1e-4]
    assert len(history.history["mae"]) == 4


def test_it_is_the_recipe_of_two_fits() -> None:
    """Freeze, fit, thaw, compile, fit: the same weights."""
    one, two = frozen(), frozen()
    options: dict[str, Any] = {"verbose": 0, "shuffle": False}
    one.fit(IDS, TARGETS, epochs=3, callbacks=[Unfreeze(2, learning_rate=1e-2)], **options)
    two.fit(IDS, TARGETS, epochs=2, **options)
    two.layers[0].trainable = True
    two.compile(keras.optimizers.Adam(1e-2), "mse", metrics=["mae"])
    two.fit(IDS, TARGETS, epochs=1, **options)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-7)


@pytest.mark.parametrize("layers", [["table"], None])
@pytest.mark.parametrize("at_epoch", [0, 1])
def test_layers_by_name_or_all(layers: Any, at_epoch: int) -> None:
    model = frozen(keras.optimizers.SGD(0.1, momentum=0.9))
    before = model.layers[0].get_weights()[0]
    model.fit(IDS, TARGETS, epochs=2, verbose=0, callbacks=[Unfreeze(at_epoch, layers=layers)])
    assert model.layers[0].trainable
    assert np.abs(model.layers[0].get_weights()[0] - before).max() > 0
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    # The model may be fitted again without ado.
    model.fit(IDS, TARGETS, verbose=0)


def test_layers_that_are_not_frozen_are_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="'table'"):
        frozen(trainable=True).fit(IDS, TARGETS, verbose=0, callbacks=[Unfreeze(1)])


def test_an_epoch_that_never_comes_is_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="epochs 0 to 1"):
        frozen().fit(IDS, TARGETS, epochs=2, verbose=0, callbacks=[Unfreeze(2)])


def test_an_optimizer_that_scales_the_loss_gets_the_rate_inside() -> None:
    model = frozen(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)))
    model.fit(IDS, TARGETS, epochs=2, verbose=0, callbacks=[Unfreeze(1, learning_rate=0.01)])
    assert float(model.optimizer.inner_optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_plain_rate_takes_the_place_of_a_schedule(scaled: bool) -> None:
    falling = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.9)
    optimizer = keras.optimizers.SGD(falling, momentum=0.9)
    model = frozen(keras.optimizers.LossScaleOptimizer(optimizer) if scaled else optimizer)
    model.fit(IDS, TARGETS, epochs=2, verbose=0, callbacks=[Unfreeze(1, learning_rate=0.01)])
    again = model.optimizer.inner_optimizer if scaled else model.optimizer
    assert float(again.learning_rate) == pytest.approx(0.01)
    assert again.momentum == 0.9
    assert model.layers[0].trainable


# Keras's own: a lambda is code, which its files do not hold.
@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`:UserWarning")
def test_an_optimizer_that_cannot_be_made_again_is_an_error_before_training() -> None:
    model = frozen(keras.optimizers.SGD(lambda: 0.1))
    table = model.layers[0].get_weights()[0]
    with pytest.raises(InvalidArgumentError, match="plain learning rate"):
        model.fit(IDS, TARGETS, epochs=2, verbose=0, callbacks=[Unfreeze(1)])
    assert np.array_equal(model.layers[0].get_weights()[0], table)


def test_a_negative_epoch_is_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="0 or more"):
        Unfreeze(-1)
