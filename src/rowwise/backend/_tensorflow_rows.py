"""TensorFlow: rows of tables, and functions over them. Needs tensorflow >= 2.18.

Tables are variables that change in place: what is called a table here is one, or in a plain call a
tensor. No shape has to be known before, and nothing is compiled by XLA, which would copy them.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy.typing as npt
import tensorflow as tf

from rowwise.backend._variable_rows import (  # noqa: F401  (a part of what this module provides)
    FLUSH,
    FLUSH_ELSEWHERE,
    HAS_VARIABLES,
    SPREAD,
    batch_block,
    batch_room,
    gradient_by,
)

IS_EAGER = False

# Bytes that are brought to the host at once.
_HOST_BYTES = 1 << 18


def take_rows(table: Any, ids: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    count = tf.shape(table)[0] if table.shape[0] is None else table.shape[0]
    return tf.gather(table, tf.clip_by_value(ids, 0, count - 1))


def put_rows(table: Any, ids: Any, rows: Any) -> Any:
    """See ``rowwise.backend.rows``; in place."""
    return put_in_each([table], ids, [rows])[0]


def _put(table: Any, ids: Any, rows: Any) -> Any:
    if not isinstance(table, tf.Variable):
        return tf.tensor_scatter_nd_update(table, ids[:, tf.newaxis], rows)
    table.scatter_update(tf.IndexedSlices(rows, ids))
    return table


def put_in_each(tables: list[Any], ids: Any, rows: list[Any]) -> list[Any]:
    """See ``rowwise.backend.rows``; in place."""
    known = ids < tables[0].shape[0]
    found = [tf.boolean_mask(some, known) for some in rows]
    return put_known(tables, tf.boolean_mask(ids, known), found)


def take_known(tables: list[Any], ids: Any) -> list[Any]:
    """See ``rowwise.backend.rows``."""
    return [tf.gather(table, ids) for table in tables]


def put_known(tables: list[Any], ids: Any, rows: list[Any]) -> list[Any]:
    """See ``rowwise.backend.rows``; in place."""
    # What raises on the way to one of them is to change no table. A branch waits for none of those
    # from outside; for an identity it does.
    rows = [tf.identity(some) for some in rows]
    with tf.control_dependencies(rows):
        return [_put(table, ids, some) for table, some in zip(tables, rows, strict=True)]


def add_at(table: Any, start: Any, block: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    there = start + tf.range(block.shape[0], dtype=start.dtype)
    return tf.tensor_scatter_nd_add(table, there[:, tf.newaxis], block)


def sum_rows(sums: Any, values: Any, targets: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return sums + tf.math.unsorted_segment_sum(values, targets, tf.shape(sums)[0])


def on_accelerator() -> bool:
    """See ``rowwise.backend.rows``."""
    return bool(tf.config.list_logical_devices("GPU"))


def flush_block(most: int) -> int:
    """See ``rowwise.backend.rows``."""
    return min(most, FLUSH_ELSEWHERE if on_accelerator() else FLUSH)


def multiply(first: Any, second: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    return tf.matmul(first, second)


def reduce_rows(table: Any, ids: Any, weights: Any) -> Any:
    """See ``rowwise.backend.rows``; but the rows are all at hand.

    A gradient of one's own, which could do without, would read the whole variable.
    """
    return tf.einsum("mld,ml->md", take_rows(table, ids), weights)


def spread_rows(sums: Any, values: Any, weights: Any, targets: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    columns, length = values.shape[1], targets.shape[1]
    together = max(1, SPREAD // max(1, columns * length))
    for start in range(0, values.shape[0], together):
        part = slice(start, start + together)
        terms = weights[part, :, tf.newaxis] * values[part, tf.newaxis]
        sums = sum_rows(sums, tf.reshape(terms, (-1, columns)), tf.reshape(targets[part], (-1,)))
    return sums


def find_distinct(scratch: Any, ids: Any, count: int) -> tuple[Any, Any, Any, Any]:
    """See ``rowwise.backend.rows``."""
    del count
    distinct, places = tf.unique(ids)
    return scratch, distinct, places, tf.size(distinct)


def find_true(mask: Any, count: int) -> tuple[Any, Any]:
    """See ``rowwise.backend.rows``."""
    found = tf.cast(tf.where(mask)[:, 0], tf.int32)
    missing = count - tf.size(found)
    return tf.pad(found, [[0, missing]], constant_values=mask.shape[0]), tf.size(found)


def in_place(array: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    with tf.init_scope():
        return tf.Variable(array, trainable=False)


def overwritten(array: Any, value: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    if isinstance(array, tf.Variable):
        array.assign(value)
        return array
    return value


def in_the_place_of(held: Any, value: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    variable = tf.Variable(tf.cast(value, held.dtype), trainable=held.trainable, name=held.name)
    # Keras's optimizers know variables by it.
    variable._unique_id = held._unique_id
    return variable


def on_host(table: Any) -> Iterator[npt.NDArray[Any]]:
    """See ``rowwise.backend.rows``."""
    count, *rest = table.shape
    together = max(1, _HOST_BYTES // (math.prod(rest) * table.dtype.size))
    for start in range(0, count, together):
        yield tf.gather(table, tf.range(start, min(start + together, count))).numpy()


def loop(count: Any, body: Callable[[Any, Any], Any], carry: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    if isinstance(count, int):
        for number in range(count):
            carry = body(number, carry)
        return carry
    parts = _Parts(carry)

    def turn(number: Any, tensors: list[Any]) -> tuple[Any, list[Any]]:
        return number + 1, _Parts(body(number, parts.whole(tensors))).tensors

    _, tensors = tf.while_loop(
        lambda number, _: number < count,
        turn,
        (tf.zeros((), tf.int32), parts.tensors),
        parallel_iterations=1,
    )
    return parts.whole(tensors)


class _Parts:
    """The tensors in a tree, apart from the variables, of which nobody is to make a tensor."""

    def __init__(self, tree: Any) -> None:
        flat = keras.tree.flatten(tree)
        self._tree = keras.tree.map_structure(lambda _: 0, tree)
        self._variables = [one if isinstance(one, tf.Variable) else None for one in flat]
        self.key = tuple(id(one) for one in self._variables if one is not None)
        self.tensors = [one for one in flat if not isinstance(one, tf.Variable)]

    def whole(self, tensors: Sequence[Any]) -> Any:
        """The tree with other tensors."""
        rest = iter(tensors)
        flat = [next(rest) if one is None else one for one in self._variables]
        return keras.tree.pack_sequence_as(self._tree, flat)


def either(condition: Any, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """See ``rowwise.backend.rows``."""
    return tf.cond(condition, first, second)


def all_known_false(flags: Any) -> bool:
    """See ``rowwise.backend.rows``; in a compiled step nothing is."""
    del flags
    return False


def watched_gradients(function: Callable[[Callable[[Any], Any]], Any]) -> tuple[Any, list[Any]]:
    """See ``rowwise.backend.rows``."""
    leaves: list[Any] = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:

        def watched(tensor: Any) -> Any:
            tape.watch(tensor)
            leaves.append(tensor)
            return tensor

        value, aux = function(watched)
    found = tape.gradient(value, leaves, unconnected_gradients="zero")
    # Of equal ids each has a part of its own in what is not a tensor yet.
    return (value, aux), [tf.convert_to_tensor(one) for one in found]


value_and_gradient = gradient_by(watched_gradients)


def shapes_of(function: Callable[..., Any], *arguments: Any) -> Any:
    """See ``rowwise.backend.rows``."""
    traced = tf.function(function, autograph=False).get_concrete_function(*arguments)
    return traced.structured_outputs


def escapes(function: Callable[..., Any], *arguments: Any) -> bool:
    """See ``rowwise.backend.rows``."""
    try:
        shapes_of(function, *arguments)
    except (TypeError, ValueError) as error:
        if "out of scope" in str(error):
            return True
        raise
    return False


def compiled(function: Callable[..., Any], donated: Sequence[int] = ()) -> Callable[..., Any]:
    """See ``rowwise.backend.rows``; variables among the arguments are overwritten."""
    del donated
    traces: dict[tuple[int, ...], Callable[..., Any]] = {}

    def call(*arguments: Any) -> Any:
        given = [_Parts(argument) for argument in arguments]
        key = tuple(name for one in given for name in one.key)
        if key not in traces:
            traces[key] = _traced(function, given)
        parts = zip(given, arguments, strict=True)
        return traces[key](*[one.tensors if one.key else whole for one, whole in parts])

    return call


def _traced(function: Callable[..., Any], given: list["_Parts"]) -> Callable[..., Any]:
    """``function`` of tensors alone: variables are none of its arguments and none of its results.

    As arguments they would cost time, and as results they would be read.
    """
    results: list[_Parts] = []

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def traced(*arguments: Any) -> list[Any]:
        parts = zip(given, arguments, strict=True)
        results[:] = [
            _Parts(function(*[one.whole(some) if one.key else some for one, some in parts]))
        ]
        return results[0].tensors

    def call(*arguments: Any) -> Any:
        tensors = traced(*arguments)
        return results[0].whole(tensors)

    return call


def at_once() -> AbstractContextManager[None]:
    """See ``rowwise.backend.rows``."""
    context: AbstractContextManager[None] = tf.init_scope()
    return context
