"""Files that vectors are measured on: pairs of words with a human score, and analogies.

Lines end at a line feed and are UTF-8; empty ones and those that begin with # are skipped. A line
of pairs is ``word word score``, with tabs, commas or spaces between; the first may be a header. A
line of analogies is ``a b c d``, and ``: name`` begins a section, as in word2vec's
``questions-words.txt``.
"""

import os
from pathlib import Path
from typing import NamedTuple

from rowwise.errors import DataFileError


class Pair(NamedTuple):
    """Two words, and how near people find them."""

    first: str
    second: str
    score: float


class Question(NamedTuple):
    """``a`` is to ``b`` as ``c`` is to ``d``."""

    a: str
    b: str
    c: str
    d: str


class Section(NamedTuple):
    """Analogies of one kind."""

    name: str
    questions: list[Question]


def read_benchmark(path: str | os.PathLike[str]) -> list[Pair] | list[Section]:
    """The pairs, or the sections of analogies, of a file; told by its content.

    Raises:
        DataFileError: there is no such file, or a line is neither; the message names it.
    """
    source = Path(path)
    if not os.path.isfile(source):
        raise DataFileError(f"There is no file {str(source)!r}. Check the path.")
    pairs: list[Pair] = []
    sections: list[Section] = []
    for number, raw in enumerate(source.read_bytes().split(b"\n"), start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise DataFileError(
                f"{str(source)!r}, line {number}: byte 0x{raw[error.start]:02x} is not UTF-8."
            ) from error
        if not line or line.startswith("#"):
            continue
        if line.startswith(":"):
            sections.append(Section(line[1:].strip(), []))
            continue
        fields = _fields(line)
        pair = None if sections else _as_pair(fields)
        if pair is not None:
            pairs.append(pair)
        elif len(fields) == 4 and not pairs:
            if not sections:
                sections.append(Section("", []))
            sections[-1].questions.append(Question(*fields))
        elif number > 1:  # the first line may be a header
            expected = "two words and a number" if pairs or not sections else "four words"
            raise DataFileError(
                f"{str(source)!r}, line {number}: expected {expected}. Found: {line[:60]!r}."
            )
    if not pairs and not any(section.questions for section in sections):
        raise DataFileError(
            f"{str(source)!r} holds no benchmark: expected lines of two words and a number, or of "
            "four words."
        )
    return pairs or sections


def _fields(line: str) -> list[str]:
    for separator in ("\t", ","):
        if separator in line:
            return [field.strip() for field in line.split(separator)]
    return line.split()


def _as_pair(fields: list[str]) -> Pair | None:
    if len(fields) != 3:
        return None
    try:
        return Pair(fields[0], fields[1], float(fields[2]))
    except ValueError:
        return None
