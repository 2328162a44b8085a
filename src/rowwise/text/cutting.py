"""Cutting what a ``Tokenizer`` is given: texts, lists of words, or a generator of either."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import is_
from typing import Any

from rowwise.text.checks import not_a_text
from rowwise.text.splitting import Splitter
from rowwise.text.words import Words

# A text, or its words.
Text = str | list[str]
# Texts of a generator are taken in groups, so that they need not all be in memory at once.
_GROUP = 1 << 15


@dataclass(frozen=True)
class Cutter:
    """Cuts texts with a splitter, or with a function of the user's.

    Args:
        splitter: cuts strings; its ``lower`` also applies to lists of words.
        analyzer: cuts strings instead of ``splitter``, unless that cuts into characters.
    """

    splitter: Splitter
    analyzer: Callable[[str], Iterable[str]] | None = None

    def groups(self, texts: Iterable[Text]) -> Iterator[Words]:
        """Cut texts into words: all at once if they are in memory, else group by group.

        Raises:
            InvalidTextError: an item is neither a string nor a list; the message names it.
        """
        if hasattr(texts, "__len__"):
            yield self._group(list(texts), 0)
            return
        rest, first = iter(texts), 0
        while group := list(islice(rest, _GROUP)):
            yield self._group(group, first)
            first += len(group)

    def words_of(self, text: Text, position: int) -> list[str]:
        """Return the words of one text; ``position`` is for error messages."""
        if isinstance(text, list):
            if not self.splitter.lower:
                return text
            for word in text:
                if not isinstance(word, str):
                    not_a_text(word, position, "the words of a text")
            return [word.lower() for word in text]
        if not isinstance(text, str):
            not_a_text(text, position)
        if self.analyzer is not None and not self.splitter.char_level:
            return list(self.analyzer(text))
        return self.splitter.split(text, position)

    def _group(self, texts: list[Any], first: int) -> Words:
        all_strings = all(issubclass(kind, str) for kind in set(map(type, texts)))
        if all_strings and (self.analyzer is None or self.splitter.char_level):
            return self.splitter.intern(texts, first)
        return Words.from_lists(
            self.words_of(text, position) for position, text in enumerate(texts, first)
        )


class KeptCut:
    """The words of the texts that were cut last, for one more use.

    A tokenizer is mostly fitted on texts and then turns the same texts into ids. Strings never
    change, so the very same strings, cut in the same way, have the same words.
    """

    def __init__(self) -> None:
        self._kept: tuple[Cutter, list[Any], Words] | None = None

    def cut_and_keep(self, cutter: Cutter, texts: Iterable[Text]) -> list[Words]:
        """Cut texts, and keep the words if they are a list of strings."""
        self._kept = None
        groups = list(cutter.groups(texts))
        # What a user's function makes of a text need not be the same again.
        if isinstance(texts, list) and cutter.analyzer is None and set(map(type, texts)) == {str}:
            self._kept = (cutter, list(texts), groups[0])
        return groups

    def cut(self, cutter: Cutter, texts: Iterable[Text]) -> Iterable[Words]:
        """The words that were kept, if they are of these texts; else cut the texts."""
        kept, self._kept = self._kept, None
        if kept is not None and isinstance(texts, list) and kept[0] == cutter:
            same = len(texts) == len(kept[1]) and all(map(is_, texts, kept[1]))
            if same:
                return [kept[2]]
        return cutter.groups(texts)

    def __reduce__(self) -> tuple[Any, ...]:
        return KeptCut, ()  # a copy of a tokenizer starts without
