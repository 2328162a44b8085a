"""What is found when a classifier is measured on texts that it did not train on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from rowwise.classify.classifier import TextClassifier
from rowwise.classify.explaining import Explanation

# Wrong predictions that are explained.
WORST = 20


@dataclass(frozen=True)
class Lengths:
    """Words of texts."""

    median: float
    longest: int
    cut: float
    """Share of the texts that have more words than are looked at."""


@dataclass(frozen=True)
class Label:
    """One label, and how it is told."""

    name: str
    train: int
    """Texts with it."""
    test: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Mistake:
    """A text with a wrong label."""

    text: str
    true: str
    explanation: Explanation


class Judgement:
    """A classifier on texts that it did not train on.

    Args:
        classifier: fitted.
        train: its texts and labels.
        test: other texts and labels.
    """

    def __init__(
        self,
        classifier: TextClassifier,
        train: tuple[Sequence[str], Sequence[Any]],
        test: tuple[Sequence[str], Sequence[Any]],
    ) -> None:
        self._train_texts, train_labels = train
        self._test_texts, test_labels = test
        probabilities = classifier.predict_proba(self._test_texts)
        self._set(
            classifier,
            Counter(map(str, train_labels)),
            classifier.classes_,
            np.asarray(test_labels),
            classifier.classes_[probabilities.argmax(axis=1)],
            probabilities.max(axis=1),
        )

    def _set(
        self,
        classifier: TextClassifier,
        train_counts: Mapping[str, int],
        values: npt.NDArray[Any],
        true: npt.NDArray[Any],
        predicted: npt.NDArray[Any],
        sureness: npt.NDArray[np.float32],
    ) -> None:
        """Keep what everything else is computed from.

        Args:
            classifier: fitted.
            train_counts: how many training texts each label has.
            values: (classes,) what stands for the classes in the next two.
            true: (texts,) of the test texts.
            predicted: (texts,).
            sureness: (texts,) how probable the predicted label is.
        """
        self.classifier, self.train_counts = classifier, train_counts
        self._values, self._true, self._predicted = values, true, predicted
        self._sureness = sureness
        self.is_wrong: npt.NDArray[np.bool_] = predicted != true
        """(texts,)."""

    @property
    def train_size(self) -> int:
        """How many texts it trained on."""
        return sum(self.train_counts.values())

    @property
    def test_size(self) -> int:
        """How many texts it is measured on."""
        return len(self.is_wrong)

    @property
    def accuracy(self) -> float:
        """Share of the texts that got their labels."""
        return float((~self.is_wrong).mean())

    @cached_property
    def macro_f1(self) -> float:
        """The mean F1 of the labels."""
        return float(f1_score(self._true, self._predicted, average="macro", zero_division=0))

    @cached_property
    def majority(self) -> float:
        """Accuracy of always naming the most frequent label."""
        counts = np.unique(self._true, return_counts=True)[1]
        return float(counts.max() / self.test_size)

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each true label (a row) was taken for each label."""
        return np.asarray(confusion_matrix(self._true, self._predicted, labels=self._values))

    @cached_property
    def labels(self) -> list[Label]:
        """All labels, in the order of ``classes_``."""
        precision, recall, f1, support = precision_recall_fscore_support(
            self._true, self._predicted, labels=self._values, zero_division=0
        )
        names = self.classifier.classes_
        return [
            Label(
                str(name), self.train_counts.get(str(name), 0), int(s), float(p), float(r), float(f)
            )
            for name, p, r, f, s in zip(names, precision, recall, f1, support, strict=True)
        ]

    @cached_property
    def lengths(self) -> Lengths:
        """Of the training texts."""
        counts = self.classifier.splitter_.split_all(self._train_texts).lengths
        cut = float((counts > self.classifier.max_length_).mean())
        return Lengths(float(np.median(counts)), int(counts.max()), cut)

    @cached_property
    def unknown(self) -> float:
        """Share of the test texts' words that the vocabulary does not hold."""
        unknown, words = unknown_words(self.classifier, self._test_texts)
        return unknown / words if words else 0.0

    def mistakes(self, count: int = WORST) -> list[Mistake]:
        """The wrong predictions that the classifier was surest of, the surest first."""
        wrong = np.flatnonzero(self.is_wrong)
        surest = wrong[np.argsort(-self._sureness[wrong], kind="stable")][:count]
        texts = self._texts_at(surest)
        explanations = self.classifier.explain(texts) if texts else []
        return [
            Mistake(text, self._name(self._true[place]), explanation)
            for text, place, explanation in zip(texts, surest, explanations, strict=True)
        ]

    def _name(self, value: Any) -> str:
        return str(value)

    def _texts_at(self, places: npt.NDArray[np.intp]) -> list[str]:
        return [self._test_texts[place] for place in places]


def unknown_words(classifier: TextClassifier, texts: Sequence[str]) -> tuple[int, int]:
    """How many words of texts the vocabulary does not hold, and how many they have."""
    words = classifier.splitter_.split_all(texts)
    counts = words.counts()
    is_unknown = [word not in classifier.vocabulary_ for word in words.unique]
    return int(counts[is_unknown].sum()), int(counts.sum())
