"""How good vectors are: against people's sense of what is near, and on analogies."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rowwise.text.wording import counted
from rowwise.vectors.analogies import solve
from rowwise.vectors.benchmarks import Pair, Question, Section, read_benchmark
from rowwise.vectors.norms import DoubleArray, Norms, RowArray, unit


@dataclass(frozen=True)
class SimilarityReport:
    """How the cosines of pairs of words agree with people's scores.

    Attributes:
        name: of the file.
        spearman: rank correlation of cosines and scores, -1 to 1, with mean ranks for equal
            values; None for fewer than two pairs or where one side is constant.
        pairs: how many the file has.
        covered: how many of them count: both words have a row.
        missing: the words without one.
    """

    name: str
    spearman: float | None
    pairs: int
    covered: int
    missing: tuple[str, ...]

    def __str__(self) -> str:
        spearman = "-" if self.spearman is None else f"{self.spearman:.3f}"
        return (
            f"{self.name}: Spearman {spearman} on {self.covered:,} of {counted(self.pairs, 'pair')}"
        )


@dataclass(frozen=True)
class AnalogySection:
    """How many analogies of a section were solved.

    Attributes:
        name: of the section.
        questions: how many it has.
        covered: how many of them count: all four words have a row.
        correct: for how many of these the best row is that of the fourth word.
    """

    name: str
    questions: int
    covered: int
    correct: int

    @property
    def accuracy(self) -> float | None:
        """Share of the covered questions that were solved; None without any."""
        return self.correct / self.covered if self.covered else None

    def __str__(self) -> str:
        share = "-" if self.accuracy is None else f"{100 * self.accuracy:.1f} %"
        return f"{self.name}: {share} of {self.covered:,} ({counted(self.questions, 'question')})"


@dataclass(frozen=True)
class AnalogyReport:
    """How many analogies were solved.

    Attributes:
        name: of the file.
        sections: one by one.
        total: of all sections together.
    """

    name: str
    sections: tuple[AnalogySection, ...]
    total: AnalogySection

    @property
    def accuracy(self) -> float | None:
        """Share of all covered questions that were solved; None without any."""
        return self.total.accuracy

    def __str__(self) -> str:
        return "\n".join([self.name, *(f"  {part}" for part in (*self.sections, self.total))])


class WordTable:
    """Words as a benchmark looks them up, and their rows.

    Args:
        words: n words, the most frequent first.
        rows: (n, d).
        norms: of these rows.
        limit: only so many words are looked at, the first ones.

    Attributes:
        ignore_case: take a word in any case for any other; the first of several counts.
    """

    ignore_case = False

    def __init__(
        self,
        words: Iterable[str],
        rows: RowArray,
        norms: Norms,
        limit: int | None,
    ) -> None:
        self.rows = rows[:limit]
        # Norms of more rows do: positions of bad ones behind the end are never met.
        self.norms = norms
        self._words = words if limit is None else list(words)[:limit]

    def spelt(self, word: str) -> str:
        """The spelling that stands for all spellings of ``word``; capitals, as in gensim."""
        return word.upper() if self.ignore_case else word

    def find(self, wanted: Iterable[str]) -> dict[str, list[int]]:
        """The positions of all rows of each spelling that is wanted and there."""
        found: dict[str, list[int]] = {self.spelt(word): [] for word in wanted}
        bad = set(self.norms.bad.tolist())
        for position, word in enumerate(self._words):
            places = found.get(self.spelt(word))
            if places is not None and position not in bad:
                places.append(position)
        return {word: places for word, places in found.items() if places}


def evaluate(
    table: WordTable, path: str | os.PathLike[str], ignore_case: bool | None, method: str
) -> SimilarityReport | AnalogyReport:
    """Measure on a file of pairs or of analogies, see ``benchmarks``."""
    content, name = read_benchmark(path), Path(path).name
    are_pairs = isinstance(content[0], Pair)
    # Of analogies nearly half are names in capitals, which vectors in lower case would miss.
    table.ignore_case = not are_pairs if ignore_case is None else ignore_case
    if are_pairs:
        return compare(table, [pair for pair in content if isinstance(pair, Pair)], name)
    return answer(table, [part for part in content if isinstance(part, Section)], name, method)


def compare(table: WordTable, pairs: list[Pair], name: str) -> SimilarityReport:
    """Compare cosines with people's scores."""
    found = table.find(word for pair in pairs for word in (pair.first, pair.second))
    spelt = [(table.spelt(pair.first), table.spelt(pair.second), pair.score) for pair in pairs]
    covered = [(a, b, score) for a, b, score in spelt if a in found and b in found]
    missing = dict.fromkeys(
        word
        for pair in pairs
        for word in (pair.first, pair.second)
        if table.spelt(word) not in found
    )
    first, second = (
        unit(table.rows[np.array([found[word][0] for word in words], dtype=np.intp)])
        for words in ([pair[0] for pair in covered], [pair[1] for pair in covered])
    )
    spearman = rank_correlation(
        np.einsum("ij,ij->i", first, second), np.array([score for *_, score in covered])
    )
    return SimilarityReport(name, spearman, len(pairs), len(covered), tuple(missing))


def answer(table: WordTable, sections: list[Section], name: str, method: str) -> AnalogyReport:
    """Solve analogies; the words of a question, in any spelling, are no answers to it."""
    found = table.find(
        word for part in sections for question in part.questions for word in question
    )
    spelt = [
        (number, Question(*map(table.spelt, question)))
        for number, part in enumerate(sections)
        for question in part.questions
    ]
    known = [(number, q) for number, q in spelt if all(word in found for word in q)]
    asked = np.array([[found[word][0] for word in q[:3]] for _, q in known], dtype=np.intp)
    excluded = [
        (place, position)
        for place, (_, q) in enumerate(known)
        for word in q[:3]
        for position in found[word]
    ]
    correct = np.zeros(len(sections), dtype=np.intp)
    if known:
        pairs = np.array(excluded, dtype=np.intp).T
        answers = solve(table.rows, table.norms, asked, (pairs[0], pairs[1]), method)
        for (number, question), position in zip(known, answers.tolist(), strict=True):
            correct[number] += position in found[question.d]
    covered = np.bincount([number for number, _ in known], minlength=len(sections))
    results = tuple(
        AnalogySection(part.name, len(part.questions), int(covered[i]), int(correct[i]))
        for i, part in enumerate(sections)
    )
    total = AnalogySection("all", len(spelt), len(known), int(correct.sum()))
    return AnalogyReport(name, results, total)


def rank_correlation(one: DoubleArray, other: DoubleArray) -> float | None:
    """Spearman's rank correlation of two arrays (n,); None where it is not defined."""
    ranks = [_ranks(one), _ranks(other)]
    if len(one) < 2 or any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: DoubleArray) -> npt.NDArray[np.float64]:
    """Ranks (n,), the mean rank for equal values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return means
