"""Whoever reads a table sees what dense training would show; whoever does not pays nothing."""

import copy
import gc
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twins import (
    BATCH,
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
    counting_flushes,
    simple,
    state_of,
    ways,
)

import rowwise
from rowwise.backend import keras
from rowwise.training import trainer

IDS, TARGETS = batches(12)
EVERY_ID = np.resize(np.arange(ROWS, dtype="int32"), (8, LENGTH))
FIT: dict[str, Any] = {"batch_size": 4, "shuffle": False, "verbose": 0}


class Pair:
    """Both models, compiled once and taken back to their start for each test."""

    def __init__(self) -> None:
        self.models = simple(OURS), simple(STOCK)
        for model in self.models:
            model.optimizer.build(model.trainable_variables)
        self.start = [state_of(model) for model in self.models]
        assert_close(*self.start)

    def restart(self) -> tuple[Any, Any]:
        for model, start in zip(self.models, self.start, strict=True):
            count = len(model.weights)
            model.set_weights(start[:count])
            for variable, value in zip(model.optimizer.variables, start[count:], strict=True):
                variable.assign(value)
        return self.models


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Pair()


def table(model: Any) -> Any:
    return model.get_layer("words")


def saved_and_loaded(save: Callable[[Any, Path], None]) -> Callable[[Any, Path], Any]:
    def read(model: Any, folder: Path) -> Any:
        save(model, folder / "model.keras")
        return state_of(keras.saving.load_model(folder / "model.keras"))

    return read


def loaded_weights(model: Any, folder: Path) -> Any:
    model.save_weights(folder / "model.weights.h5")
    other = simple(STOCK)
    other.optimizer.build(other.trainable_variables)
    other.load_weights(folder / "model.weights.h5")
    return state_of(other)


def traced(model: Any, folder: Path) -> Any:
    import jax

    del folder
    return jax.jit(lambda ids: model(ids))(EVERY_ID)


def exported(model: Any, folder: Path) -> Any:
    """Keras's own exporters need TensorFlow or onnx; this one traces a model as they do."""
    import jax

    del folder

    def export(model: Any) -> Any:
        return jax.export.export(jax.jit(lambda ids: model(ids)))(EVERY_ID)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "export", export)
        return model.export().call(EVERY_ID)


def stateless(model: Any, folder: Path) -> Any:
    del folder
    trainable = [variable.value for variable in model.trainable_variables]
    return model.stateless_call(trainable, [], EVERY_ID)[0]


def own_variables(model: Any, folder: Path) -> Any:
    del folder
    store: dict[str, Any] = {}
    table(model).save_own_variables(store)
    of_optimizer: dict[str, Any] = {}
    model.optimizer.save_own_variables(of_optimizer)
    return [store["0"], *of_optimizer.values()]


def quantized(model: Any, folder: Path) -> Any:
    del folder
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    table(clone).quantize("int8")
    return clone(EVERY_ID)


def state_tree(model: Any) -> list[Any]:
    """Its values in the order of the variables; its own differs by names and backends."""
    tree = model.get_state_tree()
    parts = {
        "trainable_variables": model.trainable_variables,
        "optimizer_variables": model.optimizer.variables,
    }
    return [
        reduce(getitem, variable.path.split("/"), tree[name])
        for name, variables in parts.items()
        for variable in variables
    ]


READERS: dict[str, Callable[[Any, Path], Any]] = {
    "evaluate": lambda m, _: m.evaluate(EVERY_ID, TARGETS[:8], verbose=0),
    "predict": lambda m, _: m.predict(EVERY_ID, verbose=0),
    "test_on_batch": lambda m, _: m.test_on_batch(EVERY_ID, TARGETS[:8]),
    "predict_on_batch": lambda m, _: m.predict_on_batch(EVERY_ID),
    "plain call": lambda m, _: m(EVERY_ID),
    "call of the layer": lambda m, _: table(m)(EVERY_ID),
    "stateless_call": stateless,
    "get_weights": lambda m, _: m.get_weights(),
    "get_weights of the layer": lambda m, _: table(m).get_weights(),
    "get_state_tree": lambda m, _: state_tree(m),
    "embeddings": lambda m, _: table(m).embeddings.numpy(),
    "embeddings.value": lambda m, _: table(m).embeddings.value,
    "embeddings as an array": lambda m, _: np.array(table(m).embeddings),
    "arithmetic on embeddings": lambda m, _: table(m).embeddings + 1.0,
    "a row of embeddings": lambda m, _: [table(m).embeddings[3], table(m).embeddings[-1]],
    "ops on embeddings": lambda m, _: keras.ops.sum(keras.ops.abs(table(m).embeddings), axis=1),
    "a slot": lambda m, _: m.optimizer.variables[2].numpy(),
    "all slots": lambda m, _: [variable.numpy() for variable in m.optimizer.variables],
    "save_own_variables": own_variables,
    "save": saved_and_loaded(lambda m, path: m.save(path)),
    "keras.saving.save_model": saved_and_loaded(keras.saving.save_model),
    "save_weights": loaded_weights,
    "quantize": quantized,
    "pickle": lambda m, _: state_of(pickle.loads(pickle.dumps(m))),
    "deepcopy": lambda m, _: state_of(copy.deepcopy(m)),
}
if ON_JAX:
    READERS |= {"call in jit": traced, "export": exported}
if ON_TORCH:
    READERS |= {
        "state_dict": lambda m, _: [one.clone() for one in m.state_dict().values()],
        "parameters": lambda m, _: [one.clone() for one in m.parameters()],
    }


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("trained", ["fit", "train_on_batch"])
def test_a_reader_sees_what_stock_keras_shows(
    name: str, trained: str, pair: Pair, tmp_path: Path
) -> None:
    found = []
    for number, model in enumerate(pair.restart()):
        if trained == "fit":
            model.fit(IDS, TARGETS, **FIT)
        else:
            for start in range(0, 40, 4):
                model.train_on_batch(IDS[start : start + 4], TARGETS[start : start + 4])
        folder = tmp_path / str(number)
        folder.mkdir()
        found.append(READERS[name](model, folder))
    assert_close(*found)
    assert_twins(*pair.models)
    assert ways(pair.models[0]) == ["exact"]


class Reads(keras.callbacks.Callback):
    """Holds a layer of the model and looks at its table after each batch."""

    def __init__(self, layer: Any, optimizer: Any, touch: bool) -> None:
        super().__init__()
        self.layer, self.optimizer, self.touch = layer, optimizer, touch
        self.seen: list[Any] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.touch:
            # Without this, stock Keras on JAX has no value to show in the middle of an epoch.
            assert self.model.built
        self.seen.append(self.layer.embeddings.numpy())
        self.seen.append(self.optimizer.variables[3].numpy())


@pytest.mark.parametrize("touch", [True, False], ids=["through the model", "past the model"])
def test_a_callback_that_holds_the_layer_sees_each_batch(touch: bool, pair: Pair) -> None:
    found = []
    for model in pair.restart():
        ours = isinstance(model, rowwise.Sequential)
        callback = Reads(table(model), model.optimizer, touch or not ours)
        model.fit(IDS, TARGETS, callbacks=[callback], **FIT)
        found.append(callback.seen)
    assert len(found[0]) == 24
    assert_close(*found)
    assert_twins(*pair.models)


class Writes(keras.callbacks.Callback):
    """Scales the table in the middle of an epoch, as a constraint of one's own would."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch % 4 == 2:
            embeddings = table(self.model).embeddings
            embeddings.assign(embeddings * 0.5)
            weights = self.model.get_weights()
            self.model.set_weights([weights[0] + 0.25, *weights[1:]])


def test_what_a_callback_assigns_is_trained_on(pair: Pair) -> None:
    for model in pair.restart():
        model.fit(IDS, TARGETS, callbacks=[Writes()], epochs=2, **FIT)
    assert_twins(*pair.models)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "lion"])
def test_slots_that_somebody_writes_move_rows_that_were_never_looked_up(optimizer: str) -> None:
    models = [simple(kit, optimizer) for kit in (OURS, STOCK)]
    ids, targets = batches(20)
    for model in models:
        model.fit(ids, targets, batch_size=BATCH, shuffle=False, verbose=0)
        for variable in model.optimizer.variables:
            if tuple(variable.shape) == tuple(model.layers[0].embeddings.shape):
                variable.assign(np.full(variable.shape, 0.01))
        model.fit(ids, targets, batch_size=BATCH, shuffle=False, verbose=0)
    assert_twins(*models)
    assert ROWS - 1 not in ids


@pytest.mark.parametrize("capacity", [12, 1000])  # the history is full before that batch, or not
@pytest.mark.parametrize("by", ["fit", "train_on_batch"])
def test_a_batch_of_the_wrong_shape_loses_nothing(
    by: str, capacity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CAPACITY", capacity)
    ours, stock = (simple(kit, "nadam") for kit in (OURS, STOCK))
    ids, targets = batches(12)
    settings = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    for model in (ours, stock):
        model.fit(ids, targets, **settings)
    with pytest.raises(ValueError, match="shape"):
        getattr(ours, by)(ids[:BATCH], np.zeros((BATCH, 3)))
    assert_twins(ours, stock)
    for model in (ours, stock):
        model.fit(ids[::-1], targets, **settings)
    assert_twins(ours, stock)


def test_checkpoints_in_the_middle_of_an_epoch(pair: Pair, tmp_path: Path) -> None:
    found: list[Any] = []
    for number, model in enumerate(pair.restart()):
        name = str(tmp_path / f"{number}-{{batch:02d}}.keras")
        callback = keras.callbacks.ModelCheckpoint(name, save_freq=5)
        model.fit(IDS, TARGETS, callbacks=[callback], **FIT)
        files = sorted(tmp_path.glob(f"{number}-*.keras"))
        assert len(files) == 2
        found.append([state_of(keras.saving.load_model(file)) for file in files])
    assert_close(*found)
    assert_twins(*pair.models)


def test_early_stopping_restores_the_best_weights(pair: Pair) -> None:
    for model in pair.restart():
        # With targets turned round, the first epoch is the best.
        callback = keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
        model.fit(
            IDS, TARGETS, epochs=4, validation_data=(IDS, 1 - TARGETS), callbacks=[callback], **FIT
        )
        assert callback.best_epoch < callback.stopped_epoch
    assert_twins(*pair.models)


class Stops(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == 7:
            raise KeyboardInterrupt


def test_a_run_that_was_interrupted_goes_on_from_its_backup(pair: Pair, tmp_path: Path) -> None:
    for number, model in enumerate(pair.restart()):
        backup: Any = {"backup_dir": str(tmp_path / str(number)), "save_freq": 3}
        callbacks = [keras.callbacks.BackupAndRestore(**backup), Stops()]
        with pytest.raises(KeyboardInterrupt):
            model.fit(IDS, TARGETS, callbacks=callbacks, **FIT)
        for variable in model.trainable_variables:
            variable.assign(variable * 0)
        callbacks = [keras.callbacks.BackupAndRestore(**backup)]
        model.fit(IDS, TARGETS, epochs=2, callbacks=callbacks, **FIT)
    assert_twins(*pair.models)


class Touches(keras.callbacks.Callback):
    """Uses the model without looking at a value."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        assert self.model.count_params() > 0
        assert len(self.model.trainable_variables) == 3
        assert self.model.optimizer.variables[2].shape == (ROWS, 3)


def test_nobody_looks_nobody_pays(pair: Pair) -> None:
    model, _ = pair.restart()
    with counting_flushes() as flushes:
        model.fit(IDS, TARGETS, epochs=3, callbacks=[Touches()], **FIT)
        for start in (0, 4, 8):
            model.train_on_batch(IDS[start : start + 4], TARGETS[start : start + 4])
        model.summary(print_fn=lambda text: None)
        model.optimizer.iterations.numpy()
        assert flushes == []
        model.get_weights()
        assert flushes == [table(model).embeddings.path]
        model.get_weights()
        model.predict(EVERY_ID, verbose=0)
        [variable.numpy() for variable in model.optimizer.variables]
        assert len(flushes) == 1
        model.fit(IDS, TARGETS, **FIT)
        model.evaluate(IDS, TARGETS, verbose=0)
        assert len(flushes) == 2


HALF, RATE = 500, 0.01
CHILD = """
import sys
import numpy as np
from rowwise import keras
ids, targets = np.load(sys.argv[2]), np.load(sys.argv[3])
model = keras.saving.load_model(sys.argv[1])
model.fit(ids, targets, batch_size=4, shuffle=False, verbose=0)
assert [one.how for one in model.table_updates()] == ["exact"]
model.save(sys.argv[1])
"""


def test_half_a_run_saved_and_ended_in_another_process_is_the_whole_run(tmp_path: Path) -> None:
    ids, targets = batches(2 * HALF)
    path = tmp_path / "model.keras"
    first = simple(OURS, keras.optimizers.AdamW(RATE, weight_decay=0.01))
    first.fit(ids[: 4 * HALF], targets[: 4 * HALF], **FIT)
    first.save(path)
    np.save(tmp_path / "ids.npy", ids[4 * HALF :])
    np.save(tmp_path / "targets.npy", targets[4 * HALF :])
    files = [str(path), str(tmp_path / "ids.npy"), str(tmp_path / "targets.npy")]
    subprocess.run([sys.executable, "-c", CHILD, *files], check=True)
    whole = simple(OURS, keras.optimizers.AdamW(RATE, weight_decay=0.01))
    whole.fit(ids, targets, **FIT)
    assert_twins(keras.saving.load_model(path), whole)
    assert whole.optimizer.iterations.numpy() == 2 * HALF


def test_compiling_again_with_another_optimizer() -> None:
    models = [simple(kit) for kit in (OURS, STOCK)]
    for model in models:
        old = model.optimizer
        model.fit(IDS, TARGETS, **FIT)
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "binary_crossentropy")
        model.fit(IDS, TARGETS, **FIT)
        model.compile(old, "binary_crossentropy")  # its slots went on resting meanwhile
        model.fit(IDS, TARGETS, **FIT)
    assert_twins(*models)
    assert ways(models[0]) == ["exact"]


def test_an_optimizer_that_is_thrown_away_keeps_its_last_slots() -> None:
    models = [simple(kit) for kit in (OURS, STOCK)]
    kept = []
    for model in models:
        kept.append(model.optimizer)
        model.fit(IDS, TARGETS, **FIT)
        model.compile("sgd", "binary_crossentropy")
        model.fit(IDS, TARGETS, **FIT)
    assert_close(*([variable.numpy() for variable in old.variables] for old in kept))


def test_freezing_and_thawing() -> None:
    models = [simple(kit) for kit in (OURS, STOCK)]
    for model in models:
        table(model).trainable = False
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
        model.fit(IDS, TARGETS, epochs=3, callbacks=[rowwise.Unfreeze(1, 0.005)], **FIT)
    assert_twins(*models)
    assert ways(models[0]) == ["exact"]
    before = table(models[0]).get_weights()
    table(models[0]).trainable = False
    models[0].compile("adam", "binary_crossentropy")
    models[0].fit(IDS, TARGETS, **FIT)
    assert ways(models[0]) == ["frozen"]
    assert_close(table(models[0]).get_weights(), before, 0.0)


def two_heads(kit: Kit) -> tuple[Any, Any]:
    keras.utils.set_random_seed(2)
    ids = keras.Input((LENGTH,), dtype="int32")
    rows = keras.layers.GlobalAveragePooling1D()(kit.embedding(name="words")(ids))
    made = []
    for rate in (0.02, 0.05):
        model = kit.model(ids, keras.layers.Dense(1, activation="sigmoid")(rows))
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
        made.append(model)
    return made[0], made[1]


def test_two_models_that_share_a_table_train_in_turn() -> None:
    both = [two_heads(kit) for kit in (OURS, STOCK)]
    for first, second in both:
        for start in range(0, 32, 4):
            part = slice(start, start + 4)
            first.train_on_batch(IDS[part], TARGETS[part])
            second.fit(IDS[part], 1 - TARGETS[part], **FIT)
            if start % 12 == 0:
                first.fit(IDS[:8], TARGETS[:8], **FIT)
    for ours, stock in zip(*both, strict=True):
        assert_twins(ours, stock)
        assert ways(ours) == ["exact"]
    assert_close(both[0][0].predict(EVERY_ID, verbose=0), both[1][0].predict(EVERY_ID, verbose=0))


def test_a_model_around_a_table_predicts_with_current_rows() -> None:
    found = []
    for kit in (OURS, STOCK):
        model = simple(kit)
        around = kit.model(model.inputs, table(model).output)
        around.predict(EVERY_ID, verbose=0)  # which is compiled now
        model.fit(IDS, TARGETS, **FIT)
        found.append(around.predict(EVERY_ID, verbose=0))
    assert_close(*found)


def test_an_optimizer_that_somebody_else_applies_wakes_rows() -> None:
    models = [simple(kit) for kit in (OURS, STOCK)]
    generator = np.random.default_rng(5)
    for model in models:
        model.fit(IDS[:8], TARGETS[:8], **FIT)
    shapes = [variable.shape for variable in models[0].trainable_variables]
    given = [generator.normal(size=shape).astype("float32") for shape in shapes]
    for model in models:
        gradients = [keras.ops.convert_to_tensor(one) for one in given]
        model.optimizer.apply(gradients, model.trainable_variables)
        model.fit(IDS, TARGETS, **FIT)
    assert_twins(*models)


def fails_for_100(targets: Any, error: Any) -> Any:
    """``targets``, or an error where a batch's are 100 together."""
    if ON_TORCH:
        if float(targets.sum()) == 100:
            raise error("in the middle")
        return targets
    import tensorflow as tf

    with tf.control_dependencies([tf.debugging.assert_less(tf.reduce_sum(targets), 99.0)]):
        return tf.identity(targets)


if not ON_JAX:  # where nothing in a compiled step raises

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    def test_an_error_in_the_middle_of_a_step_catches_no_row_up_twice(error: Any) -> None:
        def loss(y: Any, predicted: Any) -> Any:
            return keras.losses.binary_crossentropy(fails_for_100(y, error), predicted)

        ours, stock = simple(OURS), simple(STOCK)
        ours.compile(keras.optimizers.Adam(0.05), loss)
        stock.compile(keras.optimizers.Adam(0.05), "binary_crossentropy")
        targets = TARGETS.copy()
        targets[32:36] = 25
        with pytest.raises(error if ON_TORCH else Exception, match=r"middle|assertion failed"):
            ours.fit(IDS, targets, **FIT)
        stock.fit(IDS[:32], TARGETS[:32], **FIT)
        assert ways(ours) == ["exact"]
        tables = [
            [one for one in state_of(model) if one.shape == (ROWS, 3)] for model in (ours, stock)
        ]
        assert len(tables[0]) == 3
        assert_close(*tables)
        if ON_TORCH:  # on TensorFlow an error comes when some other variables are updated already
            for model in (ours, stock):
                model.fit(IDS, TARGETS, **FIT)
            assert_twins(ours, stock)


if ON_TORCH:

    def test_a_state_dict_that_is_loaded_stays_as_it_is() -> None:
        models = [simple(kit) for kit in (OURS, STOCK)]
        for model in models:
            kept = {name: one.clone() for name, one in model.state_dict().items()}
            model.fit(IDS, TARGETS, **FIT)
            model.load_state_dict(kept)
        assert_twins(*models)


class ReadsAll(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.get_weights()


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_may_run_out_after_somebody_read(pair: Pair) -> None:
    def three_batches() -> Any:
        for start in (0, 4, 8):
            yield IDS[start : start + 4], TARGETS[start : start + 4]

    for model in pair.restart():
        model.fit(
            three_batches(), steps_per_epoch=5, callbacks=[ReadsAll()], shuffle=False, verbose=0
        )
        model.fit(IDS, TARGETS, **FIT)
    assert int(pair.models[0].optimizer.iterations) == 3 + 12
    if int(pair.models[1].optimizer.iterations) == 3 + 12:  # on TensorFlow Keras counts one more
        assert_twins(*pair.models)


def test_a_stock_model_around_a_table_sees_it_current() -> None:
    models = [simple(kit) for kit in (OURS, STOCK)]
    found = []
    for model in models:
        around = keras.Sequential([keras.Input((LENGTH,), dtype="int32"), table(model)])
        model.fit(IDS, TARGETS, **FIT)
        found.append([around.predict(EVERY_ID, verbose=0)])
        model.fit(IDS, TARGETS, **FIT)
        found[-1].append(around(EVERY_ID))
        around.compile("sgd", "mse")
        around.fit(EVERY_ID, np.zeros((8, LENGTH, 3)), verbose=0)
        model.fit(IDS, TARGETS, **FIT)
        found[-1].append(around.predict(EVERY_ID, verbose=0))
    assert_close(*found)
    assert_twins(*models)


def test_a_clone_trains_by_itself(pair: Pair) -> None:
    clones = []
    for model in pair.restart():
        model.fit(IDS, TARGETS, **FIT)
        clone = keras.models.clone_model(model)
        clone.set_weights(model.get_weights())
        clone.compile("adam", "binary_crossentropy")
        clone.fit(IDS, TARGETS, **FIT)
        clones.append(clone)
    assert_twins(*clones)
    assert_twins(*pair.models)


def test_a_deleted_model_leaves_its_table_current_and_is_forgotten() -> None:
    kept = []
    for kit in (OURS, STOCK):
        model = simple(kit)
        model.fit(IDS, TARGETS, **FIT)
        kept.append(table(model))
        if kit is OURS:
            gone = weakref.ref(model)
        del model
    assert_close(*(layer.embeddings.numpy() for layer in kept))
    # Its layer still knows the model it was trained in until somebody trains it elsewhere.
    other = rowwise.Sequential([keras.Input((LENGTH,), dtype="int32"), kept[0]])
    other.compile("sgd", "mse")
    other.fit(EVERY_ID, np.zeros((8, LENGTH, 3)), verbose=0)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("loop", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("good", [0, 2])
def test_data_that_cannot_be_read_does_not_cost_the_weights(loop: str, good: int) -> None:
    ids, targets = batches(6)

    class Failing(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> Any:
            if index == good:
                raise OSError("the disk is gone")
            here = slice(index * BATCH, (index + 1) * BATCH)
            return ids[here], targets[here]

    model, alone = simple(OURS), simple(OURS)
    for one in (model, alone):
        one.fit(ids, targets, batch_size=BATCH, shuffle=False, verbose=0)
    shuffle = {"shuffle": False} if loop == "fit" else {}
    # TensorFlow makes another error of it.
    with pytest.raises(OSError if ON_JAX else Exception, match="the disk is gone"):
        getattr(model, loop)(Failing(), verbose=0, **shuffle)
    if loop == "fit" and good:
        first = slice(0, good * BATCH)
        alone.fit(ids[first], targets[first], batch_size=BATCH, shuffle=False, verbose=0)
    assert_twins(model, alone)
