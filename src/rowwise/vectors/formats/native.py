"""rowwise's own file: a safetensors file with the rows and the words, opened by mapping.

``rows`` is (n, d), float16, float32 or float64; ``words`` is uint8, all words in UTF-8 one after
the other, and ``ends`` is int64 (n,), the byte at which each word ends. No word is forbidden.
Vectors that compose rows of subwords have ``subword_rows`` (m, d) too, and where buckets were
pruned ``subword_index`` int64 (k, 2), pairs of a bucket and its row; the metadata say which
n-grams there are and how many buckets.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.vectors.formats import safetensors_file
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.subwords import BucketSubwords, Subwords

_TENSORS = ("rows", "words", "ends")
_VERSION = "rowwise vectors 1"


def matches(source: Source) -> bool:
    """Whether this is a safetensors file."""
    return safetensors_file.matches(source.start)


def write(path: Any, content: Content) -> None:
    """Write words, rows and subwords to ``path``.

    Raises:
        InvalidArgumentError: subwords that are no buckets of n-grams.
    """
    from safetensors.numpy import save_file

    packed = PackedWords.pack(content.words)
    tensors: dict[str, npt.NDArray[Any]] = {
        "rows": np.ascontiguousarray(content.rows),
        "words": np.asarray(packed.data),
        "ends": packed.ends,
    }
    metadata = {"format": _VERSION}
    subwords = content.subwords
    if isinstance(subwords, BucketSubwords):
        tensors["subword_rows"] = np.ascontiguousarray(subwords.dense())
        if subwords.index is not None:
            pairs = np.array(sorted(subwords.index.items()), dtype=np.int64).reshape(-1, 2)
            tensors["subword_index"] = pairs
        for name in ("minn", "maxn", "buckets"):
            metadata[name] = str(getattr(subwords, name))
    save_file(tensors, path, metadata=metadata)


def read(source: Source, request: Request) -> Loaded:
    """Words and rows (n, d), mapped; DataFileError when the file holds something else."""
    tensors, metadata = safetensors_file.open_tensors(source)
    missing = [name for name in _TENSORS if name not in tensors]
    if missing:
        return _from_model2vec(source, tensors, missing)
    rows, packed, ends = (tensors[name] for name in _TENSORS)
    ends = ends.astype(np.int64, copy=False)
    if (
        rows.ndim != 2
        or ends.ndim != 1
        or packed.ndim != 1
        or packed.dtype != np.uint8
        or rows.dtype.kind != "f"
        or len(rows) != len(ends)
        or np.any(np.diff(ends, prepend=0) < 0)
        or (len(ends) and ends[-1] != len(packed))
    ):
        raise DataFileError(f"{source.name!r} is damaged: its words and rows do not fit together.")
    report = new_report(source, "rowwise")
    loaded = cut_down(PackedWords(packed, ends), rows, request, report, trusted=True)
    loaded.subwords = _subwords(source, tensors, metadata, rows.shape[1])
    return loaded


def _subwords(
    source: Source, tensors: dict[str, npt.NDArray[Any]], metadata: dict[str, str], columns: int
) -> Subwords | None:
    if "subword_rows" not in tensors:
        return None
    table = tensors["subword_rows"]
    pairs = tensors.get("subword_index")
    index = None if pairs is None else dict(pairs.reshape(-1, 2).tolist())
    try:
        minn, maxn, buckets = (int(metadata[name]) for name in ("minn", "maxn", "buckets"))
        return BucketSubwords(table, minn=minn, maxn=maxn, buckets=buckets, index=index)
    except (KeyError, ValueError) as error:
        raise DataFileError(f"{source.name!r} is damaged: its subwords make no sense.") from error


def _from_model2vec(
    source: Source, tensors: dict[str, npt.NDArray[Any]], missing: list[str]
) -> Loaded:
    hint = ""
    if "embeddings" in tensors or "embedding.weight" in tensors:
        hint = " It looks like a part of a model2vec folder; load the folder that it is in."
    raise DataFileError(
        f"{source.name!r} is a safetensors file without {', '.join(missing)}; expected one that "
        f"`Vectors.save` wrote. It holds: {', '.join(sorted(tensors)) or 'nothing'}.{hint}"
    )


ROWWISE = Format(
    name="rowwise",
    about="rowwise's own: safetensors with rows and words, opened by mapping",
    matches=matches,
    read=read,
    write=write,
    suffixes=(".safetensors",),
    holds_subwords=True,
)
