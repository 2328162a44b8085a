"""JAX: rows of tables, and functions over them. Needs jax >= 0.6."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

HAS_VARIABLES = IS_EAGER = False


def take_rows(table: Any, ids: Any, missing: str = "clip") -> Any:
    """See ``rowwise.backend.rows``; with ``"fill"``, zeros for an id of no row."""
    return table.at[ids].get(mode=missing, fill_value=0)


def put_rows(table: Any, ids: Any, rows: Any) -> Any:
    """See ``rowwise.backend.rows``; in place where ``table`` is not used afterwards."""
    return table.at[ids].set(rows, mode="drop", unique_indices=True)


def put_in_each(tables: list[Any], ids: Any, rows: list[Any]) -> list[Any]:
    """See ``rowwise.backend.rows``."""
    return [put_rows(table, ids, some) for table, some in zip(tables, rows, strict=True)]


def add_at(table: Any, start: Any, block: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    before = jax.lax.dynamic_slice_in_dim(table, start, len(block))
    return jax.lax.dynamic_update_slice_in_dim(table, before + block, start, 0)


def sum_rows(sums: Any, values: Any, targets: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return sums.at[targets].add(values, mode="promise_in_bounds")


# On a CPU, so many lookups of a text are added up by one loop over its columns.
_TOGETHER = 8

# So many numbers are spread at once: on a CPU they stay in the cache of a core. An accelerator is
# kept busy by many; their number bounds the memory that they need, four bytes for each.
_SPREAD, _SPREAD_ELSEWHERE = 65_536, 1 << 26

# Rows of a block on a CPU. A batch has few of its blocks in vain, and with their slots and
# gradients they stay in cache; in blocks of less, starting them takes longer than updating them.
_BLOCKS, _LEAST_ROWS, _MOST_ROWS = 16, 256, 1024

# On an accelerator the next block waits until the host has seen that there is one: a batch is one
# block, unless it is so large that it would need much memory; and so are many rows of a flush.
_BATCH_ELSEWHERE, _FLUSH_ELSEWHERE = 1 << 18, 1 << 16


def on_accelerator() -> bool:
    """See ``rowwise.backend.rows``."""
    return jax.default_backend() != "cpu"


def batch_block(most: int) -> int:
    """See ``rowwise.backend.rows``."""
    if on_accelerator():
        return min(most, _BATCH_ELSEWHERE)
    return min(max(most // _BLOCKS, _LEAST_ROWS), _MOST_ROWS, 1 << (most - 1).bit_length())


def batch_room(most: int, block: int) -> int:
    """See ``rowwise.backend.rows``."""
    return -(-most // block) * block


def flush_block(most: int) -> int:
    """See ``rowwise.backend.rows``."""
    return min(most, _FLUSH_ELSEWHERE if on_accelerator() else _MOST_ROWS)


def multiply(first: Any, second: Any) -> Any:
    """See ``rowwise.backend.rows``. By default, GPUs keep 10 bits of float32 in products."""
    return jnp.matmul(first, second, precision="highest")


def reduce_rows(table: Any, ids: Any, weights: Any, missing: str = "clip") -> Any:
    """See ``rowwise.backend.rows``; ``missing`` as in ``take_rows``."""
    table = jax.lax.stop_gradient(table)

    def add(total: Any, part: tuple[Any, Any]) -> tuple[Any, None]:
        for some, shares in zip(*part, strict=True):  # compiled as one sum, with no rows stored
            total = total + shares[:, None] * take_rows(table, some, missing)
        return total, None

    if on_accelerator():  # compiled as one sum, too
        return jnp.sum(weights[:, :, None] * take_rows(table, ids, missing), axis=1)
    start = jnp.zeros((ids.shape[0], table.shape[1]), table.dtype)
    together = max(1, min(_TOGETHER, ids.shape[1]))
    # Filled up with a text's own last id: a row that is not finite stays out of other texts.
    parts = _parts(ids.T, together, "edge"), _parts(weights.T, together)
    # What is differentiated is computed again, so that no rows are kept for it.
    total, _ = jax.lax.scan(jax.checkpoint(add), start, parts)
    return total


def spread_rows(sums: Any, values: Any, weights: Any, targets: Any) -> Any:
    """See ``rowwise.backend.rows``."""

    def add(total: Any, part: tuple[Any, Any, Any]) -> tuple[Any, None]:
        some, shares, there = part
        terms = shares[:, :, None] * some[:, None]
        return total.at[there].add(terms, mode="promise_in_bounds"), None

    most = _SPREAD_ELSEWHERE if on_accelerator() else _SPREAD
    together = max(1, min(len(values), most // (targets.shape[1] * values.shape[1])))
    parts = tuple(_parts(array, together) for array in (values, weights, targets))
    sums, _ = jax.lax.scan(add, sums, parts)
    return sums


def _parts(array: Any, size: int, filling: str = "constant") -> Any:
    """An array (n, ...) in parts (p, size, ...), filled up with 0, or with its ``"edge"``."""
    missing = -len(array) % size
    filled = jnp.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)], mode=filling)
    return filled.reshape(-1, size, *array.shape[1:])


def find_distinct(scratch: Any, ids: Any, count: int) -> tuple[Any, Any, Any, Any]:
    """See ``rowwise.backend.rows``. A scatter and a gather, where sorting would take 100 times."""
    size, places = scratch.shape[0], jnp.arange(ids.shape[0], dtype=jnp.int32)
    # Whichever place of an id writes last represents it; what else the scratch holds is never read.
    scratch = scratch.at[ids].set(places, mode="promise_in_bounds")
    representative = scratch.at[ids].get(mode="promise_in_bounds")
    first = representative == places
    number = jnp.cumsum(first.astype(jnp.int32)) - 1
    inverse = number.at[representative].get(mode="promise_in_bounds")
    return scratch, _packed(ids, first, number, count, size), inverse, number[-1] + 1


def find_true(mask: Any, count: int) -> tuple[Any, Any]:
    """See ``rowwise.backend.rows``."""
    size = mask.shape[0]
    number = jnp.cumsum(mask.astype(jnp.int32)) - 1
    places = jnp.arange(size, dtype=jnp.int32)
    return _packed(places, mask, number, count, size), number[-1] + 1


def _packed(ids: Any, mask: Any, number: Any, count: int, rest: int) -> Any:
    """Those ``ids`` (m,) where ``mask`` is true, at place ``number``; else ``rest``: (count,)."""
    target = jnp.where(mask, number, count)
    return jnp.full((count,), rest, jnp.int32).at[target].set(ids, mode="drop")


def in_place(array: Any) -> Any:
    """See ``rowwise.backend.rows``; by donation, any array is."""
    return array


def overwritten(array: Any, value: Any) -> Any:
    """See ``rowwise.backend.rows``; the compiler sees to it."""
    del array
    return value


def in_the_place_of(held: Any, value: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    del held
    return value


def on_host(table: Any) -> Iterator[npt.NDArray[Any]]:
    """See ``rowwise.backend.rows``; on a CPU they are there, and where rows are divided, some."""
    shards = {shard.index[0].start or 0: shard for shard in table.addressable_shards}
    by_rows = all(shard.data.shape[1:] == table.shape[1:] for shard in shards.values())
    if table.is_fully_replicated or not by_rows or not table.is_fully_addressable:
        # Columns are put together by JAX. What other processes have it refuses to give, in words.
        yield np.asarray(table)
        return
    for start in sorted(shards):
        yield np.asarray(shards[start].data)


def loop(count: Any, body: Callable[[Any, Any], Any], carry: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return jax.lax.fori_loop(0, count, body, carry)


def either(condition: Any, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """See ``rowwise.backend.rows``."""
    if isinstance(condition, jax.core.Tracer):
        return jax.lax.cond(condition, first, second)
    return first() if condition else second()


def chosen(condition: Any, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """See ``rowwise.backend.rows``. Compiled into the loops that compute and write."""
    pairs = zip(first(), second(), strict=True)
    return [jnp.where(condition, one, other) for one, other in pairs]


def all_known_false(flags: Any) -> bool:
    """See ``rowwise.backend.rows``; in a compiled step nothing is."""
    del flags
    return False


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
    # Not where nothing is traced: in there JAX compiles once more what it knows from elsewhere.
    is_traced = isinstance(jnp.zeros(()), jax.core.Tracer)
    context: AbstractContextManager[None] = (
        jax.ensure_compile_time_eval() if is_traced else nullcontext()
    )
    return context
