"""JAX: tables on the devices of a mesh, each with some of the rows or with all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from rowwise.backend import _jax_rows

Spec: Any = PartitionSpec


@dataclass(frozen=True)
class JaxShards:
    """See ``rowwise.backend.shards``."""

    mesh: Mesh
    axis: Any
    """The axis of the mesh, or several, along which rows are divided; None where they are not."""
    data_axis: str | None
    """The axis along which the examples of a batch are divided, if one is known."""

    @property
    def count(self) -> int:
        """See ``Shards``."""
        return self._size(self.axis)

    def _size(self, axis: Any) -> int:
        names = axis if isinstance(axis, tuple) else (axis,)
        return int(np.prod([1 if name is None else self.mesh.shape[name] for name in names]))

    def _run(self, function: Callable[..., Any], given: Any, gives: Any) -> Callable[..., Any]:
        """``function`` on each device; that the same is the same everywhere is not checked."""
        run: Callable[..., Any] = jax.shard_map(
            function, mesh=self.mesh, in_specs=given, out_specs=gives, check_vma=False
        )
        return run

    def each(
        self, function: Callable[[Any, Any], tuple[Any, Any]], divided: Any, shared: Any
    ) -> tuple[Any, Any]:
        """See ``Shards``."""
        specs = Spec(self.axis), Spec()
        result: tuple[Any, Any] = self._run(function, specs, specs)(divided, shared)
        return result

    def own_ids(self, ids: Any, row_count: int) -> Any:
        """See ``Shards``."""
        if self.axis is None:
            return ids
        own = ids - jax.lax.axis_index(self.axis) * row_count
        return jnp.where((own >= 0) & (own < row_count), own, row_count)

    def gather(
        self, found: Callable[[Any, Any, Any], Any], divided: Any, ids: Any, shared: Any = ()
    ) -> Any:
        """See ``Shards``."""
        if self.axis is None:
            return found(divided, ids, shared)

        def find(both: Any, ids: Any) -> Any:
            divided, shared = both
            row_count = len(jax.tree.leaves(divided)[0])
            own = self.own_ids(ids, row_count)
            return jnp.where((own < row_count)[:, None], found(divided, own, shared), 0)

        return self._summed(find, divided, shared, ids)

    def reduce_rows(self, table: Any, ids: Any, weights: Any) -> Any:
        """See ``Shards``."""
        if self.axis is None:
            return _jax_rows.reduce_rows(table, ids, weights)

        def reduce(table: Any, ids: Any, weights: Any) -> Any:
            table, _ = table
            own = self.own_ids(ids, len(table))
            return _jax_rows.reduce_rows(table, own, weights, missing="fill")

        return self._summed(reduce, jax.lax.stop_gradient(table), (), ids, weights)

    def _summed(self, function: Callable[..., Any], divided: Any, shared: Any, *data: Any) -> Any:
        """Sums over shards of ``function((divided, shared), *data)``, (m, d), of data (m, ...).

        It comes divided as the examples of a batch are, where that is possible.
        """
        add = partial(jax.lax.psum, axis_name=self.axis)
        given = gives = Spec()
        if self.data_axis not in (None, self.axis) and self._divides(self.data_axis, data):
            given = gives = Spec(self.data_axis)
        elif self._divides(self.axis, data):
            gives = Spec(self.axis)
            add = partial(
                jax.lax.psum_scatter, axis_name=self.axis, scatter_dimension=0, tiled=True
            )

        def run(both: Any, *data: Any) -> Any:
            return add(function(both, *data))

        specs = ((Spec(self.axis), Spec()), *[given for _ in data])
        return self._run(run, specs, gives)((divided, shared), *data)

    def _divides(self, axis: Any, data: tuple[Any, ...]) -> bool:
        return len(data[0]) % self._size(axis) == 0


def shards_of(table: Any) -> tuple[JaxShards | None, str]:
    """See ``rowwise.backend.shards``."""
    where = getattr(table, "sharding", None)
    if not isinstance(where, NamedSharding) or not isinstance(where.mesh, Mesh):
        return None, ""
    if where.mesh.size == 1:
        return None, ""
    rows, *columns = [*where.spec, None]
    if any(axis is not None for axis in columns):
        return None, "its columns are divided among devices, where its rows would have to be"
    distribution = keras.distribution.distribution()
    data_axis = getattr(distribution, "batch_dim_name", None)
    data_axis = data_axis if data_axis in where.mesh.axis_names else None
    if isinstance(rows, tuple) and len(rows) == 1:
        rows = rows[0]
    return JaxShards(where.mesh, rows, data_axis), ""
