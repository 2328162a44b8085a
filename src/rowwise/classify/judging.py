"""What is found when a classifier is measured on texts that it did not train on."""

from collections import Counter
from collections.abc import Sequence
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
        self.classifier = classifier
        self.train_texts, self.train_labels = train
        self.test_texts, self.test_labels = test
        self.probabilities: npt.NDArray[np.float32] = classifier.predict_proba(self.test_texts)
        """(texts, classes)."""
        self.predicted = classifier.classes_[self.probabilities.argmax(axis=1)]
        """(texts,)."""
        self.is_wrong: npt.NDArray[np.bool_] = self.predicted != np.asarray(self.test_labels)
        """(texts,)."""

    @property
    def accuracy(self) -> float:
        """Share of the texts that got their labels."""
        return float((~self.is_wrong).mean())

    @cached_property
    def macro_f1(self) -> float:
        """The mean F1 of the labels."""
        f1 = f1_score(self.test_labels, self.predicted, average="macro", zero_division=0)
        return float(f1)

    @cached_property
    def majority(self) -> float:
        """Accuracy of always naming the most frequent label."""
        counts = np.unique(self.test_labels, return_counts=True)[1]
        return float(counts.max() / len(self.test_labels))

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each true label (a row) was taken for each label."""
        classes = self.classifier.classes_
        return np.asarray(confusion_matrix(self.test_labels, self.predicted, labels=classes))

    @cached_property
    def labels(self) -> list[Label]:
        """All labels, in the order of ``classes_``."""
        classes = self.classifier.classes_
        precision, recall, f1, support = precision_recall_fscore_support(
            self.test_labels, self.predicted, labels=classes, zero_division=0
        )
        trained = Counter(map(str, self.train_labels))
        return [
            Label(str(name), trained[str(name)], int(s), float(p), float(r), float(f))
            for name, p, r, f, s in zip(classes, precision, recall, f1, support, strict=True)
        ]

    @cached_property
    def lengths(self) -> Lengths:
        """Of the training texts."""
        counts = self.classifier.splitter_.split_all(self.train_texts).lengths
        cut = float((counts > self.classifier.max_length_).mean())
        return Lengths(float(np.median(counts)), int(counts.max()), cut)

    @cached_property
    def unknown(self) -> float:
        """Share of the test texts' words that the vocabulary does not hold."""
        words = self.classifier.splitter_.split_all(self.test_texts)
        counts = words.counts()
        is_unknown = [word not in self.classifier.vocabulary_ for word in words.unique]
        return float(counts[is_unknown].sum() / counts.sum()) if len(counts) else 0.0

    def mistakes(self, count: int = WORST) -> list[Mistake]:
        """The wrong predictions that the classifier was surest of, the surest first."""
        wrong = np.flatnonzero(self.is_wrong)
        surest = wrong[np.argsort(-self.probabilities[wrong].max(axis=1), kind="stable")][:count]
        texts = [self.test_texts[place] for place in surest]
        explanations = self.classifier.explain(texts) if texts else []
        return [
            Mistake(text, str(self.test_labels[place]), explanation)
            for text, place, explanation in zip(texts, surest, explanations, strict=True)
        ]
