"""Tables whose rows are divided among devices, behind one contract.

A *shard* is the part of a table that a device has. All devices run the same program; a function
that is run on each sees the shard there as if it were the whole table.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import keras


class Shards(Protocol):
    """How a table lies on the devices."""

    @property
    def count(self) -> int:
        """Into how many shards the rows are divided; 1 where every device has them all."""

    def each(
        self, function: Callable[[Any, Any], tuple[Any, Any]], divided: Any, shared: Any
    ) -> tuple[Any, Any]:
        """Run ``function(divided, shared)`` on each device.

        Arguments and results are trees of tensors. Those ``divided`` are, by their first dimension;
        those ``shared`` are the same on all devices, so results have to be the same there. Nothing
        is sent between devices but what brings ``shared`` arguments to all of them. The function
        uses no tensors but its arguments.
        """

    def own_ids(self, ids: Any, row_count: int) -> Any:
        """In a function on each: int32 ``ids`` counted from the first row of the shard there.

        It has ``row_count`` rows; ids of rows that are elsewhere become ``row_count``.
        """

    def gather(
        self, found: Callable[[Any, Any, Any], Any], divided: Any, ids: Any, shared: Any = ()
    ) -> Any:
        """Rows (m, d) for int32 ``ids`` (m,) of the whole table, from where they are.

        There it is ``found(divided, ids, shared)``, whatever that gives for ids of rows elsewhere.
        What is sent are ids and rows.
        """

    def reduce_rows(self, table: Any, ids: Any, weights: Any) -> Any:
        """As that of ``Rows``; what is sent are ids, weights and sums."""


_MODULES = {"jax": "rowwise.backend._jax_shards"}


# Whether a table can train row-wise where keras.distribution lays it on devices.
TRAINS_ON_DEVICES = keras.backend.backend() in _MODULES


def shards_of(table: Any) -> tuple[Shards | None, str]:
    """How a table lies on several devices, and why no row-wise step is possible there.

    Shards are None on a single device; the reason is "" where a step is possible.
    """
    module = _MODULES.get(keras.backend.backend())
    if module is None:
        return None, ""
    result: tuple[Shards | None, str] = import_module(module).shards_of(table)
    return result
