"""PyTorch: rows of tables, and functions over them. Keras runs it operation by operation.

Tables change in place, and shapes are what the values make them. Needs torch >= 2.6.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy.typing as npt
import torch

from rowwise.backend._variable_rows import (  # noqa: F401  (a part of what this module provides)
    FLUSH,
    FLUSH_ELSEWHERE,
    HAS_VARIABLES,
    SPREAD,
    batch_block,
    batch_room,
    gradient_by,
)

IS_EAGER = True

_INDEX = torch.int64


def take_rows(table: Any, ids: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    inside = ids.clamp(0, table.shape[0] - 1)
    if inside.ndim == 1:
        return table.detach().index_select(0, inside)
    found = table.detach().index_select(0, inside.reshape(-1))
    return found.reshape((*ids.shape, *table.shape[1:]))


def put_rows(table: Any, ids: Any, rows: Any) -> Any:
    """See ``rowwise.backend.rows``; in place."""
    return put_in_each([table], ids, [rows])[0]


def put_in_each(tables: list[Any], ids: Any, rows: list[Any]) -> list[Any]:
    """See ``rowwise.backend.rows``; in place."""
    ids = ids.to(_INDEX)
    known = ids < tables[0].shape[0]
    if not bool(known.all()):
        ids, rows = ids[known], [some[known] for some in rows]
    return put_known(tables, ids, rows)


def take_known(tables: list[Any], ids: Any) -> list[Any]:
    """See ``rowwise.backend.rows``."""
    return [table.detach().index_select(0, ids) for table in tables]


def put_known(tables: list[Any], ids: Any, rows: list[Any]) -> list[Any]:
    """See ``rowwise.backend.rows``; in place."""
    ids = ids.to(_INDEX)
    for table, some in zip(tables, rows, strict=True):
        table.detach().index_copy_(0, ids, some)
    return tables


def add_at(table: Any, start: Any, block: Any) -> Any:
    """See ``rowwise.backend.rows``; in place, and without waiting to know where."""
    there = torch.arange(len(block), device=table.device) + start
    return table.index_add_(0, there, block)


def sum_rows(sums: Any, values: Any, targets: Any) -> Any:
    """See ``rowwise.backend.rows``; in place."""
    places = targets.to(_INDEX).unsqueeze(-1).expand_as(values)
    return sums.scatter_add_(0, places, values)


def on_accelerator() -> bool:
    """See ``rowwise.backend.rows``."""
    return bool(keras.ops.zeros(()).device.type != "cpu")


def flush_block(most: int) -> int:
    """See ``rowwise.backend.rows``."""
    return min(most, FLUSH_ELSEWHERE if on_accelerator() else FLUSH)


def multiply(first: Any, second: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return torch.matmul(first, second)


def reduce_rows(table: Any, ids: Any, weights: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    if not ids.shape[1]:
        return table.new_zeros((len(ids), table.shape[1]))
    return torch.nn.functional.embedding_bag(
        ids.to(_INDEX), table.detach(), per_sample_weights=weights, mode="sum"
    )


def spread_rows(sums: Any, values: Any, weights: Any, targets: Any) -> Any:
    """See ``rowwise.backend.rows``; in place."""
    together = max(1, SPREAD // max(1, targets.shape[1] * values.shape[1]))
    parts = (array.split(together) for array in (values, weights, targets))
    for some, shares, there in zip(*parts, strict=True):
        terms = shares.unsqueeze(-1) * some.unsqueeze(1)
        sum_rows(sums, terms.reshape(-1, values.shape[1]), there.reshape(-1))
    return sums


def find_distinct(scratch: Any, ids: Any, count: int) -> tuple[Any, Any, Any, Any]:
    """See ``rowwise.backend.rows``. A scatter and a gather, where sorting would take 5 times."""
    del count
    ids = ids.to(_INDEX)
    places = torch.arange(len(ids), dtype=torch.int32, device=ids.device)
    # Whichever place of an id writes last represents it; what else the scratch holds is never read.
    scratch.index_copy_(0, ids, places)
    representative = scratch.index_select(0, ids)
    first = representative == places
    number = first.cumsum(0) - 1
    distinct = ids[first]
    return scratch, distinct, number.index_select(0, representative), len(distinct)


def find_true(mask: Any, count: int) -> tuple[Any, Any]:
    """See ``rowwise.backend.rows``."""
    found = mask.nonzero().squeeze(-1)
    ids = torch.full((count,), len(mask), dtype=_INDEX, device=mask.device)
    ids[: len(found)] = found
    return ids, len(found)


def in_place(array: Any) -> Any:
    """See ``rowwise.backend.rows``; every tensor is."""
    return array


def overwritten(array: Any, value: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return array.copy_(value)


def in_the_place_of(held: Any, value: Any) -> Any:
    """See ``rowwise.backend.rows``; the same parameter, for modules hold it as well."""
    held.data = value
    return held


def on_host(table: Any) -> Iterator[npt.NDArray[Any]]:
    """See ``rowwise.backend.rows``; on a CPU they are there."""
    yield table.detach().cpu().numpy()


def loop(count: Any, body: Callable[[Any, Any], Any], carry: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    for number in range(int(count)):
        carry = body(number, carry)
    return carry


def either(condition: Any, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """See ``rowwise.backend.rows``."""
    return first() if condition else second()


def all_known_false(flags: Any) -> bool:
    """See ``rowwise.backend.rows``. On a GPU this waits, as finding distinct ids does."""
    if flags.device.type == "meta" or torch.compiler.is_compiling():
        return False
    try:
        return not flags.any()
    except RuntimeError:  # under `vmap`
        return False


def watched_gradients(function: Callable[[Callable[[Any], Any]], Any]) -> tuple[Any, list[Any]]:
    """See ``rowwise.backend.rows``."""
    leaves: list[Any] = []

    def watched(tensor: Any) -> Any:
        # A module of torch itself, wrapped by Keras, uses its parameters and not what stands for
        # them: so parameters stay what they are.
        leaves.append(tensor if tensor.requires_grad else tensor.detach().requires_grad_())
        return leaves[-1]

    with torch.enable_grad():
        value, aux = function(watched)
    found = torch.autograd.grad(value, leaves, allow_unused=True) if leaves else ()
    gradients = [
        torch.zeros_like(leaf) if one is None else one
        for leaf, one in zip(leaves, found, strict=True)
    ]
    return (value.detach(), keras.tree.map_structure(_detached, aux)), gradients


value_and_gradient = gradient_by(watched_gradients)


def _detached(value: Any) -> Any:
    has_gradient = isinstance(value, torch.Tensor) and value.requires_grad
    return value.detach() if has_gradient else value


def shapes_of(function: Callable[..., Any], *arguments: Any) -> Any:
    """See ``rowwise.backend.rows``; but everything is computed."""
    with torch.no_grad():
        return function(*arguments)


def escapes(function: Callable[..., Any], *arguments: Any) -> bool:
    """See ``rowwise.backend.rows``; nothing is inside another function here."""
    shapes_of(function, *arguments)
    return False


def compiled(function: Callable[..., Any], donated: Sequence[int] = ()) -> Callable[..., Any]:
    """See ``rowwise.backend.rows``; what is donated is overwritten."""
    del donated
    without_gradient: Callable[..., Any] = torch.no_grad()(function)
    return without_gradient


def at_once() -> AbstractContextManager[None]:
    """See ``rowwise.backend.rows``."""
    context: AbstractContextManager[None] = torch.no_grad()
    return context
