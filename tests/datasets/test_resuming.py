"""A training that stops anywhere goes on as if it had not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rowwise import Sequential, TextDataset, Vocabulary
from rowwise.backend import keras
from rowwise.datasets import ResumeDataset
from rowwise.layers import Embedding
from rowwise.text.indexed import rows

WORDS = Vocabulary(f"w{i}" for i in range(300))
EPOCHS = 3


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rows, "BLOCK_BYTES", 200)
    lines = [f"w{i} w{i % 7},{'ab'[i % 2]}\n" for i in range(200)]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(lines))
    return tmp_path / "a.csv"


def fresh(path: Path, updates: str = "dense") -> tuple[Any, TextDataset]:
    """What a new process makes."""
    keras.utils.set_random_seed(1)
    model = Sequential(
        [
            Embedding(WORDS, 4, input_length=3, updates=updates),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    columns = {"text": "text", "label": "label"}
    dataset = TextDataset(path, WORDS, **columns, max_length=3, batch_size=16, window_bytes=2000)
    return model, dataset


class Stop(keras.callbacks.Callback):
    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


def fit(path: Path, folder: Path, *more: Any, updates: str = "dense", save_freq: int = 1) -> Any:
    model, dataset = fresh(path, updates)
    callbacks = [
        keras.callbacks.BackupAndRestore(folder, save_freq, delete_checkpoint=False),
        ResumeDataset(dataset),
        *more,
    ]
    model.fit(dataset, epochs=EPOCHS, callbacks=callbacks, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize(
    ("steps", "updates", "save_freq"), [(1, "dense", 1), (18, "dense", 1), (18, "exact", 4)]
)
def test_training_goes_on_in_the_middle_of_an_epoch(
    path: Path, tmp_path: Path, steps: int, updates: str, save_freq: int
) -> None:
    options: dict[str, Any] = {"updates": updates, "save_freq": save_freq}
    whole = fit(path, tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        fit(path, tmp_path / "backup", Stop(steps), **options)
    resumed = fit(path, tmp_path / "backup", **options)
    assert int(resumed.optimizer.iterations) == int(whole.optimizer.iterations) == 3 * 13
    for one, other in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        # Row-wise, rows are made current at other times, which rounds differently.
        assert np.allclose(one, other, rtol=0, atol=0 if updates == "dense" else 1e-6)


def test_training_goes_on_with_a_saved_model(path: Path, tmp_path: Path) -> None:
    whole = fit(path, tmp_path / "whole")
    model, dataset = fresh(path)
    model.fit(dataset, epochs=1, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    _, dataset = fresh(path)
    loaded.fit(
        dataset,
        initial_epoch=1,
        epochs=EPOCHS,
        callbacks=[ResumeDataset(dataset)],
        shuffle=False,
        verbose=0,
    )
    for one, other in zip(loaded.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_steps_made_on_other_data_do_not_count(path: Path) -> None:
    model, dataset = fresh(path)
    model.fit(np.ones((64, 3), "int32"), np.ones(64), batch_size=32, verbose=0)
    model.fit(dataset, callbacks=[ResumeDataset(dataset, first_step=2)], shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == 2 + 13
