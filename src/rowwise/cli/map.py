"""``rowwise map``: words on a page or in a picture."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowwise.cli.options import WholeNumber
from rowwise.cli.sources import VectorSource, noted, vector_source
from rowwise.cli.words import near_words_named
from rowwise.errors import DataFileError

if TYPE_CHECKING:
    from rowwise.vectors import Vectors

PAGES, PICTURES = (".html", ".htm"), (".png", ".svg", ".pdf")


@click.command(name="map")
@vector_source
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--only",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a word a line: those to show.",
)
@click.option(
    "--limit",
    type=WholeNumber(min=1),
    help="Show so many words, the first ones.  [default: 200 in a picture, 100000 on a page]",
)
@click.option(
    "--method",
    type=click.Choice(["auto", "tsne", "pca", "umap"]),
    default="auto",
    show_default=True,
    help="How words are laid out; auto: t-SNE for up to 2,000 words, UMAP for more.",
)
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a word, a tab and a number or a label in a line: colours of the words.",
)
@click.option("--before", help="The vectors before training, to colour words by how far they went.")
@click.option("--title", help="Title of the page or picture.")
@click.option(
    "--seed",
    type=WholeNumber(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="Starts the layout.",
)
def command(
    source: VectorSource,
    target: Path,
    only: Path | None,
    limit: int | None,
    method: Any,
    labels: Path | None,
    before: str | None,
    title: str | None,
    seed: int,
) -> None:
    """Draw the words of SOURCE to TARGET, near when their rows are near.

    An .html file is a page to search words in, which needs no network; .png, .svg and .pdf are
    pictures.
    """
    suffix = target.suffix.lower()
    if suffix not in (*PAGES, *PICTURES):
        raise click.UsageError(
            f"TARGET ends in .html for a page, or in {', '.join(PICTURES)} for a picture. "
            f"Received: {str(target)!r}."
        )
    if suffix in PICTURES and before is not None:
        raise click.UsageError("--before colours a page: let TARGET end in .html.")
    vectors = source.load()
    words = _words(vectors, only, limit if suffix in PAGES else limit or 200)
    from rowwise import viz
    from rowwise.viz.page.contents import MOST_WORDS

    colour = None if labels is None else _colours(labels, words or vectors.words[:MOST_WORDS])
    if suffix in PICTURES:
        assert words is not None
        figure = viz.plot_map(vectors, words, method=method, color=colour, title=title, seed=seed)
        viz.save_figure(figure, target)
        import numpy as np

        unfit = sum(not np.isfinite(vectors[word]).all() for word in words)
        left_out = f" ({unfit:,} left out, for rows that hold NaN or infinity)" if unfit else ""
        total = f"{len(vectors):,} word{'s' * (len(vectors) != 1)}"
        click.echo(f"{target}: {len(words) - unfit:,} of {total}{left_out}.")
        return
    earlier = None if before is None else VectorSource(before).load()
    with _bar(min(len(words or vectors), MOST_WORDS)) as tell, noted():
        report = viz.write_page(
            vectors,
            target,
            words,
            method=method,
            color=None if colour is None else {"label": colour},
            before=earlier,
            title=title or Path(source.source).name,
            seed=seed,
            progress=tell,
        )
    click.echo(report)
    click.echo("Open it in a browser; it needs no network.")


def _words(vectors: "Vectors", only: Path | None, limit: int | None) -> list[str] | None:
    """The words that were chosen; None for as many as there is room for."""
    if only is None:
        return None if limit is None else list(vectors.words[:limit])
    from rowwise.vectors.formats.word_list import read_words

    words = list(dict.fromkeys(read_words(only)))
    with near_words_named(vectors, words):
        for word in words:
            vectors.index(word)
    return words[:limit]


def _colours(path: Path, words: Any) -> list[Any]:
    """A number for each word where the file has nothing but numbers, or else a label."""
    from rowwise.text.reading import lines_of, naming, read_utf8

    with naming(path):
        lines = lines_of(read_utf8(path))
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        word, tab, label = line.partition("\t")
        if not tab:
            raise DataFileError(
                f"Line {number} of {str(path)!r} has no tab. Expected a word, a tab and a label. "
                f"Found: {line[:60]!r}."
            )
        found[word] = label.strip()
    if not any(word in found for word in words):
        raise DataFileError(f"None of the words that are shown has a label in {str(path)!r}.")
    try:
        numbers = {word: float(label) for word, label in found.items()}
    except ValueError:
        return [found.get(word, "no label") for word in words]
    missing = next((word for word in words if word not in numbers), None)
    if missing is not None:
        raise DataFileError(
            f"{str(path)!r} has no number for {missing!r}. Give one for each word that is shown; "
            "--only FILE chooses words."
        )
    return [numbers[word] for word in words]


@contextmanager
def _bar(count: int) -> Iterator[Callable[[int], None] | None]:
    """What tells of progress, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=count, label="Nearest words", file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.pos)
