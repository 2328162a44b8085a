"""Batches of ids for Keras, shuffled by a generator of their own."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras


class Batches(keras.utils.PyDataset):
    """Ids, targets and weights in batches, in another order every epoch.

    The targets of a batch are one-hot, float32 (batch, ``class_count``). Keras's own shuffling
    uses global random states, which a classifier has no business to seed.

    Args:
        ids: int32 (n, length).
        classes: int32 (n,), each below ``class_count``.
        weights: float32 (n,), of the examples.
        class_count: how many classes there are.
        batch_size: examples of a batch; the last one may have fewer.
        seed: of the shuffling; None keeps the order.
    """

    def __init__(
        self,
        ids: npt.NDArray[np.int32],
        classes: npt.NDArray[np.int32],
        weights: npt.NDArray[np.float32],
        class_count: int,
        batch_size: int,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._ids, self._classes, self._weights = ids, classes, weights
        self._one_hot = np.eye(class_count, dtype=np.float32)
        self._batch_size = batch_size
        self._generator = None if seed is None else np.random.default_rng(seed)
        self._order = np.arange(len(ids))
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._ids) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, Any, Any]:
        """Batch number ``index``: ids, targets and weights."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return self._ids[chosen], self._one_hot[self._classes[chosen]], self._weights[chosen]

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        if self._generator is not None:
            self._generator.shuffle(self._order)
