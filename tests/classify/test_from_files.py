"""A classifier that learns from files, and what is measured of it there."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_run import FILES

from rowwise import TextClassifier
from rowwise.classify import train_run_files
from rowwise.classify.from_files import percentile
from rowwise.classify.judging import Judgement
from rowwise.classify.judging_files import FilesJudgement
from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.text import ExampleFiles, Examples
from rowwise.text.indexed import rows

COLUMNS = {"text": "text", "label": "label"}


@pytest.fixture
def path(reviews: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reviews in a file, in blocks of few."""
    monkeypatch.setattr(rows, "BLOCK_BYTES", 1000)
    import csv

    with (tmp_path / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(zip(reviews.texts, reviews.labels or [], strict=True))
    return tmp_path / "reviews.csv"


def in_memory(files: ExampleFiles) -> tuple[list[str], list[str]]:
    blocks = list(files.blocks())
    labels = [files.classes[code] for block in blocks for code in block.labels.tolist()]
    return [text for block in blocks for text in block.texts], labels


def test_it_learns_what_is_learned_in_memory(reviews: Examples, path: Path) -> None:
    streamed = TextClassifier(epochs=4, random_state=0).fit_files(path, **COLUMNS)
    whole = TextClassifier(epochs=4, random_state=0).fit(reviews.texts, reviews.labels or [])
    assert streamed.vocabulary_ == whole.vocabulary_
    assert streamed.max_length_ == whole.max_length_
    assert streamed.classes_.tolist() == whole.classes_.tolist()
    assert streamed.model_.optimizer.iterations == whole.model_.optimizer.iterations
    assert streamed.length_counts_.sum() == len(reviews.texts)
    # The same but for the order of the examples.
    final = [model.history_["loss"][-1] for model in (streamed, whole)]
    assert final[0] == pytest.approx(final[1], rel=0.05)
    again = TextClassifier(epochs=4, random_state=0).fit_files(ExampleFiles(path, **COLUMNS))
    for one, other in zip(again.model_.get_weights(), streamed.model_.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_validation_and_early_stopping(path: Path) -> None:
    classifier = TextClassifier(
        epochs=3, validation_split=0.25, patience=1, random_state=0, class_weight="balanced"
    ).fit_files(path, **COLUMNS)
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(classifier.history_)
    assert classifier.length_counts_.sum() == 360


def test_weights_of_examples_count(tmp_path: Path) -> None:
    lines = [f"word{i % 2} filler,{label},{w}\n" for i in range(200) for label, w in WEIGHTED]
    (tmp_path / "a.csv").write_text("text,label,w\n" + "".join(lines))
    files = ExampleFiles(tmp_path / "a.csv", **COLUMNS, weight="w")
    classifier = TextClassifier(epochs=5, random_state=0).fit_files(files)
    assert classifier.predict(["word0", "word1"]).tolist() == ["yes", "yes"]


# The same texts have both labels.
WEIGHTED = (("yes", 3), ("no", 0.5))


def test_classes_that_no_text_has_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "good,c\nbad,a\n" * 20)
    files = ExampleFiles(tmp_path / "a.csv", **COLUMNS, classes=["c", "b", "a"])
    classifier = TextClassifier(epochs=8, random_state=0).fit_files(files)
    assert classifier.classes_.tolist() == ["c", "a"]
    assert classifier.predict(["good", "bad"]).tolist() == ["c", "a"]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("good,a\nbad,a\n", {}, "at least two classes. Received 2 texts of 1 class"),
        (",a\n,b\n", {}, "None of the 2 training texts has a word"),
        ("x,a\ny,b\n", {"min_count": 2}, "has a word that occurs 2 times"),
        ("x,a\ny,b\ny,b\ny,b\n", {"validation_split": 0.7}, "leaves no text of 'a' to train on"),
        ("x,a\ny,b\n", {"epochs": 0}, "`epochs` must be"),
    ],
)
def test_what_cannot_be_learned_from(
    content: str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(f"text,label\n{content}")
    classifier = TextClassifier(**options)
    with pytest.raises(InvalidArgumentError, match=message):
        classifier.fit_files(tmp_path / "a.csv", **COLUMNS)
    assert not hasattr(classifier, "classes_")


def test_columns_are_named_once(path: Path) -> None:
    files = ExampleFiles(path, text="text")
    for given_files, columns, message in (
        (path, {"text": "text"}, "give `text` and `label`"),
        (files, COLUMNS, "go with paths"),
        (files, {}, "have no labels"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            TextClassifier().fit_files(given_files, **columns)


def test_progress_reaches_the_end(path: Path) -> None:
    told: list[tuple[int, int]] = []
    TextClassifier(epochs=1).fit_files(
        path, **COLUMNS, progress=lambda done, total: told.append((done, total))
    )
    assert told.count((path.stat().st_size,) * 2) >= 2


def test_what_is_measured_is_what_is_measured_in_memory(path: Path) -> None:
    training, test = ExampleFiles(path, **COLUMNS).split(0.3, seed=1)
    classifier = TextClassifier(epochs=2, random_state=0).fit_files(training)
    found = FilesJudgement(classifier, training, test)
    expected = Judgement(classifier, in_memory(training), in_memory(test))
    for name in ("accuracy", "macro_f1", "majority", "labels", "lengths", "unknown"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in ("train_size", "test_size"):
        assert getattr(found, name) == getattr(expected, name), name
    assert np.array_equal(found.counts, expected.counts)
    mistakes = found.mistakes(5), expected.mistakes(5)
    assert len(mistakes[0]) == 5
    for one, other in zip(*mistakes, strict=True):
        assert (one.text, one.true) == (other.text, other.true)
        assert one.explanation.label == other.explanation.label


def test_a_run_leaves_everything_in_its_folder(path: Path, tmp_path: Path) -> None:
    files = ExampleFiles(path, **COLUMNS)
    report = train_run_files(TextClassifier(epochs=2, random_state=0), files, tmp_path / "run")
    assert (report.train_texts, report.test_texts, report.majority) == (384, 96, 0.5)
    assert sorted(os.listdir(tmp_path / "run")) == FILES
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "<td>384</td>" in page


def test_a_run_that_fails_leaves_no_folder(path: Path, tmp_path: Path) -> None:
    files = ExampleFiles(path, **COLUMNS)
    path.write_text("text,label\n")
    with pytest.raises(DataFileError, match="has changed"):
        train_run_files(TextClassifier(), files, tmp_path / "run")
    (tmp_path / "a.csv").write_text("text,label\nx,a\nx,a\n" + "y,b\n" * 20)
    files = ExampleFiles(tmp_path / "a.csv", **COLUMNS)
    with pytest.raises(InvalidArgumentError, match="none of 'a' to train on"):
        train_run_files(TextClassifier(), files, tmp_path / "run", test_share=0.9)
    assert not (tmp_path / "run").exists()


@given(st.lists(st.integers(0, 30), min_size=1), st.sampled_from([0, 50, 99.5, 100]))
def test_percentiles_of_counts(values: list[int], percent: float) -> None:
    expected = np.percentile(values, percent)
    assert percentile(np.bincount(values), percent) == pytest.approx(expected)
