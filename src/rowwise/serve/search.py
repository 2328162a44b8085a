"""Nearest words for many requests in one pass over the table."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from rowwise.errors import UnknownWordError
from rowwise.serve.problems import Problem, field_problem
from rowwise.vectors import Vectors
from rowwise.vectors.neighbours import best_rows
from rowwise.vectors.norms import DoubleArray, Norms, RowArray, unit
from rowwise.vectors.objectives import Cosine
from rowwise.vectors.queries import no_direction, sum_of_units
from rowwise.vectors.scan import Positions

# Directions of a pass: with more, the first ones wait longer than the last ones gain.
MOST = 64
# Requests for at most so many neighbours share a pass. What is kept and compared in a pass grows
# with the largest number, and those who want few need not wait for those who want many.
FEW = 32


# Tables of so many numbers are kept once more with rows of length 1, in 256 MB at most, which saves
# a pass over all scores.
MOST_UNIT_NUMBERS = 1 << 26


# Threads that share a pass, at most; more would wait for memory.
MOST_THREADS = 8


@dataclass(frozen=True)
class Direction:
    """Words that are added and taken away, to look in the direction of their sum."""

    added: tuple[str, ...]
    taken: tuple[str, ...] = ()
    pointer: str = "#"
    """The field of the request that names the words."""


@dataclass(frozen=True)
class Nearest:
    """A question: the ``k`` words nearest to each of some directions."""

    directions: tuple[Direction, ...]
    k: int


class Search:
    """Answers ``Nearest`` by the JSON of the neighbours, one text for each direction.

    Exact, with the results of ``Vectors.most_similar``, whatever else is in the batch.
    """

    most = MOST

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def cost(self, question: Nearest) -> int:
        """How many directions it has."""
        return len(question.directions)

    def answer(self, questions: Sequence[Nearest]) -> list[list[str] | Exception]:
        """See ``Kind.answer``."""
        answers: list[list[str] | Exception] = [[] for _ in questions]
        few = [number for number, question in enumerate(questions) if question.k <= FEW]
        many = [number for number, question in enumerate(questions) if question.k > FEW]
        for numbers in (few, many):
            asked = [questions[number] for number in numbers]
            for number, answer in zip(numbers, self._together(asked), strict=True):
                answers[number] = answer
        return answers

    def warm_up(self) -> None:
        """Read the words, number them and measure the rows, which the first answer waits for."""
        _ = "" in self._vectors, self._norms, self._threads

    @cached_property
    def _rows(self) -> RowArray:
        # Without the class of a memory map, which every slice would have to set up again.
        return np.asarray(self._vectors.rows)

    @cached_property
    def _norms(self) -> Norms:
        norms = Norms(self._rows)
        if self._rows.size <= MOST_UNIT_NUMBERS:
            norms.keep_unit_rows(self._rows)
        return norms

    @cached_property
    def _helpers(self) -> tuple[Executor, int] | None:
        more = min(MOST_THREADS, _cores()) - 1
        return (ThreadPoolExecutor(more, "rowwise-search"), more) if more else None

    @cached_property
    def _threads(self) -> Any:
        return ThreadpoolController()

    def _together(self, questions: Sequence[Nearest]) -> list[list[str] | Exception]:
        words = _Words(self._vectors, self._rows, questions)
        answers: list[list[str] | Exception] = []
        directions: list[DoubleArray] = []
        owners: list[int] = []
        out: list[tuple[int, int]] = []
        for number, question in enumerate(questions):
            try:
                sums = [words.sum_of(direction) for direction in question.directions]
            except Problem as problem:
                answers.append(problem)
                continue
            answers.append([])
            for direction, total in zip(question.directions, sums, strict=True):
                used = words.positions_of(direction)
                out += [(len(directions), position) for position in used]
                directions.append(total)
                owners.append(number)
        if not directions:
            return answers
        pairs = np.array(out, dtype=np.intp).reshape(-1, 2)
        count = max(questions[number].k for number in owners)
        found, scores = self._best(np.stack(directions), count, (pairs[:, 0], pairs[:, 1]))
        for number, positions, cosines in zip(
            owners, found.tolist(), np.round(scores, 6).tolist(), strict=True
        ):
            answer, k = answers[number], questions[number].k
            assert isinstance(answer, list)
            answer.append(self._named(positions[:k], cosines[:k]))
        return answers

    def _best(
        self, directions: DoubleArray, count: int, excluded: tuple[Positions, Positions]
    ) -> tuple[Positions, DoubleArray]:
        # The threads of a product wait for each other, and beside a busy server they wait long.
        with self._threads.limit(limits=1, user_api="blas"):
            return best_rows(
                self._rows, self._norms, Cosine(directions), count, excluded, self._helpers
            )

    def _named(self, positions: list[int], cosines: list[float]) -> str:
        words = self._vectors.words
        # As json.dumps writes it, which looks at each number and string again. Empty places are at
        # the end, where fewer rows are left than were asked for.
        named = [
            f'{{"word":{quoted(words[position])},"cosine":{cosine!r}}}'
            for position, cosine in zip(positions, cosines, strict=True)
            if position >= 0
        ]
        return f"[{','.join(named)}]"


class _Words:
    """The words of a batch: each is looked up once.

    Args:
        vectors: where they are looked up.
        rows: those of ``vectors``.
        questions: which name them.
    """

    def __init__(self, vectors: Vectors, rows: RowArray, questions: Sequence[Nearest]) -> None:
        named = [
            word
            for question in questions
            for direction in question.directions
            for word in (*direction.added, *direction.taken)
        ]
        self._places = {word: place for place, word in enumerate(dict.fromkeys(named))}
        positions = [vectors.index(word) if word in vectors else -1 for word in self._places]
        self._positions = np.array(positions, dtype=np.intp)
        self._problems: dict[str, str] = {}
        table = np.zeros((len(positions), vectors.dimension))
        known = self._positions >= 0
        table[known] = rows[self._positions[known]]
        for word, place in self._places.items():
            if positions[place] < 0:
                row = None if vectors.subwords is None else vectors.subwords.vector(word)
                if row is None:
                    self._problems[word] = _why_unknown(vectors, word)
                else:
                    table[place] = row
        self._units = unit(table)
        self._is_zero: npt.NDArray[np.bool_] = (self._units == 0).all(axis=1)
        for place in np.flatnonzero(~np.isfinite(self._units).all(axis=1)).tolist():
            word = [*self._places][place]
            self._problems[word] = (
                f"The row of {word!r} holds NaN or infinity and is near to nothing."
            )

    def sum_of(self, direction: Direction) -> DoubleArray:
        """The direction of a sum of words, float64 (d,), each with length 1.

        Raises:
            Problem: a word has no row, or the sum is zeros.
        """
        if self._problems:
            for word in (*direction.added, *direction.taken):
                if word in self._problems:
                    raise field_problem("unknown-word", direction.pointer, self._problems[word])
        if len(direction.added) == 1 and not direction.taken:
            word = direction.added[0]
            if self._is_zero[self._places[word]]:
                sentence = no_direction(f"The row of {word!r} is")
                raise field_problem("no-direction", direction.pointer, sentence)
            only: DoubleArray = self._units[self._places[word]]
            return only
        total = sum_of_units(
            *(
                self._units[[self._places[word] for word in words]]
                for words in (direction.added, direction.taken)
            )
        )
        if not total.any():
            sentence = no_direction("The words of the formula add up to")
            raise field_problem("no-direction", direction.pointer, sentence)
        return unit(total)

    def positions_of(self, direction: Direction) -> set[int]:
        """The positions of its words' rows, which are not to be found."""
        words = (*direction.added, *direction.taken)
        return {int(self._positions[self._places[word]]) for word in words} - {-1}


def _why_unknown(vectors: Vectors, word: str) -> str:
    try:
        vectors.index(word)
    except UnknownWordError as error:
        return str(error)
    raise AssertionError("the word is known")


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
