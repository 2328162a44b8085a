"""What a reader found, cut down to what is wanted of it; the report is told what was odd."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.vectors.formats.format import Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.packing import PackedWords, decode_word
from rowwise.vectors.report import LoadReport

# Rows moved at once when others are left out: a few MB.
_BLOCK_ROWS = 8_192


def new_report(source: Source, format_name: str) -> LoadReport:
    """An empty report on ``source``."""
    return LoadReport(
        path=str(source.path), format=format_name, packed=source.packed, member=source.member
    )


def cut_down(
    words: PackedWords,
    rows: npt.NDArray[Any],
    request: Request,
    report: LoadReport,
    *,
    lines: Any = None,
    own: bool = False,
    trusted: bool = False,
) -> Loaded:
    """Leave out rows that are not wanted and words that stood there before.

    Only the first ``request.limit`` rows are looked at, whatever is left out of them.

    Args:
        words: n words.
        rows: (n, d).
        request: what is wanted.
        report: gets what is odd.
        lines: for the report, the line of each row; by default rows count from 1.
        own: ``rows`` may be changed.
        trusted: words are all different, whatever their bytes, as rowwise wrote them.
    """

    def line(place: int) -> int:
        return int(lines[place]) if lines is not None else place + 1

    if request.limit is not None and request.limit < len(words):
        assert not own  # such a table was not filled any further
        words, rows = words.first(request.limit), rows[: request.limit]
    if not trusted:
        words = _repaired(words, report, line)
    kept = _wanted(words, request) if request.only is not None or request.lowercase else None
    if not trusted:
        kept = _without_repeats(words, kept, report, line)
    if request.lowercase:
        assert kept is not None
        words, kept = _folded(words, kept, request, report)
    elif kept is not None:
        words = words.take(kept)
    if kept is not None:
        rows = _moved(rows, kept) if own else _copied(rows, kept, request)
    rows = rows.astype(request.dtype, copy=False)
    report.rows, report.columns = rows.shape
    if request.strict:
        report.check()
    return Loaded(words, rows, report)


def _repaired(words: PackedWords, report: LoadReport, line: Any) -> PackedWords:
    """The words with U+FFFD where they are not UTF-8, which the report is told."""
    wrong = words.undecodable()
    if not len(wrong):
        return words
    encoded = words.encoded()
    for place in wrong.tolist():
        decoded = decode_word(encoded[place])
        report.undecodable.add(line(place), decoded)
        encoded[place] = decoded.encode("utf-8", "surrogatepass")
    return PackedWords.join(encoded)


def _wanted(words: PackedWords, request: Request) -> npt.NDArray[np.intp]:
    only = request.only
    if only is None:
        count = len(words)
        return np.arange(count)
    decoded = words.decode()
    if request.lowercase:
        found = [place for place, word in enumerate(decoded) if word.lower() in only]
    else:
        found = [place for place, word in enumerate(decoded) if word in only]
    return np.array(found, dtype=np.intp)


def _without_repeats(
    words: PackedWords, kept: npt.NDArray[np.intp] | None, report: LoadReport, line: Any
) -> npt.NDArray[np.intp] | None:
    among = words if kept is None else words.take(kept)
    repeats = among.repeated()
    if not len(repeats):
        return kept
    places = np.arange(len(words)) if kept is None else kept
    for place in places[repeats].tolist():
        start = int(words.ends[place - 1]) if place else 0
        word = decode_word(words.data[start : words.ends[place]].tobytes())
        report.duplicates.add(line(place), word)
    return np.delete(places, repeats)


def _folded(
    words: PackedWords, kept: npt.NDArray[np.intp], request: Request, report: LoadReport
) -> tuple[PackedWords, npt.NDArray[np.intp]]:
    first: dict[str, int] = {}
    for place, word in zip(kept.tolist(), words.take(kept).decode(), strict=True):
        first.setdefault(word.lower(), place)
    report.folded += len(kept) - len(first)
    return PackedWords.pack(first), np.array(list(first.values()), dtype=np.intp)


def _moved(rows: npt.NDArray[Any], kept: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """The rows at ``kept``, which ascends, moved up within the table."""
    for start in range(0, len(kept), _BLOCK_ROWS):
        part = kept[start : start + _BLOCK_ROWS]
        rows[start : start + len(part)] = rows[part]
    rows.resize((len(kept), rows.shape[1]), refcheck=False)
    return rows


def _copied(
    rows: npt.NDArray[Any], kept: npt.NDArray[np.intp], request: Request
) -> npt.NDArray[Any]:
    if len(kept) == len(rows) or np.array_equal(kept, np.arange(len(kept))):
        return rows[: len(kept)]  # a view, so that a map stays a map
    copied = np.empty((len(kept), rows.shape[1]), dtype=request.dtype)
    for start in range(0, len(kept), _BLOCK_ROWS):
        part = kept[start : start + _BLOCK_ROWS]
        copied[start : start + len(part)] = rows[part]
    return copied
