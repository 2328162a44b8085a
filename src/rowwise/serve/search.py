"""Nearest words for many requests in one pass over the table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from rowwise.errors import UnknownWordError
from rowwise.serve.problems import Problem, field_problem
from rowwise.vectors import Vectors
from rowwise.vectors.neighbours import Positions, best_rows
from rowwise.vectors.norms import DoubleArray, Norms, unit
from rowwise.vectors.objectives import Cosine

# Directions of a pass: with more, the first ones wait longer than the last ones gain.
MOST = 64
# Requests for at most so many neighbours share a pass. What is kept and compared in a pass grows
# with the largest number, and those who want few need not wait for those who want many.
FEW = 32


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
    def _norms(self) -> Norms:
        return Norms(self._vectors.rows)

    @cached_property
    def _threads(self) -> Any:
        return ThreadpoolController()

    def _together(self, questions: Sequence[Nearest]) -> list[list[str] | Exception]:
        failed: dict[int, Problem] = {}
        sums: list[DoubleArray] = []
        owners: list[int] = []
        out: list[tuple[int, int]] = []
        for number, question in enumerate(questions):
            first = len(sums)
            try:
                for direction in question.directions:
                    total, positions = self._sum(direction)
                    out += [(len(sums), position) for position in positions]
                    sums.append(total)
                    owners.append(number)
            except Problem as problem:
                failed[number] = problem
                del sums[first:], owners[first:]
                out = [pair for pair in out if pair[0] < first]
        answers: list[list[str] | Exception] = [
            failed.get(number) or [] for number in range(len(questions))
        ]
        if not sums:
            return answers
        pairs = np.array(out, dtype=np.intp).reshape(-1, 2)
        nearest, scores = self._best(
            np.stack(sums), max(question.k for question in questions), (pairs[:, 0], pairs[:, 1])
        )
        for number, found, cosines in zip(
            owners, nearest.tolist(), np.round(scores, 6).tolist(), strict=True
        ):
            answer, k = answers[number], questions[number].k
            assert isinstance(answer, list)
            answer.append(self._named(found[:k], cosines[:k]))
        return answers

    def _best(
        self, directions: DoubleArray, count: int, excluded: tuple[Positions, Positions]
    ) -> tuple[Positions, DoubleArray]:
        # The threads of a product wait for each other, and beside a busy server they wait long.
        with self._threads.limit(limits=1, user_api="blas"):
            return best_rows(self._vectors.rows, self._norms, Cosine(directions), count, excluded)

    def _sum(self, direction: Direction) -> tuple[DoubleArray, list[int]]:
        """The direction, float64 (d,), and the positions of the rows that are not its answers."""
        total: Any = 0
        used: list[int] = []
        for sign, words in ((1.0, direction.added), (-1.0, direction.taken)):
            for word in words:
                row, position = self._row(word, direction.pointer)
                total = total + sign * unit(row)
                used += [] if position is None else [position]
        is_one = len(direction.added) == 1 and not direction.taken
        return total if is_one else unit(total), sorted(set(used))

    def _row(self, word: str, pointer: str) -> tuple[Any, int | None]:
        """The row of a word (d,) and its position; composed of pieces, it has none."""
        vectors = self._vectors
        try:
            position = vectors.index(word)
        except UnknownWordError as error:
            row = None if vectors.subwords is None else vectors.subwords.vector(word)
            if row is None:
                raise field_problem("unknown-word", pointer, str(error)) from error
            return row, None
        row = vectors[word]
        if not np.isfinite(row).all():
            raise field_problem(
                "unknown-word",
                pointer,
                f"The row of {word!r} holds NaN or infinity and is near to nothing.",
            )
        return row, position

    def _named(self, positions: list[int], cosines: list[float]) -> str:
        words = self._vectors.words
        # Empty places are at the end, where fewer rows are left than were asked for.
        return json.dumps(
            [
                {"word": words[position], "cosine": cosine}
                for position, cosine in zip(positions, cosines, strict=True)
                if position >= 0
            ],
            separators=(",", ":"),
        )
