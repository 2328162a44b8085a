"""Keras's torch trainer, which runs operation by operation."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from rowwise.backend._passes import ScopedSeam, assigning, loss_and_updates, metrics_after
from rowwise.backend.trainers import Step, Steps

__all__ = ["TrainerSeam", "compiled", "has_strategy", "loss_and_updates", "metrics_after"]


def has_strategy(model: Any) -> bool:
    """See ``rowwise.backend.trainers``."""
    del model
    return False


def compiled(model: Any, step: Step) -> Step:
    """See ``rowwise.backend.trainers``; nothing is compiled."""
    without_gradient: Step = torch.no_grad()(assigning(model, step))
    return without_gradient


class TrainerSeam(ScopedSeam):
    """See ``rowwise.backend.trainers``."""

    def function_of(self, steps: Steps) -> Callable[[list[Any]], Any]:
        """See ``ScopedSeam``."""
        return lambda batches: self.train_on(steps, iter(batches))

    def _symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """As Keras's, which takes all values without looking at them."""
        with self.values_as_they_are():
            super()._symbolic_build(*args, **kwargs)  # type: ignore[misc]

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As torch's; rows that are behind are not caught up over what is loaded."""
        self.make_tables_current()  # type: ignore[attr-defined]
        return super().load_state_dict(*args, **kwargs)  # type: ignore[misc]

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As torch's, with all rows current."""
        self.make_tables_current()  # type: ignore[attr-defined]
        return super().state_dict(*args, **kwargs)  # type: ignore[misc]

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """As torch's, with all rows current."""
        self.make_tables_current()  # type: ignore[attr-defined]
        return super().named_parameters(*args, **kwargs)  # type: ignore[misc,no-any-return]
