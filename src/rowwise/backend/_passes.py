"""A training pass through a model on given values, for trainers that know no such thing.

Keras's JAX trainer has it. Here it is put together of the parts that all of Keras's trainers have.
Their variables always hold their values. Tested with Keras 3.12 and 3.15.1.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import keras

from rowwise.backend.trainers import State, Step, Steps


class ScopedSeam:
    """What seams of such trainers have in common; see ``rowwise.backend.trainers``."""

    def values_as_they_are(self) -> AbstractContextManager[None]:
        """See ``Seam``."""
        return nullcontext()

    def state_variables(self) -> State:
        """The variables in the order of a state."""
        found: State = self._find_variables()
        return found

    def train_on(self, steps: Steps, batches: Iterator[Any]) -> Any:
        """The logs of ``steps``."""
        with self.values_as_they_are():
            state: Any = tuple([one.value for one in part] for part in self.state_variables())
            return steps(state, batches)[0]

    def train_by(self, steps: Steps) -> None:
        """See ``Seam``."""
        self.make_keras_train_function()  # which checks the options
        # Once only: it takes as long as a small step. In a function, for Keras takes lists of
        # variables that a model holds for variables of its own.
        self._find_variables = cache(lambda: _variables_of(self))
        self.train_function = self.function_of(steps)

    def make_keras_train_function(self) -> None:
        """Let ``fit`` train as Keras does."""
        super().make_train_function(force=True)  # type: ignore[misc]

    def function_of(self, steps: Steps) -> Callable[[Any], Any]:
        """To override: what the trainer is to call for each execution."""
        raise NotImplementedError

    def hold_state(self, state: State) -> None:
        """See ``Seam``; they have them."""

    def sync_values(self) -> None:
        """See ``Seam``; they have them."""


def _variables_of(model: Any) -> State:
    return (
        list(model.trainable_variables),
        list(model.non_trainable_variables),
        list(model.optimizer.variables),
        list(model.metrics_variables),
    )


def assigning(model: Any, step: Step) -> Step:
    """``step``, after which the variables have those values that did not change in place."""

    def run(state: State, *others: Any) -> tuple[Any, State, Any, Any]:
        logs, after, carried, record = step(state, *others)
        for variables, old, new in zip(model.state_variables(), state, after, strict=True):
            for variable, held, value in zip(variables, old, new, strict=True):
                if value is not held:
                    variable.assign(value)
        return logs, state, carried, record

    return run


def loss_and_updates(
    model: Any, state: State, x: Any, y: Any, sample_weight: Any
) -> tuple[Any, Any]:
    """See ``rowwise.backend.trainers``."""
    variables = model.state_variables()
    mapping = [pair for part in zip(variables, state, strict=True) for pair in _others(*part)]
    with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
        predicted = model(x, training=True) if model._call_has_training_arg else model(x)
        loss = model._compute_loss(
            x=x, y=y, y_pred=predicted, sample_weight=sample_weight, training=True
        )
        scaled = model.optimizer.scale_loss(loss)
    other_after, metrics_after = (_now(scope, variables[k], state[k]) for k in (1, 3))
    return scaled, (loss, predicted, other_after, metrics_after)


def _others(variables: list[Any], values: list[Any]) -> list[tuple[Any, Any]]:
    """Variables that hold another value than that in ``values``, with this.

    To tell Keras of those that do hold it would take longer than to compute with them. But its
    regularizers ask for what they are told.
    """
    return [
        (variable, value)
        for variable, value in zip(variables, values, strict=True)
        if variable._value is not value or variable.regularizer is not None
    ]


def _now(scope: Any, variables: list[Any], values: list[Any]) -> list[Any]:
    """What the scope has for variables whose values were these."""
    found = map(scope.get_current_value, variables)
    return [value if new is None else new for new, value in zip(found, values, strict=True)]


def metrics_after(
    model: Any,
    metrics: list[Any],
    loss: Any,
    batch: tuple[Any, Any, Any],
    predicted: Any,
    examples: int | None = None,
) -> tuple[Any, list[Any]]:
    """See ``rowwise.backend.trainers``."""
    x, y, sample_weight = batch
    variables = model.state_variables()[3]
    if examples is None:
        first = next(one for one in keras.tree.flatten(x) if one is not None)
        examples = keras.ops.shape(first)[0]
    others = _others(variables, metrics)
    with keras.StatelessScope(state_mapping=others) if others else nullcontext() as scope:
        model._loss_tracker.update_state(loss, sample_weight=examples)
        logs = model.compute_metrics(x, y, predicted, sample_weight)
    return logs, _now(scope, variables, metrics) if others else metrics
