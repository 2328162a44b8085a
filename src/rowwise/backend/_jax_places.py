"""JAX: arrays that are divided among devices, which may be those of other processes."""

from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from rowwise.backend.places import Part, Read


def process() -> tuple[int, int]:
    """See ``rowwise.backend.places``."""
    return jax.process_index(), jax.process_count()


def wait_for_all(name: str) -> None:
    """See ``rowwise.backend.places``."""
    multihost_utils.sync_global_devices(name)


def parts_of(value: Any) -> list[Part]:
    """See ``rowwise.backend.places``."""
    parts = []
    for shard in value.global_shards:
        if shard.replica_id:
            continue
        values = None if shard.data is None else np.asarray(shard.data)
        parts.append(Part(*_block(shard.index, value.shape), values))
    return sorted(parts, key=lambda part: part.start)


def assign(variable: Any, read: Read) -> None:
    """See ``rowwise.backend.places``."""
    shape, old = tuple(variable.shape), variable.value

    def part(index: Any) -> Any:
        return read(*_block(index, shape)).astype(old.dtype, copy=False)

    variable.assign(jax.make_array_from_callback(shape, old.sharding, part))


def _block(index: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where a part of an array of ``shape`` starts, and its shape, by the slices that it is."""
    ranges = [one.indices(size)[:2] for one, size in zip(index, shape, strict=True)]
    return tuple(first for first, _ in ranges), tuple(last - first for first, last in ranges)
