"""The way that accelerators take: a batch in one block, sums in large parts.

Here the tensors of the tests stay in the processor's memory, so this is about values, not speed.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rowwise
from rowwise.backend import keras, rows
from rowwise.layers import Embedding, EmbedReduce
from rowwise.training import Sequential

ROWS, COLUMNS, LENGTH = 400, 5, 6


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "on_accelerator", lambda: True)
    if keras.backend.backend() != "torch":
        return
    import torch

    as_array = torch.Tensor.__array__

    def unless_asked_by_us(self: Any, *args: Any, **kwargs: Any) -> Any:
        """As of a tensor in a GPU's memory, which NumPy cannot read."""
        asking = sys._getframe(1).f_code.co_filename
        assert not asking.startswith(str(Path(rowwise.__file__).parent)), asking
        return as_array(self, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "__array__", unless_asked_by_us)


def trained(updates: str, reduced: bool, make: Any, ids: Any, labels: Any) -> list[Any]:
    keras.utils.set_random_seed(0)
    if reduced:
        body = [EmbedReduce(ROWS, COLUMNS, combiner="mean", updates=updates)]
    else:
        body = [Embedding(ROWS, COLUMNS, updates=updates), keras.layers.GlobalAveragePooling1D()]
    model = Sequential([keras.Input((LENGTH,), dtype="int32"), *body, keras.layers.Dense(1)])
    model.compile(make(), "mse")
    model.fit(ids, labels, batch_size=16, shuffle=False, verbose=0)
    assert model.table_updates()[0].how == updates
    return [*model.get_weights(), *(np.asarray(slot) for slot in model.optimizer.variables[2:])]


@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.Adam(1e-2),
        lambda: keras.optimizers.Nadam(1e-2),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=0.1),
        lambda: keras.optimizers.Adagrad(0.1),
    ],
    ids=["adam", "nadam", "sgd", "adagrad"],
)
def test_weights_and_slots_are_those_of_dense_training(make: Any, reduced: bool) -> None:
    rng = np.random.default_rng(0)
    ids = (ROWS * rng.random((16 * 80, LENGTH)) ** 4).astype("int32")
    labels = rng.normal(size=(len(ids), 1)).astype("float32")
    dense, exact = (trained(how, reduced, make, ids, labels) for how in ("dense", "exact"))
    for one, other in zip(exact, dense, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_bad_id_harms_no_row() -> None:
    layer = Embedding(ROWS, COLUMNS, updates="exact")
    model = Sequential([keras.Input((LENGTH,), dtype="int32"), layer, keras.layers.Flatten()])
    model.compile("adam", "mse")
    ids = np.ones((16, LENGTH), "int32")
    model.fit(ids, np.zeros((16, LENGTH * COLUMNS)), verbose=0)
    before = model.get_weights()[0]
    ids[3, 2] = ROWS + 7
    with pytest.raises(ValueError, match=str(ROWS + 7)):
        model.fit(ids, np.zeros((16, LENGTH * COLUMNS)), batch_size=16, verbose=0)
    after = model.get_weights()[0]
    # What rested moves on; of the batch with the bad id there is nothing.
    assert np.isfinite(after).all()
    np.testing.assert_allclose(after[2:], before[2:], atol=0)


def test_a_small_table_trains_densely_there() -> None:
    model = Sequential(
        [keras.Input((4,), dtype="int32"), Embedding(100_000, 8), keras.layers.Flatten()]
    )
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 4), "int32"), np.zeros((2, 32)), verbose=0)
    assert model.table_updates()[0].how == "dense"
