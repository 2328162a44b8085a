"""What every format declares: how to know it, how to read it, how to write it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from rowwise.vectors.packing import PackedWords
from rowwise.vectors.report import LoadReport

if TYPE_CHECKING:
    from rowwise.vectors.formats.request import Request
    from rowwise.vectors.formats.source import Source
    from rowwise.vectors.subwords import ComposedRows, Subwords


@dataclass
class Loaded:
    """What a reader found."""

    words: PackedWords | Sequence[str]
    rows: "npt.NDArray[Any] | ComposedRows"
    """(n, d); a memory map, where the file has the numbers as they are wanted."""
    report: LoadReport
    subwords: "Subwords | None" = None


@dataclass
class Content:
    """What a writer is given: n words, rows (n, d) and what else a format may hold."""

    words: Sequence[str]
    rows: npt.NDArray[Any]
    subwords: "Subwords | None" = None
    composed: "ComposedRows | None" = None
    """Where ``rows`` were composed of subwords: the matrices that they were composed of."""


@dataclass(frozen=True)
class Companion:
    """A second file that a format writes beside the first.

    Attributes:
        path: where it stands, given the path of the first. Raises InvalidArgumentError where a
            file is there that is no companion of the first.
        write: writes it to a path.
    """

    path: Callable[[Path, Content], Path]
    write: Callable[[Path, Content], None]


@dataclass(frozen=True)
class Format:
    """One format of files of vectors.

    Attributes:
        name: what ``load`` and ``save`` call it.
        about: what it is, in a few words.
        matches: whether a source holds this format, by its content.
        read: reads it.
        write: writes it to a path, or to an open file if it is ``streamed``; None for a format
            that is only read.
        companion: a second file of the format; both take their places when both are whole.
        suffixes: those that ``save`` takes for this format; the first format with one has it.
        folder: whether it is a folder of files.
        streamed: whether a file is written from start to end, so that it can be packed on its
            way.
        holds_subwords: whether it can hold the n-grams that rows are composed of.
        float32_only: whether numbers become float32.
    """

    name: str
    about: str
    matches: "Callable[[Source], bool]"
    read: "Callable[[Source, Request], Loaded]"
    write: Callable[[Any, Content], None] | None = None
    companion: Companion | None = None
    suffixes: tuple[str, ...] = ()
    folder: bool = False
    streamed: bool = False
    holds_subwords: bool = False
    float32_only: bool = False
