"""How much of a vocabulary some vectors hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.text import Splitter, Vocabulary
from rowwise.text.checks import shorten
from rowwise.text.wording import counted
from rowwise.vectors.oov import FINDING, Match

_TEXT = {
    "word": "as they are",
    "lower": "in lower case",
    "digits": "with digits folded",
    "subword": "by their subwords",
    "mean": "get the mean row",
    "random": "get random rows",
    "zero": "get rows of zeros",
    "error": "have no row",
}


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which words of a vocabulary got a row from vectors, and how; print it to read it.

    A word is found when its row comes from the vectors: its own, that of another spelling, or one
    of its subwords. Those that got the mean row, a random one, zeros or none are missing.

    Attributes:
        words: the vocabulary's words by id, with padding and unknown.
        rules: the rules in the order in which they were tried; the first is ``"word"``.
        rule: int8 (words,), the place among ``rules`` of the one that gave each word its row; -1
            for padding and unknown.
        counts: int64 (words,), how often each occurs, or None when that is not known.
        outside: how many running words of the given counts or texts are not in the vocabulary.
    """

    words: tuple[str, ...]
    rules: tuple[str, ...]
    rule: npt.NDArray[np.int8]
    counts: npt.NDArray[np.int64] | None
    outside: int

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Whether a word got its row from the vectors, (words,); false for the reserved two."""
        finding = [place for place, rule in enumerate(self.rules) if rule in FINDING]
        found: npt.NDArray[np.bool_] = np.isin(self.rule, finding)
        return found

    @property
    def types(self) -> float:
        """Share of the vocabulary's words that were found, from 0 to 1; 1 if it has none."""
        return float(self.found[2:].mean()) if len(self.words) > 2 else 1.0

    @property
    def running_words(self) -> float | None:
        """Share of all occurrences that are of found words; None when counts are not known.

        Words outside of the vocabulary count as missing.
        """
        if self.counts is None:
            return None
        total = int(self.counts.sum()) + self.outside
        return float(self.counts[self.found].sum() / total) if total else 1.0

    @property
    def by_rule(self) -> dict[str, int]:
        """How many words got their rows by each rule."""
        return {
            rule: int(np.count_nonzero(self.rule == place)) for place, rule in enumerate(self.rules)
        }

    def rule_of(self, word: str) -> str | None:
        """The rule that gave ``word`` its row; None if it is not a word of the vocabulary."""
        place = self.words.index(word) if word in self.words else 0
        return None if place < 2 else self.rules[int(self.rule[place])]

    def missing(self, topn: int | None = 10) -> list[tuple[str, int | None]]:
        """The missing words with their counts, the most frequent first; all of them for None.

        Without counts they come in the order of the vocabulary, which is by frequency as a rule,
        each with None.
        """
        places = np.flatnonzero(~self.found)[2:]
        counts = self.counts
        if counts is not None:
            places = places[np.argsort(-counts[places], kind="stable")]
        return [
            (self.words[place], None if counts is None else int(counts[place]))
            for place in places[:topn].tolist()
        ]

    def __str__(self) -> str:
        real = len(self.words) - 2
        running = self.running_words
        lines = [
            f"{int(self.found.sum()):,} of {counted(real, 'word')} found ({100 * self.types:.1f} %)"
            + ("" if running is None else f", {100 * running:.1f} % of running words")
        ]
        numbers = {rule: number for rule, number in self.by_rule.items() if number}
        width = max((len(f"{number:,}") for number in numbers.values()), default=0)
        lines += [f"  {number:>{width},} {_TEXT[rule]}" for rule, number in numbers.items()]
        if missing := self.missing():
            named = ", ".join(
                word if count is None else f"{word} ({count:,})" for word, count in missing
            )
            more = ", ..." if int((~self.found).sum()) - 2 > len(missing) else ""
            lines.append(f"missing: {named}{more}")
        return "\n".join(lines)


def cover(
    vocabulary: Vocabulary,
    matched: Match,
    counts: Mapping[str, int] | None,
    texts: Iterable[str] | None,
    splitter: Splitter | None,
) -> Coverage:
    """The report for a match of the vocabulary's real words.

    Args:
        vocabulary: its own counts are taken when there are no others.
        matched: of ``vocabulary.words[2:]``.
        counts: how often each word occurs.
        texts: where to count them in place of ``counts``.
        splitter: how texts are cut into words.

    Raises:
        InvalidArgumentError: both counts and texts, or counts that are none.
    """
    if splitter is not None and not isinstance(splitter, Splitter):
        raise InvalidArgumentError(
            f"`splitter` must be a Splitter. Received: {type(splitter).__name__}."
        )
    if counts is not None and texts is not None:
        raise InvalidArgumentError("Give either `counts` or `texts`, not both.")
    outside = 0
    if texts is not None:
        split = (splitter or Splitter()).split_all(texts)
        counts = dict(zip(split.unique, split.counts().tolist(), strict=True))
    numbers: npt.NDArray[np.int64] | None = None
    if counts is not None:
        if not isinstance(counts, Mapping) or not all(map(_is_count, counts.values())):
            raise InvalidArgumentError(
                "`counts` must say of words how often they occur, as {'the': 3}. "
                f"Received: {shorten(counts)}."
            )
        numbers = np.array([counts.get(word, 0) for word in vocabulary.words], dtype=np.int64)
        numbers[:2] = 0
        outside = int(sum(counts.values())) - int(numbers.sum())
    elif vocabulary.counts is not None:
        numbers = np.array(vocabulary.counts, dtype=np.int64)
    rule = np.concatenate([np.array([-1, -1], dtype=np.int8), matched.rule])
    return Coverage(vocabulary.words, matched.rules, rule, numbers, outside)


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and int(value) >= 0
