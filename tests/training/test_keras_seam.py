"""What Keras has no public name for is still there, and means what rowwise takes it to mean."""

import inspect
from typing import Any

import numpy as np
import pytest

from rowwise.backend import keras, trainer
from rowwise.training import keras_seam

CHANGED = (
    f"Keras {keras.__version__} changed {{}}: see rowwise/training/keras_seam.py and, for its "
    "trainers, rowwise/backend."
)
BACKEND = keras.backend.backend()


@pytest.fixture
def model() -> Any:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
    model.compile(keras.optimizers.Adam(0.5, weight_decay=0.1), "mse")
    return model


METHODS = {
    "make_train_function": "force",
    "_flatten_layers": "include_self recursive",
}
if BACKEND == "jax":
    METHODS |= {
        "compute_loss_and_updates": "trainable_variables non_trainable_variables metrics_variables "
        "x y sample_weight training optimizer_variables",
        "_update_metrics_variables": "metrics_variables unscaled_loss x y y_pred sample_weight",
        "jax_state_sync": "",
    }
else:
    METHODS |= {
        "_compute_loss": "x y y_pred sample_weight training",
        "_symbolic_build": "iterator data_batch",
    }


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_a_model_take_these_arguments(model: Any, name: str) -> None:
    method = getattr(model, name, None)
    assert method is not None, CHANGED.format(name)
    arguments = list(inspect.signature(method).parameters)
    assert arguments == METHODS[name].split(), CHANGED.format(name)


if BACKEND == "jax":

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
        class Held(trainer.TrainerSeam, keras.Sequential):
            pass

        held = Held([keras.Input((2,)), keras.layers.Dense(1)])
        held.compile("sgd", "mse")
        held._jax_state_synced = False
        values = [np.full(variable.shape, 3.0) for variable in held.trainable_variables]
        keras_seam.forget_values(held.trainable_variables)
        held.hold_state((values, [], [], []))
        held.sync_values()
        for variable in held.trainable_variables:
            assert (variable.numpy() == 3).all(), CHANGED.format("_jax_state")

else:

    def test_a_trainer_says_how_its_model_is_called_and_tracks_the_loss(model: Any) -> None:
        assert model._call_has_training_arg is True, CHANGED.format("_call_has_training_arg")
        model._loss_tracker.update_state(3.0, sample_weight=4)
        assert float(model._loss_tracker.result()) == 3, CHANGED.format("_loss_tracker")

    def test_a_trainer_makes_its_variables_from_a_batch(model: Any) -> None:
        x, y = keras.ops.zeros((3, 2)), keras.ops.zeros((3, 1))
        model._symbolic_build(data_batch=(x, y))
        assert model.optimizer.built, CHANGED.format("_symbolic_build")


OPTIMIZERS = ["SGD", "Adam", "Nadam", "Ftrl", "Lamb", "Adafactor"]


@pytest.mark.parametrize("clipping", [{}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_can_be_applied_to_values(name: str, clipping: dict[str, Any]) -> None:
    made = [getattr(keras.optimizers, name)(0.1, weight_decay=0.2, **clipping) for _ in range(2)]
    start, gradient = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, -1.0], [2.0, 0.5]])
    variables = [keras.Variable(start, dtype="float32") for _ in made]
    scoped = keras_seam.stateless(made[0])
    for optimizer, variable in zip(made, variables, strict=True):
        optimizer.build([variable])
    values = [keras.ops.convert_to_tensor(start, dtype="float32")]
    state = [keras.ops.copy(variable.value) for variable in scoped.variables]
    for _ in range(3):
        given = [keras.ops.convert_to_tensor(gradient, dtype="float32")]
        values, state = scoped.stateless_apply(state, given, values)
        made[1].apply(given, [variables[1]])
    found, expected = keras.ops.convert_to_numpy(values[0]), variables[1].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=CHANGED.format("_PAST_SCOPES"))
    assert (variables[0].numpy() == start).all(), CHANGED.format("_PAST_SCOPES")


def test_the_class_of_an_optimizer_is_the_one_that_users_name() -> None:
    class Own(keras.optimizers.Adam):
        pass

    assert keras_seam.public_class(Own(0.1)) is Own
    for name in OPTIMIZERS:
        known = getattr(keras.optimizers, name)
        assert keras_seam.public_class(known(0.1)) is known, CHANGED.format(name)


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
        assert keras.ops.convert_to_numpy(variable.value).all(), CHANGED.format("StatelessScope")
    assert not keras_seam.in_stateless_scope()


def test_layers_within_layers_are_found() -> None:
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    outer = keras.Sequential([keras.Input((2,)), inner])
    assert inner.layers[0] in keras_seam.all_layers(outer), CHANGED.format("_flatten_layers")


def test_a_train_step_of_ones_own_is_seen(model: Any) -> None:
    class Own(keras.Sequential):
        def train_step(self, *args: Any) -> Any:
            return super().train_step(*args)

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
