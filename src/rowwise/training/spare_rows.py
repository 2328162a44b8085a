"""Optimizer slots of tables with spare rows, which no file has (``layers/spare_rows.py``)."""

from typing import Any

from rowwise.training.plan import embedding_layers
from rowwise.training.split_optimizer import find_places
from rowwise.training.watching import watch


def note_spare_rows(model: Any) -> list[Any]:
    """Let tables with spare rows, and their slots, know: they take values without these, too.

    Returns:
        those variables; each has its ``spare_rows``.
    """
    tables = {
        id(layer.table): layer.spare_rows for layer in embedding_layers(model) if layer.spare_rows
    }
    if not tables:
        return []
    variables = model.trainable_variables
    optimizer: Any = getattr(model, "optimizer", None)
    slots: list[list[int]] = [[] for _ in variables]
    if optimizer is not None and optimizer.built:
        slots = find_places(optimizer, variables).slots
    found = []
    for variable, places in zip(variables, slots, strict=True):
        for one in (variable, *(optimizer.variables[place] for place in places)):
            if id(variable) in tables and one.shape[:1] == variable.shape[:1]:
                watch(one)
                one.spare_rows = tables[id(variable)]
                found.append(one)
    return found
