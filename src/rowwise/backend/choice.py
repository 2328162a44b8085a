"""Which backend Keras runs on, chosen before Keras is imported."""

import json
import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rowwise.errors import BackendError

# In the order in which they are tried: JAX is the lightest and the fastest here.
BACKENDS = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch"}

# Keras runs on these, too, but does not train.
INFERENCE_BACKENDS = {"numpy": "numpy", "openvino": "openvino"}

# What Keras writes into keras.json by itself when there is none: nobody chose it.
_UNTOUCHED: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-07,
    "backend": "tensorflow",
    "image_data_format": "channels_last",
}


@dataclass(frozen=True)
class Choice:
    """A backend's name, and who or what chose it."""

    backend: str
    reason: str


def installed_backends() -> list[str]:
    """Names of the backends whose package is installed, best first; none of them is imported."""
    return [name for name, package in BACKENDS.items() if find_spec(package) is not None]


def find_choice() -> Choice:
    """The backend to use, without choosing it.

    The user's ``KERAS_BACKEND`` comes first; then keras.json, unless it is what Keras writes by
    itself; then the installed one, JAX first.

    Raises:
        BackendError: no backend is installed.
    """
    if (running := sys.modules.get("keras")) is not None and hasattr(running, "backend"):
        return Choice(running.backend.backend(), "Keras was imported before rowwise")
    if named := os.environ.get("KERAS_BACKEND"):
        return Choice(named, "KERAS_BACKEND is set")
    settings_path = keras_settings_path()
    settings = _read_settings(settings_path)
    if settings != _UNTOUCHED and settings.get("backend"):
        return Choice(settings["backend"], f"{settings_path} names it")
    installed = installed_backends()
    if not installed:
        raise BackendError(
            "Keras needs JAX, TensorFlow or PyTorch, and none of them is installed. "
            'Install one, for instance with: pip install "rowwise[jax]"'
        )
    return Choice(installed[0], f"the first installed of {', '.join(BACKENDS)}")


def choose_backend() -> Choice:
    """Make Keras use ``find_choice()`` when it is imported.

    Raises:
        BackendError: as ``find_choice``, and when the backend that was named is not installed.
    """
    choice = find_choice()
    known = BACKENDS | INFERENCE_BACKENDS
    package = known.get(choice.backend)
    if package is None:
        raise BackendError(
            f"There is no Keras backend {choice.backend!r} ({choice.reason}). "
            f"Choose one of {', '.join(known)}."
        )
    if find_spec(package) is None:
        raise BackendError(
            f"The Keras backend {choice.backend!r} was asked for ({choice.reason}), but the "
            f"package {package} is not installed. Install it with "
            f'pip install "rowwise[{choice.backend}]", or choose another backend.'
        )
    os.environ["KERAS_BACKEND"] = choice.backend
    return choice


def keras_settings_path() -> Path:
    """Where Keras keeps its settings: below ``$KERAS_HOME``, the home folder or /tmp."""
    if home := os.environ.get("KERAS_HOME"):
        return Path(home).expanduser() / "keras.json"
    base = Path.home()
    return (base if os.access(base, os.W_OK) else Path("/tmp")) / ".keras" / "keras.json"


def _read_settings(path: Path) -> dict[str, Any]:
    """The settings at ``path``; the untouched ones where Keras reads none."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return _UNTOUCHED
    return settings if isinstance(settings, dict) else _UNTOUCHED
