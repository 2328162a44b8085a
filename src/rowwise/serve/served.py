"""What a server serves: vectors, or a classifier with the rows of its words."""

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from rowwise import __version__
from rowwise.errors import InvalidArgumentError
from rowwise.serve.batching import Batcher
from rowwise.serve.limits import Limits
from rowwise.serve.predictions import Explanations, Predictions, labels_of
from rowwise.serve.problems import Problem
from rowwise.serve.rows import Rows
from rowwise.serve.search import Search
from rowwise.vectors import Vectors

if TYPE_CHECKING:
    from rowwise.classify import TextClassifier


# Keras's ``predict`` does not run twice at once, also where two applications have one classifier.
_KERAS = Lock()


class Served:
    """A model, and who answers the questions about it.

    Args:
        model: ``Vectors``, or a ``TextClassifier``, whose ``word_vectors()`` are served with it.
        name: shown to whoever asks.
        limits: for requests.

    Attributes:
        vectors: the words and their rows.
        classifier: None where vectors are served.
        lock: held by whoever asks the classifier.

    Raises:
        InvalidArgumentError: ``model`` is something else.
    """

    def __init__(self, model: Any, name: str | None, limits: Limits) -> None:
        self.classifier: TextClassifier | None = None
        if isinstance(model, Vectors):
            self.vectors = model
        else:
            self.classifier = as_classifier(model)
            self.vectors = self.classifier.word_vectors()
        name = name or ("vectors" if self.classifier is None else "classifier")
        # A file's name may hold bytes that are no characters, which no answer can.
        self.name = name.encode(errors="replace").decode()
        self.limits = limits
        self.lock = _KERAS
        self.batcher = Batcher(limits.waiting)
        self.search = Search(self.vectors)
        self.rows = Rows(self.vectors)

    @property
    def paths(self) -> list[str]:
        """The paths that are answered by POST."""
        return ["/neighbors", "/analogy", "/embed", *(["/predict"] if self.classifier else [])]

    @cached_property
    def predictions(self) -> Predictions:
        """Who tells labels.

        Raises:
            Problem: there is no classifier.
        """
        return Predictions(self._need_classifier(), self.lock)

    @cached_property
    def explanations(self) -> Explanations:
        """Who explains labels; raises as ``predictions`` does."""
        return Explanations(self._need_classifier(), self.lock)

    def warm_up(self) -> None:
        """Do now what the first answers would wait for."""
        self.search.warm_up()
        if self.classifier is not None:
            self.predictions.warm_up()

    def info(self) -> dict[str, Any]:
        """What ``/info`` says."""
        return {
            "kind": "vectors" if self.classifier is None else "classifier",
            "name": self.name,
            "version": __version__,
            "words": len(self.vectors),
            "columns": self.vectors.dimension,
            "subwords": self.vectors.subwords is not None,
            "labels": None if self.classifier is None else labels_of(self.classifier),
            "endpoints": self.paths,
            "limits": vars(self.limits),
        }

    def _need_classifier(self) -> "TextClassifier":
        if self.classifier is None:
            raise Problem(
                404,
                "no-classifier",
                "Vectors are served here, which tell no labels. Serve a classifier that "
                "`rowwise train` wrote, or ask /neighbors, /analogy or /embed.",
            )
        return self.classifier


def as_classifier(model: Any) -> "TextClassifier":
    """A fitted classifier.

    Raises:
        InvalidArgumentError: it is something else, or not fitted.
    """
    from rowwise.classify import TextClassifier  # loads Keras, which vectors do without

    if not isinstance(model, TextClassifier):
        raise InvalidArgumentError(
            f"Expected Vectors or a TextClassifier. Received: {type(model).__name__}. Vectors of "
            "a layer: Vectors.from_layer(layer)."
        )
    if not hasattr(model, "model_"):
        raise InvalidArgumentError("This TextClassifier is not fitted yet: call fit first.")
    return model
