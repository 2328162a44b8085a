"""The networks behind ``TextClassifier``: from word ids to the probability of each class."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras
from rowwise.layers import Embedding, EmbedReduce, Pool, WordPairs
from rowwise.text import Vocabulary
from rowwise.training import Model

# The table of words has this name in every head.
WORD_TABLE = "words"

# How much the sum of the pairs counts beside the sum of the words.
PAIR_WEIGHT = 0.4


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
    """Words and pairs of neighbouring words, summed, and the strongest of the words' columns.

    Pairs start at zero and count less than words: on a few thousand texts they are many and
    each is seen seldom.
    """
    seed = design.seeds()
    ids = keras.Input((design.length,), dtype="int32", name="ids")
    rows = _word_table(design, seed())(ids)
    text = Pool("sqrtn", name="word_sum")(rows)
    if design.pair_buckets:
        pair_ids = WordPairs(design.pair_buckets, name="pair_ids")(ids)
        pair_sum = EmbedReduce(
            design.pair_buckets,
            design.output_dim,
            combiner="sqrtn",
            embeddings_initializer="zeros",
            mask_zero=True,
            name="pairs",
        )(pair_ids)
        weighted = keras.layers.Rescaling(PAIR_WEIGHT, name="pair_weight")(pair_sum)
        text = keras.layers.Add(name="words_and_pairs")([text, weighted])
    strongest = Pool("max", name="strongest")(rows)
    return _classified(design, ids, [text, strongest], seed)


def lstm(design: Design) -> Model:
    """A bidirectional LSTM over the rows of the words."""
    seed = design.seeds()
    ids = keras.Input((design.length,), dtype="int32", name="ids")
    rows = _word_table(design, seed())(ids)
    rows = keras.layers.SpatialDropout1D(design.dropout, seed=seed(), name="row_dropout")(rows)
    read = keras.layers.Bidirectional(
        keras.layers.LSTM(
            design.output_dim,
            kernel_initializer=_glorot(seed()),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed()),
            seed=seed(),
        ),
        name="lstm",
    )(rows)
    return _classified(design, ids, [read], seed)


def cnn(design: Design) -> Model:
    """Convolutions over two to four neighbouring words, and the strongest answer of each."""
    seed = design.seeds()
    ids = keras.Input((design.length,), dtype="int32", name="ids")
    rows = _word_table(design, seed(), mask=False)(ids)
    rows = keras.layers.SpatialDropout1D(design.dropout, seed=seed(), name="row_dropout")(rows)
    answers = []
    for width in (2, 3, 4):
        answer = keras.layers.Conv1D(
            design.output_dim,
            width,
            padding="same",
            activation="relu",
            kernel_initializer=_glorot(seed()),
            name=f"words_{width}",
        )(rows)
        answers.append(keras.layers.GlobalMaxPooling1D(name=f"strongest_{width}")(answer))
    return _classified(design, ids, answers, seed)


@dataclass(frozen=True)
class Head:
    """A network, and what it trains best with when the user does not say.

    Found by trying on four sets of short texts, from 3,000 to 46,000 of them.
    """

    build: Callable[[Design], Model]
    output_dim: int
    dropout: float
    learning_rate: float
    epsilon: float
    """Of Adam. A large one calms the first steps of rows that are seen seldom."""
    epochs: int
    many_epochs: int
    """For more than ``MANY_TEXTS`` texts."""


@dataclass(frozen=True)
class Plan:
    """How a model is trained."""

    output_dim: int
    dropout: float
    learning_rate: float
    epsilon: float
    epochs: int
    batch: int
    texts: int

    @property
    def steps(self) -> int:
        """Steps of all epochs together."""
        return self.epochs * -(-self.texts // self.batch)


MANY_TEXTS = 20_000
HEADS = {
    "pooled": Head(pooled, 32, 0.3, 1e-2, 1e-4, epochs=8, many_epochs=4),
    "lstm": Head(lstm, 64, 0.5, 2e-3, 1e-7, epochs=6, many_epochs=3),
    "cnn": Head(cnn, 64, 0.5, 2e-3, 1e-7, epochs=6, many_epochs=3),
}


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


def _classified(design: Design, ids: Any, features: list[Any], seed: Callable[[], int]) -> Model:
    joined = keras.layers.Concatenate(name="features")(features) if features[1:] else features[0]
    kept = keras.layers.Dropout(design.dropout, seed=seed(), name="dropout")(joined)
    probabilities = keras.layers.Dense(
        design.classes, activation="softmax", kernel_initializer=_glorot(seed()), name="classes"
    )(kept)
    return Model(ids, probabilities, name="text_classifier")


def _small_uniform(seed: int) -> Any:
    return keras.initializers.RandomUniform(-0.05, 0.05, seed=seed)


def _glorot(seed: int) -> Any:
    return keras.initializers.GlorotUniform(seed=seed)
