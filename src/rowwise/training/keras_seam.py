"""Where rowwise meets Keras on grounds that have no public name.

Tested with Keras 3.12 and 3.15.1; ``tests/training/test_keras_seam.py`` fails in words when one
of these things changes. Everything else in rowwise uses Keras's public names alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rowwise.backend import keras, rows


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


# What Keras's optimizers for TensorFlow do to variables of TensorFlow, past a stateless scope.
_PAST_SCOPES = (
    "assign",
    "assign_add",
    "assign_sub",
    "stateless_apply",
    "_apply_weight_decay",
    "_clip_by_norm",
    "_var_key",
    "_overwrite_model_variables_with_average_value",
    "_backend_increment_gradient_accumulators",
)


def stateless(optimizer: Any) -> Any:
    """``optimizer``, not built yet, with a ``stateless_apply`` that works; most have it.

    On TensorFlow methods of Keras's own base of all optimizers take the places of those that are
    made for `tf.distribute`.
    """
    own = type(optimizer)
    if not _is_of_backend(own, "stateless_apply"):
        return optimizer
    base = next(cls for cls in own.__mro__ if cls.__name__ == "BaseOptimizer")
    updated: list[Any] = []

    def begin(self: Any, gradients: Any, variables: Any, rate: Any) -> None:
        updated[:] = variables
        own._backend_update_step(self, gradients, variables, rate)

    def update(self: Any, distribution: Any, pairs: Any, rate: Any) -> None:
        del distribution
        for (gradient, _), variable in zip(pairs, updated, strict=True):  # not of its value
            self.update_step(gradient, variable, rate)

    optimizer.__class__ = type(
        own.__name__,
        (own,),
        {
            **{name: vars(base)[name] for name in _PAST_SCOPES if _is_of_backend(own, name)},
            "_backend_update_step": begin,
            "_distributed_tf_update_step": update,
            "_all_reduce_sum_gradients": lambda self, pairs: pairs,
        },
    )
    return optimizer


def _is_of_backend(own: type, name: str) -> bool:
    """Whether a class has its method from Keras's part for the backend, not from an optimizer."""
    home = next(cls for cls in own.__mro__ if name in vars(cls))
    return home.__module__.startswith("keras.src.backend.")


def applied(
    optimizer: Any, values: list[Any], gradients: list[Any], variables: list[Any]
) -> tuple[list[Any], list[Any]]:
    """As ``optimizer.stateless_apply``, which may overwrite the ``variables`` and their slots.

    Where a variable can hold any tensor, that takes half as long as to tell Keras of each.
    """
    assert rows is not None
    if not rows.IS_EAGER or not is_the_same_in_place(optimizer):
        found: tuple[list[Any], list[Any]] = optimizer.stateless_apply(values, gradients, variables)
        return found
    held = [*optimizer._trainable_variables, *optimizer.variables]
    for variable, value in zip(held, [*variables, *values], strict=True):
        # A number may be that of the model's own optimizer.
        variable._value = value if value.ndim else value.clone()
    try:
        optimizer.apply(gradients)
        after = [variable._value for variable in held]
    finally:
        forget_values(held)
    return after[: len(variables)], after[len(variables) :]


@contextmanager
def on_one_device() -> Iterator[None]:
    """Make variables in the block that are not laid out on several devices."""
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def public_class(optimizer: Any) -> type:
    """The class by which Keras's users know an optimizer.

    On torch Keras makes an instance of a subclass of its own, with the same name, in its place.
    """
    own = type(optimizer)
    known = getattr(keras.optimizers, own.__name__, None)
    is_keras = own.__module__.startswith("keras.")
    return known if is_keras and known is not None and issubclass(own, known) else own


def is_the_same_in_place(optimizer: Any) -> bool:
    """Whether an optimizer computes the same where its variables change in their places.

    ScheduleFreeAdamW looks at a momentum from before a step after it has changed it. What others
    than Keras's own do is not known.
    """
    own = public_class(optimizer)
    return own.__module__.startswith("keras.") and own is not keras.optimizers.ScheduleFreeAdamW


def multiplies_averages(optimizer: Any) -> bool:
    """Whether its averages are computed as ``m * b + g * (1 - b)``, not ``m + (g - m) * (1 - b)``.

    Keras's subclasses for torch do so.
    """
    return public_class(optimizer) is not type(optimizer)


def rate_variable(optimizer: Any) -> Any:
    """The variable that holds the learning rate; None where a schedule or function gives it.

    The public ``learning_rate`` would compute a schedule's, from a value that may not be there.
    """
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.Variable) else None


def optimized_variables(optimizer: Any) -> list[Any]:
    """The variables that an optimizer was built on; what trains may have changed since."""
    return list(optimizer._trainable_variables)


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
    assert rows is not None
    variable._value = rows.in_the_place_of(variable._value, value)
    variable._shape = tuple(value.shape)


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


def give_shape(variables: list[Any], shape: tuple[int, ...]) -> None:
    """Let variables stand for values of another shape than they were made with."""
    for variable in variables:
        variable._shape = shape


def _in_scopes(scopes: list[str], name: str, value: Any, dtype: str) -> Any:
    if not scopes:
        return keras.Variable(value, name=name, dtype=dtype)
    with keras.name_scope(scopes[0], caller=object()):
        return _in_scopes(scopes[1:], name, value, dtype)


def has_own_train_step(model: Any) -> bool:
    """Whether a user's class says what a training step is."""
    home = next(cls for cls in type(model).__mro__ if "train_step" in vars(cls))
    return not home.__module__.startswith("keras.")
