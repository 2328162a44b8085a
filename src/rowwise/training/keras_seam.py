"""Where rowwise meets Keras on grounds that have no public name.

Tested with Keras 3.12 and 3.15.1; ``tests/training/test_keras_seam.py`` fails in words when one
of these things changes. Everything else in rowwise uses Keras's public names alone.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rowwise.backend import keras


def rebuilt_optimizer(optimizer: Any, **changes: Any) -> Any:
    """A fresh optimizer like ``optimizer``, with a plain variable as its learning rate.

    ``from_config`` alone fails for rates that are functions and for schedules without a config,
    so the configuration is asked of a copy whose rate is a number.

    Args:
        optimizer: to clone; not changed.
        **changes: to its configuration.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return keras.optimizers.LossScaleOptimizer(
            rebuilt_optimizer(optimizer.inner_optimizer, **changes),
            initial_scale=optimizer.initial_scale,
            dynamic_growth_steps=optimizer.dynamic_growth_steps,
            name=optimizer.name,
        )
    plain = object.__new__(type(optimizer))  # `copy` would save and load it
    plain.__dict__.update(optimizer.__dict__, _learning_rate=0.5)
    config = {**plain.get_config(), "learning_rate": 0.5, **changes}
    return type(optimizer).from_config(config)


def rate_variable(optimizer: Any) -> Any:
    """The variable that holds the learning rate; None where a schedule or function gives it.

    The public ``learning_rate`` would compute a schedule's, from a value that may not be there.
    """
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.Variable) else None


def iterations_variable(optimizer: Any) -> Any:
    """The variable that counts an optimizer's steps.

    The public ``iterations`` is computed from it where gradients are accumulated, from a value that
    may not be there.
    """
    return optimizer._iterations


def decays(optimizer: Any, variable: Any) -> bool:
    """Whether the optimizer's weight decay, if it has one, is for ``variable``, too."""
    return bool(optimizer._use_weight_decay(variable))


def replace_value(variable: Any, value: Any) -> None:
    """Give ``variable`` a value of another shape."""
    variable._value = value
    variable._shape = tuple(value.shape)


def loss_and_updates(
    model: Any, state: tuple[Any, ...], x: Any, y: Any, sample_weight: Any
) -> tuple[Any, Any]:
    """The loss to differentiate, and ``(loss, predictions, other variables, metrics)`` after it.

    Args:
        model: whose trainer computes it, on JAX.
        state: values of trainable, other, optimizer's and metrics' variables.
        x: inputs of a batch.
        y: targets.
        sample_weight: of the examples, or None.
    """
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


def metrics_after(
    model: Any, metrics: list[Any], loss: Any, batch: tuple[Any, Any, Any], predicted: Any
) -> tuple[Any, list[Any]]:
    """The logs of a batch (inputs, targets, weights), and the metrics' variables after it."""
    x, y, sample_weight = batch
    result: tuple[Any, list[Any]] = model._update_metrics_variables(
        metrics, loss, x, y, predicted, sample_weight
    )
    return result


def all_layers(model: Any) -> list[Any]:
    """Every layer within ``model``, those of models and wrappers in it too, each once."""
    found: list[Any] = model._flatten_layers(include_self=False)
    return found


def in_stateless_scope() -> bool:
    """Whether variables have the values of a function that is being traced, not their own."""
    with keras.StatelessScope(initialize_variables=False) as scope:
        return scope.original_scope is not None


def rename_like(variable: Any, value: Any) -> Any:
    """A variable with another value and the name, path and constraint of ``variable``.

    Optimizers choose by them: what to spare from decay, and Muon what is an embedding.
    """
    *scopes, name = variable.path.split("/")
    renamed = _in_scopes(scopes, name, value, variable.dtype)
    renamed.constraint = variable.constraint
    return renamed


def forget_values(variables: list[Any]) -> None:
    """Free the memory of variables that from now on only stand for values given for them."""
    for variable in variables:
        variable._value = None


def _in_scopes(scopes: list[str], name: str, value: Any, dtype: str) -> Any:
    if not scopes:
        return keras.Variable(value, name=name, dtype=dtype)
    with keras.name_scope(scopes[0], caller=object()):
        return _in_scopes(scopes[1:], name, value, dtype)


def has_own_train_step(model: Any) -> bool:
    """Whether a user's class says what a training step is."""
    home = next(cls for cls in type(model).__mro__ if "train_step" in vars(cls))
    return not home.__module__.startswith("keras.")


class TrainerSeam:
    """A model's side of Keras's JAX trainer, which keeps all values in a loop while it runs.

    Before a loop and at its end the trainer reads and assigns all variables, whether anybody
    wants to see them or not. That is not a read.
    """

    def values_as_they_are(self) -> AbstractContextManager[None]:
        """A context in which variables are read and assigned without more ado."""
        return nullcontext()

    def hold_state(self, state: tuple[Any, ...]) -> None:
        """Give the variables these values again, since a step ended in an error.

        The trainer takes them away before a loop, and knows of new ones only after a step.
        """
        variables: list[Any] = self.variables  # type: ignore[attr-defined]
        in_loop = any(variable._value is None for variable in variables)
        names = ("trainable", "non_trainable", "optimizer", "metrics")
        self._jax_state = {
            f"{name}_variables": values for name, values in zip(names, state, strict=True)
        }
        if not in_loop:  # of `train_on_batch`; at a loop's end Keras does it
            self._jax_state_synced = False
            self.jax_state_sync()

    def _get_jax_state(self, *args: Any, **kwargs: Any) -> Any:
        with self.values_as_they_are():
            return super()._get_jax_state(*args, **kwargs)  # type: ignore[misc]

    def jax_state_sync(self) -> None:
        """Give the variables the values that a running loop has for them, as Keras's."""
        with self.values_as_they_are():
            super().jax_state_sync()  # type: ignore[misc]
