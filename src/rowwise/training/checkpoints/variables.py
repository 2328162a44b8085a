"""The variables that make up the state of training, in an order that is always the same."""

from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.layers.spare_rows import spare_rows_of
from rowwise.training.keras_seam import optimized_variables
from rowwise.training.spare_rows import note_spare_rows
from rowwise.training.split_optimizer import inner_optimizer


def state_of(model: Any) -> tuple[list[Any], list[Any]]:
    """The variables of ``model`` and of its optimizer, which is built if it is not yet.

    Raises:
        InvalidArgumentError: the model is not built.
    """
    if not model.built:
        raise InvalidArgumentError(
            f"Model {model.name!r} has no variables yet. Call it on a batch, or give it an Input, "
            "before its state is saved or loaded."
        )
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        optimizer.build(model.trainable_variables)
    note_spare_rows(model)
    # In an order that does not depend on what trains: weights, and then seeds of random numbers.
    variables = {id(variable): variable for variable in model.weights}
    for variable in (*model.trainable_variables, *model.non_trainable_variables):
        variables.setdefault(id(variable), variable)
    return list(variables.values()), [] if optimizer is None else list(optimizer.variables)


def trained_by(optimizer: Any, variables: list[Any]) -> tuple[bool, ...]:
    """Which of ``variables`` an optimizer trains; none without one."""
    inner = None if optimizer is None else inner_optimizer(optimizer)
    trained = set() if inner is None else set(map(id, optimized_variables(inner)))
    return tuple(id(variable) in trained for variable in variables)


def class_of(optimizer: Any) -> str:
    """The name of the class of the optimizer that updates; "" without one."""
    return "" if optimizer is None else type(inner_optimizer(optimizer)).__name__


def shape_of(variable: Any) -> tuple[int, ...]:
    """The shape of a variable's value, without spare rows."""
    shape = tuple(variable.shape)
    spare = spare_rows_of(variable)
    return (shape[0] - spare, *shape[1:]) if spare else shape
