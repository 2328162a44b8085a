"""``RecordWords``: the rows of some words, epoch by epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.training.keras_seam import all_layers
from rowwise.vectors import Vectors
from rowwise.viz import Journey


class RecordWords(keras.callbacks.Callback):
    """Records the rows of some words before training and after epochs, to see how they travel.

    ``viz.save_journey(callback.journey, "words.gif")`` draws it; so do ``viz.plot_journey`` and, as
    a page, ``viz.save_journey(callback.journey, "words.html")``. Each record reads the table once,
    as ``Vectors.from_layer`` does. A further ``fit`` of the same table goes on recording where the
    last one ended; a ``fit`` of another table begins anew.

    A callback that changes weights when training ends, as ``EarlyStopping`` does when it restores
    the best ones, has to stand before this one in the list: then the last moment is ``"end"``.

    Args:
        words: those to record, each once.
        layer: the embedding layer or its name; None for the only one whose vocabulary is known.
        every: record after so many epochs, and after the last.
        vocabulary: whose ids number the layer's rows; by default the layer's own.

    Raises:
        InvalidArgumentError: no words, a word twice, or ``every`` is no whole number of at least
            1; and at the start of ``fit``, when there is no such layer.
        UnknownWordError: at the start of ``fit``, a word that the vocabulary does not hold.
    """

    def __init__(
        self,
        words: Sequence[str],
        layer: Any = None,
        *,
        every: int = 1,
        vocabulary: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(words, str) or not words or len(set(words)) < len(words):
            raise InvalidArgumentError(
                f"`words` must be a list of words, each once. Received: {words!r}."
            )
        if not isinstance(every, int) or isinstance(every, bool) or every < 1:
            raise InvalidArgumentError(
                f"`every` must be a whole number of at least 1. Received: {every!r}."
            )
        self.words = tuple(words)
        self.layer, self.every, self.vocabulary = layer, every, vocabulary
        self._moments: list[str] = []
        self._rows: list[Any] = []
        self._epochs = 0
        # The layer of the last ``fit``, and its table: a model may be made anew for each.
        self._recorded: Any = None
        self._table: Any = None

    @property
    def journey(self) -> Journey:
        """What was recorded: the moments are ``"start"`` and ``"epoch 1"``, ``"epoch 2"``...

        Raises:
            InvalidArgumentError: nothing was recorded yet.
        """
        if not self._rows:
            raise InvalidArgumentError(
                "Nothing is recorded yet. Give the callback to fit(callbacks=[...]) first."
            )
        return Journey(self.words, tuple(self._moments), np.stack(self._rows))

    def on_train_begin(self, logs: Any = None) -> None:
        """Find the layer, and record what it starts with."""
        layer = self._found()
        table = getattr(layer, "embeddings", layer)
        if table is not self._table:
            self._moments, self._rows, self._epochs = [], [], 0
        self._table, self._recorded = table, layer
        if not self._rows:
            self._record("start")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record, when it is time."""
        self._epochs += 1
        if self._epochs % self.every == 0:
            self._record(f"epoch {self._epochs}")

    def on_train_end(self, logs: Any = None) -> None:
        """Record the end, unless the last record has it."""
        now = self._now()
        if not np.array_equal(now, self._rows[-1]):
            last = f"epoch {self._epochs}"
            self._record("end" if self._moments[-1] == last else last)

    def _found(self) -> Any:
        if self.layer is not None and not isinstance(self.layer, str):
            return self.layer
        tables = [
            layer
            for layer in all_layers(self.model)
            if isinstance(layer, keras.layers.Embedding)
            and (
                layer.name == self.layer
                if self.layer is not None
                else self.vocabulary is not None or getattr(layer, "vocabulary", None) is not None
            )
        ]
        if len(tables) != 1:
            every = [
                repr(layer.name)
                for layer in all_layers(self.model)
                if isinstance(layer, keras.layers.Embedding)
            ]
            raise InvalidArgumentError(
                "RecordWords needs to know which layer has the words: give `layer`, one of "
                f"{', '.join(every) or 'none: the model has no embedding layer'}. "
                f"Received: layer={self.layer!r}."
            )
        return tables[0]

    def _now(self) -> Any:
        vectors = Vectors.from_layer(self._recorded, self.vocabulary)
        return np.stack([vectors[word] for word in self.words])

    def _record(self, moment: str) -> None:
        self._rows.append(self._now())
        self._moments.append(moment)
