"""The rows of words, as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rowwise.errors import UnknownWordError
from rowwise.serve.problems import field_problem, pointer_to
from rowwise.vectors import Vectors
from rowwise.vectors.norms import FloatArray

# Words of a batch: their rows are looked up one by one, so that others get their turn.
MOST = 256


@dataclass(frozen=True)
class Lookup:
    """A question: the rows of words, and what to do for one that has none."""

    words: tuple[str, ...]
    oov: str | None
    first: int = 0
    """The place of the first one in the request."""


class Rows:
    """Answers ``Lookup`` by JSON: rows, with commas between."""

    most = MOST

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def cost(self, question: Lookup) -> int:
        """How many words it has."""
        return len(question.words)

    def answer(self, questions: Sequence[Lookup]) -> list[bytes | Exception]:
        """See ``Kind.answer``."""
        answers: list[bytes | Exception] = []
        for question in questions:
            try:
                answers.append(self._answer(question))
            except Exception as error:
                answers.append(error)
        return answers

    def _answer(self, question: Lookup) -> bytes:
        vectors = self._vectors
        rule = question.oov or ("error" if vectors.subwords is None else "subword")
        try:
            with np.errstate(over="ignore"):  # is told below
                rows = vectors.get(question.words, rule)
        except UnknownWordError as error:
            raise self._problem(question, rule, error) from error
        if not np.isfinite(rows).all():  # JSON has no word for such numbers
            number = int(np.isfinite(rows).all(axis=1).argmin())
            raise field_problem(
                "unknown-word",
                pointer_to(["words", question.first + number]),
                f"The row of {question.words[number]!r} does not fit into float32.",
            )
        return to_json(rows).encode()

    def _problem(self, question: Lookup, rule: str, error: UnknownWordError) -> Exception:
        """The problem that names the first word without a row, and where it stands."""
        for number, word in enumerate(question.words):
            try:
                self._vectors.get([word], rule)
            except UnknownWordError:
                pointer = pointer_to(["words", question.first + number])
                return field_problem("unknown-word", pointer, str(error))
        return error


def to_json(rows: FloatArray) -> str:
    """Rows (n, d) float32 as JSON, with commas between.

    Numbers have nine digits, which are enough to get the same float32 back.
    """
    row = f"[{','.join(['%.9g'] * rows.shape[1])}]"
    return ",".join(row % tuple(numbers) for numbers in rows.tolist())
