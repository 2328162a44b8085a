import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rowwise.backend import choice
from rowwise.errors import BackendError

UNTOUCHED = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Pretends that Keras is not imported yet, with given settings and packages."""

    def pretend(installed: list[str], settings: Any = None, named: str | None = None) -> None:
        monkeypatch.delitem(sys.modules, "keras", raising=False)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.setattr(choice, "find_spec", lambda name: name if name in installed else None)
        if named is None:
            monkeypatch.delenv("KERAS_BACKEND", raising=False)
        else:
            monkeypatch.setenv("KERAS_BACKEND", named)
        if settings is not None:
            text = settings if isinstance(settings, str) else json.dumps(settings)
            (tmp_path / "keras.json").write_text(text)

    return pretend


# What is installed, what keras.json holds, what KERAS_BACKEND is, and the choice with its reason.
CHOICES: list[tuple[list[str], Any, str | None, str, str]] = [
    (["jax", "tensorflow", "torch"], None, "torch", "torch", "KERAS_BACKEND"),
    (["jax", "tensorflow"], {**UNTOUCHED, "backend": "jax"}, "tensorflow", "tensorflow", "KERAS_"),
    (["jax", "torch"], {**UNTOUCHED, "backend": "torch"}, None, "torch", "keras.json"),
    (["jax", "tensorflow"], {**UNTOUCHED, "floatx": "float16"}, None, "tensorflow", "keras.json"),
    (["jax", "tensorflow", "torch"], UNTOUCHED, None, "jax", "first installed"),
    (["tensorflow", "torch"], UNTOUCHED, None, "tensorflow", "first installed"),
    (["torch"], UNTOUCHED, None, "torch", "first installed"),
    (["torch"], None, None, "torch", "first installed"),
    (["jax"], "{broken", None, "jax", "first installed"),
    (["jax"], [], None, "jax", "first installed"),
    (["jax"], None, "", "jax", "first installed"),
    (["jax", "numpy"], None, "numpy", "numpy", "KERAS_BACKEND"),
]


@pytest.mark.parametrize(("installed", "settings", "named", "expected", "reason"), CHOICES)
def test_the_users_choice_comes_first_and_then_what_is_installed(
    machine: Any, installed: list[str], settings: Any, named: Any, expected: str, reason: str
) -> None:
    machine(installed, settings, named)
    found = choice.choose_backend()
    assert found.backend == expected
    assert reason in found.reason
    assert os.environ["KERAS_BACKEND"] == expected


@pytest.mark.parametrize(
    ("installed", "settings", "named", "message"),
    [
        ([], None, None, r'pip install "rowwise\[jax\]"'),
        ([], UNTOUCHED, None, r'pip install "rowwise\[jax\]"'),
        (["jax"], None, "torch", r'pip install "rowwise\[torch\]"'),
        (["jax"], {**UNTOUCHED, "backend": "torch"}, None, "keras.json names it"),
        (["jax"], None, "theano", "Choose one of jax, tensorflow, torch"),
    ],
)
def test_a_backend_that_is_not_there_is_an_error_with_the_remedy(
    machine: Any, installed: list[str], settings: Any, named: Any, message: str
) -> None:
    machine(installed, settings, named)
    with pytest.raises(BackendError, match=message):
        choice.choose_backend()


def test_keras_that_runs_already_is_kept() -> None:
    found = choice.find_choice()
    assert found.reason == "Keras was imported before rowwise"


def test_keras_own_untouched_settings_are_still_what_is_taken_for_untouched(
    tmp_path: Path,
) -> None:
    code = "import rowwise.backend"
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    environment.pop("KERAS_BACKEND", None)
    for _ in range(2):  # the second time the file is there
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        assert json.loads((tmp_path / "keras.json").read_text()) == choice._UNTOUCHED
