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
        ranges = [one.indices(size)[:2] for one, size in zip(shard.index, value.shape, strict=True)]
        values = None if shard.data is None else np.asarray(shard.data)
        start, shape = tuple(first for first, _ in ranges), tuple(b - a for a, b in ranges)
        parts.append(Part(start, shape, values))
    return sorted(parts, key=lambda part: part.start)


def assign(variable: Any, read: Read) -> None:
    """See ``rowwise.backend.places``."""
    shape, old = tuple(variable.shape), variable.value

    def part(index: Any) -> Any:
        ranges = [one.indices(size)[:2] for one, size in zip(index, shape, strict=True)]
        found = read(tuple(first for first, _ in ranges), tuple(b - a for a, b in ranges))
        return found.astype(old.dtype, copy=False)

    variable.assign(jax.make_array_from_callback(shape, old.sharding, part))
