"""Subwords in rowwise's own file: the tensors and the metadata that hold them.

``subword_rows`` is (m, d). The metadata's ``subwords`` says of what they are the rows; files
without it hold buckets:

- ``buckets``: that n-grams of ``minn`` to ``maxn`` characters hash to by ``hash`` (``fasttext`` or
  ``finalfusion``); ``edges`` says whether ``<`` or ``>`` alone is an n-gram. Where buckets were
  pruned, ``subword_index`` is int64 (k, 2), pairs of a bucket and its row.
- ``listed``: n-grams, ``ngrams`` uint8 with one after the other in UTF-8, ``ngram_ends`` int64 (k,)
  and ``ngram_rows`` int64 (k,), the row of each.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.vectors.formats.damage import damage_named
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.quantised import take
from rowwise.vectors.subwords import BucketSubwords, ListedSubwords, Subwords

Tensors = dict[str, npt.NDArray[Any]]


def pack(subwords: Subwords) -> tuple[Tensors, dict[str, str]]:
    """The tensors and metadata for subwords.

    Raises:
        InvalidArgumentError: they are of a class that rowwise does not know.
    """
    if isinstance(subwords, BucketSubwords):
        return _pack_buckets(subwords)
    if isinstance(subwords, ListedSubwords):
        return _pack_listed(subwords)
    raise InvalidArgumentError(
        "The format rowwise holds subwords that were loaded from a file. Received a value of type "
        f"{type(subwords).__name__}. Save Vectors(vectors.words, vectors.rows), without them."
    )


def _pack_buckets(subwords: BucketSubwords) -> tuple[Tensors, dict[str, str]]:
    tensors: Tensors = {"subword_rows": np.ascontiguousarray(subwords.dense())}
    if subwords.index is not None:
        pairs = np.array(sorted(subwords.index.items()), dtype=np.int64).reshape(-1, 2)
        tensors["subword_index"] = pairs
    metadata = {"subwords": "buckets", "hash": subwords.hash, "edges": str(int(subwords.edges))}
    return tensors, metadata | _strings(subwords, "minn", "maxn", "buckets")


def _pack_listed(subwords: ListedSubwords) -> tuple[Tensors, dict[str, str]]:
    rows = np.fromiter(subwords.index.values(), dtype=np.int64, count=len(subwords.index))
    # Several n-grams may share a row, which is written once.
    held, places = np.unique(rows, return_inverse=True)
    packed = PackedWords.join(list(subwords.index))
    tensors: Tensors = {
        "subword_rows": np.ascontiguousarray(take(subwords.table, held)),
        "ngrams": packed.data,
        "ngram_ends": packed.ends,
        "ngram_rows": places.astype(np.int64),
    }
    return tensors, {"subwords": "listed"} | _strings(subwords, "minn", "maxn")


def _strings(subwords: Subwords, *names: str) -> dict[str, str]:
    return {name: str(getattr(subwords, name)) for name in names}


def unpack(name: str, tensors: Tensors, metadata: dict[str, str], columns: int) -> Subwords | None:
    """The subwords that a file holds, or None.

    Args:
        name: of the file, for messages.
        tensors: all of the file's.
        metadata: of the file.
        columns: of the words' rows, which those of n-grams have, too.

    Raises:
        DataFileError: they do not fit together.
    """
    table = tensors.get("subword_rows")
    if table is None:
        return None
    with damage_named(f"{name!r} is damaged: its subwords make no sense"):
        if table.ndim != 2 or table.dtype.kind != "f" or table.shape[1] != columns:
            raise ValueError(f"their rows have the shape {table.shape} for {columns} columns")
        kind = metadata.get("subwords", "buckets")
        minn, maxn = int(metadata["minn"]), int(metadata["maxn"])
        if kind == "listed":
            return ListedSubwords(table, _listed(tensors), minn, maxn)
        if kind != "buckets":
            raise ValueError(f"they are {kind!r}, and buckets or listed are known")
        return BucketSubwords(
            table,
            minn=minn,
            maxn=maxn,
            buckets=int(metadata["buckets"]),
            index=_index(tensors.get("subword_index")),
            edges=metadata.get("edges", "0") == "1",
            hash=metadata.get("hash", "fasttext"),
        )
    raise AssertionError  # the block returns or raises


def _index(pairs: npt.NDArray[Any] | None) -> dict[int, int] | None:
    """The row of each bucket that was not pruned."""
    if pairs is None:
        return None
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise ValueError("the index of their buckets is no list of pairs")
    return dict(pairs.tolist())


def _listed(tensors: Tensors) -> dict[bytes, int]:
    """The row of each n-gram."""
    data, ends, rows = (tensors[name] for name in ("ngrams", "ngram_ends", "ngram_rows"))
    packed = PackedWords.checked(data, ends)
    if rows.shape != (len(packed),) or rows.dtype.kind not in "iu":
        raise ValueError("there is not a row for each n-gram")
    return dict(zip(packed.encoded(), rows.tolist(), strict=True))
