"""Training from examples to a folder with everything that came of it."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from rowwise import viz
from rowwise.classify.classifier import TextClassifier
from rowwise.classify.judging import Judgement
from rowwise.classify.judging_files import FilesJudgement
from rowwise.classify.report_page import report_page
from rowwise.errors import InvalidArgumentError
from rowwise.files import atomic_path
from rowwise.text import ExampleFiles

MAP_WORDS = 120

# A word that occurs as often says something; of more words than these none is looked at.
FEW = 5
CANDIDATES = 5_000


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
    accuracy), ``confusion.png`` and, when the texts have words enough, ``words.png`` (a map of
    telling and frequent words); and ``report.html``, which shows all of it on one page, with the
    data and the surest mistakes.

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
            f"Cannot keep {test_share:.0%} of {len(texts)} texts apart for testing: {error}. Give "
            "more examples of each label."
        ) from error
    with _run_folder(folder) as target:
        classifier.fit(train_texts, train_labels)
    judged = Judgement(classifier, (train_texts, train_labels), (test_texts, test_labels))
    return _leave(judged, target, seed)


def train_run_files(
    classifier: TextClassifier,
    files: ExampleFiles,
    folder: str | os.PathLike[str],
    *,
    test_share: float = 0.2,
    seed: int = 0,
    progress: Any = None,
) -> RunReport:
    """Do what ``train_run`` does, for texts in files that need not fit into memory.

    It tests on other texts than ``train_run``, as many of each label.

    Args:
        classifier: not fitted yet.
        files: the texts and their labels, at least two different ones.
        folder: made when it does not exist.
        test_share: share of the texts, by label, to measure on.
        seed: chooses those texts.
        progress: as for ``TextClassifier.fit_files``.

    Raises:
        DataFileError: a file has changed since it was indexed.
        InvalidArgumentError: the texts are too few to be divided so that each side has each label.
    """
    training, test = files.split(test_share, seed)
    counts = training.class_counts
    if gone := [name for name, count in files.class_counts.items() if count and not counts[name]]:
        raise InvalidArgumentError(
            f"Cannot keep {test_share:.0%} of {len(files)} texts apart for testing: there would be "
            f"none of {gone[0]!r} to train on. Give more examples of each label."
        )
    with _run_folder(folder) as target:
        classifier.fit_files(training, progress=progress)
    return _leave(FilesJudgement(classifier, training, test), target, seed)


@contextmanager
def _run_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """The folder of a run while it trains; a new one is gone again if that fails."""
    target = Path(folder)
    is_new = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    try:
        yield target
    except BaseException:
        if is_new:
            with suppress(OSError):  # a callback may have left something there
                target.rmdir()
        raise


def _leave(judged: Judgement, target: Path, seed: int) -> RunReport:
    """Write everything to the folder of a run."""
    classifier = judged.classifier
    report = RunReport(
        train_texts=judged.train_size,
        test_texts=judged.test_size,
        words=len(classifier.vocabulary_),
        accuracy=judged.accuracy,
        macro_f1=judged.macro_f1,
        majority=judged.majority,
    )
    classifier.save(target / "model.keras")
    _write_json(target / "metrics.json", asdict(report))
    _write_json(target / "history.json", classifier.history_)
    names = [str(label) for label in classifier.classes_]
    figures = {
        "history.png": viz.plot_history(classifier.history_),
        "confusion.png": viz.plot_confusion(judged.counts, names),
    }
    if (words := plot_words(classifier)) is not None:
        figures["words.png"] = words
    else:
        (target / "words.png").unlink(missing_ok=True)  # that of an earlier run
    for name, figure in figures.items():
        viz.save_figure(figure, target / name)
    with atomic_path(target / "report.html") as temporary:
        page = report_page(judged, figures, seed)
        temporary.write_text(page, encoding="utf-8")
    return report


def telling_words(classifier: TextClassifier, count: int) -> dict[str, Any]:
    """The ``count`` words that make the classifier surest of a label, and that label.

    Each word is classified as a text of its own. Only words with a letter count that the training
    texts hold several times, since of a word seen once the model learns whatever text it was in.
    """
    candidates = _frequent_words(classifier, CANDIDATES, at_least=count)
    shares = classifier.predict_proba(candidates)
    best = np.argsort(-shares.max(axis=1, initial=0), kind="stable")[:count]
    return {candidates[i]: classifier.classes_[shares[i].argmax()] for i in best}


def plot_words(classifier: TextClassifier) -> Any | None:
    """A map of the words that tell most and of the most frequent ones, by what they speak for.

    With two classes the colour is how probable the second one is, with more it is the label. None
    when the texts have fewer than three words with letters.
    """
    telling = telling_words(classifier, MAP_WORDS // 2)
    frequent = _frequent_words(classifier, MAP_WORDS - len(telling))
    words = list(dict.fromkeys([*telling, *frequent]))
    if len(words) < 3:
        return None
    shares = classifier.predict_proba(words)
    names = [str(label) for label in classifier.classes_]
    two = len(names) == 2
    meaning = f"how probable {names[1]!r} is" if two else "the label that they speak for"
    return viz.plot_map(
        classifier.word_vectors(),
        words=words,
        method="tsne",
        color=shares[:, 1] if two else [names[i] for i in shares.argmax(axis=1)],
        title=f"Telling and frequent words, by {meaning}",
    )


def _has_letter(word: str) -> bool:
    """Whether a word holds a letter of any script."""
    return any(character.isalpha() for character in word)


def _frequent_words(classifier: TextClassifier, count: int, at_least: int = 0) -> list[str]:
    """Words with letters that occur ``FEW`` times, most frequent first; else rarer ones."""
    vocabulary = classifier.vocabulary_
    counts = vocabulary.counts or (FEW,) * len(vocabulary)
    ranked = sorted(range(2, len(vocabulary)), key=lambda id: -counts[id])
    words = [vocabulary.words[id] for id in ranked if _has_letter(vocabulary.words[id])]
    often = sum(counts[vocabulary[word]] >= FEW for word in words)
    return words[: min(max(often, at_least), count)]


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
