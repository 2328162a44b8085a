"""Every kind of model and of call that Keras has trains row-wise as it does in stock Keras.

Each case builds one model twice, gives both the same weights and trains both by the same call.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from twins import (
    BATCH,
    COLUMNS,
    LENGTH,
    ON_TORCH,
    OURS,
    ROWS,
    STOCK,
    Kit,
    assert_close,
    assert_twins,
    batches,
    simple,
    state_of,
    ways,
)

from rowwise import layers
from rowwise.backend import keras

ops = keras.ops
STEPS, TOLERANCE = 25, 1e-5
IDS, TARGETS = batches(STEPS)
OTHER_IDS = batches(STEPS, seed=1)[0]
SHARES = np.random.default_rng(2).uniform(0.1, 2, (len(IDS), LENGTH)).astype("float32")
PER_EXAMPLE = np.random.default_rng(3).uniform(0, 3, (len(IDS),)).astype("float32")


@dataclass(frozen=True)
class Case:
    """How a model is built and trained."""

    build: Callable[[Kit], Any]
    train: Callable[[Any], Any]
    """Trains a model and returns what Keras tells about it, numbers in any structure."""
    tables: int = 1
    inputs: Any = field(default_factory=lambda: IDS)
    policy: str = "float32"


def ids_input(name: str | None = None) -> Any:
    return keras.Input((LENGTH,), dtype="int32", name=name)


def output(features: Any) -> Any:
    return keras.layers.Dense(1, activation="sigmoid")(features)


def compiled(model: Any, **options: Any) -> Any:
    settings = {"optimizer": keras.optimizers.Adam(0.01), "loss": "binary_crossentropy"}
    model.compile(**{**settings, **options})
    return model


def sequential(**options: Any) -> Callable[[Kit], Any]:
    return lambda kit: simple(kit, **options)


def functional(kit: Kit) -> Any:
    ids = ids_input()
    return compiled(kit.model(ids, output(keras.layers.Flatten()(kit.embedding()(ids)))))


def subclassed(kit: Kit) -> Any:
    class OwnCallTwin(kit.model):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.table = kit.embedding()
            self.head = keras.layers.Dense(1, activation="sigmoid")

        def call(self, ids: Any) -> Any:
            return self.head(ops.max(self.table(ids), axis=1))

    return compiled(OwnCallTwin())


def several_tables(kit: Kit) -> Any:
    inputs = [ids_input(name) for name in ("words", "tags")]
    joined = [
        ops.mean(kit.embedding(rows, columns)(ids), axis=1)
        for ids, rows, columns in zip(inputs, (ROWS, ROWS + 20), (COLUMNS, 5), strict=True)
    ]
    return compiled(kit.model(inputs, output(ops.concatenate(joined, axis=1))))


def table_of_two_inputs(kit: Kit) -> Any:
    inputs, table = [ids_input() for _ in range(2)], kit.embedding()
    first, second = (ops.mean(table(ids), axis=1) for ids in inputs)
    return compiled(kit.model(inputs, output(ops.concatenate([first, first * second], axis=1))))


def factorisation(kit: Kit) -> Any:
    inputs = [keras.Input((), dtype="int32") for _ in range(2)]
    users, items = (kit.embedding()(ids) for ids in inputs)
    return compiled(kit.model(inputs, keras.layers.Dot(axes=1)([users, items])), loss="mse")


def nested(kit: Kit) -> Any:
    ids = ids_input()
    encoder = kit.sequential([ids_input(), kit.embedding(), keras.layers.Flatten()])
    return compiled(kit.model(ids, output(encoder(ids))))


def dropped_and_normalised(kit: Kit) -> Any:
    parts = [
        ids_input(),
        kit.embedding(),
        keras.layers.Dropout(0.3, seed=5),
        keras.layers.BatchNormalization(momentum=0.8),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    return compiled(kit.sequential(parts))


def masked_recurrent(kit: Kit) -> Any:
    parts = [ids_input(), kit.embedding(mask_zero=True), keras.layers.LSTM(3)]
    return compiled(kit.sequential([*parts, keras.layers.Dense(1, activation="sigmoid")]))


def of_a_dict(kit: Kit) -> Any:
    inputs = {"left": ids_input("left"), "right": ids_input("right")}
    joined = [ops.mean(kit.embedding()(ids), axis=1) for ids in inputs.values()]
    return compiled(kit.model(inputs, output(ops.concatenate(joined, axis=1))))


def weighted_rows(combiner: str) -> Callable[[Kit], Any]:
    """In the stock model the rows are multiplied and summed in full."""

    def build(kit: Kit) -> Any:
        ids, shares = ids_input(), keras.Input((LENGTH,))
        if kit.ours:
            rows = kit.reduce(combiner=combiner)(ids, shares)
        else:
            rows = ops.sum(kit.embedding()(ids) * ops.expand_dims(shares, -1), axis=1)
            if combiner == "mean":
                rows = rows / ops.sum(shares, axis=1, keepdims=True)
            elif combiner == "sqrtn":
                rows = rows / ops.sqrt(ops.sum(shares * shares, axis=1, keepdims=True))
        return compiled(kit.model([ids, shares], output(rows)))

    return build


def words_and_pairs(kit: Kit) -> Any:
    ids, pairs = ids_input(), layers.WordPairs(64)
    joined = [kit.embedding()(ids), kit.embedding(64)(pairs(ids))]
    return compiled(kit.model(ids, output(keras.layers.Flatten()(ops.concatenate(joined, -1)))))


class InBatches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, index: int) -> Any:
        there = slice(index * BATCH, (index + 1) * BATCH)
        return IDS[there], TARGETS[there]


def endless() -> Iterator[Any]:
    while True:
        for index in range(STEPS):
            yield InBatches()[index]


def fit(x: Any = IDS, y: Any = TARGETS, **options: Any) -> Callable[[Any], Any]:
    """By arrays, two epochs."""
    settings = {"batch_size": BATCH, "epochs": 2, "shuffle": False, "verbose": 0, **options}
    return lambda model: model.fit(x, y, **settings).history


def fit_from(make: Callable[[], Any], **options: Any) -> Callable[[Any], Any]:
    """By what yields batches, two epochs."""
    return lambda model: model.fit(make(), epochs=2, shuffle=False, verbose=0, **options).history


def batch_by_batch(model: Any) -> Any:
    return [
        model.train_on_batch(*InBatches()[index], sample_weight=PER_EXAMPLE[:BATCH])
        for index in range(STEPS)
    ]


def tensorflow_data() -> Any:
    import tensorflow

    return tensorflow.data.Dataset.from_tensor_slices((IDS, TARGETS)).batch(BATCH)


def torch_data() -> Any:
    import torch

    tensors = torch.utils.data.TensorDataset(torch.from_numpy(IDS), torch.from_numpy(TARGETS))
    return torch.utils.data.DataLoader(tensors, batch_size=BATCH)


MEASURED = {"metrics": ["accuracy", "mae"], "weighted_metrics": ["mse"]}
CASES: dict[str, Case] = {
    "Sequential": Case(sequential(), fit()),
    "functional": Case(functional, fit()),
    "subclassed": Case(subclassed, fit()),
    "PyDataset": Case(sequential(), fit_from(InBatches)),
    "generator": Case(sequential(), fit_from(endless, steps_per_epoch=STEPS)),
    "sample_weight": Case(sequential(**MEASURED), fit(sample_weight=PER_EXAMPLE)),
    "class_weight": Case(sequential(), fit(class_weight={0: 0.5, 1: 3.0})),
    "run_eagerly": Case(sequential(run_eagerly=True), fit(IDS[:20], TARGETS[:20], epochs=1)),
    "without jit": Case(sequential(jit_compile=False), fit(IDS[:20], TARGETS[:20], epochs=1)),
    "train_on_batch": Case(sequential(metrics=["mae"]), batch_by_batch),
    "mixed_float16": Case(sequential(), fit(), policy="mixed_float16"),
    "loss_scale_factor": Case(
        lambda kit: simple(kit, keras.optimizers.Adam(0.01, loss_scale_factor=128.0)), fit()
    ),
    "several tables": Case(several_tables, fit([IDS, OTHER_IDS]), 2, [IDS, OTHER_IDS]),
    "shared table": Case(table_of_two_inputs, fit([IDS, OTHER_IDS]), 1, [IDS, OTHER_IDS]),
    "partial last batch": Case(sequential(), fit(IDS[:-3], TARGETS[:-3])),
    "tables only": Case(
        factorisation, fit([IDS[:, 0], OTHER_IDS[:, 1]]), 2, [IDS[:, 0], OTHER_IDS[:, 1]]
    ),
    "nested": Case(nested, fit()),
    "Dropout and BatchNormalization": Case(dropped_and_normalised, fit()),
    "masked LSTM": Case(masked_recurrent, fit()),
    "dict": Case(
        of_a_dict,
        fit({"right": OTHER_IDS, "left": IDS}),
        2,
        {"left": IDS, "right": OTHER_IDS},
    ),
    "validation_split": Case(sequential(**MEASURED), fit(validation_split=0.2, epochs=3)),
    "validation_data": Case(
        sequential(metrics=["accuracy"]), fit(validation_data=(OTHER_IDS, TARGETS, PER_EXAMPLE))
    ),
    "weighted sum": Case(weighted_rows("sum"), fit([IDS, SHARES]), 1, [IDS, SHARES]),
    "weighted mean": Case(weighted_rows("mean"), fit([IDS, SHARES]), 1, [IDS, SHARES]),
    "weighted sqrtn": Case(weighted_rows("sqrtn"), fit([IDS, SHARES]), 1, [IDS, SHARES]),
    "WordPairs": Case(words_and_pairs, fit(), 2),
}
if not ON_TORCH:  # Keras has that elsewhere only
    CASES["steps_per_execution"] = Case(sequential(steps_per_execution=4), fit())
# Neither library is needed for tests; where one is there, its batches are a case like any other.
if find_spec("tensorflow"):
    CASES["tf.data"] = Case(sequential(), fit_from(tensorflow_data))
if find_spec("torch"):
    CASES["DataLoader"] = Case(sequential(), fit_from(torch_data))


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def built(case: Case, kit: Kit) -> Any:
    keras.utils.set_random_seed(1)
    model = case.build(kit)
    model(keras.tree.map_structure(lambda values: values[:2], case.inputs))
    return model


def train_both(case: Case, kits: tuple[Kit, Kit]) -> tuple[list[Any], list[Any]]:
    """Two models after training, and what Keras told of it."""
    models = [built(case, kit) for kit in kits]
    start = models[0].get_weights()
    models[1].set_weights(start)
    told = [case.train(model) for model in models]
    for model in models:
        for now, then in zip(model.get_weights(), start, strict=True):
            assert np.abs(now - then).max() > 10 * TOLERANCE
    return models, told


BOTH_ORDERS = ("Sequential", "functional", "subclassed")
PLANNED = [(name, (OURS, STOCK)) for name in CASES]
PLANNED += [(name, (STOCK, OURS)) for name in BOTH_ORDERS]


@pytest.mark.parametrize(
    ("name", "kits", "policy"),
    [
        pytest.param(name, kits, CASES[name].policy, id=name if kits[0].ours else f"stock, {name}")
        for name, kits in PLANNED
    ],
    indirect=["policy"],
)
def test_models_and_calls_of_all_kinds_train_as_in_stock_keras(
    name: str, kits: tuple[Kit, Kit], policy: None
) -> None:
    case = CASES[name]
    models, told = train_both(case, kits)
    ours = models[[kit.ours for kit in kits].index(True)]
    assert ways(ours) == ["exact"] * case.tables
    assert_twins(*models, TOLERANCE)
    assert_close(*told, TOLERANCE)


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_a_batch_with_infinite_gradients_changes_no_weight_and_halves_the_scale(
    policy: None,
) -> None:
    case = Case(sequential(), fit())
    models, _ = train_both(case, (OURS, STOCK))
    for model in models:
        assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        before, made = state_of(model), int(model.optimizer.inner_optimizer.iterations)
        scale = float(model.optimizer.dynamic_scale)
        infinite = np.full((BATCH,), np.inf, "float32")
        model.train_on_batch(IDS[:BATCH], TARGETS[:BATCH], sample_weight=infinite)
        for now, then in zip(model.get_weights(), before, strict=False):
            np.testing.assert_array_equal(now, then)
        assert int(model.optimizer.inner_optimizer.iterations) == made
        assert float(model.optimizer.dynamic_scale) == scale / 2
    assert_twins(*models, TOLERANCE)
    told = [case.train(model) for model in models]
    assert_twins(*models, TOLERANCE)
    assert_close(*told, TOLERANCE)
