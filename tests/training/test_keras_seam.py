"""What Keras has no public name for is still there, and means what rowwise takes it to mean."""

import inspect
from typing import Any

import numpy as np
import pytest

from rowwise.backend import keras
from rowwise.training import keras_seam

CHANGED = f"Keras {keras.__version__} changed {{}}: see rowwise/training/keras_seam.py."


@pytest.fixture
def model() -> Any:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
    model.compile(keras.optimizers.Adam(0.5, weight_decay=0.1), "mse")
    return model


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (
            "compute_loss_and_updates",
            "trainable_variables non_trainable_variables metrics_variables x y sample_weight "
            "training optimizer_variables",
        ),
        ("_update_metrics_variables", "metrics_variables unscaled_loss x y y_pred sample_weight"),
        ("jax_state_sync", ""),
        ("make_train_function", "force"),
        ("_flatten_layers", "include_self recursive"),
    ],
)
def test_methods_of_a_model_take_these_arguments(model: Any, name: str, arguments: str) -> None:
    method = getattr(model, name, None)
    assert method is not None, CHANGED.format(name)
    assert list(inspect.signature(method).parameters) == arguments.split(), CHANGED.format(name)


def test_the_trainers_state_has_four_parts(model: Any) -> None:
    flags = ("trainable", "non_trainable", "optimizer", "metrics")
    state = model._get_jax_state(**{f"{flag}_variables": True for flag in flags})
    sizes = [len(part) for part in state]
    known = [
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    ]
    assert sizes == [len(part) for part in known], CHANGED.format("_get_jax_state")


def test_what_the_trainer_holds_comes_back_to_the_variables(model: Any) -> None:
    class Held(keras_seam.TrainerSeam, keras.Sequential):
        pass

    held = Held([keras.Input((2,)), keras.layers.Dense(1)])
    held.compile("sgd", "mse")
    held._jax_state_synced = False
    values = [np.full(variable.shape, 3.0) for variable in held.trainable_variables]
    keras_seam.forget_values(held.trainable_variables)
    held.hold_state((values, [], [], []))
    held.jax_state_sync()
    for variable in held.trainable_variables:
        assert (variable.numpy() == 3).all(), CHANGED.format("_jax_state")


def test_an_optimizer_counts_its_steps_where_it_did() -> None:
    optimizer = keras.optimizers.SGD(gradient_accumulation_steps=2)
    counted = keras_seam.iterations_variable(optimizer)
    assert counted in optimizer.variables, CHANGED.format("_iterations")


def test_an_optimizer_keeps_its_rate_where_it_did() -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.9)
    for rate, held in ((0.5, True), (schedule, False), (lambda: 0.5, False)):
        optimizer = keras.optimizers.Adam(rate, beta_1=0.8, clipnorm=2.0)
        found = keras_seam.rate_variable(optimizer)
        assert (found is not None) == held, CHANGED.format("_learning_rate")
        again = keras_seam.rebuilt_optimizer(optimizer, clipnorm=None)
        assert (again.beta_1, again.clipnorm) == (0.8, None), CHANGED.format("get_config")
        assert keras_seam.rate_variable(again) is not None, CHANGED.format("_learning_rate")
        assert optimizer.clipnorm == 2.0


def test_an_optimizer_says_what_decays(model: Any) -> None:
    optimizer = keras.optimizers.AdamW()
    kernel, bias = model.trainable_variables
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    decays = [keras_seam.decays(optimizer, variable) for variable in (kernel, bias)]
    assert decays == [True, False], CHANGED.format("_use_weight_decay")


def test_names_and_paths_can_be_given(model: Any) -> None:
    kernel = model.layers[0].kernel
    renamed = keras_seam.rename_like(kernel, np.zeros((5, 1)))
    assert (renamed.name, renamed.path) == (kernel.name, kernel.path), CHANGED.format("name_scope")
    assert renamed.shape == (5, 1)


def test_a_variables_value_can_be_freed_and_given_another_shape() -> None:
    variable = keras.Variable(np.ones((2, 3)))
    keras_seam.replace_value(variable, keras.ops.zeros((4, 3)))
    assert variable.shape == (4, 3), CHANGED.format("_shape")
    assert not variable.numpy().any(), CHANGED.format("_value")
    keras_seam.forget_values([variable])
    assert variable._value is None, CHANGED.format("_value")
    with keras.StatelessScope(state_mapping=[(variable, keras.ops.ones((4, 3)))]):
        assert keras_seam.in_stateless_scope(), CHANGED.format("StatelessScope.original_scope")
        assert np.asarray(variable.value).all(), CHANGED.format("StatelessScope")
    assert not keras_seam.in_stateless_scope()


def test_layers_within_layers_are_found() -> None:
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    outer = keras.Sequential([keras.Input((2,)), inner])
    assert inner.layers[0] in keras_seam.all_layers(outer), CHANGED.format("_flatten_layers")


def test_a_train_step_of_ones_own_is_seen(model: Any) -> None:
    class Own(keras.Sequential):
        def train_step(self, state: Any, data: Any) -> Any:
            return super().train_step(state, data)

    assert keras_seam.has_own_train_step(Own())
    assert not keras_seam.has_own_train_step(model), CHANGED.format("train_step")


def test_only_the_seam_names_what_is_private() -> None:
    """No private attribute of Keras's is used in training, but here and by layers of their own."""
    from pathlib import Path

    private = (
        "_get_jax_state",
        "_update_metrics_variables",
        "_learning_rate",
        "_use_weight_decay",
        "_flatten_layers",
    )
    folder = Path(keras_seam.__file__).parent
    for path in folder.rglob("*.py"):
        if path.name != "keras_seam.py":
            found = [name for name in private if f".{name}" in path.read_text(encoding="utf-8")]
            assert not found, path
