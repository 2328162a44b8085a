"""JAX: rows of tables, and functions over them. Needs jax >= 0.6."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp


def take_rows(table: Any, ids: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return table.at[ids].get(mode="clip")


def put_rows(table: Any, ids: Any, rows: Any) -> Any:
    """See ``rowwise.backend.rows``; in place where ``table`` is not used afterwards."""
    return table.at[ids].set(rows, mode="drop", unique_indices=True)


def sum_rows(values: Any, targets: Any, count: int) -> Any:
    """See ``rowwise.backend.rows``."""
    start = jnp.zeros((count, values.shape[1]), values.dtype)
    return start.at[targets].add(values, mode="promise_in_bounds")


# So many numbers are looked up at once: half a megabyte, which stays in cache.
_PART = 131_072


def reduce_rows(table: Any, ids: Any, weights: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    table = jax.lax.stop_gradient(table)

    def add(total: Any, part: tuple[Any, Any]) -> tuple[Any, None]:
        some, shares = part
        return total + jnp.einsum("lm,lmd->md", shares, take_rows(table, some)), None

    start = jnp.zeros((ids.shape[0], table.shape[1]), table.dtype)
    # What is differentiated is computed again, so that no rows are kept for it.
    total, _ = jax.lax.scan(jax.checkpoint(add), start, _parts((ids, weights), table.shape[1]))
    return total


def spread_rows(values: Any, weights: Any, targets: Any, count: int) -> Any:
    """See ``rowwise.backend.rows``."""

    def add(total: Any, part: tuple[Any, Any]) -> tuple[Any, None]:
        some, shares = part
        terms = shares[:, :, None] * values[None]
        return total.at[some].add(terms, mode="promise_in_bounds"), None

    start = jnp.zeros((count, values.shape[1]), values.dtype)
    total, _ = jax.lax.scan(add, start, _parts((targets, weights), values.shape[1]))
    return total


def _parts(arrays: tuple[Any, Any], columns: int) -> tuple[Any, Any]:
    """Ids and weights (m, l) in parts (p, k, m) of some of the l places each."""
    size, length = arrays[0].shape
    together = max(1, min(length, _PART // max(1, size * columns)))
    missing = -length % together

    def cut(array: Any) -> Any:
        filled = jnp.pad(array, ((0, 0), (0, missing)))  # id 0 with weight 0: nothing
        return filled.T.reshape(-1, together, size)

    return cut(arrays[0]), cut(arrays[1])


def find_distinct(scratch: Any, ids: Any, count: int) -> tuple[Any, Any, Any, Any]:
    """See ``rowwise.backend.rows``. A scatter and a gather, where sorting would take 100 times."""
    size, places = scratch.shape[0], jnp.arange(ids.shape[0], dtype=jnp.int32)
    # Whichever place of an id writes last represents it; what else the scratch holds is never read.
    scratch = scratch.at[ids].set(places, mode="promise_in_bounds")
    representative = scratch.at[ids].get(mode="promise_in_bounds")
    first = representative == places
    number = jnp.cumsum(first.astype(jnp.int32)) - 1
    inverse = number.at[representative].get(mode="promise_in_bounds")
    target = jnp.where(first, number, count)
    distinct = jnp.full((count,), size, jnp.int32).at[target].set(ids, mode="drop")
    return scratch, distinct, inverse, number[-1] + 1


def loop(count: Any, body: Callable[[Any, Any], Any], carry: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return jax.lax.fori_loop(0, count, body, carry)


def either(condition: Any, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """See ``rowwise.backend.rows``."""
    return jax.lax.cond(condition, first, second)


def value_and_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """See ``rowwise.backend.rows``."""
    return jax.value_and_grad(function, has_aux=True)


def shapes_of(function: Callable[..., Any], *arguments: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return jax.eval_shape(function, *arguments)


def escapes(function: Callable[..., Any], *arguments: Any) -> bool:
    """See ``rowwise.backend.rows``."""
    try:
        traced = jax.make_jaxpr(function)(*arguments)
    except jax.errors.UnexpectedTracerError:
        return True
    # To the function around it, such a value is a constant, and one without a value.
    return any(isinstance(constant, jax.core.Tracer) for constant in traced.consts)


def compiled(function: Callable[..., Any], donated: Sequence[int] = ()) -> Callable[..., Any]:
    """See ``rowwise.backend.rows``."""
    return jax.jit(function, donate_argnums=tuple(donated))


def at_once() -> AbstractContextManager[None]:
    """See ``rowwise.backend.rows``."""
    context: AbstractContextManager[None] = jax.ensure_compile_time_eval()
    return context


def is_ready(value: Any) -> bool:
    """See ``rowwise.backend.rows``."""
    return bool(value.is_ready())
