"""``TextClassifier``: scikit-learn's conventions around an embedding model."""

import copy
import os
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from rowwise.backend import keras
from rowwise.classify import storage
from rowwise.classify.batches import Batches
from rowwise.classify.explaining import Explaining
from rowwise.classify.from_files import LearningFiles, TextEncoder
from rowwise.classify.heads import HEADS, MANY_TEXTS, WORD_TABLE, Design, Plan
from rowwise.classify.inputs import as_labels, as_texts
from rowwise.classify.parameters import check_parameters
from rowwise.errors import DataFileError, InvalidArgumentError, InvalidShapeError
from rowwise.text import Splitter, Vocabulary
from rowwise.training import load_keras_model
from rowwise.vectors import Vectors

# How texts are split into words; saved with a model, so that a later change cannot alter it.
SPLITTER = Splitter(marks=True)
PREDICT_BATCH = 512


class TextClassifier(Explaining, LearningFiles, ClassifierMixin, BaseEstimator):
    """Learns to tell the label of a text.

    Texts are lower-cased and split into words and marks; the words get ids, the ids rows of a
    table, and a head tells the class from the rows. Table and head are trained together.

    Args:
        head: ``"pooled"``: words and pairs of words, added up whatever their order, quick and hard
            to beat on short texts; ``"lstm"``: reads the words in order; ``"cnn"``: looks at a few
            neighbouring words at a time.
        output_dim: columns of the tables; with ``vectors`` theirs count. None: 32 for
            ``"pooled"``, 64 for the others.
        max_words: words of the vocabulary at most, the most frequent ones, with padding and
            unknown counted; None for all.
        min_count: words that occur less often in the training texts are unknown.
        max_length: words of a text that are looked at; None takes the length that 99.5 % of
            the training texts do not exceed, at most 256.
        pair_buckets: rows of the table of word pairs (``"pooled"`` only); 0 for no pairs.
        dropout: share of the features that is left out in training. None: 0.3 for ``"pooled"``,
            0.5 for the others.
        epochs: how often every text is seen, at most. None: 8 for ``"pooled"``, 6 for the others,
            and half of that for more than 20,000 texts.
        batch_size: texts of a step. None: 32, and more for many texts, up to 128.
        learning_rate: of Adam, at the start; it falls evenly to zero. None: 0.01 for
            ``"pooled"``, 0.002 for the others.
        label_smoothing: share of each example that counts for all classes alike, which keeps the
            probabilities from running to 0 and 1.
        vectors: ``Vectors`` whose rows the words' table starts with.
        train_vectors: whether those rows are trained further.
        validation_split: share of the texts, by class, that is kept out to measure each epoch.
        patience: stop after so many epochs without a better validation loss and go back to the
            best weights; needs ``validation_split``. None: train all epochs.
        class_weight: None, ``"balanced"`` for the same say for every class, or a mapping from
            label to weight.
        random_state: whole number from which everything random is drawn, or None for another
            one each time. The same number gives the same weights on the same machine.
        callbacks: Keras callbacks for ``fit``.
        verbose: what Keras prints in ``fit``: 0 nothing, 1 a progress bar, 2 a line an epoch.

    Attributes:
        classes_: (classes,) the labels, sorted.
        model_: the Keras model: int32 ids (n, ``max_length_``) -> probabilities (n, classes).
        vocabulary_: the ``Vocabulary`` of the training texts.
        splitter_: the ``Splitter`` that cuts texts into words.
        max_length_: words of a text that are looked at.
        history_: loss and accuracy of every epoch.
        length_counts_: how many training texts have 0, 1, 2, ... words; only after ``fit_files``.
        coverage_: the ``Coverage`` of the vocabulary by ``vectors``; only with ``vectors``.
    """

    def __init__(
        self,
        head: str = "pooled",
        *,
        output_dim: int | None = None,
        max_words: int | None = None,
        min_count: int = 1,
        max_length: int | None = None,
        pair_buckets: int = 2**16,
        dropout: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        label_smoothing: float = 0.1,
        vectors: Vectors | None = None,
        train_vectors: bool = True,
        validation_split: float = 0.0,
        patience: int | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        random_state: int | None = None,
        callbacks: list[Any] | None = None,
        verbose: int = 0,
    ) -> None:
        self.head = head
        self.output_dim = output_dim
        self.max_words = max_words
        self.min_count = min_count
        self.max_length = max_length
        self.pair_buckets = pair_buckets
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.label_smoothing = label_smoothing
        self.vectors = vectors
        self.train_vectors = train_vectors
        self.validation_split = validation_split
        self.patience = patience
        self.class_weight = class_weight
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose

    def fit(self, X: Iterable[str], y: Iterable[Any]) -> Self:
        """Learn from texts and their labels.

        Args:
            X: n texts.
            y: n labels, strings or numbers, at least two different ones.

        Raises:
            InvalidTextError: one of the texts is not a string; the message names its position.
            InvalidArgumentError: a parameter without sense, or fewer than two classes.
            InvalidShapeError: another number of labels than of texts.
        """
        learned = self._afresh()
        learned._learn(X, y)
        self.__dict__ = learned.__dict__
        return self

    def _afresh(self) -> Self:
        """A copy that has learned nothing; what fails half-way leaves this one as it was."""
        learned = copy.copy(self)
        for name in [name for name in vars(learned) if name.endswith("_")]:
            delattr(learned, name)
        return learned

    def _learn(self, X: Any, y: Any) -> None:
        check_parameters(self)
        texts, labels = as_texts(X), as_labels(y)
        if len(texts) != len(labels):
            raise InvalidShapeError(
                f"There must be as many labels as texts. Received {len(texts)} texts and "
                f"{len(labels)} labels."
            )
        self.classes_, inverse = np.unique(labels, return_inverse=True)
        classes = inverse.astype(np.int32)
        self._check_classes(len(texts))
        seeds = self._begin()
        training, held_out = self._split(classes, int(seeds.integers(2**31 - 1)))
        seen = [texts[i] for i in training]
        self.vocabulary_ = Vocabulary.build(seen, self.splitter_, self.max_words, self.min_count)
        self._check_words(len(seen))
        lengths = self.splitter_.split_all(seen).lengths if self.max_length is None else [0]
        self.max_length_ = self._take_length(float(np.percentile(lengths, 99.5)))
        ids = self._encode(texts)
        counts = np.bincount(classes[training], minlength=len(self.classes_))
        weights = self._weigh(counts)[classes]
        plan = self._plan(len(training))
        self.model_ = self._build(plan, int(seeds.integers(2**31 - 1)))
        batches = [
            Batches(ids[part], classes[part], weights[part], len(self.classes_), plan.batch, seed)
            for part, seed in ((training, int(seeds.integers(2**31 - 1))), (held_out, None))
        ]
        self._train(plan, batches[0], batches[1] if len(held_out) else None)

    def _begin(self) -> np.random.Generator:
        """What all seeds are drawn from."""
        self.splitter_ = SPLITTER
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))

    def _check_classes(self, texts: int) -> None:
        if len(self.classes_) < 2:
            raise InvalidArgumentError(
                "A classifier needs examples of at least two classes. Received "
                f"{texts} texts of {len(self.classes_)} class."
            )

    def _check_words(self, texts: int) -> None:
        if len(self.vocabulary_) == 2:
            raise InvalidArgumentError(
                f"None of the {texts} training texts has a word"
                f"{f' that occurs {self.min_count} times' if self.min_count > 1 else ''}."
            )

    def _train(self, plan: Plan, training: Any, validation: Any) -> None:
        history = self.model_.fit(
            training,
            validation_data=validation,
            epochs=plan.epochs,
            # First: whoever looks at the end sees the weights that are gone back to.
            callbacks=[*self._early_stopping(), *(self.callbacks or [])],
            shuffle=False,  # the batches are shuffled already, by the seed
            verbose=self.verbose,
        )
        self.history_ = {name: list(map(float, v)) for name, v in history.history.items()}

    def predict_proba(self, X: Iterable[str]) -> npt.NDArray[np.float32]:
        """The probability of each class for n texts, float32 (n, classes), rows sum to 1."""
        check_is_fitted(self, "model_")
        return self._probabilities(self._encode(as_texts(X)))

    def _probabilities(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """The same for ids (n, ``max_length_``); none is padding alone."""
        # Keras compiles for each number of rows: fill up to one of a few.
        padded = min(PREDICT_BATCH, 1 << max(3, (len(ids) - 1).bit_length()))
        rows = -(-len(ids) // padded) * padded
        full = np.ones((rows, ids.shape[1]), dtype=np.int32)
        full[: len(ids)] = ids
        if not len(ids):
            return np.empty((0, len(self.classes_)), dtype=np.float32)
        found = self.model_.predict(full, batch_size=padded, verbose=0)
        probabilities: npt.NDArray[np.float32] = np.asarray(found[: len(ids)], dtype=np.float32)
        return probabilities

    def predict(self, X: Iterable[str]) -> npt.NDArray[Any]:
        """The most probable label of each of n texts, (n,)."""
        check_is_fitted(self, "model_")
        labels: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def word_vectors(self) -> Vectors:
        """The vocabulary's words and the rows that they have now."""
        check_is_fitted(self, "model_")
        table = np.asarray(self.model_.get_layer(WORD_TABLE).get_weights()[0])
        return Vectors(self.vocabulary_.words[2:], table[2:])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one ``.keras`` file, in place of an older one only when whole.

        ``rowwise.load_model`` reads it; so does Keras, for which it holds the model alone.
        What only training needs is not kept: ``vectors``, ``callbacks``, the optimizer's state.
        """
        check_is_fitted(self, "model_")
        parameters = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name not in ("vectors", "callbacks", "random_state")
        }
        if isinstance(self.class_weight, Mapping):
            parameters["class_weight"] = None  # labels need not be what JSON can hold
        description = {
            "classes": self.classes_.tolist(),
            "classes_dtype": self.classes_.dtype.str,
            "parameters": parameters,
            "splitter": self.splitter_.to_config(),
            "history": self.history_,
        }
        storage.write(path, self.model_, description)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what ``save`` wrote.

        Raises:
            DataFileError: the file is missing, or holds no classifier.
        """
        model = load_keras_model(path)
        description = storage.read_description(path)
        if description is None:
            raise DataFileError(
                f"{str(path)!r} holds a Keras model and no TextClassifier. Load it with "
                "rowwise.load_model."
            )
        self = cls(**description["parameters"])
        self.classes_ = np.array(description["classes"], dtype=description["classes_dtype"])
        self.model_ = model
        self.vocabulary_ = model.get_layer(WORD_TABLE).vocabulary
        self.max_length_ = model.input_shape[1]
        self.history_ = description["history"]
        self.splitter_ = Splitter.from_config(description["splitter"])
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn has to know: texts in, not numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags

    def _split(
        self, classes: npt.NDArray[Any], seed: int
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Indices of the texts to train on and of those to measure on."""
        everything = np.arange(len(classes))
        if not self.validation_split:
            return everything, everything[:0]
        try:
            training, held_out = train_test_split(
                everything, test_size=self.validation_split, stratify=classes, random_state=seed
            )
        except ValueError as error:
            raise InvalidArgumentError(
                f"validation_split={self.validation_split} leaves a class without texts on one "
                f"side: {error}"
            ) from error
        return np.sort(training), np.sort(held_out)

    def _take_length(self, long: float) -> int:
        """How many words to look at, if a long text has so many."""
        return int(self.max_length or np.clip(np.ceil(long), 4, 256))

    def _encode(self, texts: list[str]) -> npt.NDArray[np.int32]:
        return TextEncoder(self.vocabulary_, self.splitter_).encode(texts, self.max_length_).ids

    def _weigh(self, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """The weight of each class, float32 (classes,); each has so many training texts."""
        wanted = self.class_weight
        if isinstance(wanted, Mapping):
            unknown = sorted(str(label) for label in wanted if label not in self.classes_)
            if unknown:
                raise InvalidArgumentError(
                    f"`class_weight` names labels that no text has: {', '.join(unknown)}."
                )
            weights = [wanted.get(label, 1.0) for label in self.classes_.tolist()]
        elif wanted == "balanced":
            # What scikit-learn's `compute_class_weight` gives, without all labels.
            weights = counts.sum() / (len(counts) * np.maximum(counts, 1))
        else:
            weights = [1.0] * len(self.classes_)
        return np.asarray(weights, dtype=np.float32)

    def _plan(self, texts: int) -> Plan:
        """The head's numbers, where the user did not give others."""
        head = HEADS[self.head]
        batch = int(np.clip(2 ** round(np.log2(max(texts, 1) / 256)), 32, 128))
        return Plan(
            output_dim=int(_or(self.output_dim, head.output_dim)),
            dropout=float(_or(self.dropout, head.dropout)),
            learning_rate=float(_or(self.learning_rate, head.learning_rate)),
            epsilon=head.epsilon,
            epochs=int(_or(self.epochs, head.epochs if texts <= MANY_TEXTS else head.many_epochs)),
            batch=int(_or(self.batch_size, batch)),
            texts=texts,
        )

    def _build(self, plan: Plan, seed: int) -> Any:
        first_rows, output_dim = None, plan.output_dim
        if self.vectors is not None:
            self.coverage_ = self.vectors.coverage(self.vocabulary_)
            first_rows = self.vectors.matrix(self.vocabulary_, seed=seed)
            output_dim = self.vectors.dimension
        design = Design(
            vocabulary=self.vocabulary_,
            classes=len(self.classes_),
            length=self.max_length_,
            output_dim=output_dim,
            pair_buckets=self.pair_buckets,
            dropout=plan.dropout,
            first_rows=first_rows,
            train_words=self.vectors is None or self.train_vectors,
            seed=seed,
        )
        model = HEADS[self.head].build(design)
        falling = keras.optimizers.schedules.PolynomialDecay(
            plan.learning_rate, plan.steps, end_learning_rate=0.0
        )
        model.compile(
            optimizer=keras.optimizers.Adam(falling, epsilon=plan.epsilon),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=self.label_smoothing),
            weighted_metrics=["accuracy"],
        )
        return model

    def _early_stopping(self) -> list[Any]:
        if self.patience is None:
            return []
        return [
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=self.patience, restore_best_weights=True
            )
        ]


def _or(given: Any, otherwise: Any) -> Any:
    return otherwise if given is None else given
