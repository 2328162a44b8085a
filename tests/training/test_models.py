import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from rowwise import keras
from rowwise.backend import keras as stock
from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.layers import Embedding
from rowwise.training import Model, Sequential, load_keras_model, save_model

IDS = np.random.default_rng(0).integers(0, 50, (64, 4))
TARGETS = np.random.default_rng(1).integers(0, 2, (64, 1))


def classifier(*first: Any) -> Any:
    flat, dense = keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")
    return Sequential([*first, Embedding(50, 8, input_length=4), flat, dense])


def through_inputs() -> Any:
    ids = keras.Input((4,), dtype="int32")
    return Model(ids, keras.layers.Dense(1)(keras.layers.Flatten()(Embedding(50, 8)(ids))))


@keras.saving.register_keras_serializable("tests")
class OwnCall(Model):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.table = Embedding(50, 8)
        self.dense = keras.layers.Dense(1)

    def call(self, ids: Any) -> Any:
        return self.dense(keras.ops.mean(self.table(ids), axis=1))


@keras.saving.register_keras_serializable("tests")
class OwnInputs(Model):
    def __init__(self, length: int = 4) -> None:
        ids = keras.Input((length,), dtype="int32")
        super().__init__(ids, keras.layers.Flatten()(Embedding(50, 8)(ids)), name="own")
        self.length = length

    def get_config(self) -> dict[str, Any]:
        return {"length": self.length}


KINDS = [classifier, through_inputs, OwnCall, OwnInputs]


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_kinds_of_models_do_not_disturb_each_other(first: Any, second: Any) -> None:
    for build in (first, second, first):
        model = build()
        model.compile("sgd", "mse")
        targets = np.zeros(model(IDS).shape)
        model.fit(IDS, targets, verbose=0)
        assert isinstance(model, Sequential if build is classifier else Model)
        assert Model.__bases__ == (Model.__mro__[1],)


@pytest.mark.parametrize("build", KINDS)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_models_save_and_load_with_their_optimizer(build: Any, suffix: str, tmp_path: Path) -> None:
    if suffix == ".h5" and build in (OwnCall, OwnInputs):
        suffix = ".weights.h5"
    model = build()
    model.compile("adam", "mse", metrics=["mae"])
    targets = np.zeros(model(IDS).shape)
    model.fit(IDS, targets, verbose=0, epochs=2)
    expected = model.predict(IDS, verbose=0)
    path = tmp_path / f"model{suffix}"
    if suffix == ".weights.h5":
        model.save_weights(path)
        loaded = build()
        loaded(IDS)
        loaded.load_weights(path)
    else:
        model.save(path)
        loaded = load_keras_model(path)
        assert loaded.optimizer.iterations == model.optimizer.iterations
        assert loaded.evaluate(IDS, targets, verbose=0) == pytest.approx(
            model.evaluate(IDS, targets, verbose=0)
        )
    assert type(loaded).__name__ == type(model).__name__
    assert np.array_equal(loaded.predict(IDS, verbose=0), expected)


LOSSES = ["mse", "mae", "mape", "msle", "MSE", "mean_squared_error", "binary_crossentropy"]


@pytest.mark.parametrize("loss", LOSSES)
def test_h5_files_with_short_names_of_losses_open_and_train_on(loss: str, tmp_path: Path) -> None:
    model = classifier()
    model.compile("adam", loss, metrics=["mse", "accuracy"])
    model.fit(IDS, TARGETS, verbose=0)
    model.save(tmp_path / "model.h5")
    loaded = load_keras_model(tmp_path / "model.h5")
    both = [m.fit(IDS, TARGETS, verbose=0, shuffle=False).history for m in (model, loaded)]
    for name, values in both[0].items():
        assert both[1][name] == pytest.approx(values, rel=1e-5), name


def half_the_error(true: Any, found: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(true - found)) / 2


def test_an_h5_file_with_a_loss_of_ones_own_needs_that_loss(tmp_path: Path) -> None:
    model = Sequential([Embedding(10, 4, input_length=2), keras.layers.Flatten()])
    model.compile("sgd", half_the_error, metrics=["mae", half_the_error])
    path = tmp_path / "model.h5"
    model.save(path)
    ids, targets = np.array([[1, 2], [3, 4]]), np.ones((2, 8))
    loaded = load_keras_model(path, custom_objects={"half_the_error": half_the_error})
    expected = model.evaluate(ids, targets, verbose=0)
    assert np.allclose(loaded.evaluate(ids, targets, verbose=0), expected)
    with pytest.raises(DataFileError, match=r"half_the_error.*compile=False"):
        load_keras_model(path)
    assert np.array_equal(
        load_keras_model(path, compile=False).predict(ids, verbose=0),
        model.predict(ids, verbose=0),
    )


def test_an_h5_file_of_keras_2_opens_with_integer_ids(tmp_path: Path) -> None:
    """The configuration is what tf.keras 2 wrote for such a model: float32 ids at the input."""
    model = classifier()
    model.compile("adam", "mse")
    model.save(tmp_path / "model.h5")
    batch_shape = '"batch_input_shape": [null, 4], "dtype": "float32"'
    layers = [
        '{"class_name": "InputLayer", "config": {' + batch_shape + ', "sparse": false, '
        '"ragged": false, "name": "embedding_input"}}',
        '{"class_name": "Embedding", "config": {"name": "embedding", "trainable": true, '
        + batch_shape
        + ', "input_dim": 50, "output_dim": 8, "embeddings_initializer": {"class_name": '
        '"RandomUniform", "config": {"minval": -0.05, "maxval": 0.05, "seed": null}}, '
        '"embeddings_regularizer": null, "activity_regularizer": null, '
        '"embeddings_constraint": null, "mask_zero": false, "input_length": 4}}',
        '{"class_name": "Flatten", "config": {"name": "flatten", "trainable": true, "dtype": '
        '"float32", "data_format": "channels_last"}}',
        '{"class_name": "Dense", "config": {"name": "dense", "trainable": true, "dtype": '
        '"float32", "units": 1, "activation": "sigmoid", "use_bias": true, "kernel_initializer": '
        '{"class_name": "GlorotUniform", "config": {"seed": null}}, "bias_initializer": '
        '{"class_name": "Zeros", "config": {}}, "kernel_regularizer": null, "bias_regularizer": '
        'null, "activity_regularizer": null, "kernel_constraint": null, "bias_constraint": null}}',
    ]
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        file.attrs["model_config"] = (
            '{"class_name": "Sequential", "config": {"name": "sequential", "layers": ['
            + ", ".join(layers)
            + "]}}"
        )
        names = list(file["model_weights"].attrs["layer_names"])
        for old, new in zip(names, ["embedding", "flatten", "dense"], strict=True):
            if old != new:
                file["model_weights"].move(old, new)
        file["model_weights"].attrs["layer_names"] = [b"embedding", b"flatten", b"dense"]
        file.attrs["keras_version"] = "2.15.0"
    loaded = load_keras_model(tmp_path / "model.h5")
    assert isinstance(loaded.layers[0], Embedding)
    assert loaded.inputs[0].dtype == "int32"
    assert np.array_equal(loaded.predict(IDS, verbose=0), model.predict(IDS, verbose=0))


def test_ids_never_pass_through_floating_point() -> None:
    rows = 2**24 + 2
    for given in ([], [keras.Input((1,))], [keras.Input((1,), dtype="float32", name="words")]):
        length = {} if given else {"input_length": 1}
        table = Embedding(rows, 1, embeddings_initializer="zeros", **length)
        table.set_weights([np.arange(rows, dtype="int32")[:, None] % 7])
        model = Sequential([*given, table])
        assert model.inputs[0].dtype == "int32"
        ids = np.array([[2**24], [2**24 + 1]])
        assert model.predict(ids, verbose=0).ravel().tolist() == (ids.ravel() % 7).tolist()


def test_without_a_length_the_model_is_built_by_its_first_batch_for_any_batch_size() -> None:
    model = Sequential([Embedding(50, 8), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(IDS, TARGETS, batch_size=32, verbose=0)
    assert model.inputs[0].shape == (None, 4)
    assert model.inputs[0].dtype == "int32"


@pytest.mark.parametrize("stock_layer", [False, True])
def test_trained_weights_are_those_of_stock_keras(stock_layer: bool) -> None:
    results = []
    for space in (keras, stock):
        space.utils.set_random_seed(7)
        layer = (stock if stock_layer else space).layers.Embedding(50, 8)
        dense = space.layers.Dense(1, activation="sigmoid")
        model = space.Sequential(
            [space.Input((4,), dtype="int32"), layer, space.layers.Flatten(), dense]
        )
        model.compile("adam", "binary_crossentropy")
        model.fit(IDS, TARGETS, epochs=3, verbose=0, shuffle=False)
        results.append(model.get_weights())
    for ours, theirs in zip(*results, strict=True):
        assert np.array_equal(ours, theirs)


def test_trainable_before_and_after_compile() -> None:
    for when in ("before", "after"):
        model = classifier()
        if when == "before":
            model.layers[0].trainable = False
        model.compile("adam", "mse")
        model.layers[0].trainable = False
        table = model.layers[0].get_weights()[0]
        model.fit(IDS, TARGETS, verbose=0)
        assert np.array_equal(model.layers[0].get_weights()[0], table)
        model.layers[0].trainable = True
        with pytest.raises(InvalidArgumentError, match="Call `compile` again"):
            model.fit(IDS, TARGETS, verbose=0)
        model.compile("adam", "mse")
        model.fit(IDS, TARGETS, verbose=0)
        assert not np.array_equal(model.layers[0].get_weights()[0], table)


FAULTY_FILES = [
    (b"", "neither by its content"),
    (b"word 1 2 3\n", "neither by its content"),
]


@pytest.mark.parametrize(("content", "words"), FAULTY_FILES)
def test_a_file_that_is_no_model_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=words):
        load_keras_model(path)


def test_damaged_models_are_named(tmp_path: Path) -> None:
    model = classifier()
    model.save(tmp_path / "whole.keras")
    model.save(tmp_path / "whole.h5")
    for suffix in (".keras", ".h5"):
        content = (tmp_path / f"whole{suffix}").read_bytes()
        (tmp_path / f"cut{suffix}").write_bytes(content[: len(content) // 2])
        with pytest.raises(DataFileError, match="not a whole"):
            load_keras_model(tmp_path / f"cut{suffix}")
    content = bytearray((tmp_path / "whole.keras").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "flipped.keras").write_bytes(content)
    with pytest.raises(DataFileError, match=r"damaged|not a whole"):
        load_keras_model(tmp_path / "flipped.keras")
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(DataFileError, match=r"has no config\.json and no model\.weights\.h5"):
        load_keras_model(tmp_path / "other.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(DataFileError, match="weights without a model"):
        load_keras_model(tmp_path / "model.weights.h5")


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="There is no model at"):
        load_keras_model(tmp_path / "nowhere.keras")


def test_the_model_in_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="File format not supported"):  # Keras's own sentence
        load_keras_model(tmp_path)
    model = classifier()
    model.save(tmp_path / "model.keras")
    with pytest.raises(DataFileError, match=r"is a folder\. The model in it is '.*model\.keras'"):
        load_keras_model(tmp_path)
    keras.saving.save_model(model, tmp_path / "folder", zipped=False)
    assert load_keras_model(tmp_path / "folder").count_params() == model.count_params()


def test_saving_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = classifier()
    path = tmp_path / "model.keras"
    model.save(path)
    before = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Embedding, "save_own_variables", fail)
    with pytest.raises(OSError, match="no space left"):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.keras"]


def test_killed_while_saving_the_old_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    code = f"""
import time
import numpy as np
from rowwise.layers import Embedding
from rowwise.training import Sequential

class Slow(Embedding):
    def save_own_variables(self, store):
        print("saving", flush=True)
        time.sleep(60)

Sequential([Embedding(5, 2, input_length=1, name="first")]).save({str(path)!r})
print("saved", flush=True)
Sequential([Slow(5, 2, input_length=1)]).save({str(path)!r})
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saved\n"
        assert process.stdout.readline() == b"saving\n"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert load_keras_model(path).layers[0].name == "first"


def test_save_model_writes_stock_models_whole_too(tmp_path: Path) -> None:
    model = stock.Sequential([stock.Input((2,)), stock.layers.Dense(1)])
    for name in ("model.keras", "model.h5"):
        save_model(model, tmp_path / name)
        loaded = load_keras_model(tmp_path / name)
        assert np.array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert sorted(os.listdir(tmp_path)) == ["model.h5", "model.keras"]
    save_model(model, tmp_path / "folder", zipped=False)
    assert (tmp_path / "folder").is_dir()
