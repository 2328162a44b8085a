"""Where a model meets Keras's trainer for its backend, behind one contract."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Protocol, cast

import keras

State = tuple[list[Any], list[Any], list[Any], list[Any]]
"""Values of trainable, other, optimizer's and metrics' variables."""

Step = Callable[..., tuple[Any, State, Any, Any]]
"""Trains on a batch: from a state, what tables carry, a record and the batch it gives the logs and
the first three after it."""

Steps = Callable[[State, Iterator[Any]], tuple[Any, State]]
"""Trains on some batches from a state: gives the logs and the state after them."""


class Trainer(Protocol):
    """What a backend's module provides."""

    TrainerSeam: type
    """A base of models, before ``keras.Model``, with the methods of ``Seam``."""

    def loss_and_updates(
        self, model: Any, state: State, x: Any, y: Any, sample_weight: Any
    ) -> tuple[Any, Any]:
        """The loss to differentiate; and loss, predictions, other variables and metrics after it.

        Args:
            model: with a ``TrainerSeam``.
            state: to compute with.
            x: inputs of a batch.
            y: targets.
            sample_weight: of the examples, or None.
        """

    def has_strategy(self, model: Any) -> bool:
        """Whether ``model`` trains by a strategy of ``tf.distribute``, in Keras's own loop."""

    def compiled(self, model: Any, step: Step) -> Step:
        """``step`` as ``fit`` runs it; it may overwrite what it is given, but for the batch."""

    def metrics_after(
        self,
        model: Any,
        metrics: list[Any],
        loss: Any,
        batch: tuple[Any, Any, Any],
        predicted: Any,
        examples: int | None = None,
    ) -> tuple[Any, list[Any]]:
        """The logs of a batch (inputs, targets, weights), and the metrics' variables after it.

        The loss is that of so many ``examples``, of several processes; None for those of the batch.
        """


class Seam(Protocol):
    """A model's side of Keras's trainer."""

    def values_as_they_are(self) -> AbstractContextManager[None]:
        """To override: a context in which variables are read and assigned without more ado."""

    def train_by(self, steps: Steps) -> None:
        """Let ``fit`` and ``train_on_batch`` call ``steps`` for each execution."""

    def hold_state(self, state: State) -> None:
        """Give the variables these values, since a step ended in an error."""

    def sync_values(self) -> None:
        """Give the variables the values that a running loop has for them."""


_MODULES = {
    "jax": "rowwise.backend._jax_trainer",
    "tensorflow": "rowwise.backend._tensorflow_trainer",
    "torch": "rowwise.backend._torch_trainer",
}
_module = _MODULES.get(keras.backend.backend())

# None on a backend that does not train row-wise yet.
trainer: Trainer | None = cast(Trainer, import_module(_module)) if _module else None
