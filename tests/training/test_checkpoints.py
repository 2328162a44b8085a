"""Checkpoints: training goes on from them exactly, on any number of devices, and none is half."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import LAYOUTS, on_devices, whole_state
from twins import ON_JAX, ON_TORCH, OURS, STOCK, assert_close, batches, simple, state_of

import rowwise
from rowwise.backend import keras
from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.training import load_checkpoint, save_checkpoint
from rowwise.training.checkpoints import storing

STEPS, BATCH = 12, 8
IDS, TARGETS = batches(2 * STEPS, batch=BATCH)


def fit(model: Any, first: int, last: int, callbacks: Any = ()) -> None:
    some = slice(first * BATCH, last * BATCH)
    model.fit(
        IDS[some], TARGETS[some], batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks
    )


def test_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    at_once, before, after = (simple(OURS) for _ in range(3))
    fit(at_once, 0, 2 * STEPS)
    fit(before, 0, STEPS)
    place = save_checkpoint(before, tmp_path / "run")
    assert place == tmp_path / "run" / f"step-{STEPS:09d}"
    assert load_checkpoint(after, tmp_path / "run") == STEPS
    fit(after, STEPS, 2 * STEPS)
    assert_close(state_of(after), state_of(at_once))


def test_stock_models_have_checkpoints_too(tmp_path: Path) -> None:
    model, again = simple(STOCK), simple(STOCK)
    fit(model, 0, STEPS)
    save_checkpoint(model, tmp_path)
    load_checkpoint(again, tmp_path)
    assert_close(state_of(again), state_of(model), 0)


def test_weights_alone_go_into_a_model_without_an_optimizer(tmp_path: Path) -> None:
    model = simple(OURS)
    fit(model, 0, STEPS)
    save_checkpoint(model, tmp_path)
    bare = keras.models.clone_model(model)
    load_checkpoint(bare, tmp_path)
    assert_close(bare.get_weights(), model.get_weights(), 0)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_numbers(dtype: str, tmp_path: Path) -> None:
    def make() -> Any:
        return rowwise.Sequential(
            [keras.Input((3,), dtype="int32"), rowwise.layers.Embedding(5, 4, dtype=dtype)]
        )

    model, again = make(), make()
    save_checkpoint(model, tmp_path)
    load_checkpoint(again, tmp_path)
    ours, others = (one.predict(np.arange(3)[None], verbose=0) for one in (model, again))
    np.testing.assert_array_equal(ours.astype("float32"), others.astype("float32"))


def test_the_callback_keeps_the_newest(tmp_path: Path) -> None:
    model = simple(OURS)
    fit(model, 0, 5)
    keep = rowwise.Checkpoints(tmp_path / "run", every=3, keep=2)
    steps = 1 if ON_TORCH else 2
    model.compile(model.optimizer, "binary_crossentropy", steps_per_execution=steps)
    fit(model, 5, 5 + STEPS, [keep])
    fit(model, 5, 8, [keep])
    names = [path.name for path in sorted((tmp_path / "run").iterdir())]
    # Multiples of 3, or the first step after one of which a callback hears.
    assert names == ["step-000000015", f"step-0000000{17 + steps}"]
    every_epoch = rowwise.Checkpoints(tmp_path / "epochs", keep=1)
    model.fit(IDS, TARGETS, batch_size=BATCH, epochs=2, verbose=0, callbacks=[every_epoch])
    [place] = (tmp_path / "epochs").iterdir()
    assert place.name == f"step-{20 + 4 * STEPS:09d}"


def test_what_was_not_finished_is_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = simple(OURS)
    fit(model, 0, 3)
    first = save_checkpoint(model, tmp_path)
    expected = state_of(model)
    fit(model, 3, 6)
    original = storing._store

    def fail(folder: Path, name: str, variable: Any) -> Any:
        if name == "optimizer-2":
            raise OSError("No space left on device")
        return original(folder, name, variable)

    monkeypatch.setattr(storing, "_store", fail)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    again = simple(OURS)
    assert load_checkpoint(again, tmp_path) == 3
    assert_close(state_of(again), expected, 0)
    monkeypatch.undo()
    assert save_checkpoint(model, tmp_path).name == "step-000000006"
    assert save_checkpoint(model, tmp_path).name == "step-000000006"  # once more, over it
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.name, "step-000000006"]


def changed(place: Path, change: Any) -> None:
    content = json.loads((place / "checkpoint.json").read_text())
    change(content)
    (place / "checkpoint.json").write_text(json.dumps(content))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


DAMAGES: dict[str, tuple[Any, str]] = {
    "no json": (lambda place: (place / "checkpoint.json").write_text("{"), "not that of a checkp"),
    "another format": (
        lambda place: changed(place, lambda content: content.update(format="x")),
        "its format is 'x'",
    ),
    "a later version": (
        lambda place: changed(place, lambda content: content.update(version=2)),
        "its version is 2, and 1 is known",
    ),
    "a file elsewhere": (
        lambda place: changed(
            place, lambda content: content["model"][0]["parts"][0].update(file="../x.npy")
        ),
        "no name of a file in the folder",
    ),
    "a negative size": (
        lambda place: changed(place, lambda content: content["model"][0].update(shape=[-1, 3])),
        "a size is negative",
    ),
    "an unknown dtype": (
        lambda place: changed(place, lambda content: content["model"][0].update(dtype="junk")),
        "of dtype 'junk', which there is not",
    ),
    "numbers of another dtype": (
        lambda place: np.save(place / "model-0-0.npy", np.zeros((30, 3), "int32")),
        "and dtype int32, and its checkpoint says",
    ),
    "a part twice": (
        lambda place: changed(
            place,
            lambda content: content["model"][1].update(
                shape=[3, 1], parts=[content["model"][1]["parts"][0] | {"shape": [1, 1]}] * 3
            ),
        ),
        "has shape",
    ),
    "a missing part": (
        lambda place: changed(place, lambda content: content["model"][0].update(parts=[])),
        "does not have all of 'words/embeddings'",
    ),
    "a missing file": (lambda place: (place / "model-0-0.npy").unlink(), "cannot be read"),
    "a file cut short": (lambda place: cut(place / "model-0-0.npy"), "cannot be read"),
    "another array": (
        lambda place: np.save(place / "model-0-0.npy", np.zeros((2, 2))),
        r"has shape \(2, 2\) and dtype float64, and its checkpoint says \(30, 3\)",
    ),
    "objects": (
        lambda place: np.save(place / "model-0-0.npy", np.array([{}]), allow_pickle=True),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_an_error_and_changes_nothing(name: str, tmp_path: Path) -> None:
    damage, message = DAMAGES[name]
    model = simple(OURS)
    fit(model, 0, 2)
    place = save_checkpoint(model, tmp_path)
    damage(place)
    before = state_of(model)
    with pytest.raises(DataFileError, match=message):
        load_checkpoint(model, place)
    assert_close(state_of(model), before, 0)


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    model = simple(OURS)
    with pytest.raises(DataFileError, match="There is no checkpoint in"):
        load_checkpoint(model, tmp_path)
    place = save_checkpoint(model, tmp_path)
    with pytest.raises(DataFileError, match="variables of the model, and there are 1"):
        load_checkpoint(
            rowwise.Sequential([keras.Input((4,)), rowwise.layers.Embedding(30, 3)]), place
        )
    other = simple(OURS)
    other.compile("adamax", "mse")
    with pytest.raises(DataFileError, match="with optimizer Adam, and this one has Adamax"):
        load_checkpoint(other, place)
    other.layers[0].trainable = False
    other.compile("adam", "mse")
    with pytest.raises(DataFileError, match=r"'words/embeddings' does not train, and in .* it did"):
        load_checkpoint(other, place)
    with pytest.raises(InvalidArgumentError, match="has no variables yet"):
        save_checkpoint(rowwise.Sequential([keras.layers.Dense(1)]), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgumentError, match="is a file"):
        save_checkpoint(model, tmp_path / "file")
    for settings in ({"every": "day"}, {"every": 0}, {"keep": 0}):
        with pytest.raises(InvalidArgumentError, match="must be"):
            rowwise.Checkpoints(tmp_path, **settings)


PARTS = dict(zip([None, *LAYOUTS], [1, 1, 8, 4, 8], strict=True))


def test_what_trains_does_not_change_which_weights_are_whose(tmp_path: Path) -> None:
    def make(trainable: bool) -> Any:
        first, second = (keras.layers.Dense(4, trainable=one) for one in (trainable, True))
        return rowwise.Sequential([keras.Input((4,)), first, second])

    model, again = make(False), make(True)
    save_checkpoint(model, tmp_path)
    load_checkpoint(again, tmp_path)
    for one, other in zip(model.layers, again.layers, strict=True):
        assert_close(one.get_weights(), other.get_weights(), 0)


def test_a_folder_is_for_one_training(tmp_path: Path) -> None:
    model = simple(OURS)
    fit(model, 0, 8, [rowwise.Checkpoints(tmp_path, every=4)])
    with pytest.raises(InvalidArgumentError, match="has a checkpoint of step 8, and the model is"):
        fit(simple(OURS), 0, 8, [rowwise.Checkpoints(tmp_path, every=4)])
    (tmp_path / "step-000000099").mkdir()
    (tmp_path / "step-000000099" / "checkpoint.json").write_text("")
    (tmp_path / ".step-000000009.tmp").mkdir()
    fit(model, 8, 12, [rowwise.Checkpoints(tmp_path, every=4, keep=1)])
    assert load_checkpoint(simple(OURS), tmp_path) == 12
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["step-000000012", "step-000000099"]


def test_a_checkpoint_is_there_while_another_takes_its_place(tmp_path: Path) -> None:
    model = simple(OURS)
    fit(model, 0, 3)
    place = save_checkpoint(model, tmp_path)
    place.rename(tmp_path / f".{place.name}.old")  # killed before the other one was there
    again = simple(OURS)
    assert load_checkpoint(again, tmp_path) == 3
    assert_close(state_of(again), state_of(model), 0)


def test_keras_waits_for_no_step_but_for_what_is_asked() -> None:
    for every, waits in (("epoch", False), (5, True)):
        callback = rowwise.Checkpoints("nowhere", every=every)
        overridden = not hasattr(callback.on_train_batch_end, "_is_default")
        assert overridden is waits


if ON_JAX:

    @pytest.mark.parametrize("here", [None, *LAYOUTS])
    def test_it_goes_on_on_another_number_of_devices(here: str | None, tmp_path: Path) -> None:
        """30 rows, which eight devices cannot share evenly."""
        at_once = simple(OURS)
        fit(at_once, 0, 2 * STEPS)
        with on_devices(here and LAYOUTS[here]()):
            before = simple(OURS)
            fit(before, 0, STEPS)
            place = save_checkpoint(before, tmp_path)
        files = list(place.glob("model-0-*.npy"))
        assert len(files) == PARTS[here]
        assert sum(len(np.load(file)) for file in files) == 30
        after_it = dict(zip(PARTS, [*list(PARTS)[1:], None], strict=True))
        for there in (None, after_it[here]):
            with on_devices(there and LAYOUTS[there]()):
                after = simple(OURS)
                load_checkpoint(after, tmp_path)
                fit(after, STEPS, 2 * STEPS)
                assert_close(whole_state(after), whole_state(at_once))
