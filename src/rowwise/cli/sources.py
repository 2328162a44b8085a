"""Vectors that a command reads: a file of any kind, an address, a name, a model or a run."""

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rowwise.cli.models import MODEL_FILE
from rowwise.errors import MissingExtraError, RowwiseError

if TYPE_CHECKING:
    from rowwise.vectors import Vectors

# Arguments of Vectors.load and save that are options of commands by the same names.
_ARGUMENTS = "member|words|strict|unpickle|format|limit|only|lowercase|dtype"
_NAMED = re.compile(rf"`({_ARGUMENTS})`|`?\b({_ARGUMENTS})=(True|'[^']*'|\w+)`?")


_ABOUT_SOURCE = """
SOURCE is a file of vectors of any kind, packed or not, an https address, a well-known name such as
glove.6B.100d, a trained model (.keras) or a folder that `rowwise train` wrote.
"""


@dataclass(frozen=True)
class VectorSource:
    """What a user named as vectors, and how to read it."""

    source: str
    member: str | None = None
    words: str | None = None
    strict: bool = False
    unpickle: bool = False

    def load(self, *, quiet: bool = False, **options: Any) -> "Vectors":
        """The vectors; what they warn of is a note on standard error.

        Args:
            quiet: no bar, which otherwise a terminal is shown.
            **options: further ones of ``Vectors.load``.

        Raises:
            DataFileError: there are none.
        """
        from rowwise.vectors import Vectors

        model = Path(self.source, MODEL_FILE)
        member = self.member
        with noted(), options_named():
            return Vectors.load(
                str(model) if model.is_file() else self.source,
                member=int(member) if member is not None and member.isdecimal() else member,
                words=self.words,
                strict=self.strict,
                unpickle=self.unpickle,
                progress=sys.stderr.isatty() and not quiet,
                **options,
            )


def vector_source(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command SOURCE and its options, as a ``VectorSource`` in the first place."""

    @wraps(command)
    def with_source(
        source: str,
        member: str | None,
        words: str | None,
        strict: bool,
        unpickle: bool,
        **others: Any,
    ) -> None:
        command(VectorSource(source, member, words, strict, unpickle), **others)

    with_source.__doc__ = f"{cleandoc(command.__doc__ or '')}\n{_ABOUT_SOURCE}"
    for decorate in (
        click.option(
            "--unpickle",
            is_flag=True,
            help="Read gensim's own files, by an unpickler that knows arrays and plain values.",
        ),
        click.option("--strict", is_flag=True, help="Make an odd row an error."),
        click.option("--words", help="File with a word a line, for rows without words."),
        click.option(
            "--member",
            help="Which file of a zip, or layer of a model: its name, or its number of columns.",
        ),
        click.argument("source"),
    ):
        with_source = decorate(with_source)
    return with_source


@contextmanager
def noted() -> Iterator[None]:
    """Print warnings within as notes on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        click.echo(f"Note: {warning.message}", err=True)


@contextmanager
def options_named() -> Iterator[None]:
    """Name the command's options in errors within, which name Python's arguments."""
    try:
        yield
    except MissingExtraError:
        raise  # which names no argument, and is made from other parts than a message
    except RowwiseError as error:
        own = {name for each in click.get_current_context().command.params for name in each.opts}

        def option(found: re.Match[str]) -> str:
            name = f"--{found[1] or found[2]}"
            shown = name if found[3] in (None, "True") else f"{name} {found[3]}"
            return shown if name in own else f"`rowwise convert {shown}`"

        if (message := _NAMED.sub(option, str(error))) != str(error):
            raise type(error)(message) from error
        raise
