"""Optimizer slots of tables with spare rows, which no file has (``layers/spare_rows.py``)."""

from typing import Any

from rowwise.layers.spare_rows import spare_rows_of
from rowwise.training.keras_seam import optimized_variables
from rowwise.training.plan import embedding_layers
from rowwise.training.split_optimizer import find_places, inner_optimizer
from rowwise.training.watching import watch


def note_spare_rows(model: Any) -> list[Any]:
    """Let tables with spare rows, and their slots, know: they take values without these, too.

    Returns:
        those variables, of which ``spare_rows_of`` tells.
    """
    tables = {id(layer.table): layer.table for layer in embedding_layers(model)}
    tables = {key: table for key, table in tables.items() if spare_rows_of(table)}
    if not tables:
        return []
    found = list(tables.values())
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and optimizer.built:
        variables = optimized_variables(inner_optimizer(optimizer))
        for variable, places in zip(
            variables, find_places(optimizer, variables).slots, strict=True
        ):
            if id(variable) not in tables:
                continue
            for slot in (optimizer.variables[place] for place in places):
                if slot.shape[:1] == variable.shape[:1]:
                    slot.rowwise_spare_rows = spare_rows_of(variable)
                    found.append(slot)
    for variable in found:
        watch(variable)
    return found
