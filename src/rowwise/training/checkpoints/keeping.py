"""A callback that writes checkpoints while a model trains."""

import os
import shutil
from pathlib import Path
from typing import Any

from rowwise.backend import keras
from rowwise.backend.places import places
from rowwise.errors import InvalidArgumentError
from rowwise.training.checkpoints.folders import checkpoints_in, clear_unfinished
from rowwise.training.checkpoints.storing import save_checkpoint


class Checkpoints(keras.callbacks.Callback):
    """Keeps checkpoints of a training in a folder, by ``save_checkpoint``.

    A training that ends, however it ends, leaves the last ones. ``load_checkpoint`` goes on from
    the newest. Where several processes train, each has this callback, and they see one folder.

    Args:
        folder: for the checkpoints.
        every: ``"epoch"``, or after how many steps of the optimizer one is written.
        keep: how many are kept; those before are deleted.

    Raises:
        InvalidArgumentError: another ``every``, or ``keep`` of less than 1.
    """

    def __init__(
        self, folder: str | os.PathLike[str], every: str | int = "epoch", keep: int = 2
    ) -> None:
        super().__init__()
        if every != "epoch" and (not isinstance(every, int) or every < 1):
            raise InvalidArgumentError(
                f'`every` must be "epoch" or a number of steps from 1. Received: {every!r}.'
            )
        if keep < 1:
            raise InvalidArgumentError(f"`keep` must be 1 or more. Received: {keep}.")
        self.folder, self.every, self.keep = Path(folder), every, keep
        self._steps = self._before_epoch = 0
        if every == "epoch":  # so that Keras need not wait for each step
            self.on_train_batch_end = super().on_train_batch_end  # type: ignore[method-assign]

    def on_train_begin(self, logs: Any = None) -> None:
        """Count from the step that the optimizer is at.

        Raises:
            InvalidArgumentError: the folder has checkpoints of later steps, of another training.
        """
        optimizer = self.model.optimizer
        self._steps = int(optimizer.iterations) if optimizer.built else 0
        later = [step for step in checkpoints_in(self.folder) if step > self._steps]
        if later:
            raise InvalidArgumentError(
                f"{str(self.folder)!r} has a checkpoint of step {later[-1]}, and the model is at "
                f"step {self._steps}. To go on from there, use load_checkpoint first; for a new "
                "training, name another folder or remove what is in it."
            )
        if places.process()[0] == 0:
            clear_unfinished(self.folder)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count from here; Keras counts batches from the beginning of an epoch."""
        self._before_epoch = self._steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write a checkpoint when it is time."""
        before, self._steps = self._steps, self._before_epoch + batch + 1
        if self._is_time(before):
            # Where an epoch ends within an execution of several steps, Keras counts too far.
            self._steps = int(self.model.optimizer.iterations)
            if self._is_time(before):
                self._save()

    def _is_time(self, before: int) -> bool:
        every = self.every
        return isinstance(every, int) and self._steps // every > before // every

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write a checkpoint when it is time."""
        if self.every == "epoch":
            self._save()

    def _save(self) -> None:
        save_checkpoint(self.model, self.folder)
        if places.process()[0] == 0:
            for old in list(checkpoints_in(self.folder).values())[: -self.keep]:
                shutil.rmtree(old, ignore_errors=True)
