"""Going on with training where it stopped, in the middle of an epoch too."""

import warnings
from contextlib import ExitStack
from typing import Any

from rowwise.backend import keras
from rowwise.datasets.text_dataset import TextDataset


class ResumeDataset(keras.callbacks.Callback):
    """Gives a model the batches that come after those that it was trained on.

    The optimizer counts its steps, and the count is saved with it: in ``.keras`` files, and by
    ``keras.callbacks.BackupAndRestore``, which has to stand before this callback. At the beginning
    of each epoch of ``fit`` the dataset is put where the count says. So a training that was ended
    in the middle of an epoch goes on with the very next batch, and comes to the same weights.

    The first epoch is then as long as what was left of it, whatever Keras's bar says.

    Args:
        dataset: what ``fit`` is given.
        first_step: steps that the optimizer had made when training on this dataset began.
    """

    def __init__(self, dataset: TextDataset, first_step: int = 0) -> None:
        super().__init__()
        self._dataset, self._first_step = dataset, first_step
        self._quiet = ExitStack()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Put the dataset where the optimizer is."""
        del epoch, logs
        self._dataset.resume(int(self.model.optimizer.iterations) - self._first_step)
        if len(self._dataset) < self._dataset.steps_per_epoch:
            # Keras counted the batches before, and goes on in any case.
            self._quiet.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", "Your input ran out of data", UserWarning)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Let Keras warn again."""
        del epoch, logs
        self._quiet.close()
