"""Bad ids in training: found inside the compiled step, told outside of it.

The step keeps a record of the first batch with a bad id. From that batch on it changes nothing
any more, so every weight stays as it was before the batch, and the record can be looked at when it
costs nothing.
"""

from functools import reduce
from typing import Any

import numpy as np

from rowwise.backend import keras, rows
from rowwise.errors import InvalidIdError, RowwiseError
from rowwise.training.tapes import InvalidIds

ops = keras.ops

Record = dict[str, Any]
"""``layer``: int32, the number of the layer, or one of the two below; ``batch``: int32, batches
since the start; ``position``: int32 (MAX_RANK,); ``wrong`` and ``total``: int32 counts; ``whole``
and ``number``: the id as int32 and as float32; ``floating``: whether it came as a float;
``rank``: of the ids."""

NONE = -1
UNSTEADY = -2
MAX_RANK = 8


class IdWatch:
    """Finds bad ids in steps, and says what was found."""

    def __init__(self) -> None:
        self._layers: list[Any] = []

    def begin(self) -> Record:
        """The record of a run in which nothing was found yet."""
        zero = ops.zeros((), dtype="int32")
        return {
            "layer": zero + NONE,
            "batch": zero,
            "position": ops.zeros((MAX_RANK,), dtype="int32"),
            "wrong": zero,
            "total": zero,
            "whole": zero,
            "number": ops.zeros((), dtype="float32"),
            "floating": ops.zeros((), dtype="bool"),
            "rank": zero,
        }

    @staticmethod
    def is_clean(record: Record, found: list[InvalidIds]) -> Any:
        """Whether neither this batch nor one before has a bad id; a boolean scalar."""
        clean = ops.equal(record["layer"], NONE)
        return reduce(
            lambda so_far, one: ops.logical_and(so_far, ops.logical_not(ops.any(one.wrong))),
            found,
            clean,
        )

    def after(self, record: Record, found: list[InvalidIds], steady: Any, clean: Any) -> Record:
        """The record after a batch.

        Args:
            record: from before the batch.
            found: what layers looked at in it.
            steady: whether two passes through the model looked up the same ids.
            clean: whether there is nothing to record, now or before.
        """
        assert rows is not None
        record = {**record, "batch": record["batch"] + ops.cast(clean, "int32")}
        is_first = ops.logical_and(ops.logical_not(clean), ops.equal(record["layer"], NONE))

        def describe() -> Record:
            described = {**record, "layer": ops.where(steady, NONE, UNSTEADY)}
            for one in reversed(found):  # the first in the model comes out last
                there, detail = ops.any(one.wrong), self._detail(one)
                described = {
                    name: ops.where(there, detail[name], value)
                    for name, value in described.items()
                    if name in detail
                } | {"batch": described["batch"]}
            return {name: ops.cast(described[name], record[name].dtype) for name in record}

        result: Record = rows.either(is_first, describe, lambda: record)
        return result

    def _detail(self, one: InvalidIds) -> Record:
        if one.layer not in self._layers:
            self._layers.append(one.layer)
        ids, wrong = ops.reshape(one.ids, (-1,)), ops.reshape(one.wrong, (-1,))
        place = ops.argmax(ops.where(wrong, one.layer.id_range.distance(ids), -1.0))
        worst = ops.take(ids, place)
        position, left = [], ops.cast(place, "int32")
        for size in reversed(one.ids.shape):
            position.append(left % size)
            left = left // size
        position = [*reversed(position)][:MAX_RANK]
        zero = ops.zeros((), dtype="int32")
        floating = "float" in keras.backend.standardize_dtype(ids.dtype)
        return {
            "layer": zero + self._layers.index(one.layer),
            "position": ops.stack([*position, *[zero] * (MAX_RANK - len(position))]),
            "wrong": ops.sum(ops.cast(wrong, "int32")),
            "total": zero + int(np.prod(one.ids.shape)),
            "whole": zero if floating else ops.cast(worst, "int32"),
            "number": ops.cast(worst, "float32"),
            "floating": ops.cast(floating, "bool"),
            "rank": zero + len(one.ids.shape),
        }

    def error(self, record: Record) -> RowwiseError | None:
        """What ``record`` says, as an error; None when it says nothing. Waits for the step."""
        number = int(record["layer"])
        if number == NONE:
            return None
        batch = int(record["batch"])
        if number == UNSTEADY:
            return InvalidIdError(
                f"In batch {batch} of training, the model looked up other ids when it was run a "
                "second time. Make random ids with keras.random and a SeedGenerator, or give the "
                'layer updates="dense".'
            )
        layer = self._layers[number]
        worst = np.float32(record["number"]) if record["floating"] else np.int32(record["whole"])
        rank = int(record["rank"])
        position = tuple(int(index) for index in np.asarray(record["position"])[:rank])
        error = layer.id_range.error(worst, position, int(record["wrong"]), int(record["total"]))
        located = InvalidIdError(
            f"{error} This was in batch {batch} of the epoch, counted from 0; neither it nor any "
            "batch after it changed the weights."
        )
        located.worst, located.position = worst, position
        return located
