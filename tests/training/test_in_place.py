"""No array of a table's size is made: neither a step nor a flush copies a table or its slots.

A step does not even copy an array of one number for each row.
"""

import re
from typing import Any

import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.layers import Embedding, EmbedReduce
from rowwise.training import Sequential

ROWS, COLUMNS = 3001, 7


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What XLA makes of the functions that are compiled for steps and flushes."""
    import jax

    from rowwise.backend import rows

    texts: list[str] = []

    def compile_and_keep(function: Any, donated: Any = ()) -> Any:
        jitted = jax.jit(function, donate_argnums=tuple(donated))

        def call(*arguments: Any) -> Any:
            texts.append(jitted.lower(*arguments).compile().as_text())
            return jitted(*arguments)

        return call

    monkeypatch.setattr(rows, "compiled", compile_and_keep)
    return texts


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "rmsprop", "nadam", "lion", "ftrl"])
@pytest.mark.parametrize("layer", [Embedding, EmbedReduce])
def test_tables_are_written_in_place(compiled: list[str], layer: Any, optimizer: str) -> None:
    model = Sequential(
        [
            layer(ROWS, COLUMNS, input_length=4, updates="exact"),
            *([] if layer is EmbedReduce else [keras.layers.Flatten()]),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse")
    ids = np.random.default_rng(0).integers(0, ROWS, (8, 4)).astype("int32")
    model.fit(ids, np.zeros((8, 1)), batch_size=8, verbose=0)
    model.get_weights()
    start, step, flush = compiled
    of_tables, of_its_length = (
        rf"f32\[{ROWS},{COLUMNS}\]\S* copy\(",
        rf"\[{ROWS}\b[\d,]*\]\S* copy\(",
    )
    assert not re.findall(of_tables, start)
    assert not re.findall(of_its_length, step)
    assert not re.findall(of_tables, flush)
