"""The tables of a model, without the rest of it."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.classify import TextClassifier
from rowwise.errors import InvalidArgumentError
from rowwise.export.stock import fitted
from rowwise.export.tokenizer import tokenizer_of_words
from rowwise.text import Vocabulary
from rowwise.vectors import Vectors

TABLES, WORDS = "tables.safetensors", "words.json"


def model_of(model: Any) -> Any:
    """The Keras model in a ``TextClassifier``, or ``model`` itself.

    Raises:
        InvalidArgumentError: it is neither.
    """
    if isinstance(model, TextClassifier):
        return fitted(model).model_
    if isinstance(model, Vectors):
        raise InvalidArgumentError(
            "Vectors are no model. Their own method writes them: vectors.save(path, format=...)."
        )
    if not isinstance(model, keras.Model):
        hint = "" if not isinstance(model, (str, os.PathLike)) else " Load it: rowwise.load_model."
        raise InvalidArgumentError(
            f"Expected a TextClassifier or a Keras model. Received: {type(model).__name__}.{hint}"
        )
    return model


def embedding_layers(model: Any) -> dict[str, Any]:
    """The embedding layers of a model and of models within it, by name.

    Raises:
        InvalidArgumentError: there is none, or two have the same name.
    """
    found: dict[str, Any] = {}
    for layer in _layers(model):
        is_table = isinstance(layer, keras.layers.Embedding) and layer.built
        if is_table and found.setdefault(layer.name, layer) is not layer:
            raise InvalidArgumentError(
                f"Two embedding layers have the name {layer.name!r}. Name them differently."
            )
    if not found:
        raise InvalidArgumentError(
            f"The model {model.name!r} has no embedding layer with a table, so there is nothing to "
            "write. Export it as keras or onnx."
        )
    return found


def words_by_layer(model: Any) -> dict[str, list[str]]:
    """The words of each table that knows them, by id."""
    return {
        layer.name: list(layer.vocabulary.words)
        for layer in _layers(model)
        if isinstance(getattr(layer, "vocabulary", None), Vocabulary)
    }


def write_tables(model: Any, folder: Path) -> None:
    """Write ``tables.safetensors``, a tensor (input_dim, output_dim) for each embedding layer.

    ``words.json`` beside it has the words of those layers that know them, by id.

    Raises:
        InvalidArgumentError: there are no tables, or one is quantised.
    """
    from safetensors.numpy import save_file

    found = embedding_layers(model_of(model))
    save_file({name: _table(layer) for name, layer in found.items()}, folder / TABLES)
    write_words(model, folder)


def write_words(model: Any, folder: Path) -> None:
    """Write ``words.json``: the words of each layer that knows them, by id. None: no file."""
    words = words_by_layer(model_of(model))
    if words:
        text = json.dumps(words, ensure_ascii=False)
        (folder / WORDS).write_text(text, encoding="utf-8")


def word_vectors(model: Any, layer: str | None = None) -> Vectors:
    """The words and rows of one table.

    Args:
        model: a ``TextClassifier`` or a Keras model.
        layer: the name of the embedding layer, where several have words.

    Raises:
        InvalidArgumentError: no table has words, or several have and none is named.
    """
    layers = embedding_layers(model_of(model))
    known = {
        name: one
        for name, one in layers.items()
        if isinstance(getattr(one, "vocabulary", None), Vocabulary)
    }
    if layer is not None:
        if layer not in layers:
            raise InvalidArgumentError(
                f"`layer` must be the name of an embedding layer: {', '.join(map(repr, layers))}. "
                f"Received: {layer!r}."
            )
        if layer not in known:
            others = f" The tables of {', '.join(map(repr, known))} do." if known else ""
            raise InvalidArgumentError(f"The table of layer {layer!r} knows no words.{others}")
        known = {layer: known[layer]}
    if not known:
        raise InvalidArgumentError(
            "No table of the model knows its words. Make the layer from a Vocabulary: "
            "Embedding(vocabulary, output_dim); or name the words: "
            "Vectors.from_layer(layer, vocabulary).save(path)."
        )
    if len(known) > 1:
        raise InvalidArgumentError(
            f"{len(known)} tables have words: {', '.join(map(repr, known))}. Choose one by `layer`."
        )
    return Vectors.from_layer(*known.values())


def write_model2vec(model: Any, folder: Path, layer: str | None = None) -> None:
    """Write a folder that model2vec's ``StaticModel.from_pretrained`` opens.

    Of a ``TextClassifier`` the texts are cut into words as it does.
    """
    vectors = word_vectors(model, layer)
    vectors.save(folder, format="model2vec")
    if isinstance(model, TextClassifier):
        path = folder / "tokenizer.json"
        written = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
        words = sorted(written, key=written.__getitem__)
        tokenizer = tokenizer_of_words(words, model.splitter_)
        path.write_text(json.dumps(tokenizer), encoding="utf-8")


def write_projector(model: Any, folder: Path, layer: str | None = None) -> None:
    """Write a folder for TensorBoard's Embedding Projector.

    Raises:
        InvalidArgumentError: a row holds NaN or infinity, of which the projector shows nothing.
    """
    vectors = word_vectors(model, layer)
    sound = np.isfinite(vectors.rows).all(axis=1)
    if not sound.all():
        raise InvalidArgumentError(
            f"The projector shows finite numbers only. The row of "
            f"{vectors.words[int(np.argmin(sound))]!r} holds NaN or infinity: train the model "
            "again, or choose words: viz.write_projector(Vectors.from_layer(layer), folder, words)."
        )
    vectors.save(folder, format="tensorboard")


def _layers(model: Any) -> list[Any]:
    """The layers of a model, and of the models in it."""
    found = []
    for layer in model.layers:
        found += _layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def _table(layer: Any) -> npt.NDArray[Any]:
    if getattr(layer, "quantization_mode", None) is not None:
        raise InvalidArgumentError(
            f"The table of layer {layer.name!r} is quantised. Export the model as it was before "
            "`quantize`."
        )
    table = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(layer.embeddings, "float32")))
    return np.ascontiguousarray(table)
