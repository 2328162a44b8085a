"""``rowwise doctor``: what is installed, what runs, what is missing."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from rowwise.cli.options import json_option
from rowwise.cli.output import echo_json

# What each extra brings, beside the backends.
EXTRAS = {
    "plot": ("matplotlib", "umap-learn"),
    "approximate": ("usearch",),
    "interchange": ("gensim", "model2vec", "pandas", "polars"),
    "download": ("pooch",),
    "explore": ("plotly", "fastapi", "uvicorn", "umap-learn"),
    "export": ("onnx",),
    "dask": ("distributed",),
}
CORE = ("rowwise", "keras", "numpy", "pyarrow", "scikit-learn", "safetensors", "h5py")


@click.command(name="doctor")
@json_option
def command(as_json: bool) -> None:
    """Print versions, the backend and its devices, and what is missing.

    The exit code is 1 when no backend can be used.
    """
    report = examine()
    if as_json:
        echo_json(report)
    else:
        _print(report)
    if report["backend"] is None:
        sys.exit(1)


def examine() -> dict[str, Any]:
    """What ``doctor`` reports."""
    from rowwise.errors import BackendError

    report: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in CORE},
        "backend": None,
        "reason": None,
        "devices": [],
        "backends": {name: _version(name) for name in ("jax", "tensorflow", "torch")},
        "extras": {
            extra: all(_version(package) is not None for package in packages)
            for extra, packages in EXTRAS.items()
        },
    }
    try:
        from rowwise.backend import CHOICE

        report["backend"], report["reason"] = CHOICE.backend, CHOICE.reason
        report["devices"] = _devices(CHOICE.backend)
    except BackendError as error:
        report["reason"] = str(error)
    return report


def _devices(backend: str) -> list[str]:
    from rowwise.backend import keras

    # Keras lists devices for these two alone, and fails on the others.
    return list(keras.distribution.list_devices()) if backend in ("jax", "tensorflow") else []


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _print(report: dict[str, Any]) -> None:
    rows = [("python", f"{report['python']} on {report['platform']}")]
    rows += [(name, found or "not installed") for name, found in report["versions"].items()]
    if report["backend"] is None:
        rows.append(("backend", f"none: {report['reason']}"))
    else:
        rows.append(("backend", f"{report['backend']} ({report['reason']})"))
        rows.append(("devices", ", ".join(report["devices"]) or "not listed by Keras"))
    for name, found in report["backends"].items():
        rows.append((name, found or _remedy(name)))
    for extra, installed in report["extras"].items():
        rows.append((f"[{extra}]", "installed" if installed else _remedy(extra)))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value}")


def _remedy(extra: str) -> str:
    return f'not installed; pip install "rowwise[{extra}]"'
