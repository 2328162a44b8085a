"""Callbacks for training tables."""

from collections.abc import Iterable
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.training.keras_seam import all_layers


class Unfreeze(keras.callbacks.Callback):
    """Train with frozen tables first, then fine-tune them with a lower rate, in one ``fit``.

    At the start of epoch ``at_epoch`` the layers are made trainable, and the model gets a fresh
    optimizer of the same configuration, which is what stopping, thawing, compiling and fitting
    again would do. Loss and metrics go on.

    Args:
        at_epoch: the first epoch, counted from 0, in which the layers train.
        learning_rate: the rate from then on; None keeps the optimizer's own.
        layers: the layers or their names; None for all frozen embedding layers of the model.

    Raises:
        InvalidArgumentError: a negative epoch; and at the start of ``fit``, when the model has no
            such layer or none of them is frozen.
    """

    def __init__(
        self,
        at_epoch: int,
        learning_rate: float | None = None,
        layers: Iterable[Any] | None = None,
    ) -> None:
        super().__init__()
        if at_epoch < 0:
            raise InvalidArgumentError(f"`at_epoch` must be 0 or more. Received: {at_epoch}.")
        self.at_epoch = at_epoch
        self.learning_rate = learning_rate
        self.layers = None if layers is None else list(layers)
        self._frozen: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Find the layers, and see that the optimizer can be made again."""
        if self.layers is None:
            every = all_layers(self.model)
            candidates = [layer for layer in every if isinstance(layer, keras.layers.Embedding)]
        else:
            candidates = [
                self.model.get_layer(layer) if isinstance(layer, str) else layer
                for layer in self.layers
            ]
        self._frozen = [layer for layer in candidates if not layer.trainable]
        if not self._frozen:
            found = ", ".join(repr(layer.name) for layer in candidates) or "none"
            raise InvalidArgumentError(
                "Unfreeze needs layers that are frozen when training starts: make them with "
                f"trainable=False. Embedding layers or layers named: {found}."
            )
        if self.at_epoch >= self.params.get("epochs", self.at_epoch + 1):
            raise InvalidArgumentError(
                f"Unfreeze(at_epoch={self.at_epoch}) would never come: `fit` runs epochs 0 to "
                f"{self.params['epochs'] - 1}."
            )
        self._optimizer_again()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Thaw the layers when it is time."""
        if epoch < self.at_epoch or not self._frozen:
            return
        model = self.model
        for layer in self._frozen:
            layer.trainable = True
        self._frozen = []
        model.optimizer = self._optimizer_again()
        model.optimizer.build(model.trainable_variables)
        # The compiled step was traced for the old variables.
        model.make_train_function(force=True)

    def _optimizer_again(self) -> Any:
        """A fresh optimizer like the model's, with the new rate."""
        optimizer = self.model.optimizer
        config = optimizer.get_config()
        if self.learning_rate is not None:
            # Here, since the rate of an optimizer that was made with a schedule cannot be set.
            inner = config.get("inner_optimizer")  # of one that scales the loss
            (config if inner is None else inner["config"])["learning_rate"] = self.learning_rate
        try:
            return type(optimizer).from_config(config)
        except (ValueError, TypeError) as error:
            raise InvalidArgumentError(
                f"Unfreeze cannot make the optimizer {optimizer.name!r} again from its "
                f"configuration ({error}). Give it a plain learning rate or a schedule of Keras's."
            ) from error
