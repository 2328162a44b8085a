"""Callbacks for training tables."""

from collections.abc import Iterable
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError


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
        """Find the layers."""
        if self.layers is None:
            candidates = [
                layer
                for layer in _all_layers(self.model)
                if isinstance(layer, keras.layers.Embedding)
            ]
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

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Thaw the layers when it is time."""
        if epoch < self.at_epoch or not self._frozen:
            return
        model = self.model
        for layer in self._frozen:
            layer.trainable = True
        self._frozen = []
        config = model.optimizer.get_config()
        if self.learning_rate is not None:
            config["learning_rate"] = self.learning_rate
        model.optimizer = type(model.optimizer).from_config(config)
        model.optimizer.build(model.trainable_variables)
        # The compiled step was traced for the old variables.
        model.make_train_function(force=True)


def _all_layers(layer: Any) -> list[Any]:
    """The layers below ``layer``, those of models within a model too."""
    found = []
    for child in getattr(layer, "layers", []):
        found += [child, *_all_layers(child)]
    return found
