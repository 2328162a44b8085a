"""``export_model``: a model in another program's format, in a folder of its own."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rowwise.backend import keras
from rowwise.backend.choice import installed_backends
from rowwise.classify import TextClassifier
from rowwise.errors import BackendError, InvalidArgumentError
from rowwise.export import tables
from rowwise.export.onnx_builder import import_onnx
from rowwise.export.onnx_model import onnx_model
from rowwise.export.stock import stock_model
from rowwise.export.tokenizer import tokenizer_json
from rowwise.files import atomic_folder
from rowwise.training import save_model

KERAS_FILE, ONNX_FILE, SAVED_MODEL_FILE = "model.keras", "model.onnx", "saved_model.pb"
TOKENIZER, LABELS = "tokenizer.json", "labels.json"

# A file of protocol buffers ends at 2 GiB; some of it is no weights.
LARGEST_ONNX = 2**31 - 2**24
# Backends on which Keras writes a SavedModel, where TensorFlow is installed.
SAVED_MODEL_BACKENDS = ("tensorflow", "jax")


@dataclass(frozen=True)
class ExportFormat:
    """One format: its name, what it is, and how to write it into a folder."""

    name: str
    about: str
    write: Callable[..., None]
    takes_layer: bool = False
    """Whether one table is written, and which one can be chosen."""


def export_model(
    model: Any,
    path: str | os.PathLike[str],
    format: str = "keras",
    *,
    layer: str | None = None,
) -> list[Path]:
    """Write ``model`` for other programs, into the folder ``path``.

    - ``"keras"``: ``model.keras``, of stock Keras layers; loads without rowwise.
    - ``"onnx"``: ``model.onnx``, for onnxruntime and others. Needs the extra ``export``.
    - ``"saved_model"``: a SavedModel. TensorFlow writes it.
    - ``"safetensors"``: ``tables.safetensors``, a tensor for each embedding layer.
    - ``"model2vec"``: a folder that ``model2vec.StaticModel`` opens, of one table's words and rows.
    - ``"projector"``: files for TensorBoard's Embedding Projector, of the same.

    With the first three go, of a ``TextClassifier``, ``tokenizer.json`` for Hugging Face's
    tokenizers, which makes ids of texts, and ``labels.json``, a list in the order of the
    probabilities; of another model ``words.json``, the words of each table that knows them, by id.

    Args:
        model: a fitted ``TextClassifier``; or a Keras model, rowwise's or not: for the first three
            formats a functional or Sequential one, for the others one with embedding layers.
        path: the folder; it is made where there is none. Its files of the same names are replaced
            when everything is written; for ``"saved_model"`` it must not exist yet.
        format: the name of a format.
        layer: for the last two formats the name of the embedding layer, where several have words.

    Returns:
        the files that were written.

    Raises:
        InvalidArgumentError: an unknown format; a model that the format cannot hold (the message
            names the layer); or a folder where a file would be.
        MissingExtraError: a package is not installed that the format needs.
        BackendError: the backend cannot write the format.
    """
    chosen = FORMATS.get(format)
    if chosen is None:
        raise InvalidArgumentError(
            f"`format` must be one of {', '.join(map(repr, FORMATS))}. Received: {format!r}."
        )
    if layer is not None and not chosen.takes_layer:
        raise InvalidArgumentError(
            f"The format {format} holds all layers, so `layer` chooses nothing. Leave it out."
        )
    tables.model_of(model)
    target = Path(path)
    if chosen.name == "saved_model" and target.exists():
        raise InvalidArgumentError(
            f"There is something at {str(target)!r} already, and a SavedModel must not be mixed "
            "with it. Name a new folder."
        )
    with atomic_folder(target) as folder:
        chosen.write(model, folder, **({"layer": layer} if chosen.takes_layer else {}))
        for one in sorted(folder.iterdir()):
            if (target / one.name).is_dir():  # before any of them is in its place
                raise InvalidArgumentError(
                    f"Cannot write {str(target / one.name)!r}: it is a folder, and this would be a "
                    "file. Move it away, or name another folder."
                )
        written = sorted(one.relative_to(folder) for one in folder.rglob("*") if one.is_file())
    return [target / one for one in written]


def _write_keras(model: Any, folder: Path) -> None:
    save_model(stock_model(model), folder / KERAS_FILE)
    _write_beside(model, folder)


def _write_onnx(model: Any, folder: Path) -> None:
    onnx = import_onnx()
    made = onnx_model(model)
    if sum(len(one.raw_data) for one in made.graph.initializer) < LARGEST_ONNX:
        onnx.save_model(made, folder / ONNX_FILE)
    else:  # the weights then stand in a file beside it
        onnx.save_model(
            made, folder / ONNX_FILE, save_as_external_data=True, location=f"{ONNX_FILE}.data"
        )
    _write_beside(model, folder)


def _write_saved_model(model: Any, folder: Path) -> None:
    running = keras.backend.backend()
    able = " and ".join(SAVED_MODEL_BACKENDS)
    if "tensorflow" not in installed_backends():
        raise BackendError(
            "A SavedModel is written by TensorFlow, which is not installed. Install it with pip "
            f'install "rowwise[tensorflow]": then the backends {able} can write one. (The format '
            "onnx needs no other backend.)"
        )
    if running not in SAVED_MODEL_BACKENDS:
        raise BackendError(
            f"The backend {running} cannot write a SavedModel; {able} can. Set "
            "KERAS_BACKEND=tensorflow, or export as onnx, which every backend can."
        )
    stock_model(model).export(folder, format="tf_saved_model", verbose=False)
    _write_beside(model, folder)


def _write_beside(model: Any, folder: Path) -> None:
    """Write what makes ids of texts, and labels of numbers."""
    if not isinstance(model, TextClassifier):
        tables.write_words(model, folder)
        return
    tokenizer = tokenizer_json(model.vocabulary_, model.splitter_, model.max_length_)
    (folder / TOKENIZER).write_text(tokenizer, encoding="utf-8")
    labels = json.dumps(model.classes_.tolist(), ensure_ascii=False)
    (folder / LABELS).write_text(labels + "\n", encoding="utf-8")


FORMATS: dict[str, ExportFormat] = {
    one.name: one
    for one in (
        ExportFormat("keras", "a model of stock Keras layers", _write_keras),
        ExportFormat("onnx", "a model for ONNX runtimes", _write_onnx),
        ExportFormat("saved_model", "a SavedModel of TensorFlow", _write_saved_model),
        ExportFormat("safetensors", "the tables as tensors", tables.write_tables),
        ExportFormat("model2vec", "a model of model2vec", tables.write_model2vec, takes_layer=True),
        ExportFormat(
            "projector", "files for the Embedding Projector", tables.write_projector, True
        ),
    )
}
