"""Counting on a Dask cluster.

Workers count parts and merge the counts among themselves, some at a time, so that only the last
result comes here. If a worker is lost, the scheduler has others do again what was on it: nothing
of that was merged anywhere else, so the result is the same.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from rowwise.errors import InvalidArgumentError, MissingExtraError, WorkerError
from rowwise.text.counting.counts import WordCounts, merged
from rowwise.text.counting.one_part import count_part
from rowwise.text.counting.texts import Part
from rowwise.text.cutting import Cutter

_MERGED_AT_ONCE = 8


def processors_of(client: Any) -> int:
    """How many parts a cluster counts at a time.

    Raises:
        InvalidArgumentError: ``client`` is not a ``distributed.Client`` that blocks.
        MissingExtraError: ``distributed`` is not installed.
    """
    if not isinstance(client, _distributed().Client):
        raise InvalidArgumentError(
            "`client` must be a distributed.Client, such as Client('tcp://address:8786'). "
            f"Received: {client!r}"
        )
    if client.asynchronous:
        raise InvalidArgumentError(
            "`client` must not be asynchronous: make it with Client(..., asynchronous=False)."
        )
    return int(max(1, sum(client.nthreads().values())))


def count_on_cluster(
    parts: Sequence[Part], cutter: Cutter, client: Any, tell: Callable[[int], None]
) -> WordCounts:
    """Count parts on a cluster.

    Args:
        parts: the parts; their ``location`` must lead to the same file on every worker.
        cutter: cuts their texts.
        client: a ``distributed.Client``.
        tell: is called with the size of each part that is done.

    Raises:
        DataFileError: a file is not as it must be.
        WorkerError: one part ended more workers than the scheduler allows, by default three.
    """
    distributed = _distributed()
    # Not pure: the same files may hold something else when they are counted the next time.
    counted = [client.submit(count_part, part, cutter, pure=False) for part in parts]
    sizes = {future.key: part.size for future, part in zip(counted, parts, strict=True)}
    waited_for = distributed.as_completed(counted)
    level = counted
    while len(level) > 1:
        level = [
            client.submit(merged, level[first : first + _MERGED_AT_ONCE], pure=False)
            for first in range(0, len(level), _MERGED_AT_ONCE)
        ]
    [last] = level
    # What nobody here refers to any more leaves the workers' memory as soon as it is merged.
    del counted, level
    try:
        for future in waited_for:
            if future.status == "error":
                break
            tell(sizes[future.key])
        found: WordCounts = (future if future.status == "error" else last).result()
    except distributed.KilledWorker as error:
        raise WorkerError(
            f"Workers of the cluster ended again and again while they counted. {error} If memory "
            "ran out, give each worker more of it, or fewer threads."
        ) from error
    finally:  # also after Ctrl-C
        waited_for.clear()
        last.release()
    return found


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise MissingExtraError("Counting on a cluster", "distributed", "dask") from error
