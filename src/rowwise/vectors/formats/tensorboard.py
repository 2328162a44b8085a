"""TensorBoard's Embedding Projector: rows in ``vectors.tsv`` and words in ``metadata.tsv``.

``vectors.tsv`` has no header. ``metadata.tsv`` has one only where it has more than one column;
the word then is in the column called ``word``, ``label`` or ``name``, or else in the first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.files import atomic_path
from rowwise.vectors.formats import text
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.holding import check_rows, check_words
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source, plain_source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.formats.text_layout import Layout, is_number, looks_like_rows
from rowwise.vectors.formats.text_writing import write_lines
from rowwise.vectors.formats.word_list import check_count, find_words, read_words
from rowwise.vectors.packing import PackedWords

VECTORS, METADATA, CONFIG = "vectors.tsv", "metadata.tsv", "projector_config.pbtxt"
_FORBIDDEN = "\t\n\r"
_BESIDE = (METADATA, "{stem}_metadata.tsv", "{stem}.metadata.tsv", "{stem}.metadata")
# The first of these that there is; beside words a label is something else.
_WORD_COLUMNS = (b"word", b"words", b"token", b"label", b"name")


def matches(source: Source) -> bool:
    """Whether all of the first lines are numbers with tabs between, or a folder has such a file."""
    if source.is_folder:
        return (source.path / VECTORS).is_file() or (source.path / CONFIG).is_file()
    if b"\t" not in source.start or not looks_like_rows(source.lines):
        return False
    return not source.layout.words


def read(source: Source, request: Request) -> Loaded:
    """Words and rows (n, d) of a folder, or of a file of rows with the words beside it."""
    if source.is_folder:
        rows_path, words_path = _named(source.path)
        inner = plain_source(rows_path)
    else:
        inner = source
        words_path = find_words(source.path, request.words, _BESIDE)
    report = new_report(inner, "tensorboard")
    report.path = str(source.path)
    everything = Request(dtype=request.dtype, progress=request.progress, strict=True)
    one_column = bool(inner.lines) and all(map(is_number, inner.lines))
    layout = Layout(1, b"\t", words=False) if one_column else inner.layout
    if layout.words:
        raise DataFileError(f"{inner.name!r} holds no rows of numbers with tabs between them.")
    rows = text.read_rows(inner, everything, layout, report).rows
    words = _read_metadata(words_path)
    check_count(words, words_path, len(rows), inner.name)
    return cut_down(words, np.asarray(rows), request, report)


def _named(folder: Path) -> tuple[Path, Path]:
    """The files of rows and of words in a folder, as its configuration names them."""
    names = {"tensor_path": VECTORS, "metadata_path": METADATA}
    config = folder / CONFIG
    if config.is_file():
        written = config.read_bytes().decode("utf-8", "replace")
        for key in names:
            found = re.search(rf'\b{key}\s*:\s*"([^"\n]*)"', written)
            names[key] = found[1] if found else names[key]
    paths = [folder / names["tensor_path"], folder / names["metadata_path"]]
    for path in paths:
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise DataFileError(f"There is no file {path.name!r} in the folder {str(folder)!r}.")
    return paths[0], paths[1]


def _read_metadata(path: Path) -> PackedWords:
    words = read_words(path)
    lines = words.encoded()
    if not lines or b"\t" not in lines[0]:
        return words
    header, *rows = [line.split(b"\t") for line in lines]
    lower = [name.strip().lower() for name in header]
    column = next((lower.index(name) for name in _WORD_COLUMNS if name in lower), 0)
    if any(len(row) <= column for row in rows):
        raise DataFileError(f"{str(path)!r} has lines without the column {column + 1}.")
    return PackedWords.join([row[column] for row in rows])


def write(folder: Path, content: Content) -> None:
    """Write ``vectors.tsv``, ``metadata.tsv`` and ``projector_config.pbtxt`` into a folder.

    Raises:
        InvalidArgumentError: a word is empty or holds a tab or a line break, there are no rows,
            or a line would be too long to be read again.
    """
    write_projector_files(folder, content.words, content.rows, {})


def write_projector_files(
    folder: Path,
    words: Sequence[str],
    rows: npt.NDArray[Any],
    columns: Mapping[str, Sequence[object]],
) -> None:
    """Write the three files into a folder, each of them whole or not at all.

    Args:
        folder: made where there is none, when all else is in order; its other files stay.
        words: n of them.
        rows: (n, d).
        columns: further ones of ``metadata.tsv``, with a value for each word. With them it has a
            header, as TensorBoard wants it.

    Raises:
        InvalidArgumentError: a word or a value is empty or holds a tab or a line break, a column is
            called ``word``, there are no rows, a line would be too long to be read again, or
            something else stands where the folder or a file of it would.
    """
    check_words(words, "metadata of TensorBoard", _FORBIDDEN)
    check_rows(rows, "vectors.tsv of TensorBoard")
    table = [
        _checked_column(name, [str(value) for value in values], words)
        for name, values in columns.items()
    ]
    for name in (VECTORS, METADATA, CONFIG):
        if (folder / name).is_dir():
            raise InvalidArgumentError(
                f"Cannot write {str(folder / name)!r}: it is a folder, and this would be a file. "
                "Name another folder for the projector."
            )
    lines = ["\t".join(["word", *columns])] if columns else []
    lines += map("\t".join, zip(words, *table, strict=True))
    with _made(folder), atomic_path(folder / VECTORS) as path, Path(path).open("wb") as file:
        write_lines(file, rows, b"\t")
    with atomic_path(folder / METADATA) as path:
        Path(path).write_bytes("".join(f"{line}\n" for line in lines).encode())
    # Last, since it says that the others are there.
    with atomic_path(folder / CONFIG) as path:
        Path(path).write_text(
            f'embeddings {{\n  tensor_name: "rowwise"\n  tensor_path: "{VECTORS}"\n'
            f'  metadata_path: "{METADATA}"\n}}\n',
            encoding="utf-8",
        )


def _checked_column(name: object, values: list[str], words: Sequence[str]) -> list[str]:
    """``values``, unless TensorBoard would not read them, or the name of their column."""
    if not isinstance(name, str) or not _fits(name) or name == "word":
        raise InvalidArgumentError(
            "A column must have a name: a string that is not empty, holds no tab or line break, "
            f"and is not 'word', which is the name of the first. Received: {name!r}."
        )
    for word, value in zip(words, values, strict=True):
        if not _fits(value):
            raise InvalidArgumentError(
                f"Column {name!r} must hold values that are not empty, have no tab or line break "
                f"and are valid Unicode. Received {value[:50]!r} for the word {word!r}."
            )
    return values


def _fits(text: str) -> bool:
    """Whether a field of metadata can hold ``text``."""
    is_unicode = not any("\ud800" <= character <= "\udfff" for character in text)
    return bool(text) and is_unicode and not any(each in text for each in _FORBIDDEN)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and those above it, which are gone again when the block raises.

    Raises:
        InvalidArgumentError: the folder, or one above it, is a file.
    """
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InvalidArgumentError(
            f"Cannot write to the folder {str(folder)!r}: it, or one above it, is a file. Name a "
            "folder."
        ) from error
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for one in new:
                one.rmdir()
        raise


TENSORBOARD = Format(
    name="tensorboard",
    about="a folder for TensorBoard's projector: vectors.tsv and metadata.tsv",
    matches=matches,
    read=read,
    write=write,
    folder=True,
)
