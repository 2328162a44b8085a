"""What a table carries from step to step, and functions of it on each device.

On a device a shard of the table stands for the table.
"""

from collections.abc import Callable
from typing import Any

from rowwise.backend.shards import Shards

Carried = dict[str, Any]
"""What travels in the compiled step beside the values: ``scratch``, int32 (n,), with anything in
it; ``last``, int32 (n,), the clock when a row was last current, or `ASLEEP`; ``clock`` and
``base``, int32 scalars; ``spoilt``, 0 or NaN, which every row gets; ``history``; ``room`` (m, d),
with anything in it, for the gradients of a batch's rows; where some rows never train, ``resting``,
boolean (n,)."""

# Of what is carried, that which is divided with the rows; the rest is the same on all devices.
_DIVIDED = ("scratch", "last", "room", "resting")


def on_shards(
    shards: Shards | None,
    function: Callable[..., tuple[Any, Carried]],
    divided: Any,
    carried: Carried,
    *shared: Any,
) -> tuple[Any, Carried]:
    """``function(divided, carried, *shared)`` for each shard of a table, or for the table.

    The function gives what is divided, too, and what is carried then.
    """
    if shards is None:
        return function(divided, carried, *shared)

    def run(divided: Any, shared: Any) -> tuple[Any, Any]:
        divided, mine = divided
        ours, others = shared
        before = {**mine, **ours}
        found, after = function(divided, before, *others)
        # What only went through it would be copied on its way out.
        mine, ours = apart(
            {name: one for name, one in after.items() if one is not before.get(name)}
        )
        return (found, mine), ours

    mine, ours = apart(carried)
    (found, mine), ours = shards.each(run, (divided, mine), (ours, shared))
    return found, {**carried, **mine, **ours}


def apart(carried: Carried) -> tuple[Carried, Carried]:
    """What is divided among devices, and what is the same on all."""
    mine = {name: value for name, value in carried.items() if name in _DIVIDED}
    return mine, {name: value for name, value in carried.items() if name not in _DIVIDED}
