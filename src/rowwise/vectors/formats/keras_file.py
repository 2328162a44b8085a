"""Word vectors out of a ``.keras`` file, read without Keras.

Such a file is a zip. rowwise's embedding layer keeps its vocabulary at
``assets/PATH/vocabulary.json``, and the table stands in ``model.weights.h5`` at
``PATH/vars/0``; PATH is the layer's place in the model, for instance ``layers/embedding``, and
the attribute ``name`` of ``PATH/vars`` its name.
"""

import io
from dataclasses import dataclass
from typing import Any

from rowwise.errors import DataFileError
from rowwise.text import Vocabulary
from rowwise.text.wording import counted
from rowwise.vectors.formats import archive, hdf5_table
from rowwise.vectors.formats.damage import damage_named
from rowwise.vectors.formats.format import Format, Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords

_VOCABULARY = "vocabulary.json"
_WEIGHTS = "model.weights.h5"
_SHOWN = 10


@dataclass(frozen=True)
class _Layer:
    """A layer with a vocabulary: what it is called, where it stands, and its table in HDF5."""

    name: str
    path: str
    table: Any

    @property
    def columns(self) -> int:
        return int(self.table.shape[1])


def matches(source: Source) -> bool:
    """Whether this is a zip with a model's weights."""
    return source.packed is None and is_model(source)


def is_model(source: Source) -> bool:
    """Whether a file is a zip with a model's weights."""
    return source.start.startswith(archive.START) and _WEIGHTS in archive.names(source.path)


def read(source: Source, request: Request) -> Loaded:
    """The words of a layer's vocabulary and their rows (n, d), without padding and unknown.

    ``request.member`` chooses among several layers: by name, path or number of columns.

    Raises:
        DataFileError: not a Keras model, none of its tables has a vocabulary, or several do and
            none was chosen.
    """
    import h5py

    paths = _paths(source)
    with damage_named(f"{source.name!r} is not a whole Keras model"):
        # Read by a source, which is on its guard against what unpacks to too much.
        packed = Source(source.path, packed="zip", member=_WEIGHTS).content
        with h5py.File(io.BytesIO(packed.data), "r") as weights:
            layers = [_layer(source, weights, path) for path in paths]
            layer = _chosen(source, layers, request.member)
            vocabulary = _vocabulary(source, layer)
            if len(vocabulary) != layer.table.shape[0]:
                raise DataFileError(
                    f"The table in {source.name!r} has {counted(layer.table.shape[0], 'row')} for "
                    f"{counted(len(vocabulary), 'word')}."
                )
            rows = hdf5_table.read(layer.table, len(packed), repr(source.name))
    words = PackedWords.pack(vocabulary.words[2:])
    report = new_report(source, "keras")
    return cut_down(words, rows[2:], request, report, trusted=True)


def _paths(source: Source) -> list[str]:
    """The places of layers that have a vocabulary."""
    end = f"/{_VOCABULARY}"
    found = [
        name.removeprefix("assets/").removesuffix(end)
        for name in archive.names(source.path)
        if name.startswith("assets/") and name.endswith(end)
    ]
    if not found:
        raise DataFileError(
            f"The model in {source.name!r} has no vocabulary, so its rows have no words. "
            "Make its layer with Embedding(vocabulary, ...)."
        )
    return found


def _layer(source: Source, weights: Any, path: str) -> _Layer:
    variables = hdf5_table.find(weights, f"{path}/vars", repr(source.name))
    table = hdf5_table.find(variables, "0", repr(source.name))
    if len(getattr(table, "shape", None) or ()) != 2:
        raise DataFileError(f"{source.name!r} has no table (rows, columns) at {path!r}.")
    name = variables.attrs.get("name")
    return _Layer(name if isinstance(name, str) else path, path, table)


def _vocabulary(source: Source, layer: _Layer) -> Vocabulary:
    member = f"assets/{layer.path}/{_VOCABULARY}"
    written = Source(source.path, packed="zip", member=member).content
    return Vocabulary.from_json(written.tobytes().decode("utf-8"))


def _chosen(source: Source, layers: list[_Layer], member: str | int | None) -> _Layer:
    """The layer that ``member`` names, or the only one."""
    fitting = [
        layer
        for layer in layers
        if member is None or member in (layer.name, layer.path, layer.columns)
    ]
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(f"{layer.name} ({layer.columns} columns)" for layer in layers[:_SHOWN])
    if not fitting:
        raise DataFileError(
            f"{source.name!r} has no layer {member!r} with a vocabulary. It has: {shown}."
        )
    names = [layer.name for layer in layers]
    example = fitting[0].path if names.count(fitting[0].name) > 1 else fitting[0].name
    raise DataFileError(
        f"{source.name!r} has several layers with a vocabulary: {shown}. Choose one by its name or "
        f"its columns, for instance member={example!r}."
    )


KERAS = Format(
    name="keras",
    about="a .keras model whose embedding layer has a vocabulary",
    matches=matches,
    read=read,
)
