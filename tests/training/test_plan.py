"""How a table trains is decided once, told with its reason, and forced ways never give in."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from twins import (
    BATCH,
    COLUMNS,
    LENGTH,
    ON_JAX,
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

import rowwise
from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.layers import Embedding

ops = keras.ops
IDS, TARGETS = batches(20)
FIT: dict[str, Any] = {"batch_size": BATCH, "epochs": 1, "shuffle": False, "verbose": 0}
AUTO = Kit(True, "auto")

Build = Callable[[Kit], Any]


class OwnAdam(keras.optimizers.Adam):
    """A user's subclass, which might do anything."""


def with_optimizer(make: Callable[[], Any]) -> Build:
    return lambda kit: simple(kit, make())


def with_table(**options: Any) -> Build:
    """A model whose table has Keras's ``options``."""

    def build(kit: Kit) -> Any:
        ids = keras.Input((LENGTH,), dtype="int32")
        rows = kit.embedding(name="words", **options)(ids)
        return finished(kit.model(ids, head(ops.mean(rows, axis=1))))

    return build


def head(features: Any) -> Any:
    return keras.layers.Dense(1, activation="sigmoid")(features)


def finished(model: Any) -> Any:
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model


class ScoresOfWords(keras.layers.Layer):
    """Tied output weights: reads the table of another layer, by one of its names."""

    def __init__(self, words: Any, name_of_table: str) -> None:
        super().__init__()
        self.words, self.name_of_table = words, name_of_table

    def call(self, features: Any) -> Any:
        return ops.matmul(features, ops.transpose(getattr(self.words, self.name_of_table)))


class SizeOfTable(keras.layers.Layer):
    """Adds a loss on the whole table of another layer."""

    def __init__(self, words: Any) -> None:
        super().__init__()
        self.words = words

    def call(self, features: Any) -> Any:
        self.add_loss(0.1 * ops.sum(ops.square(self.words.embeddings)))
        return features


def tied(name_of_table: str) -> Build:
    def build(kit: Kit) -> Any:
        ids, words = keras.Input((LENGTH,), dtype="int32"), kit.embedding(name="words")
        name = name_of_table if kit.ours else "embeddings"
        scores = ScoresOfWords(words, name)(ops.mean(words(ids), axis=1))
        return finished(kit.model(ids, head(scores)))

    return build


def with_loss_on_table(kit: Kit) -> Any:
    ids, words = keras.Input((LENGTH,), dtype="int32"), kit.embedding(name="words")
    return finished(kit.model(ids, head(SizeOfTable(words)(ops.mean(words(ids), axis=1)))))


class CellThatLooksUp(keras.layers.Layer):
    """Adds up rows of its table, one in each time step."""

    def __init__(self, words: Any) -> None:
        super().__init__()
        self.words, self.state_size, self.output_size = words, COLUMNS, COLUMNS

    def build(self, input_shape: Any) -> None:
        if not self.words.built:
            self.words.build(input_shape)

    def call(self, inputs: Any, states: Any) -> Any:
        total = 0.5 * states[0] + self.words(ops.cast(inputs[:, 0], "int32"))
        return total, [total]


def recurrent(unroll: bool) -> Build:
    def build(kit: Kit) -> Any:
        ids = keras.Input((LENGTH,), dtype="int32")
        cell = CellThatLooksUp(kit.embedding(name="words"))
        states = keras.layers.RNN(cell, unroll=unroll)(ops.expand_dims(ids, -1))
        return finished(kit.model(ids, head(states)))

    return build


def without_lookups(kit: Kit) -> Any:
    class TwinWithIdleTable(kit.model):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.idle, self.words = kit.embedding(name="words"), keras.layers.Embedding(ROWS, 2)
            self.head = keras.layers.Dense(1, activation="sigmoid")

        def call(self, ids: Any) -> Any:
            return self.head(ops.mean(self.words(ids), axis=1))

    model = TwinWithIdleTable()
    model.idle.build((None, LENGTH))
    model(IDS[:1])
    return finished(model)


optimizers = keras.optimizers
TOO_MANY = "would need more than {} terms"
READ = "the table is read otherwise than by lookups, for instance as tied output weights"
REST = "a momentum of 1 or more never comes to rest"

# What a table's optimizer makes impossible. It is known before the first batch.
BY_OPTIMIZER: dict[str, tuple[Callable[[], Any], str]] = {
    "Lamb": (optimizers.Lamb, "Lamb scales every row's step by the norm of the whole table"),
    "Adafactor": (optimizers.Adafactor, "Adafactor keeps statistics of the whole table"),
    "subclass": (OwnAdam, "no closed form is known for the optimizer OwnAdam"),
    "SGD, momentum": (lambda: optimizers.SGD(0.01, momentum=1.0), REST),
    "RMSprop, momentum": (lambda: optimizers.RMSprop(0.001, momentum=1.0), REST),
    "Adam, betas": (
        lambda: optimizers.Adam(0.01, beta_1=0.95, beta_2=0.9),
        "with beta_1=0.95 >= sqrt(beta_2=0.9) a resting row's steps do not shrink",
    ),
    "Adam, terms": (
        lambda: optimizers.Adam(0.01, beta_1=0.9, beta_2=0.82),
        f"its betas (0.9, 0.82) {TOO_MANY.format(64)}",
    ),
    "Adamax, betas": (
        lambda: optimizers.Adamax(0.01, beta_1=0.9, beta_2=0.9),
        "Adamax with beta_1=0.9 >= beta_2=0.9 never comes to rest",
    ),
    "Adamax, terms": (
        lambda: optimizers.Adamax(0.01, beta_1=0.9, beta_2=0.91),
        f"its betas (0.9, 0.91) {TOO_MANY.format(32)}",
    ),
    "Nadam, no beta": (
        lambda: optimizers.Nadam(0.01, beta_1=0.0),
        "Nadam without a beta_1 has no closed form",
    ),
    "Nadam, betas": (
        lambda: optimizers.Nadam(0.01, beta_1=0.95, beta_2=0.9),
        "with beta_1=0.95 >= sqrt(beta_2=0.9) a resting row's steps do not shrink",
    ),
    "Nadam, terms": (
        lambda: optimizers.Nadam(0.01, beta_1=0.9, beta_2=0.8101),
        f"its betas (0.9, 0.8101) {TOO_MANY.format(64)}",
    ),
    "Lion": (
        lambda: optimizers.Lion(0.001, beta_2=1.0),
        "1.0) has no closed form",
    ),
    "Ftrl": (
        lambda: optimizers.Ftrl(0.01, l2_shrinkage_regularization_strength=0.1),
        "Ftrl with l2 shrinkage moves all rows by their own values",
    ),
    "Muon": (
        lambda: optimizers.Muon(0.01, exclude_embeddings=False),
        "Muon with exclude_embeddings=False mixes all rows of a table",
    ),
    "use_ema": (
        lambda: optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=7),
        "the optimizer averages all weights (use_ema)",
    ),
    "accumulation": (
        lambda: optimizers.Adam(0.01, gradient_accumulation_steps=3),
        "the optimizer accumulates gradients",
    ),
}
# What its layer, or the model, makes impossible.
BY_MODEL: dict[str, tuple[Build, str]] = {
    "regularizer": (
        with_table(embeddings_regularizer="l2"),
        "it has a regularizer, which moves every row",
    ),
    "constraint": (
        with_table(embeddings_constraint="non_neg"),
        "it has a constraint, which is applied to every row",
    ),
    "tied, embeddings": (tied("embeddings"), READ),
    "tied, table": (tied("table"), READ),
    "add_loss": (with_loss_on_table, READ),
    "idle": (without_lookups, "nothing is looked up in it"),
}
if not ON_TORCH:  # there an RNN is a loop of Python's, and its lookups are like all others
    BY_MODEL["RNN"] = (
        recurrent(unroll=False),
        "it is looked up inside a loop or function of its own (RNN, scan, remat)",
    )
REASONS: dict[str, tuple[Build, str]] = {
    **{name: (with_optimizer(make), reason) for name, (make, reason) in BY_OPTIMIZER.items()},
    **BY_MODEL,
}


def explained(model: Any) -> str:
    printed = io.StringIO()
    model.explain_updates(printed)
    return printed.getvalue()


def made(build: Build, kit: Kit) -> Any:
    keras.utils.set_random_seed(1)
    return build(kit)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of the idle table, on TensorFlow
@pytest.mark.parametrize("name", REASONS)
def test_a_reason_is_printed_and_the_table_trains_as_in_stock_keras(name: str) -> None:
    build, reason = REASONS[name]
    ours, stock = made(build, AUTO), made(build, STOCK)
    stock.set_weights(ours.get_weights())
    printed: list[str] = []
    listener = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: printed.append(explained(ours))
    )
    ours.fit(IDS, TARGETS, callbacks=[listener], **FIT)
    stock.fit(IDS, TARGETS, **FIT)
    assert printed == [printed[0]] * (len(IDS) // BATCH)
    line = printed[0].splitlines()[0]  # after it come layers of Keras, where a model has some
    assert line.startswith("words: dense (")
    assert line.endswith(f"{reason})")
    assert_twins(ours, stock, 1e-5)


FORCED = [(name, "exact") for name in REASONS]
FORCED += [(name, "lazy") for name in ("Lamb", "accumulation", "regularizer", *BY_MODEL)]
FORCED = list(dict.fromkeys(FORCED))


@pytest.mark.parametrize(("name", "updates"), FORCED)
def test_a_forced_way_that_is_impossible_is_an_error_with_the_reason(
    name: str, updates: str
) -> None:
    build, reason = REASONS[name]
    model = made(build, Kit(True, updates))
    with pytest.raises(InvalidArgumentError) as caught:
        model.fit(IDS, TARGETS, **FIT)
    message = str(caught.value)
    assert f"Layer 'words' asks for updates=\"{updates}\", which is impossible: " in message
    assert f"{reason}. Remove the reason" in message


@pytest.mark.parametrize("name", ["Lamb", "use_ema", "tied, table"])
def test_after_an_impossible_way_in_fit_the_weights_are_as_before(name: str) -> None:
    model = made(REASONS[name][0], OURS)
    before = model.get_weights()
    with pytest.raises(InvalidArgumentError):
        model.fit(IDS, TARGETS, **FIT)
    assert_close(model.get_weights(), before, 0.0)


@pytest.mark.parametrize("by", ["fit", "train_on_batch"])
def test_after_such_an_error_another_optimizer_trains_exactly(by: str) -> None:
    ours, stock = simple(OURS, optimizers.Lamb()), simple(STOCK)
    with pytest.raises(InvalidArgumentError, match="Lamb"):
        getattr(ours, by)(IDS[:BATCH], TARGETS[:BATCH])
    assert_close(ours.get_weights(), stock.get_weights(), 0.0)
    ours.compile(optimizers.Adam(), "binary_crossentropy")
    for model in (ours, stock):
        model.fit(IDS, TARGETS, **FIT)
    assert ways(ours) == ["exact"]
    assert_twins(ours, stock)


@pytest.mark.parametrize("name", BY_OPTIMIZER)
def test_an_optimizers_reason_is_known_before_the_first_batch(name: str) -> None:
    make, reason = BY_OPTIMIZER[name]
    assert explained(simple(AUTO, make())).endswith(f"{reason})\n")
    assert explained(simple(AUTO)) == "words: undecided (the first batch of training decides)\n"


def test_a_model_that_is_not_compiled_is_undecided() -> None:
    model = rowwise.Sequential([keras.Input((LENGTH,)), Embedding(ROWS, COLUMNS, name="words")])
    assert explained(model) == "words: undecided (the model is not compiled)\n"


def test_dense_is_dense_where_row_wise_would_be_possible() -> None:
    ours, stock = simple(Kit(True, "dense")), simple(STOCK)
    for model in (ours, stock):
        model.fit(IDS, TARGETS, **FIT)
    assert explained(ours) == 'words: dense (asked for by updates="dense")\n'
    assert_twins(ours, stock)


class ModelWithItsOwnStep(rowwise.Model):
    def train_step(self, *args: Any) -> Any:  # it gets a state on JAX alone
        return super().train_step(*args)


def with_its_own_step(kit: Kit) -> Any:
    ids = keras.Input((LENGTH,), dtype="int32")
    rows = kit.embedding(name="words")(ids)
    return finished(ModelWithItsOwnStep(ids, head(ops.mean(rows, axis=1))))


@pytest.mark.parametrize("updates", ["exact", "lazy"])
def test_a_forced_way_and_a_train_step_of_ones_own_are_an_error(updates: str) -> None:
    with pytest.raises(InvalidArgumentError, match="impossible: the model has a train_step"):
        with_its_own_step(Kit(True, updates)).fit(IDS, TARGETS, **FIT)


def test_a_train_step_of_ones_own_is_told() -> None:
    model = with_its_own_step(AUTO)
    before = model.get_weights()[0]
    model.fit(IDS, TARGETS, **FIT)
    assert explained(model) == "words: dense (the model has a train_step of its own)\n"
    assert np.abs(model.get_weights()[0] - before).max() > 1e-3


# torch has no devices that Keras could distribute over.
DISTRIBUTED = [] if ON_TORCH else ["cpu"]


@pytest.fixture
def distributed(kind: str) -> Iterator[None]:
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=keras.distribution.list_devices(kind)[:1])
    )
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


@pytest.mark.parametrize("kind", DISTRIBUTED)
def test_under_a_distribution_tables_train_as_in_stock_keras(distributed: None) -> None:
    ours, stock = simple(AUTO), simple(STOCK)
    for model in (ours, stock):
        model.fit(IDS, TARGETS, **FIT)
    assert_twins(ours, stock)
    if ON_JAX:
        assert ways(ours) == ["dense"]  # for it is small
        exact = simple(OURS)
        exact.fit(IDS, TARGETS, **FIT)
        assert explained(exact) == "words: exact (asked for)\n"
        assert_twins(exact, stock)
        return
    assert explained(ours) == "words: dense (a keras.distribution is set)\n"
    with pytest.raises(InvalidArgumentError, match=r"impossible: a keras\.distribution is set\."):
        simple(OURS).fit(IDS, TARGETS, **FIT)


def test_lookups_in_an_unrolled_loop_train_exactly() -> None:
    ours, stock = made(recurrent(unroll=True), OURS), made(recurrent(unroll=True), STOCK)
    stock.set_weights(ours.get_weights())
    for model in (ours, stock):
        model.fit(IDS, TARGETS, **FIT)
    assert ways(ours) == ["exact"]
    assert_twins(ours, stock)


@pytest.mark.parametrize(("rows", "columns", "way"), [(200_000, 32, "exact"), (30, 3, "dense")])
def test_auto_takes_what_is_expected_to_be_faster_each_time(
    rows: int, columns: int, way: str
) -> None:
    told = []
    for _ in range(2):
        model = rowwise.Sequential(
            [
                keras.Input((2,), dtype="int32"),
                Embedding(rows, columns, name="words"),
                keras.layers.Flatten(),
                keras.layers.Dense(1),
            ]
        )
        model.compile("adam", "mse")
        model.fit(IDS[:8, :2], TARGETS[:8], **FIT)
        told.append(explained(model))
    assert told[0] == told[1]
    assert told[0].startswith(f"words: {way} ({rows:,} rows, 8 lookups a batch: row-wise is ")
    times = float(told[0].split("to take ")[1].split(" times")[0])
    assert (times < 1) == (way == "exact")


def test_a_table_that_is_not_trainable_is_frozen() -> None:
    build = with_table(trainable=False)
    ours, stock = made(build, OURS), made(build, STOCK)
    stock.set_weights(ours.get_weights())
    before = state_of(ours)
    assert explained(ours) == "words: frozen (it is not trainable)\n"
    for model in (ours, stock):
        model.fit(IDS, TARGETS, **FIT)
    assert explained(ours) == "words: frozen (it is not trainable)\n"
    assert_twins(ours, stock)
    np.testing.assert_array_equal(ours.layers[1].get_weights()[0], stock.layers[1].get_weights()[0])
    changed = [
        not np.array_equal(now, then)
        for now, then in zip(ours.get_weights(), before[: len(ours.get_weights())], strict=True)
    ]
    assert sorted(changed) == [False, True, True]


def test_layers_of_keras_are_said_to_train_densely() -> None:
    stock, ours = keras.layers.Embedding(9, 4, name="stock"), Embedding(9, 4, name="ours")
    ids = keras.Input((3,), dtype="int32")
    pooled = keras.layers.GlobalAveragePooling1D()(ours(ids) + stock(ids))
    model = rowwise.Model(ids, keras.layers.Dense(1)(pooled))
    model.compile("adam", "mse")
    for _ in range(2):
        how = {decision.layer.name: decision for decision in model.table_updates()}
        assert set(how) == {"ours", "stock"}
        assert how["stock"].how == "dense"
        assert "rowwise.convert" in how["stock"].why
        model.fit(np.zeros((4, 3), "int32"), np.zeros((4, 1)), verbose=0)
    stock.trainable = False
    model.compile("adam", "mse")
    assert {str(decision) for decision in model.table_updates()} >= {
        "stock: frozen (it is not trainable)"
    }


RATE, BETAS, EPSILON = 0.01, (0.9, 0.999), 1e-7


class SparseAdam:
    """Adam of rows that are looked up, in 64 bits, as torch's SparseAdam computes it.

    Moments and rows move only where a batch has the row; the corrections for the moments' start
    at zero go by all steps, not by those of the row.
    """

    def __init__(self, table: Any) -> None:
        self.table = table.astype("float64")
        self.first, self.second = np.zeros_like(self.table), np.zeros_like(self.table)
        self.steps = 0

    def train(self, ids: Any, targets: Any) -> None:
        """A step by the mean squared error of texts' mean rows."""
        self.steps += 1
        error = self.table[ids].mean(axis=1) - targets
        per_lookup = 2 * error / error.size / ids.shape[1]
        gradient = np.zeros_like(self.table)
        np.add.at(gradient, ids, np.repeat(per_lookup[:, None], ids.shape[1], axis=1))
        rows = np.unique(ids)
        keep, keep_squared = BETAS
        self.first[rows] += (1 - keep) * (gradient[rows] - self.first[rows])
        self.second[rows] += (1 - keep_squared) * (gradient[rows] ** 2 - self.second[rows])
        rate = RATE * np.sqrt(1 - keep_squared**self.steps) / (1 - keep**self.steps)
        self.table[rows] -= rate * self.first[rows] / (np.sqrt(self.second[rows]) + EPSILON)


def mean_rows(updates: str) -> Any:
    keras.utils.set_random_seed(1)
    ids = keras.Input((LENGTH,), dtype="int32")
    rows = Kit(True, updates).embedding(name="words")(ids)
    model = rowwise.Model(ids, keras.layers.GlobalAveragePooling1D()(rows))
    model.compile(optimizers.Adam(RATE, *BETAS, epsilon=EPSILON), "mse")
    return model


def test_lazy_is_the_adam_of_looked_up_rows() -> None:
    ids = batches(30)[0]
    ids[::2, 1] = ids[::2, 0]
    ids[80:, 0] = ROWS - 1  # comes for the first time after twenty steps
    targets = np.random.default_rng(4).uniform(-1, 1, (len(ids), COLUMNS)).astype("float32")
    lazy, exact = mean_rows("lazy"), mean_rows("exact")
    start = lazy.get_weights()[0]
    oracle = SparseAdam(start)
    before = start
    for index in range(30):
        there = slice(index * BATCH, (index + 1) * BATCH)
        for model in (lazy, exact):
            model.train_on_batch(ids[there], targets[there])
        oracle.train(ids[there], targets[there])
        now = lazy.get_weights()[0]
        moved = np.flatnonzero((now != before).any(axis=1))
        assert moved.tolist() == np.unique(ids[there]).tolist()
        before = now
    assert explained(lazy) == "words: lazy (asked for: rows at rest stay as they are)\n"
    slots = [one.numpy() for one in lazy.optimizer.variables if one.shape == (ROWS, COLUMNS)]
    assert_close([before, *slots], [oracle.table, oracle.first, oracle.second], 1e-6)
    assert np.abs(before - exact.get_weights()[0]).max() > 1e-2
