"""Keras's TensorFlow trainer."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import keras
import tensorflow as tf

from rowwise.backend._passes import ScopedSeam, assigning, loss_and_updates, metrics_after
from rowwise.backend._tensorflow_rows import compiled as compiled_function
from rowwise.backend.trainers import State, Step, Steps

__all__ = ["TrainerSeam", "compiled", "has_strategy", "loss_and_updates", "metrics_after"]


def has_strategy(model: Any) -> bool:
    """See ``rowwise.backend.trainers``."""
    usual = tf.distribute.get_strategy()
    return bool(tf.distribute.has_strategy() or model.distribute_strategy is not usual)


def compiled(model: Any, step: Step) -> Step:
    """See ``rowwise.backend.trainers``. Not by XLA, which would copy tables."""
    run = assigning(model, step)
    if model.run_eagerly:
        return run
    held: list[State] = []

    def on_variables(carried: Any, record: Any, data: Any) -> Any:
        logs, _, carried, record = run(held[0], carried, record, data)
        return logs, carried, record

    traced = compiled_function(on_variables)

    def call(state: State, carried: Any, record: Any, data: Any) -> Any:
        # Captured and no arguments, each of which would cost time in each step.
        held[:] = [state]
        logs, carried, record = traced(carried, record, data)
        return logs, state, carried, record

    return call


class TrainerSeam(ScopedSeam):
    """See ``rowwise.backend.trainers``."""

    def train_by(self, steps: Steps) -> None:
        """See ``Seam``."""
        if has_strategy(self):
            self.make_keras_train_function()
        else:
            super().train_by(steps)

    def function_of(self, steps: Steps) -> Callable[[Iterator[Any]], Any]:
        """See ``ScopedSeam``."""

        has_all_variables = False

        def train_function(batches: Iterator[Any]) -> Any:
            nonlocal has_all_variables
            batches = map(_without_optionals, batches)
            first = next(batches)
            if not has_all_variables:  # the other trainers make them before
                self._symbolic_build(data_batch=first)  # type: ignore[attr-defined]
                has_all_variables = True
            return self.train_on(steps, chain([first], batches))

        return train_function


def _without_optionals(batch: Any) -> Any:
    """A batch in which None stands for what TensorFlow says is not there."""
    return keras.tree.map_structure(
        lambda part: None if isinstance(part, tf.experimental.Optional) else part, batch
    )
