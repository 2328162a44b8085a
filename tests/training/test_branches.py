"""Models that do not look up the same in every batch, or nothing at all."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.layers import Embedding, EmbedReduce
from rowwise.training import Model

ops = keras.ops
ROWS = 30
RNG = np.random.default_rng(0)
IDS = RNG.integers(0, ROWS, (64, 6)).astype("int32")
IDS[0, :2] = 2, 1  # the first batch looks up in both tables
TARGETS = RNG.normal(size=(64, 1)).astype("float32")

OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.05),
    "adamw": lambda: keras.optimizers.AdamW(0.05, weight_decay=0.1),
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
}


class TwoTables(keras.layers.Layer):
    """Means of the rows of one table, and of another one where ``looks_further`` says so."""

    def __init__(self, updates: str, looks_further: Callable[[Any], bool]) -> None:
        super().__init__()
        self.first = Embedding(ROWS, 4, updates=updates, name="first")
        self.second = Embedding(ROWS, 4, updates=updates, name="second")
        self._looks_further = looks_further

    def build(self, shape: Any) -> None:
        self.first.build(shape)
        self.second.build(shape)
        self.built = True

    def compute_output_shape(self, shape: Any) -> Any:
        return shape[0], 4

    def call(self, ids: Any) -> Any:
        found = ops.mean(self.first(ids), 1)
        return found + ops.mean(self.second(ids), 1) if self._looks_further(ids) else found


class Pooled(keras.layers.Layer):
    """A table whose rows are summed, for texts of any length."""

    def __init__(self, updates: str) -> None:
        super().__init__()
        self.table = EmbedReduce(ROWS, 4, updates=updates)

    def build(self, shape: Any) -> None:
        self.table.build(shape)
        self.built = True

    def compute_output_shape(self, shape: Any) -> Any:
        return shape[0], 4

    def call(self, ids: Any) -> Any:
        return self.table(ids)


def trained(make: Any, optimizer: Any, batches: list[tuple[Any, Any]]) -> list[Any]:
    """All weights and what the optimizer keeps, after a step on each batch."""
    keras.utils.set_random_seed(7)
    ids = keras.Input((None,), dtype="int32")
    model = Model(ids, keras.layers.Dense(1)(make()(ids)))
    model.compile(optimizer, "mse")
    for batch in batches:
        model.train_on_batch(*batch)
    return [
        np.array(ops.convert_to_numpy(one)) for one in model.weights + model.optimizer.variables[1:]
    ]


def batches_of(lengths: list[int]) -> list[tuple[Any, Any]]:
    return [
        (IDS[8 * number :][:8, :length], TARGETS[8 * number :][:8])
        for number, length in enumerate(lengths)
    ]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_table_that_some_shapes_of_a_batch_look_up_in(name: str) -> None:
    batches = batches_of([6, 4, 6, 4, 4, 6, 6, 4])
    dense, exact = (
        trained(partial(TwoTables, how, lambda ids: ids.shape[1] == 6), OPTIMIZERS[name](), batches)
        for how in ("dense", "exact")
    )
    for one, other in zip(exact, dense, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_texts_without_words() -> None:
    batches = batches_of([6, 0, 3])
    dense, exact = (
        trained(partial(Pooled, how), OPTIMIZERS["adam"](), batches) for how in ("dense", "exact")
    )
    for one, other in zip(exact, dense, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_weights_that_are_learned_stay_finite_where_a_text_is_padding() -> None:
    ids = np.where(np.arange(8)[:, None] == 0, 0, IDS[:8] % (ROWS - 1) + 1).astype("int32")
    given, of_words = keras.Input((6,), dtype="int32"), keras.Input((6,))
    weights = keras.layers.Dense(6, activation="sigmoid")(of_words)
    table = EmbedReduce(ROWS, 3, combiner="sqrtn", mask_zero=True, updates="exact")
    model = Model([given, of_words], keras.layers.Dense(1)(table(given, weights)))
    model.compile("sgd", "mse")
    model.train_on_batch([ids, np.ones((8, 6), "float32")], TARGETS[:8])
    assert all(np.isfinite(one).all() for one in model.get_weights())


if keras.backend.backend() == "torch":

    def is_odd(ids: Any) -> bool:
        return bool(ids[0, 0] % 2)

    @pytest.mark.parametrize("looks_further", [is_odd, lambda ids: not is_odd(ids)])
    def test_a_branch_that_depends_on_the_batch(looks_further: Callable[[Any], bool]) -> None:
        batches = batches_of([6] * 8)
        batches.sort(key=lambda batch: not looks_further(batch[0]))
        assert {looks_further(batch[0]) for batch in batches} == {True, False}
        dense, exact = (
            trained(partial(TwoTables, how, looks_further), OPTIMIZERS["adam"](), batches)
            for how in ("dense", "exact")
        )
        for one, other in zip(exact, dense, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)

    def test_a_table_that_is_looked_up_twice_where_the_batch_says_so() -> None:
        class Again(TwoTables):
            def call(self, ids: Any) -> Any:
                found = super().call(ids)
                return found * ops.mean(self.first(ids), 1) if is_odd(ids) else found

        batches = batches_of([6] * 8)
        dense, exact = (
            trained(partial(Again, how, lambda ids: True), OPTIMIZERS["adam"](), batches)
            for how in ("dense", "exact")
        )
        for one, other in zip(exact, dense, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)

    def test_an_error_of_the_dense_update_leaves_tables_as_before_the_step() -> None:
        class Fails(keras.constraints.Constraint):
            calls = 0

            def __call__(self, kernel: Any) -> Any:
                Fails.calls += 1
                if Fails.calls == 3:
                    raise RuntimeError("no more")
                return kernel

        keras.utils.set_random_seed(7)
        ids = keras.Input((6,), dtype="int32")
        table = Embedding(ROWS, 4, updates="exact")
        found = keras.layers.GlobalAveragePooling1D()(table(ids))
        model = Model(ids, keras.layers.Dense(1, kernel_constraint=Fails())(found))
        model.compile(OPTIMIZERS["adamw"](), "mse")
        for number in (0, 1):
            model.train_on_batch(IDS[8 * number :][:8], TARGETS[8 * number :][:8])
        before = np.array(ops.convert_to_numpy(table.embeddings))
        with pytest.raises(RuntimeError, match="no more"):
            model.train_on_batch(IDS[:8], TARGETS[:8])
        np.testing.assert_array_equal(ops.convert_to_numpy(table.embeddings), before)
        assert int(model.optimizer.iterations) == 2

    def test_a_model_without_anything_to_train_has_a_loss() -> None:
        ids = keras.Input((6,), dtype="int32")
        table = Embedding(ROWS, 1, trainable=False)
        model = Model(ids, keras.layers.GlobalAveragePooling1D()(table(ids)))
        model.compile("adam", "mse")
        history = model.fit(IDS, TARGETS, verbose=0).history
        assert np.isfinite(history["loss"]).all()
