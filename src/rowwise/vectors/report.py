"""What was odd in a file of vectors, row by row."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rowwise.errors import DataFileError
from rowwise.text.wording import counted

# Of each kind of oddity so many are kept with their lines; the others are counted.
EXAMPLES = 1_000


@dataclass
class Oddities:
    """Rows that are odd in one way: how many, and where the first of them stand."""

    count: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    """(line, word or reason); lines count from 1. In binary files rows are counted instead."""

    def add(self, line: int, what: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append((int(line), what))

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return self.count > 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(self.examples)


@dataclass
class LoadReport:
    """Where vectors came from, and what was odd about them.

    Spaced, undecodable and duplicate words are loaded (of a duplicate, the first row); malformed
    rows are left out. ``load(..., strict=True)`` makes an error of the first of either kind.
    """

    path: str
    """As it was given to ``load``."""
    format: str = ""
    """For instance ``word2vec-text``; ``Vectors.save(format=...)`` takes the same names."""
    packed: str | None = None
    """How the file is packed: ``gzip``, ``bzip2``, ``xz``, ``zstd``, ``zip``, or None."""
    member: str | None = None
    """Which file of a zip was read."""
    rows: int = 0
    """Rows that were loaded."""
    columns: int = 0
    spaced: Oddities = field(default_factory=Oddities)
    """Words that hold the character which separates fields."""
    duplicates: Oddities = field(default_factory=Oddities)
    """Rows of a word that stood there before; they are left out."""
    undecodable: Oddities = field(default_factory=Oddities)
    """Words that are not UTF-8; what cannot be decoded became U+FFFD."""
    malformed: Oddities = field(default_factory=Oddities)
    """Rows that are no word and numbers; they are left out."""
    folded: int = 0
    """Rows left out since their word, in lower case, stood there before (``lowercase=True``)."""
    notes: list[str] = field(default_factory=list)
    """What else is to be known, a sentence each."""

    @property
    def odd(self) -> int:
        """How many rows were odd in one of the four ways."""
        return sum(map(len, self.kinds().values()))

    def kinds(self) -> dict[str, Oddities]:
        """The four kinds of oddities by name."""
        return {
            "spaced": self.spaced,
            "duplicate": self.duplicates,
            "undecodable": self.undecodable,
            "malformed": self.malformed,
        }

    def check(self) -> None:
        """Raise DataFileError for the first odd row of any kind; what ``strict=True`` does."""
        firsts = [(kind.examples[0], name) for name, kind in self.kinds().items() if kind]
        if firsts:
            (line, what), name = min(firsts)
            raise DataFileError(
                f"{self.path!r}, line {line}: {_STRICT[name].format(what=what)} Load without "
                "`strict` to accept such rows and have them listed in the report."
            )

    def __str__(self) -> str:
        source = self.format + (f" in {self.packed}" if self.packed else "")
        source += f", member {self.member!r}" if self.member else ""
        size = f"{counted(self.rows, 'word')} x {counted(self.columns, 'column')}"
        lines = [f"{self.path}: {size} ({source})"]
        for name, kind in self.kinds().items():
            if kind:
                shown = "; ".join(f"line {line}: {what!r}" for line, what in kind.examples[:3])
                more = "; ..." if kind.count > 3 else ""
                lines.append(f"{name}: {kind.count:,} ({shown}{more})")
        if self.folded:
            lines.append(f"the same in lower case: {self.folded:,}")
        return "\n".join([*lines, *self.notes])


_STRICT = {
    "spaced": "the word {what!r} holds a separator.",
    "duplicate": "the word {what!r} has a row already.",
    "undecodable": "the word {what!r} is not UTF-8.",
    "malformed": "{what}.",
}
