"""fastText's ``.bin`` and ``.ftz``: words, n-grams in buckets, and their matrix, opened by mapping.

Little endian. The newer layout starts with a magic number and a version; the older one, up to
2016, has neither, nor pruned buckets nor quantised matrices. Then twelve int32 of settings, a
float64, the dictionary, the input matrix, and the output matrix, which is not needed here.
The row of a word is the mean of its own row and those of its n-grams, composed when asked for.
"""

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rowwise.vectors.formats.cursor import Cursor
from rowwise.vectors.formats.fasttext_writing import MAGIC, SETTINGS, VERSION, write
from rowwise.vectors.formats.format import Format, Loaded
from rowwise.vectors.formats.holding import LONGEST_WORD
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.quantised import Matrix, QuantisedMatrix
from rowwise.vectors.subwords import BucketSubwords, ComposedRows

_WHAT = "fastText file"
_CODES = 256
# Bounds that no real file comes near, so that a damaged one is known as such.
_LONGEST_NGRAM = 64
_SUPERVISED = 3
# The dictionary's int32 size and words, whose labels follow, and its int64 tokens.
_OLD_HEADER = struct.Struct("<12i d 3i q")


class _Dictionary(NamedTuple):
    words: PackedWords
    rows: npt.NDArray[np.intp]
    """The row of each word in the input matrix."""
    first_bucket: int
    """The first bucket's row: the words, as the file counts them."""


def matches(source: Source) -> bool:
    """Whether this is a file of the newer or the older layout."""
    start = source.start
    return start.startswith(struct.pack("<i", MAGIC)) or _is_older(start)


def _is_older(start: bytes) -> bool:
    """Whether settings and counts without a magic number make sense."""
    if len(start) < _OLD_HEADER.size:
        return False
    fields = _OLD_HEADER.unpack(start[: _OLD_HEADER.size])
    dim, ws, epoch, _, neg, ngrams, loss, model, bucket, minn, maxn = fields[:11]
    size, words, labels, tokens = fields[13:]
    return bool(
        0 < dim < 100_000
        and 0 < ws < 10_000
        and 0 < epoch < 1_000_000
        and neg >= 0
        and ngrams >= 0
        and 1 <= loss <= 4
        and 1 <= model <= 3
        and bucket >= 0
        and 0 <= minn <= _LONGEST_NGRAM
        and 0 <= maxn <= _LONGEST_NGRAM
        and size == words + labels
        and min(words, labels, tokens) >= 0
    )


def read(source: Source, request: Request) -> Loaded:
    """Words, composed rows (n, d) and subwords.

    Raises:
        DataFileError: the file is damaged, cut short, or of a later version.
    """
    at = Cursor(source.content, source.name, _WHAT)
    newer = source.start.startswith(struct.pack("<i", MAGIC))
    version = 11
    if newer:
        _, version = at.unpack("2i")
        if not 0 < version <= VERSION:
            raise at.damaged(f"its version is {version}, and {VERSION} is the latest known")
    settings = dict(zip(SETTINGS, at.unpack("12i"), strict=True))
    at.unpack("d")
    if version == 11 and settings["model"] == _SUPERVISED:
        settings["maxn"] = 0  # as fastText itself reads such files
    size, count, labels = at.unpack("3i")
    _, pruned = at.unpack("2q") if newer else (*at.unpack("q"), -1)
    if min(size, count, labels) < 0 or size != count + labels:
        raise at.damaged(f"{count} words and {labels} labels are not {size} entries")
    dictionary = _read_dictionary(at, size, count)
    index = None
    if pruned >= 0:
        pairs = at.array("<i4", pruned, 2)
        index = dict(zip(pairs[:, 0].tolist(), pairs[:, 1].tolist(), strict=True))
    table = _read_matrix(at, newer)
    if table.shape[1] != settings["dim"] or not table.shape[1]:
        raise at.damaged(f"its matrix has {table.shape[1]} columns for {settings['dim']}")
    if table.shape[0] < dictionary.first_bucket:
        raise at.damaged(f"its matrix has {table.shape[0]:,} rows for {count:,} words")
    return _loaded(source, request, at, settings, dictionary, table, index)


def _loaded(
    source: Source,
    request: Request,
    at: Cursor,
    settings: dict[str, int],
    dictionary: _Dictionary,
    table: Matrix,
    index: dict[int, int] | None,
) -> Loaded:
    minn, maxn = settings["minn"], settings["maxn"]
    if maxn > _LONGEST_NGRAM:
        raise at.damaged(f"its n-grams have up to {maxn} characters")
    report = new_report(source, "fasttext")
    # The positions are cut down in place of rows; they are composed of the words as they stand.
    places = np.arange(len(dictionary.words)).reshape(-1, 1)
    positions = Request(**{**vars(request), "dtype": "float64"})
    loaded = cut_down(dictionary.words, places, positions, report)
    kept = np.asarray(loaded.rows)[:, 0].astype(np.intp)
    own = dictionary.rows[kept]
    report.columns = table.shape[1]
    if maxn > 0 and (settings["bucket"] > 0 or index):
        try:
            subwords = BucketSubwords(
                table,
                minn=minn,
                maxn=maxn,
                buckets=settings["bucket"],
                index=index,
                first=dictionary.first_bucket,
            )
        except ValueError as error:
            raise at.damaged(str(error)) from error
        composed = ComposedRows(table, own, dictionary.words.take(kept), subwords)
        whole = request.only is None and request.dtype == "float32"
        rows = composed if whole else composed.all().astype(request.dtype)
        return Loaded(loaded.words, rows, report, subwords)
    if isinstance(table, QuantisedMatrix):
        plain = table.take(own)
    elif np.array_equal(own, np.arange(len(own))):
        plain = table[: len(own)]
    else:
        plain = table[own]
    return Loaded(loaded.words, plain.astype(request.dtype, copy=False), report)


def _read_dictionary(at: Cursor, size: int, count: int) -> _Dictionary:
    """The entries: bytes, NUL, int64 how often, int8 whether it is a label."""
    # An entry has at least 10 bytes, so a promise of more entries is not believed.
    if size * 10 > len(at.content) - at.position:
        at.skip(size * 10)  # raises
    content = at.content
    places, starts, ends = [], [], []
    # Strings of bytes are searched faster than arrays; dictionaries are small beside matrices.
    piece, offset = b"", at.position
    position = at.position
    for entry in range(size):
        end = piece.find(b"\0", position - offset)
        if end < 0 or end + 10 > len(piece):
            offset = position
            piece = content[position : position + 2**22].tobytes()
            end = piece.find(b"\0")
            if end < 0 or end + 10 > len(piece):
                at.position = position
                at.skip(len(content) + 1)  # raises
        stop = offset + end
        if piece[end + 9] == 0:
            if stop - position > LONGEST_WORD:
                raise at.damaged(f"entry {entry + 1:,} is a word of {stop - position:,} bytes")
            places.append(entry)
            starts.append(position)
            ends.append(stop)
        position = stop + 10
    data = content[at.position : position].tobytes()
    words = PackedWords.join(
        [data[s - at.position : e - at.position] for s, e in zip(starts, ends, strict=True)]
    )
    at.position = position
    rows = np.array(places, dtype=np.intp)
    if len(rows) and int(rows[-1]) >= count:
        raise at.damaged("there are words after the labels")
    return _Dictionary(words, rows, count)


def _read_matrix(at: Cursor, newer: bool) -> Matrix:
    if newer and at.unpack("?")[0]:
        return _read_quantised(at)
    rows, columns = at.unpack("2q")
    return at.array("<f4", rows, columns)


def _read_quantised(at: Cursor) -> QuantisedMatrix:
    with_norms, rows, columns, length = at.unpack("?2qi")
    codes = at.array("u1", length)
    books = _read_books(at)
    if sum(book.shape[1] for book in books) != columns or rows * len(books) != length:
        raise at.damaged("its quantised matrix does not fit together")
    norms = None
    if with_norms:
        norm_codes = at.array("u1", rows)
        (norm_book,) = _read_books(at) or [np.empty((_CODES, 0), dtype=np.float32)]
        if norm_book.shape[1] != 1:
            raise at.damaged("its norms are no numbers")
        norms = norm_book[:, 0][norm_codes]
    return QuantisedMatrix(codes.reshape(rows, len(books)), books, norms)


def _read_books(at: Cursor) -> list[npt.NDArray[np.float32]]:
    """A product quantiser: for each piece of a row, 256 centroids."""
    columns, pieces, width, last = at.unpack("4i")
    if pieces < 1 or min(columns, width, last) < 1 or columns != (pieces - 1) * width + last:
        raise at.damaged("its product quantiser does not fit together")
    centroids = at.array("<f4", columns * _CODES)
    books = []
    for piece in range(pieces):
        own = width if piece < pieces - 1 else last
        start = piece * _CODES * width
        books.append(centroids[start : start + _CODES * own].reshape(_CODES, own))
    return books


FASTTEXT = Format(
    name="fasttext",
    about="fastText's .bin and .ftz: words and n-grams in buckets",
    matches=matches,
    read=read,
    write=write,
    suffixes=(".bin",),
    streamed=True,
    holds_subwords=True,
    float32_only=True,
)
