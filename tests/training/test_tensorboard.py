"""``TensorBoard`` writes what TensorBoard reads, with or without TensorFlow."""

import copy

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from rowwise import keras
from rowwise.errors import MissingExtraError
from rowwise.layers import Pool

IDS = np.random.default_rng(0).integers(1, 20, (64, 5)).astype("int32")
LABELS = (IDS[:, 0] > 10).astype("float32")


def model():
    keras.utils.set_random_seed(0)
    parts = [keras.layers.Embedding(20, 2, input_length=5), Pool(), keras.layers.Dense(1)]
    made = keras.Sequential(parts)
    made.compile("adam", "mse", metrics=["mae"])
    return made


def read(folder):
    """The numbers in the files of a folder: name -> (step, number) each."""
    events = EventAccumulator(str(folder)).Reload()
    return {
        name: [(each.step, float(make_ndarray(each.tensor_proto))) for each in events.Tensors(name)]
        for name in events.Tags()["tensors"]
    }


def test_what_fit_returns_is_written(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path)
    assert isinstance(callback, keras.callbacks.Callback)
    fitted = model().fit(
        IDS, LABELS, epochs=3, validation_split=0.25, verbose=0, callbacks=[callback]
    )
    training, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert sorted(training) == ["epoch_learning_rate", "epoch_loss", "epoch_mae"]
    for name, written in (
        ("loss", training["epoch_loss"]),
        ("val_mae", validation["epoch_mae"]),
    ):
        assert [step for step, _ in written] == [0, 1, 2]
        np.testing.assert_allclose([number for _, number in written], fitted.history[name], 1e-6)
    assert validation["evaluation_loss_vs_iterations"][-1][0] == 6


def test_numbers_of_batches(tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path, update_freq=2, write_steps_per_second=True)
    # Tuners copy callbacks.
    model().fit(
        IDS, LABELS, epochs=2, batch_size=16, verbose=0, callbacks=[copy.deepcopy(callback)]
    )
    written = read(tmp_path / "train")
    assert [step for step, _ in written["batch_loss"]] == [2, 4, 6, 8]
    assert len(written["epoch_steps_per_second"]) == 2


@pytest.mark.parametrize(
    "asked",
    [{"histogram_freq": 1}, {"write_graph": True}, {"write_images": True}, {"embeddings_freq": 1}],
)
def test_what_only_tensorflow_writes(asked, tmp_path):
    with pytest.raises(MissingExtraError, match=r"needs the package tensorflow, .*\[tensorflow\]"):
        keras.callbacks.TensorBoard(tmp_path, **asked)
