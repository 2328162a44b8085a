"""The same model twice, rowwise's and stock Keras's, trained on the same batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import rowwise
from rowwise import layers
from rowwise.backend import keras
from rowwise.backend import rows as backend_rows
from rowwise.training.table import Table

ROWS, COLUMNS, LENGTH, BATCH = 30, 3, 4, 4

# Some promises are about what only one backend has.
ON_JAX = keras.backend.backend() == "jax"
ON_TORCH = keras.backend.backend() == "torch"


@dataclass(frozen=True)
class Kit:
    """What a model is made from: one builder makes both twins."""

    ours: bool
    updates: str = "exact"

    @property
    def model(self) -> Any:
        return rowwise.Model if self.ours else keras.Model

    @property
    def sequential(self) -> Any:
        return rowwise.Sequential if self.ours else keras.Sequential

    def embedding(self, rows: int = ROWS, columns: int = COLUMNS, **options: Any) -> Any:
        if self.ours:
            return layers.Embedding(rows, columns, updates=self.updates, **options)
        return keras.layers.Embedding(rows, columns, **options)

    def reduce(self, rows: int = ROWS, columns: int = COLUMNS, **options: Any) -> Any:
        """In a stock model, rowwise's layer trains as Keras trains any layer."""
        updates = self.updates if self.ours else "auto"
        return layers.EmbedReduce(rows, columns, updates=updates, **options)


OURS, STOCK, DENSE = Kit(True), Kit(False), Kit(True, "dense")


def batches(count: int, seed: int = 0, batch: int = BATCH, length: int = LENGTH) -> tuple[Any, Any]:
    """Ids (n, length), some frequent, some rare and some never, and targets (n, 1) of 0 and 1."""
    generator = np.random.default_rng(seed)
    chances = 1 / np.arange(1, ROWS - 1) ** 1.3
    size = (count * batch, length)
    ids = generator.choice(ROWS - 2, size=size, p=chances / chances.sum())
    return ids.astype("int32"), generator.integers(0, 2, (count * batch, 1)).astype("float32")


def simple(kit: Kit, optimizer: Any = "adam", **compiling: Any) -> Any:
    """Ids, rows, their mean, a number."""
    keras.utils.set_random_seed(1)
    model = kit.sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            kit.embedding(name="words"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid", name="out"),
        ]
    )
    model.compile(keras.optimizers.get(optimizer), "binary_crossentropy", **compiling)
    return model


def state_of(model: Any) -> list[Any]:
    """Copies of the weights and of what the optimizer keeps."""
    return [
        np.array(one) for one in (*model.get_weights(), *map(numpy_of, model.optimizer.variables))
    ]


def numpy_of(variable: Any) -> Any:
    return variable.numpy()


def assert_close(one: Any, other: Any, tolerance: float = 1e-6) -> None:
    """Equal within ``tolerance``, arrays one by one; numbers above 1 relative to their size."""
    pairs = zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True)
    for ours, stock in pairs:
        np.testing.assert_allclose(
            *map(keras.ops.convert_to_numpy, (ours, stock)), rtol=tolerance, atol=tolerance
        )


def assert_twins(ours: Any, stock: Any, tolerance: float = 1e-6) -> None:
    """Equal weights and optimizers."""
    assert_close(state_of(ours), state_of(stock), tolerance)


def ways(model: Any) -> list[str]:
    """How each table of a model trains."""
    return [decision.how for decision in model.table_updates()]


@contextmanager
def counting_flushes() -> Iterator[list[str]]:
    """The names of the tables that were flushed in the block, each as often as that happened."""
    found: list[str] = []
    original = Table.flushed

    def flushed(table: Table, values: list[Any]) -> list[Any]:
        if table.steps:
            found.append(table.variable.path)
        return original(table, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "flushed", flushed)
        yield found


def compiled_texts(patch: pytest.MonkeyPatch) -> list[str]:
    """A list that gets XLA's text of each function compiled by ``rows``, when it is called."""
    import jax

    texts: list[str] = []

    def compile_and_keep(function: Any, donated: Any = ()) -> Any:
        jitted = jax.jit(function, donate_argnums=tuple(donated))

        def call(*arguments: Any) -> Any:
            texts.append(jitted.lower(*arguments).compile().as_text())
            return jitted(*arguments)

        return call

    patch.setattr(backend_rows, "compiled", compile_and_keep)
    return texts
