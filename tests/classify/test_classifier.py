import json
import os
import pickle
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import rowwise
from rowwise import TextClassifier, Vectors
from rowwise.backend import keras
from rowwise.errors import (
    DataFileError,
    InvalidArgumentError,
    InvalidShapeError,
    InvalidTextError,
    RowwiseError,
)
from rowwise.text import Examples, Splitter

GOOD = ["good fun", "great film , good", "a great time", "good good", "really great fun"]
BAD = ["bad soup", "awful film , bad", "an awful time", "bad bad", "really awful soup"]
TEXTS, LABELS = GOOD * 4 + BAD * 4, ["yes"] * 20 + ["no"] * 20


def quick(**options: Any) -> TextClassifier:
    options = {"epochs": 6, "output_dim": 8, "pair_buckets": 64, "random_state": 0, **options}
    return TextClassifier(**options)


@pytest.mark.parametrize("head", ["pooled", "lstm", "cnn"])
def test_every_head_learns_what_can_be_learned(head: str) -> None:
    classifier = quick(head=head, epochs=20).fit(TEXTS, LABELS)
    assert classifier.score(TEXTS, LABELS) == 1
    assert classifier.predict(["what a great film", "awful"]).tolist() == ["yes", "no"]
    assert classifier.classes_.tolist() == ["no", "yes"]


def test_the_reviews_are_learned_from_a_part_of_them(reviews: Examples) -> None:
    labels = reviews.labels or []
    classifier = TextClassifier(random_state=0).fit(reviews.texts[:384], labels[:384])
    assert classifier.score(reviews.texts[384:], labels[384:]) > 0.75


def test_probabilities_sum_to_one_and_agree_with_the_labels() -> None:
    classifier = quick().fit(TEXTS, LABELS)
    for count in (1, 2, 7, 8, 9, 40):
        shares = classifier.predict_proba(TEXTS[:count])
        assert shares.shape == (count, 2)
        assert shares.dtype == np.float32
        assert np.allclose(shares.sum(axis=1), 1, atol=1e-6)
        best = classifier.classes_[shares.argmax(axis=1)]
        assert np.array_equal(best, classifier.predict(TEXTS[:count]))


def test_more_texts_than_a_batch_are_predicted_alike() -> None:
    classifier = quick().fit(TEXTS, LABELS)
    many = classifier.predict_proba(TEXTS * 30)
    assert np.allclose(many, np.tile(classifier.predict_proba(TEXTS), (30, 1)), atol=1e-6)


def test_texts_without_known_words_and_no_texts() -> None:
    classifier = quick().fit([*TEXTS, ""], [*LABELS, "yes"])
    assert np.isfinite(classifier.predict_proba(["", "   ", "zzz", "\0"])).all()
    assert classifier.predict_proba([]).shape == (0, 2)
    assert classifier.predict([]).shape == (0,)


def test_the_same_seed_gives_the_same_weights_whatever_the_global_states_are() -> None:
    found = []
    for state in (1, 2):
        random.seed(state)
        np.random.seed(state)
        keras.utils.set_random_seed(state)
        before = random.getstate(), np.random.get_state()[1].tolist()
        found.append(quick(random_state=5).fit(TEXTS, LABELS).model_.get_weights())
        after = random.getstate(), np.random.get_state()[1].tolist()
        assert before == after
    for a, b in zip(*found, strict=True):
        assert np.array_equal(a, b)


def test_the_same_seed_gives_the_same_weights_in_another_process() -> None:
    code = f"""
import hashlib
from rowwise import TextClassifier
texts, labels = {TEXTS!r}, {LABELS!r}
fitted = TextClassifier(epochs=3, output_dim=4, pair_buckets=64, random_state=3).fit(texts, labels)
print(hashlib.sha256(b"".join(w.tobytes() for w in fitted.model_.get_weights())).hexdigest())
"""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_another_seed_gives_other_weights() -> None:
    one, two = (quick(random_state=seed).fit(TEXTS, LABELS) for seed in (1, 2))
    assert not np.array_equal(one.model_.get_weights()[0], two.model_.get_weights()[0])


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (np.array(TEXTS), np.array(LABELS)),
        (np.array(TEXTS, dtype=object), LABELS),
        (pd.Series(TEXTS), pd.Series(LABELS)),
        (pd.Series(TEXTS, index=range(100, 140)), pd.Categorical(LABELS)),
        (tuple(TEXTS), tuple(LABELS)),
    ],
    ids=["array", "objects", "series", "other index", "tuples"],
)
def test_texts_and_labels_may_be_any_sequence(texts: Any, labels: Any) -> None:
    expected = quick().fit(TEXTS, LABELS).predict_proba(TEXTS)
    assert np.array_equal(quick().fit(texts, labels).predict_proba(texts), expected)


@pytest.mark.parametrize("labels", [[0, 1], [1.0, -2.0], [True, False], ["ä", "b c"], [10**12, 3]])
def test_labels_come_back_as_they_were_given(labels: list[Any], tmp_path: Path) -> None:
    given = [labels[0]] * 20 + [labels[1]] * 20
    classifier = quick(epochs=10).fit(TEXTS, given)
    assert classifier.predict(["good", "bad"]).tolist() == labels
    classifier.save(tmp_path / "model.keras")
    loaded = rowwise.load_model(tmp_path / "model.keras")
    assert loaded.classes_.dtype == classifier.classes_.dtype
    assert loaded.predict(["good", "bad"]).tolist() == labels


def test_early_stopping_keeps_the_best_weights() -> None:
    noisy = [label if i % 3 else "no" for i, label in enumerate(LABELS)]
    classifier = quick(epochs=60, validation_split=0.25, patience=2, learning_rate=0.1)
    classifier.fit(TEXTS, noisy)
    losses = classifier.history_["val_loss"]
    assert len(losses) < 60
    assert len(losses) - 1 - int(np.argmin(losses)) == 2
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} == set(classifier.history_)


def test_class_weights_favour_what_is_rare() -> None:
    texts = ["a b", "a c"] * 19 + ["a b", "a b"]
    labels = ["often"] * 38 + ["rare"] * 2
    weights: list[Any] = [None, "balanced", {"rare": 1000.0}]
    shares = [
        quick(class_weight=weight).fit(texts, labels).predict_proba(["a b"])[0, 1]
        for weight in weights
    ]
    assert shares[0] < shares[1] < shares[2]


@pytest.mark.parametrize("train", [True, False])
def test_pretrained_rows_start_the_table(train: bool) -> None:
    words = ["good", "great", "bad", "awful", "elsewhere"]
    vectors = Vectors(words, np.random.default_rng(0).normal(size=(5, 6)))
    classifier = quick(vectors=vectors, train_vectors=train).fit(TEXTS, LABELS)
    found = classifier.word_vectors()
    same = [np.array_equal(found[word], vectors[word]) for word in words[:4]]
    assert same == [not train] * 4
    assert classifier.coverage_.types == pytest.approx(4 / (len(classifier.vocabulary_) - 2))
    assert found.dimension == 6
    assert "elsewhere" not in found


def test_parameters_shape_the_model() -> None:
    classifier = quick(max_words=6, max_length=3, output_dim=5, pair_buckets=32).fit(TEXTS, LABELS)
    assert len(classifier.vocabulary_) == 6
    assert classifier.model_.input_shape == (None, 3)
    assert classifier.model_.get_layer("words").get_weights()[0].shape == (6, 5)
    assert classifier.model_.get_layer("pairs").get_weights()[0].shape == (32, 5)
    without = quick(pair_buckets=0).fit(TEXTS, LABELS)
    assert "pairs" not in [layer.name for layer in without.model_.layers]
    assert "film" not in quick(min_count=9).fit(TEXTS, LABELS).vocabulary_


class Count(keras.callbacks.Callback):
    epochs = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs += 1


def test_callbacks_are_called() -> None:
    count = Count()
    quick(epochs=4, callbacks=[count]).fit(TEXTS, LABELS)
    assert count.epochs == 4


def test_scikit_learns_tools_work_on_it() -> None:
    search = GridSearchCV(quick(epochs=2), {"output_dim": [2, 8]}, cv=2)
    search.fit(TEXTS, LABELS)
    assert search.best_params_["output_dim"] in (2, 8)
    cleaned = make_pipeline(
        FunctionTransformer(lambda texts: [text.upper() for text in texts]), quick(epochs=10)
    )
    assert cleaned.fit(TEXTS, LABELS).score(TEXTS, LABELS) == 1
    assert cross_val_score(quick(epochs=10), TEXTS, LABELS, cv=2).mean() == 1


def test_clones_are_equal_and_not_fitted() -> None:
    fitted = quick(class_weight={"yes": 2.0}).fit(TEXTS, LABELS)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(TEXTS)


def test_pickles_predict_the_same() -> None:
    classifier = quick().fit(TEXTS, LABELS)
    copy = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(copy.predict_proba(TEXTS), classifier.predict_proba(TEXTS))


@pytest.mark.parametrize("head", ["pooled", "lstm", "cnn"])
def test_one_file_holds_everything(head: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    classifier = quick(head=head, epochs=3, min_count=2).fit(TEXTS, LABELS)
    classifier.save(path)
    texts = ["a great film", "zzz", ""]
    code = f"""
import rowwise
loaded = rowwise.load_model({str(path)!r})
print(repr((loaded.predict_proba({texts!r}).tolist(), loaded.get_params()["min_count"])))
"""
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=environment
    ).stdout
    assert eval(found) == (classifier.predict_proba(texts).tolist(), 2)
    loaded = rowwise.load_model(path)
    assert loaded.vocabulary_ == classifier.vocabulary_
    assert loaded.history_ == classifier.history_
    rows = [c.word_vectors().rows for c in (loaded, classifier)]
    assert np.array_equal(*rows)
    # For Keras it is a model like any other.
    assert keras.models.load_model(path).output_shape == (None, 2)


def test_a_loaded_classifier_can_be_saved_and_fitted_again(tmp_path: Path) -> None:
    quick().fit(TEXTS, LABELS).save(tmp_path / "one.keras")
    loaded = rowwise.load_model(tmp_path / "one.keras")
    loaded.save(tmp_path / "two.keras")
    again = rowwise.load_model(tmp_path / "two.keras")
    assert np.array_equal(again.predict_proba(TEXTS), loaded.predict_proba(TEXTS))
    assert again.fit(TEXTS, LABELS[::-1]).predict(["good"]) == ["no"]


def test_killed_while_saving_the_old_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    code = f"""
import time
from rowwise import TextClassifier
from rowwise.classify import storage
fit = lambda texts: TextClassifier(epochs=1, output_dim=2, pair_buckets=0).fit(texts, [0, 1])
fit(["old", "words"]).save({str(path)!r})
def slow(*arguments, **options):
    print("saving", flush=True)
    time.sleep(60)
storage.json.dumps = slow
fit(["new", "words"]).save({str(path)!r})
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saving\n"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert "old" in rowwise.load_model(path).vocabulary_


def test_load_model_gives_other_keras_models_as_they_are(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    assert isinstance(rowwise.load_model(tmp_path / "model.keras"), keras.Sequential)
    with pytest.raises(DataFileError, match="no TextClassifier"):
        TextClassifier.load(tmp_path / "model.keras")


def test_a_file_of_another_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    quick(epochs=1).fit(TEXTS, LABELS).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["rowwise.json"] = json.dumps({"format": 99}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(DataFileError, match="another version"):
        rowwise.load_model(path)


BAD_INPUT: list[tuple[str, dict[str, Any], Any, Any, type[RowwiseError], str]] = [
    ("one text", {}, "good", ["a"], InvalidArgumentError, "Expected several texts"),
    ("none among texts", {}, ["a", None], [0, 1], InvalidTextError, "1"),
    ("a number among texts", {}, ["a", "b", 3.5], [0, 1, 1], InvalidTextError, "2"),
    ("two dimensions", {}, np.array([["a"], ["b"]]), [0, 1], InvalidShapeError, r"\(2, 1\)"),
    ("other lengths", {}, ["a", "b"], [0], InvalidShapeError, "2 texts and 1 labels"),
    ("one class", {}, ["a", "b"], [0, 0], InvalidArgumentError, "at least two classes"),
    ("no labels", {}, ["a", "b"], None, InvalidArgumentError, "None"),
    ("nan labels", {}, ["a", "b"], np.array([0, np.nan]), InvalidArgumentError, "NaN"),
    ("nan label", {}, ["a", "b"], [0, np.nan], InvalidArgumentError, "position 1 is missing: nan"),
    ("nan word", {}, TEXTS[:3], ["x", "y", np.nan], InvalidArgumentError, "position 2 is missing"),
    ("no label", {}, TEXTS[:3], ["x", None, "y"], InvalidArgumentError, "position 1 is missing"),
    (
        "pandas NA",
        {},
        TEXTS[:3],
        pd.Series(["x", "y", None], dtype="string"),
        InvalidArgumentError,
        "position 2 is missing",
    ),
    ("mixed", {}, TEXTS[:3], ["x", "y", 1], InvalidArgumentError, "1 at position 2 beside strings"),
    ("callbacks", {"callbacks": 5}, TEXTS, LABELS, InvalidArgumentError, "`callbacks`"),
    ("no texts", {}, [], [], InvalidArgumentError, "at least two classes"),
    ("no words", {}, ["", " "], [0, 1], InvalidArgumentError, "None of the 2"),
    ("head", {"head": "bert"}, TEXTS, LABELS, InvalidArgumentError, "'pooled', 'lstm', 'cnn'"),
    ("epochs", {"epochs": 0}, TEXTS, LABELS, InvalidArgumentError, "`epochs`"),
    ("dropout", {"dropout": 1.0}, TEXTS, LABELS, InvalidArgumentError, "`dropout`"),
    ("patience", {"patience": 2}, TEXTS, LABELS, InvalidArgumentError, "validation_split"),
    ("weights", {"class_weight": "even"}, TEXTS, LABELS, InvalidArgumentError, "'balanced'"),
    ("weight", {"class_weight": {"maybe": 2}}, TEXTS, LABELS, InvalidArgumentError, "maybe"),
    ("length", {"max_length": 0}, TEXTS, LABELS, InvalidArgumentError, "`max_length`"),
    ("half a length", {"max_length": 2.7}, TEXTS, LABELS, InvalidArgumentError, "`max_length`"),
    ("word", {"dropout": "x"}, TEXTS, LABELS, InvalidArgumentError, "`dropout`"),
    ("rate", {"learning_rate": -1}, TEXTS, LABELS, InvalidArgumentError, "`learning_rate`"),
    ("nan", {"learning_rate": np.nan}, TEXTS, LABELS, InvalidArgumentError, "`learning_rate`"),
    ("buckets", {"pair_buckets": 1}, TEXTS, LABELS, InvalidArgumentError, "`pair_buckets`"),
    ("negative", {"class_weight": {"no": -1}}, TEXTS, LABELS, InvalidArgumentError, "`class_weig"),
    ("vectors", {"vectors": {"a": [1]}}, TEXTS, LABELS, InvalidArgumentError, "`vectors`"),
    ("split", {"validation_split": 0.9}, ["a", "b", "c"], [0, 1, 1], InvalidArgumentError, "side"),
]


@pytest.mark.parametrize(
    ("_", "options", "texts", "labels", "error", "words"), BAD_INPUT, ids=[b[0] for b in BAD_INPUT]
)
def test_input_without_sense_is_an_error_that_says_why(
    _: str, options: Any, texts: Any, labels: Any, error: type[RowwiseError], words: str
) -> None:
    with pytest.raises(error, match=words):
        quick(**options).fit(texts, labels)


def test_a_fit_that_fails_leaves_the_classifier_as_it_was() -> None:
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyboardInterrupt

    classifier = quick().fit(TEXTS, LABELS)
    before = classifier.predict_proba(TEXTS)
    for labels, callbacks, error in (
        (["x"] * 40, None, InvalidArgumentError),
        (["x", "y", "z", "x"] * 10, [Interrupt()], KeyboardInterrupt),
    ):
        with pytest.raises(error):
            classifier.set_params(callbacks=callbacks).fit(TEXTS, labels)
        assert np.array_equal(classifier.predict_proba(TEXTS), before)
    with pytest.raises(KeyboardInterrupt):
        (unfitted := quick(callbacks=[Interrupt()])).fit(TEXTS, LABELS)
    with pytest.raises(NotFittedError):
        unfitted.predict(TEXTS)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    classifier = quick(output_dim=np.int64(3), epochs=np.int32(2), dropout=np.float32(0.25))
    classifier.fit(TEXTS, LABELS).save(tmp_path / "model.keras")
    assert rowwise.load_model(tmp_path / "model.keras").get_params()["dropout"] == 0.25


def test_a_file_holds_the_tables_once(tmp_path: Path) -> None:
    classifier = quick(pair_buckets=2**14, output_dim=16).fit(TEXTS, LABELS)
    classifier.save(tmp_path / "model.keras")
    tables = sum(weights.nbytes for weights in classifier.model_.get_weights())
    assert (tmp_path / "model.keras").stat().st_size < 1.2 * tables


def test_a_loaded_classifier_splits_as_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = quick().fit(TEXTS, LABELS)
    classifier.save(tmp_path / "one.keras")
    monkeypatch.setattr("rowwise.classify.classifier.SPLITTER", Splitter(lower=False))
    rowwise.load_model(tmp_path / "one.keras").save(tmp_path / "two.keras")
    loaded = rowwise.load_model(tmp_path / "two.keras")
    assert loaded.splitter_ == classifier.splitter_
    assert np.array_equal(loaded.predict_proba(["GOOD!"]), classifier.predict_proba(["good !"]))


def test_saving_elsewhere_than_to_a_keras_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"`\.keras` file"):
        quick(epochs=1).fit(TEXTS, LABELS).save(tmp_path / "model.h5")
