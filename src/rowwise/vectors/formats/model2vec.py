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
from rowwise.vectors.formats import safetensors_file
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source, plain_source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.formats.text_writing import check_words
from rowwise.vectors.packing import PackedWords

MODEL, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
# Where sentence-transformers puts them within a model's folder.
_WITHIN = (".", "0_StaticEmbedding")
_NAMES = ("embeddings", "embedding.weight")
_UNKNOWN = "[UNK]"


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
    assert folder is not None
    tensors, _ = safetensors_file.open_tensors(plain_source(folder / MODEL))
    name = next((name for name in _NAMES if name in tensors), None)
    if name is None:
        raise DataFileError(
            f"{str(folder / MODEL)!r} has no {' or '.join(_NAMES)}. It holds: "
            f"{', '.join(sorted(tensors)) or 'nothing'}."
        )
    rows = tensors[name]
    tokens = _read_tokens(folder / TOKENIZER)
    if rows.ndim != 2 or rows.dtype.kind not in "fi":
        raise DataFileError(f"{str(folder / MODEL)!r}: {name} is no matrix of numbers.")
    for extra in ("mapping", "weights"):
        if extra in tensors and tensors[extra].shape != (len(tokens),):
            raise DataFileError(
                f"{str(folder / MODEL)!r}: {extra} has the shape {tensors[extra].shape} for "
                f"{len(tokens):,} tokens."
            )
    if "mapping" in tensors:
        rows = _mapped(rows, tensors["mapping"], folder)
    if len(tokens) != len(rows):
        raise DataFileError(
            f"{str(folder)!r} has {len(rows):,} rows for {len(tokens):,} tokens. They must belong "
            "together, a token for each row."
        )
    if "weights" in tensors:
        rows = rows * tensors["weights"][:, None].astype(np.float32)
    report = new_report(source, "model2vec")
    return cut_down(PackedWords.pack(tokens), rows, request, report)


def _mapped(rows: npt.NDArray[Any], mapping: npt.NDArray[Any], folder: Path) -> npt.NDArray[Any]:
    if mapping.dtype.kind not in "iu" or np.any(mapping < 0) or np.any(mapping >= len(rows)):
        raise DataFileError(f"{str(folder / MODEL)!r}: mapping names rows that are not there.")
    mapped: npt.NDArray[Any] = rows[mapping]
    return mapped


def _read_tokens(path: Path) -> list[str]:
    """The tokens in the order of their ids."""
    try:
        written = json.loads(path.read_bytes())
        vocabulary = written["model"]["vocab"]
        if isinstance(vocabulary, dict):
            ids = {token: int(number) for token, number in vocabulary.items()}
        else:  # unigrams, each with its score
            ids = {entry[0]: number for number, entry in enumerate(vocabulary)}
        for added in written.get("added_tokens") or []:
            ids.setdefault(added["content"], int(added["id"]))
        tokens = sorted(ids, key=ids.__getitem__)
        if not all(isinstance(token, str) for token in tokens):
            raise ValueError("a token is no string")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise DataFileError(f"{str(path)!r} is no tokenizer as expected ({error!r}).") from error
    if sorted(ids.values()) != list(range(len(ids))):
        raise DataFileError(f"{str(path)!r}: the ids of its tokens have gaps.")
    return tokens


def write(folder: Path, content: Content) -> None:
    """Write a folder that model2vec's ``StaticModel.from_pretrained`` opens.

    Its tokenizer cuts at white space, so that words are found as they are.

    Raises:
        InvalidArgumentError: a word that is no valid Unicode.
    """
    from safetensors.numpy import save_file

    check_words(content.words, "tokenizer of model2vec", "", empty=True)
    unknown = _UNKNOWN if _UNKNOWN in content.words else (content.words or [_UNKNOWN])[0]
    tokenizer: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(content.words)},
            "unk_token": unknown,
        },
    }
    config = {"model_type": "model2vec", "normalize": False, "hidden_dim": content.rows.shape[1]}
    save_file({"embeddings": np.ascontiguousarray(content.rows)}, folder / MODEL)
    (folder / TOKENIZER).write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")


MODEL2VEC = Format(
    name="model2vec",
    about="a folder of model2vec: model.safetensors and tokenizer.json",
    matches=matches,
    read=read,
    write=write,
    folder=True,
)
