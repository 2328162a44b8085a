"""What every rowwise model does besides Keras's: raise for bad ids, and save whole files only."""

import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from rowwise.backend import collect_errors, keras, without_checks
from rowwise.errors import InvalidArgumentError, InvalidIdError, RowwiseError
from rowwise.layers.ids import check_integers
from rowwise.training.data import check_data, named_inputs
from rowwise.training.locating import located
from rowwise.training.saving import save_model, save_weights
from rowwise.training.spare_rows import note_spare_rows
from rowwise.training.trainer import RowwiseTrainer

_IN_FIT = "This was while `fit` evaluated, on validation data or for a callback."


class CarefulModel(RowwiseTrainer, keras.Model):
    """Base of ``rowwise.Sequential`` and ``rowwise.Model``."""

    _is_fitting = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; a number that is not whole, given to an integer input, is an error."""
        _check_integer_inputs(self, args[0] if args else kwargs.get("inputs"))
        return super().__call__(*args, **kwargs)

    def stateless_call(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's, through which its JAX trainer calls; checks what ``__call__`` does."""
        _check_integer_inputs(self, args[2] if len(args) > 2 else kwargs.get("inputs"))
        return super().stateless_call(*args, **kwargs)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; a bad id is an InvalidIdError."""
        self._check_trainable()
        self._is_fitting = True
        try:
            with self.leaving_others():
                result = _raising(self, super().fit, *args, **kwargs)
        finally:
            self._is_fitting = False
        self._fitted = self._optimizer_and_trainable()
        return result

    def _optimizer_and_trainable(self) -> tuple[int, ...]:
        # None where `compile` was not called, which Keras has an error for.
        optimizer = getattr(self, "optimizer", None)
        return (id(optimizer), *(id(variable) for variable in self.trainable_variables))

    def _check_trainable(self) -> None:
        """Say in words what Keras's optimizer says in numbers of variables."""
        before, now = getattr(self, "_fitted", None), self._optimizer_and_trainable()
        if before is not None and before[0] == now[0] and before != now:
            raise InvalidArgumentError(
                f"What is trainable in model {self.name!r} has changed since `fit`, and the "
                "optimizer does not know. Call `compile` again first; to thaw tables in the "
                "middle of one `fit`, use rowwise.Unfreeze."
            )

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; a bad id is an InvalidIdError."""
        self.make_tables_current()
        return _raising(self, super().evaluate, *args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; a bad id is an InvalidIdError."""
        self.make_tables_current()
        return _raising(self, super().predict, *args, **kwargs)

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; a bad id is an InvalidIdError."""
        self._check_trainable()
        with self.leaving_others():
            return _raising(self, super().train_on_batch, *args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; a bad id is an InvalidIdError."""
        self.make_tables_current()
        return _raising(self, super().test_on_batch, *args, **kwargs)

    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; a bad id is an InvalidIdError."""
        self.make_tables_current()
        return _raising(self, super().predict_on_batch, *args, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; what is exported does not look at ids."""
        with without_checks():
            return super().export(*args, **kwargs)

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the model to ``filepath``; see ``save_model``."""
        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def load_weights(self, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; for any number of devices, whatever the file was written on."""
        note_spare_rows(self)
        return super().load_weights(*args, **kwargs)

    def save_weights(self, filepath: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """As Keras's; never leaves half a file."""
        options = dict(zip(("overwrite", "max_shard_size"), args, strict=False)) | kwargs
        if options.get("overwrite", True) and options.get("max_shard_size") is None:
            options = {}
        save_weights(self, super().save_weights, filepath, **options)


def _raising(model: Any, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call one of Keras's loops or steps, and raise what was found inside compiled functions."""
    bound = inspect.signature(method).bind(*args, **kwargs)
    data = bound.arguments.get("x")
    needs_examples = method.__name__ in ("fit", "predict")
    check_data(model, data, bound.arguments.get("y"), needs_examples)
    when = _IN_FIT if model._is_fitting and method.__name__ == "evaluate" else ""
    try:
        # Arrays of 64 bits lose half of them before any compiled function sees them.
        _check_integer_inputs(model, data, host_only=True)
    except InvalidIdError as error:
        raise located(error, model, data, when) from None
    with collect_errors(model) as errors:
        callbacks = bound.arguments.get("callbacks")
        if "callbacks" in bound.signature.parameters and not isinstance(
            callbacks, keras.callbacks.CallbackList
        ):
            listed = keras.tree.flatten(callbacks) if callbacks is not None else []
            stops = (_StopTraining(errors, model.finds_bad_ids), _StopOtherLoops(errors))
            bound.arguments["callbacks"] = [*listed, *stops]
        try:
            result = method(*bound.args, **bound.kwargs)
            model.raise_bad_ids()
        except InvalidIdError as error:
            # Keras makes another one of what a layer raises, with its words alone.
            found = errors[0] if errors and not error.is_located else error
            raise located(found, model, data, when) from None
        except Exception as error:
            if not errors:
                _say_what_devices_cannot_share(error)
                raise
            # What the framework says about a callback that failed is less than what was found.
            cause = None if error is errors[0] else error
            raise located(errors[0], model, data, when) from cause
    if errors:
        raise located(errors[0], model, data, when)
    return result


def _say_what_devices_cannot_share(error: Exception) -> None:
    """Raise an InvalidArgumentError where JAX cannot divide a batch among devices."""
    distribution = keras.distribution.distribution()
    if distribution is None or type(error).__name__ != "IndivisibleError":
        return
    count = distribution.num_model_replicas
    raise InvalidArgumentError(
        "A batch cannot be divided among devices: keras.distribution puts an equal number of its "
        f"examples on each of {count}. Use a batch_size that is a multiple of {count}, and leave "
        f"out the examples that do not fill a batch. ({error})"
    ) from error


def _check_integer_inputs(model: Any, data: Any, host_only: bool = False) -> None:
    """Raise for numbers that the model's integer inputs would change: Keras cuts 1.5 down to 1."""
    specs = {spec.name: spec for spec in getattr(model, "inputs", None) or []}
    for name, values in named_inputs(model, data):
        spec = specs.get(name)
        if spec is None or "int" not in keras.backend.standardize_dtype(spec.dtype):
            continue
        if isinstance(values, (int, float, np.generic)):
            values = np.asarray(values)
        if isinstance(values, np.ndarray) or (
            not host_only and hasattr(values, "dtype") and not isinstance(values, keras.KerasTensor)
        ):
            check_integers(name, values)


class _StopTraining(keras.callbacks.Callback):
    """Ends ``fit`` soon after an error was collected."""

    def __init__(self, errors: list[RowwiseError], finds_in_step: bool) -> None:
        super().__init__()
        self._errors = errors
        # What is done after a batch may then be done in another thread while the next one is
        # trained, which Keras arranges if all callbacks allow it. Otherwise each step waits for
        # the one before. Errors that come out of a step by the host must not come that late.
        self.async_safe = finds_in_step

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._model.raise_bad_ids(again=True)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._model.raise_bad_ids()
        self._model.end_together()

    def on_train_end(self, logs: Any = None) -> None:
        self._model.end_together(fit=True)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._errors:
            # `stop_training` would go on to the epoch's end. Keras puts the weights back in place
            # on the way out of `fit`.
            raise self._errors[0]


class _StopOtherLoops(keras.callbacks.Callback):
    """Ends ``evaluate`` and ``predict`` soon after an error was collected."""

    def __init__(self, errors: list[RowwiseError]) -> None:
        super().__init__()
        self._errors = errors

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._errors:
            self.model.stop_evaluating = True

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._errors:
            self.model.stop_predicting = True
