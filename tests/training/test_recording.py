"""``RecordWords``: what training is like without it, epoch by epoch."""

import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.classify import TextClassifier
from rowwise.errors import InvalidArgumentError, UnknownWordError
from rowwise.layers import Embedding
from rowwise.text import Vocabulary
from rowwise.training import RecordWords, Sequential

VOCABULARY = Vocabulary(["good", "bad", "film", "never"])
IDS = np.array([[2, 4], [3, 4], [2, 2], [3, 3]] * 8, dtype="int32")
LABELS = np.array([[1.0], [0.0], [1.0], [0.0]] * 8)


def a_model(updates="exact", **options):
    keras.utils.set_random_seed(0)
    model = Sequential(
        [
            keras.Input((2,), dtype="int32"),
            Embedding(VOCABULARY, 4, updates=updates, name="words", **options),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model


def fit(model, epochs, *callbacks):
    model.fit(IDS, LABELS, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks))


def a_stock_model():
    layers = [keras.Input((2,)), keras.layers.Embedding(6, 3), keras.layers.Flatten()]
    return keras.Sequential(layers)


@pytest.mark.parametrize("updates", ["exact", "dense"])
def test_it_records_the_rows_of_each_epoch(updates):
    record = RecordWords(["film", "never"])
    fit(a_model(updates), 3, record)
    journey = record.journey
    assert journey.words == ("film", "never")
    assert journey.moments == ("start", "epoch 1", "epoch 2", "epoch 3")
    for epochs in range(4):
        model = a_model(updates)
        if epochs:
            fit(model, epochs)
        np.testing.assert_allclose(journey.rows[epochs], model.get_weights()[0][[4, 5]], atol=1e-6)
    assert np.abs(journey.rows[3, 0] - journey.rows[0, 0]).max() > 1e-3
    np.testing.assert_array_equal(journey.rows[3, 1], journey.rows[0, 1])  # never looked up


def test_every_so_often_and_at_the_end():
    record = RecordWords(["good"], "words", every=2)
    model = a_model()
    fit(model, 5, record)
    assert record.journey.moments == ("start", "epoch 2", "epoch 4", "epoch 5")
    fit(model, 2, record)
    assert record.journey.moments[4:] == ("epoch 6", "epoch 7")


def test_another_model_begins_anew():
    record = RecordWords(["good"])
    fit(a_model(), 2, record)
    other = a_model()
    fit(other, 1, record)
    assert record.journey.moments == ("start", "epoch 1")
    np.testing.assert_array_equal(record.journey.rows[-1, 0], other.get_weights()[0][2])


def test_the_journey_ends_where_training_does():
    record = RecordWords(["good", "film"])
    stop = keras.callbacks.EarlyStopping("loss", patience=0, mode="max", restore_best_weights=True)
    model = a_model()
    fit(model, 5, stop, record)
    assert record.journey.moments[-1] == "end"
    np.testing.assert_array_equal(record.journey.rows[-1], model.get_weights()[0][[2, 4]])


def test_a_classifier_that_stops_early_ends_on_its_best_weights():
    texts = ["a good film", "good and warm", "a bad film", "bad and cold"] * 8
    record = RecordWords(["good", "bad"])
    classifier = TextClassifier(
        epochs=12, patience=1, validation_split=0.2, random_state=0, callbacks=[record]
    ).fit(texts, ["x", "y", "y", "x"] * 8)
    vectors = classifier.word_vectors()
    np.testing.assert_array_equal(record.journey.rows[-1, 0], vectors["good"])


def test_a_stock_layer_with_a_vocabulary_that_is_given():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Embedding(6, 3), keras.layers.Flatten()]
    )
    model.compile("sgd", "mse")
    record = RecordWords(["bad"], vocabulary=VOCABULARY)
    model.fit(IDS, np.zeros((32, 6)), verbose=0, callbacks=[record])
    np.testing.assert_allclose(record.journey.rows[1, 0], model.get_weights()[0][3], atol=1e-7)


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        ([], {}, "each once"),
        ("good", {}, "list of words"),
        (["good", "good"], {}, "each once"),
        (["good"], {"every": 0}, "`every` must be a whole number of at least 1"),
        (["good"], {"every": 2.5}, r"`every` must be .* 2\.5"),
    ],
)
def test_what_is_refused_at_once(words, options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        RecordWords(words, **options)


def test_what_is_refused_at_the_start_of_fit():
    with pytest.raises(UnknownWordError, match="'nix'"):
        fit(a_model(), 1, RecordWords(["nix"]))
    stock = keras.Sequential(
        [keras.Input((2,)), keras.layers.Embedding(6, 3), keras.layers.Flatten()]
    )
    stock.compile("sgd", "mse")
    with pytest.raises(InvalidArgumentError, match=r"give `layer`, one of 'embedding"):
        stock.fit(IDS, np.zeros((32, 6)), verbose=0, callbacks=[RecordWords(["good"])])
    with pytest.raises(InvalidArgumentError, match=r"one of 'words'.*'nosuch'"):
        fit(a_model(), 1, RecordWords(["good"], "nosuch"))
    with pytest.raises(InvalidArgumentError, match="Nothing is recorded yet"):
        _ = RecordWords(["good"]).journey
