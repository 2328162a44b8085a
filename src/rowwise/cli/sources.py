"""Vectors that a command reads: a file of any kind, an address, a name, a model or a run."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowwise.cli.models import MODEL_FILE

if TYPE_CHECKING:
    from rowwise.vectors import Vectors

member_option = click.option(
    "--member", help="Which file of a zip to read: its name, or its number of columns."
)
words_option = click.option(
    "--words", help="File with a word a line, for rows without words (.npy, TSV)."
)
strict_option = click.option("--strict", is_flag=True, help="Make an odd row an error.")
unpickle_option = click.option(
    "--unpickle",
    is_flag=True,
    help="Read gensim's own files, by an unpickler that knows arrays and plain values only.",
)


def load_vectors(source: str, *, member: str | None = None, **options: Any) -> "Vectors":
    """The vectors at ``source``; what they warn of is a note on standard error.

    Raises:
        DataFileError: there are none.
    """
    from rowwise.vectors import Vectors

    folder = Path(source)
    path = str(folder / MODEL_FILE) if (folder / MODEL_FILE).is_file() else source
    chosen: str | int | None = int(member) if member is not None and member.isdigit() else member
    with noted():
        return Vectors.load(path, member=chosen, **options)


@contextmanager
def noted() -> Iterator[None]:
    """Print warnings within as notes on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        click.echo(f"Note: {warning.message}", err=True)
