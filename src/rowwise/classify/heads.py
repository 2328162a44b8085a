"""The networks behind ``TextClassifier``: from word ids to the probability of each class."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.layers import Embedding, WordPairs
from rowwise.text import Vocabulary
from rowwise.training import Model

# The table of words has this name in every head.
WORD_TABLE = "words"


@dataclass(frozen=True)
class Design:
    """What a head is made from."""

    vocabulary: Vocabulary
    classes: int
    length: int
    output_dim: int
    pair_buckets: int
    dropout: float
    first_rows: npt.NDArray[np.float32] | None
    train_words: bool
    seed: int

    def seeds(self) -> Callable[[], int]:
        """A source of seeds, different ones for the parts of one model."""
        generator = np.random.default_rng(self.seed)
        return lambda: int(generator.integers(2**31))


def pooled(design: Design) -> Model:
    """The mean over the rows of all words and all pairs of neighbouring words, then one layer."""
    seed = design.seeds()
    ids = keras.Input((design.length,), dtype="int32", name="ids")
    rows = _word_table(design, seed())(ids)
    if design.pair_buckets:
        pair_ids = WordPairs(design.pair_buckets, name="pair_ids")(ids)
        pair_rows = Embedding(
            design.pair_buckets,
            design.output_dim,
            embeddings_initializer=_small_uniform(seed()),
            mask_zero=True,
            name="pairs",
        )(pair_ids)
        rows = keras.layers.Concatenate(axis=1, name="words_and_pairs")([rows, pair_rows])
    pooled_rows = keras.layers.GlobalAveragePooling1D(name="mean")(rows)
    return _classified(design, ids, pooled_rows, seed)


def lstm(design: Design) -> Model:
    """A bidirectional LSTM over the rows of the words."""
    seed = design.seeds()
    ids = keras.Input((design.length,), dtype="int32", name="ids")
    rows = _word_table(design, seed())(ids)
    rows = keras.layers.SpatialDropout1D(design.dropout, seed=seed())(rows)
    units = design.output_dim
    read = keras.layers.Bidirectional(
        keras.layers.LSTM(units, seed=seed(), kernel_initializer=_glorot(seed())), name="lstm"
    )(rows)
    return _classified(design, ids, read, seed)


def cnn(design: Design) -> Model:
    """Convolutions over two to four neighbouring words, and the strongest answer of each."""
    seed = design.seeds()
    ids = keras.Input((design.length,), dtype="int32", name="ids")
    rows = _word_table(design, seed(), mask=False)(ids)
    rows = keras.layers.SpatialDropout1D(design.dropout, seed=seed())(rows)
    answers = []
    for width in (2, 3, 4):
        convolution = keras.layers.Conv1D(
            2 * design.output_dim,
            width,
            padding="same",
            activation="relu",
            kernel_initializer=_glorot(seed()),
            name=f"convolution_{width}",
        )(rows)
        answers.append(keras.layers.GlobalMaxPooling1D(name=f"strongest_{width}")(convolution))
    return _classified(design, ids, keras.layers.Concatenate(name="answers")(answers), seed)


HEADS: dict[str, Callable[[Design], Model]] = {"pooled": pooled, "lstm": lstm, "cnn": cnn}


def _word_table(design: Design, seed: int, mask: bool = True) -> Any:
    return Embedding(
        design.vocabulary,
        design.output_dim,
        embeddings_initializer=_small_uniform(seed),
        weights=design.first_rows,
        mask_zero=mask,
        trainable=design.train_words,
        name=WORD_TABLE,
    )


def _classified(design: Design, ids: Any, features: Any, seed: Callable[[], int]) -> Model:
    features = keras.layers.Dropout(design.dropout, seed=seed(), name="dropout")(features)
    probabilities = keras.layers.Dense(
        design.classes, activation="softmax", kernel_initializer=_glorot(seed()), name="classes"
    )(features)
    return Model(ids, probabilities, name="text_classifier")


def _small_uniform(seed: int) -> Any:
    return keras.initializers.RandomUniform(-0.05, 0.05, seed=seed)


def _glorot(seed: int) -> Any:
    return keras.initializers.GlorotUniform(seed=seed)
