"""The variables that make up the state of training, in an order that is always the same."""

from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.training.spare_rows import note_spare_rows


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
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    return variables, [] if optimizer is None else list(optimizer.variables)


def shape_of(variable: Any) -> tuple[int, ...]:
    """The shape of a variable's value, without spare rows."""
    shape = tuple(variable.shape)
    spare = getattr(variable, "spare_rows", 0)
    return (shape[0] - spare, *shape[1:]) if spare else shape
