"""Labels for the texts of many requests in one pass through a classifier."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rowwise.serve.problems import Problem

if TYPE_CHECKING:
    from rowwise.classify import TextClassifier

# Texts of a batch.
MOST = 256


@dataclass(frozen=True)
class Texts:
    """A question: the labels of texts."""

    texts: tuple[str, ...]


class _AboutTexts:
    """Answers ``Texts`` by a classifier, which is asked by one thread at a time."""

    def __init__(self, classifier: "TextClassifier", lock: Lock) -> None:
        self._classifier, self._lock = classifier, lock
        self._labels = labels_of(classifier)

    def cost(self, question: Texts) -> int:
        """How many texts it has."""
        return len(question.texts)


class Predictions(_AboutTexts):
    """Answers ``Texts`` by JSON, see ``to_json``."""

    most = MOST

    def answer(self, questions: Sequence[Texts]) -> list[bytes | Exception]:
        """See ``Kind.answer``."""
        texts = [text for question in questions for text in question.texts]
        with self._lock:
            shares = self._classifier.predict_proba(texts)
        answers: list[bytes | Exception] = []
        first = 0
        for question in questions:
            last = first + len(question.texts)
            answers.append(self._answer(shares[first:last]))
            first = last
        return answers

    def _answer(self, shares: npt.NDArray[np.float32]) -> bytes | Exception:
        try:
            return to_json([prediction(self._labels, row) for row in shares])
        except Problem as problem:
            return problem

    def warm_up(self) -> None:
        """Compile the model for a few texts, which the first answer waits for."""
        with self._lock:
            self._classifier.predict_proba([""])


class Explanations(_AboutTexts):
    """Answers ``Texts`` by JSON that has each word's share, too."""

    # One text takes as many passes as it has words: so that others get their turn, no two
    # requests make one batch.
    most = 1

    def answer(self, questions: Sequence[Texts]) -> list[bytes | Exception]:
        """See ``Kind.answer``."""
        return [self._answer(question) for question in questions]

    def _answer(self, question: Texts) -> bytes:
        with self._lock:
            explanations = self._classifier.explain(question.texts)
        found = []
        for explained in explanations:
            words = [
                {
                    "word": word.word,
                    "start": word.start,
                    "end": word.end,
                    "share": round(word.share, 6),
                }
                for word in explained.words
            ]
            found.append({**prediction(self._labels, explained.probabilities), "words": words})
        return to_json(found)


def labels_of(classifier: "TextClassifier") -> list[str]:
    """The labels as strings, in the order of the classes."""
    return [str(label) for label in classifier.classes_]


def prediction(labels: list[str], shares: npt.NDArray[np.float32]) -> dict[str, Any]:
    """What is said of one text: its label, and the probability (classes,) of each label.

    Raises:
        Problem: a probability is no number, which JSON has no word for.
    """
    if not np.isfinite(shares).all():
        raise Problem(
            500,
            "no-number",
            "The classifier gives NaN as a probability: numbers in it are not finite. Train it "
            "again, with a smaller learning rate.",
        )
    rounded = [round(share, 6) for share in shares.tolist()]
    return {
        "label": labels[int(shares.argmax())],
        "probabilities": dict(zip(labels, rounded, strict=True)),
    }


def to_json(predictions: list[dict[str, Any]]) -> bytes:
    """What is said of some texts, with commas between."""
    return json.dumps(predictions, separators=(",", ":")).encode()[1:-1]
