"""``write_page``: words, their map and their neighbours in one HTML file."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.files import atomic_path
from rowwise.text.wording import counted
from rowwise.vectors import Vectors
from rowwise.viz.comparison import compare
from rowwise.viz.page.colours import CLUSTER, DRIFT, FREQUENCY, RANK
from rowwise.viz.page.contents import MOST_WORDS, Contents, contents_of
from rowwise.viz.page.document import check_page, page_document
from rowwise.viz.page.packing import packed
from rowwise.viz.projection import METHOD_NAMES, AnyMethod, Method

Colours = Mapping[str, Sequence[Any] | npt.NDArray[Any]]


@dataclass(frozen=True)
class PageReport:
    """What ``write_page`` wrote."""

    path: Path
    words: int
    """On the page."""
    total: int
    """In the vectors."""
    unfit: tuple[str, ...]
    """Words that are left out, since their rows hold NaN or infinity."""
    method: Method
    columns: int
    """Of the rows."""
    kept_columns: int
    """Principal directions that formulas are computed with in the page."""
    kept_share: float
    """How much of the rows' squared length they hold."""
    size: int
    """Bytes."""

    def __str__(self) -> str:
        lines = [f"{self.path}: {counted(self.words, 'word')}, {self.size / 1e6:.1f} MB"]
        if self.total > self.words + len(self.unfit):
            lines.append(f"{self.total:,} words are in the table; the others are not on the page.")
        if self.unfit:
            unfit = counted(len(self.unfit), "word")
            lines.append(f"{unfit} left out, for rows that hold NaN or infinity.")
        if self.kept_columns < self.columns:
            lines.append(
                f"Formulas are computed with {self.kept_columns} of {self.columns} principal "
                f"directions, which hold {100 * self.kept_share:.0f} % of the rows' squared length."
            )
        return "\n".join(lines)


def write_page(
    vectors: Vectors,
    path: str | os.PathLike[str],
    words: Sequence[str] | None = None,
    *,
    method: AnyMethod = "auto",
    color: Colours | Sequence[Any] | npt.NDArray[Any] | None = None,
    counts: Sequence[int] | npt.NDArray[Any] | None = None,
    before: Vectors | None = None,
    neighbors: int = 10,
    title: str | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> PageReport:
    """Write a page to look at words in: one file, which needs no network and no server.

    It shows a map on which each word is a dot, finds words as they are typed, lists the nearest
    words of a picked one in the space of the rows, colours the dots, and lays them out along two
    formulas such as ``king - man`` and ``she - he``.

    Neighbours are exact: by cosine, among the words on the page. Formulas are computed in the page
    with rows of 8 bits; where the rows do not fit, with as many of their principal directions as
    do. The page and the report say so. Of rows, only directions count: they are made of length 1.

    Args:
        vectors: words and rows, the most frequent first.
        path: of the file, which ends in .html.
        words: those to show, 100,000 at most, each once; by default the first 100,000.
        method: how they are laid out, as in :func:`project`.
        color: a number or a category for each word; or several of these by name.
        counts: how often each word occurs: numbers of at least 0.
        before: the table before training, to colour words by how far their rows went.
        neighbors: how many of each word are listed.
        title: of the page.
        seed: as in :func:`project`; the same seed writes the same bytes.
        progress: is called with how many words' neighbours are found, of those on the page.

    Raises:
        UnknownWordError: a word that ``vectors`` does not hold.
        InvalidArgumentError: no words, a word twice, too many, another number of colours than
            words, colours called as those that the page makes itself, an unknown method, or another
            suffix than .html.
        FileNotFoundError: the folder of ``path`` does not exist; before anything is computed.
        MissingExtraError: plotly, or umap-learn for ``"umap"``, is not installed.
    """
    check_page(path)
    given = _colours(color, counts, before, vectors, words)
    contents = contents_of(vectors, words, method, given, neighbors, seed, progress)
    text = html_of(contents, title or counted(len(contents.words), "word"), None)
    with atomic_path(path) as temporary:
        Path(temporary).write_bytes(text)
    return PageReport(
        path=Path(path),
        words=len(contents.words),
        total=contents.total,
        unfit=tuple(contents.bad),
        method=contents.method,
        columns=contents.rows.columns,
        kept_columns=contents.rows.numbers.shape[1],
        kept_share=contents.rows.share,
        size=len(text),
    )


def page_html(
    vectors: Vectors,
    words: Sequence[str] | None = None,
    *,
    method: AnyMethod = "auto",
    color: Colours | Sequence[Any] | npt.NDArray[Any] | None = None,
    title: str | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
) -> str:
    """The page as a server gives it: it asks where it comes from for neighbours and labels.

    Any word and any formula is then looked up in the whole table, by POST to ``neighbors`` and
    ``analogy``.

    Args:
        vectors: words and rows.
        words: as in :func:`write_page`, and so are ``method``, ``color``, ``title`` and ``seed``.
        method: see ``words``.
        color: see ``words``.
        title: see ``words``.
        seed: see ``words``.
        classes: the labels of a classifier, which ``predict`` is asked for; None for none.
    """
    given = _colours(color, None, None, vectors, words)
    contents = contents_of(vectors, words, method, given, 10, seed, None)
    live = {"classes": None if classes is None else list(classes)}
    return html_of(contents, title or counted(len(vectors), "word"), live).decode()


def html_of(contents: Contents, title: str, live: Mapping[str, Any] | None) -> bytes:
    """The page that shows ``contents``; ``live`` says what its server can be asked."""
    rows = contents.rows
    header = {
        "title": title,
        "words": contents.words,
        "total": contents.total,
        "bad": len(contents.bad),
        "method": METHOD_NAMES[contents.method],
        "columns": rows.columns,
        "kept": rows.numbers.shape[1],
        "share": rows.share,
        "neighbours": contents.places.shape[1],
        "colours": [
            colouring.described(f"colour:{number}")
            for number, colouring in enumerate(contents.colourings)
        ],
        "live": live,
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "points": contents.points,
        "places": contents.places,
        "cosines": np.rint(contents.cosines * 10_000).astype(np.int16),
        "rows": rows.numbers,
        "scales": rows.scales,
        **{f"colour:{i}": one.values for i, one in enumerate(contents.colourings)},
    }
    return page_document(title, packed(header, arrays), live is not None)


def _colours(
    color: Colours | Sequence[Any] | npt.NDArray[Any] | None,
    counts: Sequence[int] | npt.NDArray[Any] | None,
    before: Vectors | None,
    vectors: Vectors,
    words: Sequence[str] | None,
) -> dict[str, Sequence[Any]]:
    """Everything the dots can be coloured by, besides clusters and ranks."""
    named = color if isinstance(color, Mapping) else {} if color is None else {"label": color}
    made = {CLUSTER, RANK} | ({FREQUENCY} if counts is not None else set())
    made |= {DRIFT} if before is not None else set()
    if taken := made & named.keys():
        raise InvalidArgumentError(
            f"`color` cannot be called {', '.join(map(repr, sorted(taken)))}: the page has colours "
            "of that name. Choose another one."
        )
    given: dict[str, Sequence[Any]] = {
        str(name): _listed(f"color[{name!r}]", values) for name, values in named.items()
    }
    if counts is not None:
        given[FREQUENCY] = _listed("counts", counts)
        for one in given[FREQUENCY]:
            if not isinstance(one, int | float | np.number) or not one >= 0:
                raise InvalidArgumentError(
                    f"`counts` must be numbers of at least 0, one for each word. Received: {one!r}."
                )
    if before is not None:
        comparison = compare(before, vectors)
        went = dict(zip(comparison.words, comparison.distances.tolist(), strict=True))
        shown = vectors.words[:MOST_WORDS] if words is None else words
        given[DRIFT] = [went.get(word, float("nan")) for word in shown]
    return given


def _listed(name: str, values: Any) -> list[Any]:
    is_flat = getattr(values, "ndim", 1) == 1
    if isinstance(values, str | bytes) or not isinstance(values, Iterable) or not is_flat:
        raise InvalidArgumentError(
            f"`{name}` must be a list with a number or a category for each word. "
            f"Received: {values!r}."
        )
    return list(values)
