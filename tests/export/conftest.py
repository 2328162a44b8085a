"""Classifiers that the tests share, and a Python without rowwise."""

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from exported import HEADS

from rowwise import TextClassifier
from rowwise.text import read_examples


@pytest.fixture(scope="session")
def classifiers() -> dict[str, TextClassifier]:
    """One of each head, hardly trained, but with probabilities that are far from even."""
    reviews = read_examples(str(files("rowwise.data") / "reviews.csv"), text="text", label="label")
    small = {"output_dim": 8, "pair_buckets": 128, "max_length": 20, "epochs": 2}
    found = {}
    for head in HEADS:
        classifier = TextClassifier(head, **small, learning_rate=0.02, random_state=0)
        found[head] = classifier.fit(reviews.texts[::2], reviews.labels[::2])
        last = classifier.model_.get_layer("classes")
        last.set_weights([20 * last.get_weights()[0], np.zeros(2)])
    return found


WITHOUT_ROWWISE = """
import sys
import numpy as np
import keras

model = keras.models.load_model(sys.argv[1])
inputs = [np.load(path) for path in sys.argv[3:]]
found = model.predict(inputs[0] if len(inputs) == 1 else inputs, verbose=0)
np.save(sys.argv[2], found)
assert not [name for name in sys.modules if name.split(".")[0] == "rowwise"]
assert {type(one).__module__.split(".")[0] for one in model.operations} == {"keras"}
"""


@pytest.fixture
def predict_without_rowwise(tmp_path: Path) -> Callable[..., npt.NDArray[Any]]:
    """Predict with a ``.keras`` file in a Python that never imports rowwise."""

    def predict(path: Path, *inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        given = [tmp_path / f"input_{number}.npy" for number in range(len(inputs))]
        for file, array in zip(given, inputs, strict=True):
            np.save(file, array)
        answer = tmp_path / "answer.npy"
        script = (sys.executable, "-c", WITHOUT_ROWWISE)
        done = subprocess.run(
            [*map(str, (*script, path, answer, *given))], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        found: npt.NDArray[Any] = np.load(answer)
        return found

    return predict
