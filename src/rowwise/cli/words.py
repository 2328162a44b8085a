"""Help for words that vectors do not hold."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rowwise.errors import UnknownWordError

if TYPE_CHECKING:
    from rowwise.vectors import Vectors


@contextmanager
def near_words_named(vectors: "Vectors", words: Sequence[str]) -> Iterator[None]:
    """Add words spelt nearly alike to the error for one of ``words`` that has no row."""
    try:
        yield
    except UnknownWordError as error:
        missing = next((word for word in words if word not in vectors), "")
        near = [] if missing.lower() in vectors else near_spellings(missing, vectors.words)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UnknownWordError(f"{error}{hint}") from error


def near_spellings(word: str, words: Sequence[str]) -> list[str]:
    """At most three of ``words`` that are spelt nearly as ``word``, the nearest first."""
    from difflib import get_close_matches

    # Comparing with every word of a big file would take many seconds, and a slip of the finger
    # seldom changes the length by more than two, or the first letter and the last.
    likely = [
        other
        for other in words
        if abs(len(other) - len(word)) <= 2 and (other[:1] == word[:1] or other[-1:] == word[-1:])
    ]
    return get_close_matches(word, likely, n=3, cutoff=0.7)
