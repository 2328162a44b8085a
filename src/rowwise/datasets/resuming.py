"""Going on with training where it stopped, in the middle of an epoch too."""

from typing import Any

from rowwise.backend import keras
from rowwise.datasets.text_dataset import TextDataset


class ResumeDataset(keras.callbacks.Callback):
    """Gives a model the batches that come after those that it was trained on.

    The optimizer counts its steps, and the count is saved with it: in ``.keras`` files, and by
    ``keras.callbacks.BackupAndRestore``, which has to stand before this callback. At the beginning
    of each epoch of ``fit`` the dataset is put where the count says. So a training that was ended
    in the middle of an epoch goes on with the very next batch, and comes to the same weights.

    The rest of an epoch is shorter than an epoch: Keras then warns, once, that the input ran out
    of data, and goes on.

    Args:
        dataset: what ``fit`` is given.
        first_step: steps that the optimizer had made when training on this dataset began.
    """

    def __init__(self, dataset: TextDataset, first_step: int = 0) -> None:
        super().__init__()
        self._dataset, self._first_step = dataset, first_step

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Put the dataset where the optimizer is."""
        del epoch, logs
        self._dataset.resume(int(self.model.optimizer.iterations) - self._first_step)
