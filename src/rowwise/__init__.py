"""Embedding layers for Keras 3: text to ids, ids to rows, rows trained, looked at and saved.

Importing rowwise loads no framework; a public name loads what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rowwise import (
        classify,
        datasets,
        errors,
        export,
        keras,
        layers,
        serve,
        text,
        training,
        vectors,
        viz,
    )
    from rowwise.classify import TextClassifier, load_model
    from rowwise.datasets import TextDataset
    from rowwise.layers import suggest_output_dim
    from rowwise.text import IdColumn, Tokenizer, Vocabulary, tokenizer_from_json
    from rowwise.training import Checkpoints, Model, RecordWords, Sequential, Unfreeze, convert
    from rowwise.vectors import Vectors

__version__ = "0.1.0"

__all__ = [
    "Checkpoints",
    "IdColumn",
    "Model",
    "RecordWords",
    "Sequential",
    "TextClassifier",
    "TextDataset",
    "Tokenizer",
    "Unfreeze",
    "Vectors",
    "Vocabulary",
    "__version__",
    "classify",
    "convert",
    "datasets",
    "errors",
    "export",
    "keras",
    "layers",
    "load_model",
    "serve",
    "suggest_output_dim",
    "text",
    "tokenizer_from_json",
    "training",
    "vectors",
    "viz",
]

# Where each public name lives. `rowwise.NAME` imports that module when it is first asked for.
_HOMES = {
    "Checkpoints": "rowwise.training",
    "IdColumn": "rowwise.text",
    "Model": "rowwise.training",
    "RecordWords": "rowwise.training",
    "Sequential": "rowwise.training",
    "TextClassifier": "rowwise.classify",
    "TextDataset": "rowwise.datasets",
    "Tokenizer": "rowwise.text",
    "Unfreeze": "rowwise.training",
    "Vectors": "rowwise.vectors",
    "Vocabulary": "rowwise.text",
    "convert": "rowwise.training",
    "load_model": "rowwise.classify",
    "suggest_output_dim": "rowwise.layers",
    "tokenizer_from_json": "rowwise.text",
}
_SUBPACKAGES = {
    "classify",
    "datasets",
    "errors",
    "export",
    "keras",
    "layers",
    "serve",
    "text",
    "training",
    "vectors",
    "viz",
}


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"rowwise.{name}")
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'rowwise' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
