"""Under a strategy of tf.distribute a model trains as Keras trains it."""

import numpy as np
import pytest
from twins import OURS, ROWS, STOCK, Kit, assert_twins, batches, simple

import rowwise
from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError

IDS, TARGETS = batches(6)

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    def test_tables_train_densely_under_a_strategy() -> None:
        models = []
        for kit in (Kit(True, "auto"), STOCK):
            with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
                models.append(simple(kit))
            models[-1].fit(IDS, TARGETS, batch_size=4, shuffle=False, verbose=0)
        [decision] = models[0].table_updates()
        assert (decision.how, decision.why) == ("dense", "a strategy of tf.distribute is set")
        assert_twins(*models)

    def test_what_is_forced_is_an_error_under_a_strategy() -> None:
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            model = simple(OURS)
        with pytest.raises(InvalidArgumentError, match=r"impossible: a strategy of tf\.distribute"):
            model.fit(IDS, TARGETS, verbose=0)
        assert np.isfinite(model.get_weights()[0]).all()

    def test_rows_that_do_not_train_are_an_error_under_a_strategy() -> None:
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            words = rowwise.layers.Embedding(ROWS, 3, zero_padding=True)
            model = rowwise.Sequential([words, keras.layers.Flatten(), keras.layers.Dense(1)])
            model.compile("adam", "mse")
        with pytest.raises(InvalidArgumentError, match=r"a strategy of tf\.distribute cannot"):
            model.fit(IDS, TARGETS, verbose=0)
