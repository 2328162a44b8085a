"""Columns of ids in a model: tables of their own, one for several, one layer for several."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rowwise import IdColumn, Model
from rowwise.backend import keras
from rowwise.layers import Embedding

USERS = IdColumn([(1 << 60) + i for i in range(30_000)])
ITEMS = IdColumn([f"item {i}" for i in range(20_000)])


def test_a_layer_takes_a_column(tmp_path: Path) -> None:
    layer = Embedding(ITEMS, 3)
    assert layer.input_dim == len(ITEMS) == 20_002
    assert layer.vocabulary == ITEMS.vocabulary
    names = ["item 7", "item 0", "none such", None]
    expected = layer.get_weights()[0][[9, 2, 1, 1]]
    assert np.array_equal(keras.ops.convert_to_numpy(layer(ITEMS.ids(names))), expected)
    inputs = keras.Input((), dtype="int32")
    model = Model(inputs, layer(inputs))
    model.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    assert loaded.layers[1].vocabulary == ITEMS.vocabulary


def one_layer(first: Any, second: Any) -> list[Any]:
    layer = Embedding(ITEMS, 4, updates="exact", name="items")
    return [layer(first), layer(second)]


def one_table(first: Any, second: Any) -> list[Any]:
    seen = Embedding(ITEMS, 4, updates="exact", name="seen")
    wanted = Embedding(ITEMS, 4, updates="exact", weights=seen.table, name="wanted")
    return [seen(first), wanted(second)]


def two_tables(first: Any, second: Any) -> list[Any]:
    return [
        Embedding(ITEMS, 4, updates="exact", name="seen")(first),
        Embedding(ITEMS, 4, updates="exact", name="wanted")(second),
    ]


@pytest.mark.parametrize(
    ("rows_of", "tables", "lines"), [(one_layer, 1, 1), (one_table, 1, 2), (two_tables, 2, 2)]
)
def test_columns_share_a_table_or_do_not(
    rows_of: Any, tables: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(classes: Any) -> Any:
        keras.utils.set_random_seed(0)
        first, second = keras.Input((), dtype="int32"), keras.Input((), dtype="int32")
        user = keras.Input((), dtype="int32")
        rows = [*rows_of(first, second), Embedding(USERS, 4, updates="exact", name="users")(user)]
        likes = keras.layers.Dense(1)(keras.layers.Concatenate()(rows))
        model = classes([first, second, user], likes)
        model.compile(keras.optimizers.Adam(0.01), "mse")
        return model

    rng = np.random.default_rng(0)
    # Both columns meet the same items, also in one batch.
    data = [
        ITEMS.ids([f"item {i}" for i in rng.integers(0, 50, 256).tolist()]),
        ITEMS.ids([f"item {i}" for i in rng.integers(0, 50, 256).tolist()]),
        USERS.ids(rng.integers(1 << 60, (1 << 60) + 100, 256)),
    ]
    targets = rng.random((256, 1)).astype("float32")
    model, stock = made(Model), made(keras.Model)
    for each in (model, stock):
        each.fit(data, targets, batch_size=32, epochs=2, shuffle=False, verbose=0)
    model.explain_updates()
    told = capsys.readouterr().out.splitlines()
    assert len(told) == lines + 1
    assert all(": exact (" in line for line in told)
    weights = model.get_weights()
    assert sum(len(one) == len(ITEMS) for one in weights) == tables
    for one, other in zip(weights, stock.get_weights(), strict=True):
        assert np.abs(one - other).max() < 1e-5
