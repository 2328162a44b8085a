"""Folders of model2vec, and of sentence-transformers' static embeddings.

``model.safetensors`` has ``embeddings`` (m, d), or ``embedding.weight``; where tokens share rows
``mapping`` (n,) says which row a token has, and ``weights`` (n,) what it is multiplied by.
``tokenizer.json`` has the tokens by id, as the library tokenizers writes it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.text.wording import counted
from rowwise.vectors.formats import safetensors_file
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.holding import check_words
from rowwise.vectors.formats.model2vec_tokenizer import (
    read_tokens,
    real_words,
    tokenizer_of,
    with_unknown,
)
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source, plain_source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords

MODEL, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
# Where sentence-transformers puts them within a model's folder.
_WITHIN = (".", "0_StaticEmbedding")
_NAMES = ("embeddings", "embedding.weight")


def _folder(source: Source) -> Path | None:
    for within in _WITHIN:
        folder = source.path / within
        if (folder / MODEL).is_file() and (folder / TOKENIZER).is_file():
            return folder
    return None


def matches(source: Source) -> bool:
    """Whether a folder has a model and a tokenizer."""
    return source.is_folder and _folder(source) is not None


def read(source: Source, request: Request) -> Loaded:
    """The tokens and their rows (n, d), mapped where tokens share none and have no weights."""
    folder = _folder(source)
    if folder is None:
        raise DataFileError(
            f"{source.name!r} is no folder of model2vec: expected a folder with {MODEL} and "
            f"{TOKENIZER} in it."
        )
    tensors, _ = safetensors_file.open_tensors(plain_source(folder / MODEL))
    name = next((name for name in _NAMES if name in tensors), None)
    if name is None:
        raise DataFileError(
            f"{str(folder / MODEL)!r} has no {' or '.join(_NAMES)}. It holds: "
            f"{', '.join(sorted(tensors)) or 'nothing'}."
        )
    rows = tensors[name]
    tokens = read_tokens(folder / TOKENIZER)
    if rows.ndim != 2 or rows.dtype.kind not in "fi":
        raise DataFileError(f"{str(folder / MODEL)!r}: {name} is no matrix of numbers.")
    for extra in ("mapping", "weights"):
        if extra in tensors and tensors[extra].shape != (len(tokens),):
            raise DataFileError(
                f"{str(folder / MODEL)!r}: {extra} has the shape {tensors[extra].shape} for "
                f"{counted(len(tokens), 'token')}."
            )
    if "mapping" in tensors:
        rows = _mapped(rows, tensors["mapping"], folder)
    if len(tokens) != len(rows):
        raise DataFileError(
            f"{str(folder)!r} has {counted(len(rows), 'row')} for {counted(len(tokens), 'token')}. "
            "They must belong together, a token for each row."
        )
    if "weights" in tensors:
        rows = rows * tensors["weights"][:, None].astype(np.float32)
    count = real_words(tokens, _read_config(folder / CONFIG))
    report = new_report(source, "model2vec")
    return cut_down(PackedWords.pack(tokens[:count]), rows[:count], request, report)


def _mapped(rows: npt.NDArray[Any], mapping: npt.NDArray[Any], folder: Path) -> npt.NDArray[Any]:
    if mapping.dtype.kind not in "iu" or np.any(mapping < 0) or np.any(mapping >= len(rows)):
        raise DataFileError(f"{str(folder / MODEL)!r}: mapping names rows that are not there.")
    mapped: npt.NDArray[Any] = rows[mapping]
    return mapped


def _read_config(path: Path) -> Any:
    """What ``config.json`` holds; None without one, as in sentence-transformers."""
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataFileError(f"{str(path)!r} is not JSON ({error}).") from error


def write(folder: Path, content: Content) -> None:
    """Write a folder that model2vec's ``StaticModel.from_pretrained`` opens.

    Raises:
        InvalidArgumentError: a word that is no valid Unicode.
    """
    from safetensors.numpy import save_file

    check_words(content.words, "tokenizer of model2vec", "", empty=True)
    words, rows, said = with_unknown(content.words, content.rows)
    config = {"model_type": "model2vec", "normalize": False, "hidden_dim": rows.shape[1], **said}
    save_file({"embeddings": np.ascontiguousarray(rows)}, folder / MODEL)
    (folder / TOKENIZER).write_text(tokenizer_of(words), encoding="utf-8")
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")


MODEL2VEC = Format(
    name="model2vec",
    about="a folder of model2vec: model.safetensors and tokenizer.json",
    matches=matches,
    read=read,
    write=write,
    folder=True,
)
