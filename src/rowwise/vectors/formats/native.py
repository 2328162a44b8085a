"""rowwise's own file: a safetensors file with the rows and the words, opened by mapping.

``rows`` is (n, d), float16, float32 or float64; ``words`` is uint8, all words in UTF-8 one after
the other, and ``ends`` is int64 (n,), the byte at which each word ends. No word is forbidden.
The metadata have a checksum of the words, by which those that rowwise wrote are known: they are all
different, so that opening needs no look at each of them. Subwords stand in further tensors, see
``native_subwords``.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.vectors.formats import native_subwords, safetensors_file
from rowwise.vectors.formats.damage import damage_named
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords

_TENSORS = ("rows", "words", "ends")
_VERSION = "rowwise vectors 1"
_CHECKSUM = "words_crc32"


def matches(source: Source) -> bool:
    """Whether this is a safetensors file."""
    return safetensors_file.matches(source.start)


def write(path: Any, content: Content) -> None:
    """Write words, rows and subwords to ``path``.

    Raises:
        InvalidArgumentError: subwords of a class that rowwise does not know.
    """
    from safetensors.numpy import save_file

    packed = PackedWords.pack(content.words)
    tensors: dict[str, npt.NDArray[Any]] = {
        "rows": np.ascontiguousarray(content.rows),
        "words": np.asarray(packed.data),
        "ends": packed.ends,
    }
    metadata = {"format": _VERSION, _CHECKSUM: packed.checksum()}
    if content.subwords is not None:
        further, told = native_subwords.pack(content.subwords)
        tensors |= further
        metadata |= told
    save_file(tensors, path, metadata=metadata)


def read(source: Source, request: Request) -> Loaded:
    """Words and rows (n, d), mapped; DataFileError when the file holds something else."""
    tensors, metadata = safetensors_file.open_tensors(source)
    missing = [name for name in _TENSORS if name not in tensors]
    if missing:
        raise _another_kind(source, tensors, missing)
    rows, data, ends = (tensors[name] for name in _TENSORS)
    written = metadata.get(_CHECKSUM)
    with damage_named(f"{source.name!r} is damaged: its words and rows do not fit together"):
        words = PackedWords.checked(data, ends)
        if rows.ndim != 2 or rows.dtype.kind != "f" or len(rows) != len(words):
            raise ValueError(f"{rows.dtype} {rows.shape} for {len(words):,} words")
        if written is not None and written != words.checksum():
            raise ValueError("the words have another checksum")
    report = new_report(source, "rowwise")
    subwords = native_subwords.unpack(source.name, tensors, metadata, rows.shape[1])
    loaded = cut_down(words, rows, request, report, trusted=written is not None)
    loaded.subwords = subwords
    return loaded


def _another_kind(
    source: Source, tensors: dict[str, npt.NDArray[Any]], missing: list[str]
) -> DataFileError:
    """The error for a safetensors file that holds something else."""
    hint = ""
    if "embeddings" in tensors or "embedding.weight" in tensors:
        hint = " It looks like a part of a model2vec folder; load the folder that it is in."
    return DataFileError(
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
