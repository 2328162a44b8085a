"""A classifier measured on texts in files larger than memory."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.classify.classifier import TextClassifier
from rowwise.classify.from_files import parts_of, percentile
from rowwise.classify.judging import Judgement, Lengths, unknown_words
from rowwise.text import ExampleFiles


class FilesJudgement(Judgement):
    """A classifier on texts in files; of each only the label and what was predicted is kept.

    Args:
        classifier: fitted, by ``fit_files``.
        train: what it was fitted on.
        test: other examples with the same labels.
    """

    def __init__(self, classifier: TextClassifier, train: ExampleFiles, test: ExampleFiles) -> None:
        self._test = test
        number_of = {name: number for number, name in enumerate(classifier.classes_.tolist())}
        # A label without a training text is none of the classes: always wrong.
        known = np.array([number_of.get(name, -1) for name in test.classes or ()], dtype=np.int32)
        true, predicted, sureness = [], [], []
        self._unknown = np.zeros(2, dtype=np.int64)
        for texts, labels in parts_of(test):
            probabilities = classifier.predict_proba(texts)
            true.append(known[labels])
            predicted.append(probabilities.argmax(axis=1).astype(np.int32))
            sureness.append(probabilities.max(axis=1))
            self._unknown += unknown_words(classifier, texts)
        self._set(
            classifier,
            train.class_counts,
            np.arange(len(classifier.classes_)),
            np.concatenate(true),
            np.concatenate(predicted),
            np.concatenate(sureness),
        )

    @cached_property
    def lengths(self) -> Lengths:
        """Of the training texts, those left out that were held out to measure each epoch."""
        counts = self.classifier.length_counts_
        cut = counts[self.classifier.max_length_ + 1 :].sum() / counts.sum()
        return Lengths(percentile(counts, 50), len(counts) - 1, float(cut))

    @cached_property
    def unknown(self) -> float:
        """Share of the test texts' words that the vocabulary does not hold."""
        unknown, words = self._unknown.tolist()
        return unknown / words if words else 0.0

    def _name(self, value: Any) -> str:
        return str(self.classifier.classes_[value])

    def _texts_at(self, places: npt.NDArray[np.intp]) -> list[str]:
        ends = np.cumsum(self._test.block_counts)
        blocks = np.searchsorted(ends, places, side="right")
        found: dict[int, str] = {}
        needed = np.unique(blocks).tolist()
        for number, block in zip(needed, self._test.read(needed), strict=True):
            first = int(ends[number]) - len(block.texts)
            for place in places[blocks == number].tolist():
                found[place] = block.texts[place - first]
        return [found[place] for place in places.tolist()]
