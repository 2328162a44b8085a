"""Lists of words that stand beside a file of rows: a word a line."""

from collections.abc import Sequence
from pathlib import Path

from rowwise.errors import DataFileError
from rowwise.text.wording import counted
from rowwise.vectors.formats.packed import SUFFIXES
from rowwise.vectors.formats.source import plain_source
from rowwise.vectors.packing import PackedWords

OWN = "{stem}.words.txt"
"""Where the words of NAME.npy are written."""
# Beside NAME.npy the words are looked for in these files, in this order.
BESIDE = (OWN, "{stem}.txt", "{stem}.vocab", "words.txt", "vocab.txt")


def read_words(path: Path) -> PackedWords:
    r"""The lines of a file, which end at ``\n`` or all at ``\r\n``; the last may lack it."""
    lines = plain_source(path).content.tobytes().split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if lines and all(line.endswith(b"\r") for line in lines):
        lines = [line[:-1] for line in lines]
    return PackedWords.join(lines)


def beside(rows: Path, name: str) -> Path:
    """The path of ``name`` beside ``rows``, whose name without suffix takes the place of {stem}.

    Of ``glove.50d.npy`` this is ``glove.50d``: other rows of the same family have other words.
    """
    bare = rows.with_suffix("") if rows.suffix in SUFFIXES else rows
    return rows.with_name(name.format(stem=bare.stem))


def find_words(rows: Path, given: str | None, names: Sequence[str] = BESIDE) -> Path:
    """The file of words for a file of rows.

    Raises:
        DataFileError: there is none.
    """
    if given is not None:
        if not Path(given).is_file():
            raise DataFileError(f"There is no file of words at {given!r}.")
        return Path(given)
    tried = [beside(rows, name) for name in names]
    found = next((path for path in tried if path.is_file() and path != rows), None)
    if found is None:
        raise DataFileError(
            f"{str(rows)!r} holds rows without words, and beside it is none of "
            f"{', '.join(path.name for path in tried)}. Name the file that has a word a line: "
            "words=PATH."
        )
    return found


def check_count(words: PackedWords, path: Path, rows: int, name: str) -> None:
    """Raise DataFileError unless there are as many words as rows."""
    if len(words) != rows:
        raise DataFileError(
            f"{str(path)!r} has {counted(len(words), 'word')}, and {name!r} has "
            f"{counted(rows, 'row')}. They must belong together, a word for each row."
        )
