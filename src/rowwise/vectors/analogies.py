"""Many analogies at once: for each question the one best row.

A question a : b = c : ? asks for the row nearest to b - a + c. Its score is made of the three
words' cosines with that row, and the questions of a file share their words. So the cosines of a
block of rows with each word are computed once, and a question then costs one addition per row:
those of the questions with the same a and b start from the same difference.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rowwise.vectors.norms import FloatArray, Norms, RowArray, unit
from rowwise.vectors.objectives import EPSILON

Positions = npt.NDArray[np.intp]

# Cosines of a block with all words: 16 MiB at most, half of what a large cache holds.
BLOCK_COSINES = 1 << 22
# Rows of a block at least.
BLOCK_ROWS = 64
# Scores that a thread has in hand: 1 MiB.
BLOCK_SCORES = 1 << 18


def solve(
    rows: RowArray,
    norms: Norms,
    questions: Positions,
    excluded: tuple[Positions, Positions],
    method: str = "add",
) -> Positions:
    """The position of the best row for each question, by 3CosAdd or 3CosMul, in float32.

    Of equally good ones it is the first.

    Args:
        rows: (n, d), none of those in question holds NaN.
        norms: of these rows.
        questions: (m, 3), positions of a, b and c.
        excluded: numbers of questions (e,) and positions of rows (e,) that are not their answers.
        method: ``"add"`` or ``"mul"``.

    Returns:
        positions (m,); -1 where no row is left.
    """
    search = _Analogies(rows, questions, method)
    # Rows that are left out of any question are looked at apart, so that the others need no care.
    apart = np.unique(excluded[1])
    search.look_at_some(apart, norms, excluded)
    step = max(BLOCK_ROWS, BLOCK_COSINES // max(search.words, 1))
    for start in range(0, len(rows), step):
        search.look_at_block(start, min(start + step, len(rows)), norms, apart)
    return search.answers


class _Analogies:
    """The best answers so far; questions are kept in the order of their pairs (a, b)."""

    def __init__(self, rows: RowArray, questions: Positions, method: str) -> None:
        self._rows, self._multiplied = rows, method == "mul"
        words, numbers = _numbered(questions)
        self._directions = unit(rows[words]).astype(np.float32)
        self.words = len(words)
        self._order = np.lexsort((numbers[:, 2], numbers[:, 1], numbers[:, 0]))
        self._numbers = numbers[self._order]
        pairs = self._numbers[:, :2]
        changes = np.flatnonzero((pairs[1:] != pairs[:-1]).any(axis=1)) + 1
        self._starts = [0, *changes.tolist()]
        self._ends = [*changes.tolist(), len(questions)]
        self._best: FloatArray = np.full(len(questions), -np.inf, dtype=np.float32)
        self._answers: Positions = np.full(len(questions), -1, dtype=np.intp)

    @property
    def answers(self) -> Positions:
        """The answers in the order of the questions."""
        answers = np.empty_like(self._answers)
        answers[self._order] = self._answers
        return answers

    def look_at_some(
        self, positions: Positions, norms: Norms, excluded: tuple[Positions, Positions]
    ) -> None:
        """Compare rows of which some are no answers to some questions."""
        place_of = np.empty_like(self._order)
        place_of[self._order] = np.arange(len(self._order))
        questions, columns = place_of[excluded[0]], np.searchsorted(positions, excluded[1])
        by_question = np.argsort(questions, kind="stable")
        questions, columns = questions[by_question], columns[by_question]
        good = ~np.isin(positions, norms.bad)
        directions = unit(self._rows[positions[good]]).astype(np.float32)
        if not len(directions):
            return
        column_of = np.cumsum(good) - 1
        kept = good[columns]
        questions, columns = questions[kept], column_of[columns[kept]]
        added, taken = self._parts(self._directions @ directions.T)
        groups = list(range(len(self._starts)))
        for part in self._scores(added, taken, groups, positions[:0]):
            out = slice(*np.searchsorted(questions, (part.first, part.last)))
            scores = part.scores[part.rows]
            scores[questions[out] - part.first, columns[out]] = -np.inf
            self._keep(part._replace(scores=scores, rows=np.arange(len(scores))), positions[good])

    def look_at_block(self, start: int, stop: int, norms: Norms, apart: Positions) -> None:
        """Compare the rows from ``start`` to ``stop``, but for those ``apart``."""
        block = self._rows[start:stop].astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            block *= norms.inverse[start:stop, np.newaxis]
        odd = np.flatnonzero(np.isnan(norms.inverse[start:stop]))
        block[odd] = np.nan_to_num(unit(self._rows[start + odd]), nan=0, posinf=0, neginf=0)
        out = [
            positions[slice(*np.searchsorted(positions, (start, stop)))] - start
            for positions in (apart, norms.bad)
        ]
        added, taken = self._parts(self._directions @ block.T)
        left_out, positions = np.concatenate(out), np.arange(start, stop)
        shares = np.array_split(np.arange(len(self._starts)), os.cpu_count() or 1)

        def look(groups: Positions) -> None:
            for part in self._scores(added, taken, groups.tolist(), left_out):
                self._keep(part, positions)

        # NumPy lets go of Python's lock while it adds and compares.
        with ThreadPoolExecutor(len(shares)) as threads:
            list(threads.map(look, shares))

    def _parts(self, cosines: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What each word (words, b) adds to a score, and what it takes away."""
        if not self._multiplied:
            return cosines, cosines
        cosines += 1
        cosines /= 2
        np.clip(cosines, 0, None, out=cosines)
        with np.errstate(divide="ignore"):
            return np.log(cosines), np.log(cosines + np.float32(EPSILON))

    def _scores(
        self, added: FloatArray, taken: FloatArray, groups: list[int], left_out: Positions
    ) -> Iterator["_Part"]:
        """The scores of all questions of some groups, with -inf in the columns ``left_out``."""
        most = max(1, BLOCK_SCORES // added.shape[1])
        buffer = np.empty((2 * most, added.shape[1]), dtype=np.float32)
        for group in groups:
            start, end = self._starts[group], self._ends[group]
            a, b = self._numbers[start, :2]
            difference = added[b] - taken[a]
            difference[left_out] = -np.inf
            for first in range(start, end, most):
                last = min(first + most, end)
                wanted = self._numbers[first:last, 2]
                lowest, size = wanted[0], wanted[-1] + 1 - wanted[0]
                if size <= 2 * len(wanted):  # adding a few too many is quicker than picking
                    np.add(added[lowest : lowest + size], difference, out=buffer[:size])
                    yield _Part(first, last, buffer[:size], wanted - lowest)
                else:
                    scores = added[wanted]
                    scores += difference
                    yield _Part(first, last, scores, np.arange(len(wanted)))

    def _keep(self, part: "_Part", positions: Positions) -> None:
        """Take the best column of each question's scores if it is better than the best so far."""
        column = part.scores.argmax(axis=1)[part.rows]
        score, found = part.scores[part.rows, column], positions[column]
        best, answers = self._best[part.first : part.last], self._answers[part.first : part.last]
        better = (score > best) | ((score == best) & (found < answers) & (score > -np.inf))
        best[better] = score[better]
        answers[better] = found[better]


class _Part(NamedTuple):
    """Scores of the questions from ``first`` to ``last``: those of question i in ``rows[i]``."""

    first: int
    last: int
    scores: FloatArray
    rows: Positions


def _numbered(questions: Positions) -> tuple[Positions, npt.NDArray[np.int64]]:
    """The words (w,) of questions (m, 3), and the questions as numbers of words.

    Words are numbered as they appear as a, then as b and c. Files of analogies combine every pair
    with every other, so the words c of one pair then have numbers in a row.
    """
    words, first, numbers = np.unique(questions.T, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return words[order], rank[numbers.reshape(3, -1)].T
