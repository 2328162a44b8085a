import json
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from rowwise import TextClassifier, load_model
from rowwise.classify import train_run
from rowwise.classify.run import telling_words
from rowwise.errors import InvalidArgumentError
from rowwise.text import Examples

FILES = [
    "confusion.png",
    "history.json",
    "history.png",
    "metrics.json",
    "model.keras",
    "report.html",
    "words.png",
]


def test_a_run_leaves_everything_in_its_folder(reviews: Examples, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run"
    classifier = TextClassifier(epochs=3, validation_split=0.1, random_state=0)
    report = train_run(classifier, reviews.texts, reviews.labels or [], folder, seed=1)
    assert sorted(os.listdir(folder)) == FILES
    assert (report.train_texts, report.test_texts, report.majority) == (384, 96, 0.5)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == {**vars(report)}
    history = json.loads((folder / "history.json").read_text())
    assert {len(values) for values in history.values()} == {3}
    assert (folder / "words.png").read_bytes().startswith(b"\x89PNG")
    loaded = load_model(folder / "model.keras")
    unseen = [t for t in reviews.texts if t not in set(_training_texts(reviews, seed=1))]
    labels = dict(zip(reviews.texts, reviews.labels or [], strict=True))
    accuracy = accuracy_score([labels[t] for t in unseen], loaded.predict(unseen))
    assert report.accuracy == pytest.approx(accuracy)


def _training_texts(reviews: Examples, seed: int) -> list[str]:
    from sklearn.model_selection import train_test_split

    texts, _ = train_test_split(
        reviews.texts, test_size=0.2, stratify=reviews.labels, random_state=seed
    )
    return list(texts)


def test_telling_words_speak_for_their_label(reviews: Examples) -> None:
    classifier = TextClassifier(random_state=0).fit(reviews.texts, reviews.labels or [])
    telling = telling_words(classifier, 10)
    assert len(telling) == 10
    assert set(telling) & {"excellent", "great", "terrible", "refund", "perfect", "worst"}
    predicted = classifier.predict(list(telling))
    assert predicted.tolist() == [str(label) for label in telling.values()]
    counts = dict(
        zip(classifier.vocabulary_.words, classifier.vocabulary_.counts or (), strict=True)
    )
    assert min(counts[word] for word in telling) >= 5


def test_more_words_are_wanted_than_there_are() -> None:
    classifier = TextClassifier(epochs=1).fit(["a b", "c d 7"], ["x", "y"])
    assert set(telling_words(classifier, 100)) == {"a", "b", "c", "d"}
    assert telling_words(TextClassifier(epochs=1).fit(["1 2", "3"], [0, 1]), 5) == {}


def test_too_few_texts_to_test_on_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="Cannot keep 20%"):
        train_run(TextClassifier(), ["a", "b"], ["x", "y"], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_with_texts_of_marks_alone_ends_well(tmp_path: Path) -> None:
    texts = ["! ? 1", "# $ 2"] * 10
    report = train_run(TextClassifier(epochs=2), texts, ["x", "y"] * 10, tmp_path / "run")
    assert np.isfinite(report.accuracy)
    assert sorted(os.listdir(tmp_path / "run")) == FILES[:-1]


def test_no_picture_of_an_earlier_run_stays(reviews: Examples, tmp_path: Path) -> None:
    train_run(TextClassifier(epochs=1), reviews.texts, reviews.labels or [], tmp_path)
    assert (tmp_path / "words.png").exists()
    train_run(TextClassifier(epochs=1), ["! ? 1", "# $ 2"] * 10, ["x", "y"] * 10, tmp_path)
    assert sorted(os.listdir(tmp_path)) == FILES[:-1]


def test_a_run_that_is_interrupted_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TextClassifier, "fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_run(TextClassifier(), ["a", "b"] * 10, ["x", "y"] * 10, tmp_path / "run")
    assert os.listdir(tmp_path) == []
