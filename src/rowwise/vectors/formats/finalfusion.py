"""finalfusion's ``.fifu``: chunks with a vocabulary and a matrix, opened by mapping.

``FiFu``, then uint32 version 0, how many chunks, and their ids; each chunk is uint32 id, uint64
length, and its content. Little endian. Vocabularies: plain (1), finalfusion's buckets (3),
fastText's buckets (7), listed n-grams (8). Matrices: float32 (2) or product-quantised (4), both
padded by 1 to 4 bytes so that numbers stand at multiples of 4. See finalfusion's specification.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.vectors.formats.cursor import Cursor
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.holding import check_rows, check_words
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.quantised import Matrix, QuantisedMatrix, take
from rowwise.vectors.subwords import BucketSubwords, ListedSubwords, Subwords

_MAGIC = b"FiFu"
_SIMPLE, _NDARRAY, _BUCKETS, _QUANTISED, _METADATA, _NORMS = 1, 2, 3, 4, 5, 6
_FASTTEXT, _LISTED, _FLORET = 7, 8, 9
_UINT8, _FLOAT32 = 1, 10
_MOST_CHUNKS = 32
_LONGEST_NGRAM = 64
_BLOCK_ROWS = 8_192


def matches(source: Source) -> bool:
    """Whether the file starts as finalfusion's do."""
    return source.start.startswith(_MAGIC)


def read(source: Source, request: Request) -> Loaded:
    """Words, rows (n, d) and subwords; DataFileError when the file is damaged or cut short."""
    at = Cursor(source.content, source.name, "finalfusion file")
    _, version, chunks = at.unpack("4s2I")
    if version != 0 or not 0 < chunks <= _MOST_CHUNKS:
        raise at.damaged(f"its version is {version} and it has {chunks} chunks")
    ids = at.unpack(f"{chunks}I")
    parts: dict[int, Cursor] = {}
    for number in range(chunks):
        kind, length = at.unpack("IQ")
        part = parts[kind] = Cursor(at.content, at.name, at.what, at.position)
        at.skip(length)
        if kind == _LISTED and number + 1 < chunks and _next_id(at) != ids[number + 1]:
            # The package finalfusion forgets the 8 bytes of each n-gram's row.
            at.skip(8 * Cursor(part.content, part.name, part.what, part.position).unpack("2Q")[1])
    report = new_report(source, "finalfusion")
    kind = next((kind for kind in (_SIMPLE, _BUCKETS, _FASTTEXT, _LISTED) if kind in parts), None)
    if kind is None:
        raise at.damaged("it has no vocabulary that can be read")
    part = parts[kind]
    (count,) = part.unpack("Q")
    settings = part.unpack({_SIMPLE: "", _LISTED: "Q2I"}.get(kind, "3I"))
    words = _read_words(part, count)
    table = _read_table(at, parts)
    if table.shape[0] < count or not table.shape[1]:
        raise at.damaged(f"it has {table.shape[0]:,} rows of {table.shape[1]} for {count:,} words")
    subwords = _subwords(part, kind, settings, table, count) if kind != _SIMPLE else None
    if _NORMS in parts:
        report.notes.append("The rows have the length 1; the words' lengths stand apart.")
    rows = take(table, np.arange(count)) if isinstance(table, QuantisedMatrix) else table[:count]
    loaded = cut_down(words, rows, request, report)
    loaded.subwords = subwords
    return loaded


def _next_id(at: Cursor) -> int:
    """The id of the chunk that follows."""
    return int(Cursor(at.content, at.name, at.what, at.position).unpack("I")[0])


def _read_words(at: Cursor, count: int) -> PackedWords:
    """Strings, each after its uint32 length."""
    if 4 * count > len(at.content) - at.position:
        at.skip(4 * count)  # raises
    words = []
    for _ in range(count):
        (length,) = at.unpack("I")
        words.append(at.array("u1", length).tobytes())
    return PackedWords.join(words)


def _read_table(at: Cursor, parts: dict[int, Cursor]) -> Matrix:
    if _NDARRAY in parts:
        part = parts[_NDARRAY]
        rows, columns, kind = part.unpack("QII")
        if kind != _FLOAT32:
            raise at.damaged(f"its numbers are of the type {kind}; {_FLOAT32} (float32) is known")
        part.skip(4 - part.position % 4)
        return part.array("<f4", rows, columns)
    if _QUANTISED not in parts:
        raise at.damaged("it has no matrix")
    part = parts[_QUANTISED]
    with_projection, with_norms, pieces, columns, codes, rows, kind, numbers = part.unpack("5IQ2I")
    if kind != _UINT8 or numbers != _FLOAT32 or not 0 < pieces <= columns or columns % pieces:
        raise at.damaged("its quantised matrix does not fit together")
    part.skip(4 - part.position % 4)
    projection = part.array("<f4", columns, columns) if with_projection else None
    books = part.array("<f4", pieces, codes, columns // pieces)
    norms = part.array("<f4", rows) if with_norms else None
    matrix = part.array("u1", rows, pieces)
    if matrix.size and int(matrix.max()) >= codes:
        raise at.damaged(f"it has codes beyond {codes}")
    return QuantisedMatrix(matrix, list(books), norms, projection)


def _subwords(
    at: Cursor, kind: int, settings: tuple[int, ...], table: Matrix, count: int
) -> Subwords:
    minn, maxn = settings[1:] if kind == _LISTED else settings[:2]
    if not 0 < minn <= maxn <= _LONGEST_NGRAM:
        raise at.damaged(f"its n-grams have {minn} to {maxn} characters")
    try:
        if kind == _LISTED:
            index = {}
            for _ in range(settings[0]):
                (length,) = at.unpack("I")
                ngram = at.array("u1", length).tobytes()
                index[ngram] = at.unpack("Q")[0] + count
            return ListedSubwords(table, index, minn, maxn)
        buckets = settings[2] if kind == _FASTTEXT else 2 ** min(settings[2], 63)
        return BucketSubwords(
            table,
            minn=minn,
            maxn=maxn,
            buckets=buckets,
            first=count,
            edges=True,
            hash="fasttext" if kind == _FASTTEXT else "finalfusion",
        )
    except ValueError as error:
        raise at.damaged(str(error)) from error


def write(file: Any, content: Content) -> None:
    """Write words and float32 rows, and buckets of n-grams where there are subwords.

    Raises:
        InvalidArgumentError: a word that is no valid Unicode, rows without columns, or subwords
            of another kind.
    """
    check_words(content.words, "finalfusion format", "", empty=True)
    check_rows(content.rows, "finalfusion format", none=True)
    words = [word.encode("utf-8") for word in content.words]
    subwords = content.subwords
    tables: list[npt.NDArray[Any]] = [content.rows]
    head = struct.pack("<Q", len(words))
    kind = _SIMPLE
    if subwords is not None:
        if not isinstance(subwords, BucketSubwords) or not subwords.fit_finalfusion:
            raise InvalidArgumentError(
                "Of subwords the finalfusion format holds n-grams in buckets, none of them pruned, "
                "and with < and > alone among those of one character. These are others. Save as "
                ".safetensors instead."
            )
        buckets = subwords.buckets
        kind, size = _FASTTEXT, buckets
        if subwords.hash == "finalfusion":
            kind, size = _BUCKETS, buckets.bit_length() - 1
        head += struct.pack("<3I", subwords.minn, subwords.maxn, size)
        tables.append(subwords.dense()[: subwords.buckets])
    strings = b"".join([struct.pack("<I", len(word)) + word for word in words])
    file.write(_MAGIC + struct.pack("<4I", 0, 2, kind, _NDARRAY))
    file.write(struct.pack("<IQ", kind, len(head) + len(strings)) + head + strings)
    position = len(_MAGIC) + 16 + 12 + len(head) + len(strings)
    rows, columns = sum(map(len, tables)), content.rows.shape[1]
    padding = 4 - (position + 28) % 4
    length = 16 + padding + 4 * rows * columns
    file.write(struct.pack("<IQQII", _NDARRAY, length, rows, columns, _FLOAT32) + bytes(padding))
    for table in tables:
        for start in range(0, len(table), _BLOCK_ROWS):
            block = np.ascontiguousarray(table[start : start + _BLOCK_ROWS], dtype="<f4")
            file.write(block.tobytes())


FINALFUSION = Format(
    name="finalfusion",
    about="finalfusion's .fifu: plain, with buckets of n-grams, or quantised",
    matches=matches,
    read=read,
    write=write,
    suffixes=(".fifu",),
    streamed=True,
    holds_subwords=True,
    float32_only=True,
)
