"""Keras's JAX trainer, which keeps all values in a loop while it runs.

Tested with Keras 3.12 and 3.15.1.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import keras

from rowwise.backend import _jax_rows
from rowwise.backend.trainers import State, Step, Steps


def loss_and_updates(
    model: Any, state: State, x: Any, y: Any, sample_weight: Any
) -> tuple[Any, Any]:
    """See ``rowwise.backend.trainers``."""
    trainable, other, optimizer, metrics = state
    result: tuple[Any, Any] = model.compute_loss_and_updates(
        trainable,
        other,
        metrics,
        x,
        y,
        sample_weight,
        training=True,
        optimizer_variables=optimizer,
    )
    return result


def has_strategy(model: Any) -> bool:
    """See ``rowwise.backend.trainers``."""
    del model
    return False


def compiled(model: Any, step: Step) -> Step:
    """See ``rowwise.backend.trainers``."""
    if model.run_eagerly or not model.jit_compile:
        return step
    if keras.distribution.distribution() is None:
        result: Step = _jax_rows.compiled(step, donated=(0, 1))
        return result
    made: list[Step] = []

    def run(state: State, tables: Any, *others: Any) -> Any:
        if not made:  # what is on several devices stays as it lies there
            where = [jax.tree.map(lambda value: value.sharding, one) for one in (state, tables)]
            shardings = (None, *where, None)
            made.append(jax.jit(step, donate_argnums=(0, 1), out_shardings=shardings))
        return made[0](state, tables, *others)

    return run


def metrics_after(
    model: Any,
    metrics: list[Any],
    loss: Any,
    batch: tuple[Any, Any, Any],
    predicted: Any,
    examples: int | None = None,
) -> tuple[Any, list[Any]]:
    """See ``rowwise.backend.trainers``; there are no other processes."""
    del examples
    x, y, sample_weight = batch
    result: tuple[Any, list[Any]] = model._update_metrics_variables(
        metrics, loss, x, y, predicted, sample_weight
    )
    return result


class TrainerSeam:
    """See ``rowwise.backend.trainers``.

    Before a loop and at its end the trainer reads and assigns all variables, whether anybody
    wants to see them or not. That is not a read.
    """

    test_function: Any
    predict_function: Any

    def values_as_they_are(self) -> AbstractContextManager[None]:
        """See ``Seam``."""
        return nullcontext()

    def train_by(self, steps: Steps) -> None:
        """See ``Seam``."""
        self.train_function = steps

    def hold_state(self, state: State) -> None:
        """See ``Seam``.

        The trainer takes the values away before a loop, and knows of new ones only after a step.
        """
        variables: list[Any] = self.variables  # type: ignore[attr-defined]
        in_loop = any(variable._value is None for variable in variables)
        self._note_state(("trainable", "non_trainable", "optimizer", "metrics"), state)
        if not in_loop:  # of `train_on_batch`; at a loop's end Keras does it
            self._give_back()

    def _note_state(self, names: tuple[str, ...], state: Any) -> None:
        """Let Keras know the values of those variables."""
        self._jax_state = {
            f"{name}_variables": values for name, values in zip(names, state, strict=True)
        }

    def _give_back(self) -> None:
        """Let variables have the values that Keras knows of."""
        self._jax_state_synced = False
        self.jax_state_sync()

    def make_test_function(self, force: bool = False) -> None:
        """As Keras's."""
        super().make_test_function(force)  # type: ignore[misc]
        self.test_function = self._keeping(
            self.test_function, "trainable", "non_trainable", "metrics"
        )

    def make_predict_function(self, force: bool = False) -> None:
        """As Keras's."""
        super().make_predict_function(force)  # type: ignore[misc]
        self.predict_function = self._keeping(self.predict_function, "trainable", "non_trainable")

    def _keeping(self, function: Callable[..., Any], *names: str) -> Callable[..., Any]:
        """``function``, a step of a loop, so that the variables have their values if it fails.

        The trainer took them away before, and data that cannot be read would end the model.
        """
        if hasattr(function, "rowwise_keeps"):
            return function

        def run(state: Any, iterator: Any) -> Any:
            try:
                return function(state, iterator)
            except Exception:
                self._note_state(names, state)
                self._give_back()
                raise

        run.rowwise_keeps = True  # type: ignore[attr-defined]
        return run

    def sync_values(self) -> None:
        """See ``Seam``."""
        self.jax_state_sync()

    def _get_jax_state(self, *args: Any, **kwargs: Any) -> Any:
        with self.values_as_they_are():
            return super()._get_jax_state(*args, **kwargs)  # type: ignore[misc]

    def jax_state_sync(self) -> None:
        """As Keras's."""
        with self.values_as_they_are():
            super().jax_state_sync()  # type: ignore[misc]
