"""Zip files: which of their members holds the vectors, told by content."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.vectors.formats.damage import damage_named
from rowwise.vectors.formats.source import Source

START = b"PK\x03\x04"
# More members than this are not looked into.
_MOST_MEMBERS = 100


class Member(NamedTuple):
    """A member that holds vectors."""

    name: str
    format: str
    columns: int | None
    """None where the format does not tell before it is read."""


def names(path: Path) -> list[str]:
    """The names of the files in a zip; DataFileError when it is not whole."""
    with damage_named(f"{str(path)!r} is no whole zip file"), zipfile.ZipFile(path) as archive:
        there = archive.namelist()
    return [name for name in there if name and not name.endswith("/")]


def choose(path: Path, member: str | int | None, describe: Callable[[Source], Member]) -> Source:
    """The member of the zip at ``path`` to read.

    Args:
        path: the zip file.
        member: its name, or the number of its columns, or None for the only one with vectors.
        describe: tells what a member holds; DataFileError for one without vectors.

    Raises:
        DataFileError: none fits, or several do; the message lists them.
    """
    if isinstance(member, bool) or not isinstance(member, str | int | None):
        raise InvalidArgumentError(
            "`member` must be the name of a file in the zip, or a number of columns. "
            f"Received: {member!r}."
        )
    there = names(path)
    if isinstance(member, str):
        if member not in there:
            raise DataFileError(
                f"{str(path)!r} has no member {member!r}. It has: {_listed(there)}."
            )
        return Source(path, packed="zip", member=member)
    if len(there) > _MOST_MEMBERS:
        raise DataFileError(
            f"{str(path)!r} has {len(there):,} members, which are too many to look into. Name one: "
            f"member={there[0]!r}."
        )
    found: list[Member] = []
    damaged: list[DataFileError] = []
    for name in there:
        if name.startswith("__MACOSX/"):
            continue
        source = Source(path, packed="zip", member=name)
        try:
            _ = source.start
        except DataFileError as error:
            damaged.append(error)
            continue
        try:
            found.append(describe(source))
        except DataFileError:
            continue  # a README or the like
    fitting = [each for each in found if member is None or each.columns == member]
    if len(fitting) == 1:
        return Source(path, packed="zip", member=fitting[0].name)
    shown = _listed([f"{each.name} ({each.columns} columns)" for each in found])
    if not found and damaged:
        raise damaged[0]
    if not found:
        raise DataFileError(
            f"{str(path)!r} is a zip file, but not a Keras model, and none of its members holds "
            f"vectors: {_listed(there)}."
        )
    if not fitting:
        raise DataFileError(f"{str(path)!r} has no member with {member} columns. It has: {shown}.")
    example = fitting[0].name
    raise DataFileError(
        f"{str(path)!r} has several members with vectors: {shown}. Choose one by its name or its "
        f"columns, for instance member={example!r}."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "") if names else "nothing"
