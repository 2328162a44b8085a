"""Operations on the rows of a table, and on functions of them, behind one contract.

What ``keras.ops`` lacks for training row-wise. Tables are (n, d), or (n,) where a row is a number.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Protocol, cast

import keras
import numpy.typing as npt


class Rows(Protocol):
    """What a backend's module provides."""

    HAS_VARIABLES: bool
    """Whether a step's values are those in variables, which can be changed where they are."""

    IS_EAGER: bool
    """Whether what a step calls is computed at once, and variables hold what they are given."""

    def take_rows(self, table: Any, ids: Any) -> Any:
        """Rows at int32 ``ids`` of any shape; for an id out of range, some row."""

    def put_rows(self, table: Any, ids: Any, rows: Any) -> Any:
        """``table`` with ``rows`` at different ``ids`` (m,); an id of n is left out."""

    def put_in_each(self, tables: list[Any], ids: Any, rows: list[Any]) -> list[Any]:
        """As ``put_rows``, of several tables, at the same ids."""

    def take_known(self, tables: list[Any], ids: Any) -> list[Any]:
        """Rows of several tables at int32 ``ids`` (m,), each that of a row.

        Only where ``HAS_VARIABLES``, as the next one.
        """

    def put_known(self, tables: list[Any], ids: Any, rows: list[Any]) -> list[Any]:
        """As ``put_in_each``, each id that of a row. No table changes before all rows are known."""

    def add_at(self, table: Any, start: Any, block: Any) -> Any:
        """``table`` (n, d) with ``block`` (m, d) added to the rows from ``start`` on."""

    def sum_rows(self, sums: Any, values: Any, targets: Any) -> Any:
        """``sums`` (k, d) and at each target the sum of those ``values`` (m, d) that have it."""

    def reduce_rows(self, table: Any, ids: Any, weights: Any) -> Any:
        """Sums of rows by weights: for ids and weights (m, l), shape (m, d).

        The rows are never all at hand at once. What is differentiated is ``weights`` alone.
        """

    def spread_rows(self, sums: Any, values: Any, weights: Any, targets: Any) -> Any:
        """``sums`` (k, d) and at each target the sum of what the lookups with it contribute.

        A lookup, one of ``targets`` (m, l), contributes the row of ``values`` (m, d) that it
        belongs to, times its weight (m, l). That is how ``reduce_rows`` changes with the rows.
        """

    def find_distinct(self, scratch: Any, ids: Any, count: int) -> tuple[Any, Any, Any, Any]:
        """The distinct ones of ``ids`` (m,), int32 in [0, n).

        Args:
            scratch: int32 (n,), with anything in it.
            ids: int32 (m,).
            count: at least as many as there are different ones.

        Returns:
            the scratch for the next call; the distinct ids (count,), filled up with n, but only as
            many as there are where no shape has to be known before; for each id its place among
            them (m,); how many there are.
        """

    def find_true(self, mask: Any, count: int) -> tuple[Any, Any]:
        """Where ``mask`` (n,) is true: int32 (count,), filled up with n; and how often it is.

        ``count`` is at least n.
        """

    def on_accelerator(self) -> bool:
        """Whether tensors are elsewhere than in the memory of the processor's cores."""

    def batch_block(self, most: int) -> int:
        """Of a batch's rows, ``most`` at most: how many to read, update and write at once.

        0 for all of them, where no shape has to be known before.
        """

    def batch_room(self, most: int, block: int) -> int:
        """Rows of memory to keep for the gradients of a batch's rows, ``most`` of them, in blocks.

        0 where there is nothing gained by keeping it.
        """

    def flush_block(self, most: int) -> int:
        """The same of a table's rows, ``most`` of them, when it is flushed."""

    def multiply(self, first: Any, second: Any) -> Any:
        """The product of matrices, as exact as their dtype on every device."""

    def in_place(self, array: Any) -> Any:
        """``array`` as something that ``put_rows`` need not copy, outside of compiled functions."""

    def overwritten(self, array: Any, value: Any) -> Any:
        """``value``, where it can be in the place of ``array``, of the same shape."""

    def in_the_place_of(self, held: Any, value: Any) -> Any:
        """What a variable of Keras's, which holds ``held``, is to hold for a value of any shape."""

    def on_host(self, table: Any) -> Iterator[npt.NDArray[Any]]:
        """The rows of a table, one array after another; never a copy of them all."""

    def loop(self, count: Any, body: Callable[[Any, Any], Any], carry: Any) -> Any:
        """``carry`` after ``carry = body(i, carry)`` for i from 0 to ``count - 1``."""

    def either(self, condition: Any, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
        """What ``first()`` gives where the boolean scalar is true, otherwise ``second()``."""

    def all_known_false(self, flags: Any) -> bool:
        """Whether all booleans are false, where that can be known while a step is made."""

    def chosen(self, condition: Any, first: Callable[[], Any], second: Callable[[], Any]) -> Any:
        """As ``either``, of lists of tensors that are small: both may be computed.

        Only where not ``HAS_VARIABLES``.
        """

    def value_and_gradient(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that gives ``((value, aux), gradient)`` of one that gives ``(value, aux)``.

        The gradient is that of the first argument, a tree of tensors.
        """

    def watched_gradients(self, function: Callable[..., Any]) -> tuple[Any, list[Any]]:
        """``((value, aux), gradients)`` for a ``function(watched)`` that gives ``(value, aux)``.

        ``watched`` gives a tensor as one that is differentiated, in the middle of the function; the
        gradients are in the order in which it was called. Only where ``HAS_VARIABLES``.
        """

    def shapes_of(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What ``function`` gives, as shapes and dtypes; nothing is computed."""

    def escapes(self, function: Callable[..., Any], *arguments: Any) -> bool:
        """Whether ``function`` gives a value of a loop or function in it, which cannot leave that.

        Nothing is computed.
        """

    def compiled(self, function: Callable[..., Any], donated: Sequence[int] = ()) -> Any:
        """``function`` compiled; it may overwrite the arguments whose numbers are ``donated``."""

    def at_once(self) -> AbstractContextManager[None]:
        """Compute at once in the block, even while a function around it is being traced."""


_MODULES = {
    "jax": "rowwise.backend._jax_rows",
    "tensorflow": "rowwise.backend._tensorflow_rows",
    "torch": "rowwise.backend._torch_rows",
}
_module = _MODULES.get(keras.backend.backend())

# None on a backend that does not train row-wise yet.
rows: Rows | None = cast(Rows, import_module(_module)) if _module else None
