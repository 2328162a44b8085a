"""Training from examples to a folder with everything that came of it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from sklearn.model_selection import train_test_split

from rowwise import viz
from rowwise.classify.classifier import TextClassifier
from rowwise.errors import InvalidArgumentError
from rowwise.files import atomic_path
from rowwise.vectors import Vectors

MAP_WORDS = 100


@dataclass(frozen=True)
class RunReport:
    """What a run measured on the texts that it did not train on."""

    train_texts: int
    test_texts: int
    words: int
    """Words of the vocabulary, padding and unknown counted."""
    accuracy: float
    macro_f1: float
    majority: float
    """Accuracy of always naming the most frequent label."""


def train_run(
    classifier: TextClassifier,
    texts: Sequence[str],
    labels: Sequence[str],
    folder: str | os.PathLike[str],
    *,
    test_share: float = 0.2,
    seed: int = 0,
) -> RunReport:
    """Train on most of the texts, measure on the others, and leave all of it in ``folder``.

    The folder gets ``model.keras``, ``metrics.json``, ``history.json``, ``history.png`` (loss and
    accuracy), ``confusion.png`` and ``words.png`` (a map of the words that tell most).

    Args:
        classifier: not fitted yet.
        texts: n texts.
        labels: their labels, at least two different ones.
        folder: made when it does not exist.
        test_share: share of the texts, by label, to measure on.
        seed: chooses those texts.

    Raises:
        InvalidArgumentError: the texts are too few to be divided so that each side has each label.
    """
    try:
        train_texts, test_texts, train_labels, test_labels = train_test_split(
            list(texts), list(labels), test_size=test_share, stratify=labels, random_state=seed
        )
    except ValueError as error:
        raise InvalidArgumentError(
            f"Cannot keep {test_share:.0%} of {len(texts)} texts apart for testing: {error} Give "
            "more examples of each label."
        ) from error
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    classifier.fit(train_texts, train_labels)
    predicted = classifier.predict(test_texts)
    report = RunReport(
        train_texts=len(train_texts),
        test_texts=len(test_texts),
        words=len(classifier.vocabulary_),
        accuracy=float(accuracy_score(test_labels, predicted)),
        macro_f1=float(f1_score(test_labels, predicted, average="macro", zero_division=0)),
        majority=float(np.unique(test_labels, return_counts=True)[1].max() / len(test_labels)),
    )
    classifier.save(target / "model.keras")
    _write_json(target / "metrics.json", asdict(report))
    _write_json(target / "history.json", classifier.history_)
    names = [str(label) for label in classifier.classes_]
    counts = confusion_matrix(test_labels, predicted, labels=classifier.classes_)
    figures = {
        "history.png": viz.plot_history(classifier.history_),
        "confusion.png": viz.plot_confusion(counts, names),
        "words.png": plot_telling_words(classifier),
    }
    for name, figure in figures.items():
        viz.save_figure(figure, target / name)
    return report


def telling_words(classifier: TextClassifier, count: int) -> list[str]:
    """The ``count`` words whose rows moved the class most, among those seen several times.

    A row's length shows how much a word says, since all rows start small.
    """
    vectors = classifier.word_vectors()
    norms = np.linalg.norm(vectors.rows, axis=1)
    seen = np.array(classifier.vocabulary_.counts or np.ones(len(vectors) + 2))[2:]
    letters = np.array([word.isalpha() for word in vectors.words], dtype=bool)
    often = seen >= min(5, np.median(seen)) if len(seen) else seen
    order = np.argsort(-np.where(letters & often, norms, -np.inf), kind="stable")
    return [vectors.words[i] for i in order[:count]]


def plot_telling_words(classifier: TextClassifier) -> Any:
    """A map of the words that tell most, coloured by the label that they speak for."""
    vectors = classifier.word_vectors()
    words = telling_words(classifier, MAP_WORDS)
    leanings = classifier.predict(words)
    return viz.plot_map(
        Vectors(words, np.stack([vectors[word] for word in words])),
        method="tsne",
        color=[str(label) for label in leanings],
        title="Words by what they say about the label",
    )


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
