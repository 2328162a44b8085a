"""Bad ids in training: found inside the compiled step, told outside of it.

The step keeps a record of the first batch with a bad id. From that batch on it changes nothing
any more, so every weight stays as it was before the batch, and the record can be looked at when it
costs nothing.
"""

import math
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from rowwise.backend import keras, rows
from rowwise.errors import InvalidIdError, RowwiseError
from rowwise.training.constant import Constant
from rowwise.training.tapes import InvalidIds

ops = keras.ops

Record = dict[str, Any]
"""``counts``: int32, in the order of ``FIELDS``; ``id``: the id as float32. Two arrays and not one
for each field: a step pays for each."""

# The number of what was looked at or one of the three below; batches since the start; ids with no
# row; the id's place among all of them; the id as int32.
FIELDS = ("where", "batch", "wrong", "place", "whole")
NONE = -1
UNSTEADY = -2
ELSEWHERE = -3  # `whole` is the number of the process then

# What a batch adds to the counts.
_A_BATCH = Constant(np.eye(len(FIELDS), dtype=np.int64)[FIELDS.index("batch")])


@dataclass(frozen=True)
class _LookedAt:
    """Ids that a step looks at: what is known of them when it is traced, and needs no record."""

    layer: Any
    shape: tuple[int, ...]
    are_floating: bool


class IdWatch:
    """Finds bad ids in steps, and says what was found."""

    def __init__(self) -> None:
        self._looked_at: list[_LookedAt] = []

    def begin(self) -> Record:
        """The record of a run in which nothing was found yet."""
        counts = np.zeros(len(FIELDS), np.int32)
        counts[FIELDS.index("where")] = NONE
        # A copy, since the step may overwrite it.
        return {"counts": ops.array(counts), "id": ops.zeros((), dtype="float32")}

    @staticmethod
    def is_clean(record: Record, found: list[InvalidIds]) -> Any:
        """Whether neither this batch nor one before has a bad id; a boolean scalar."""
        return reduce(
            lambda so_far, one: ops.logical_and(so_far, ops.logical_not(ops.any(one.wrong))),
            found,
            _says_nothing(record),
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
        counts = record["counts"] + _A_BATCH("int32") * ops.cast(clean, "int32")
        record = {**record, "counts": counts}
        batch = counts[FIELDS.index("batch")]

        def describe() -> Record:
            unsteady = _counts(ops.where(steady, NONE, UNSTEADY), batch)
            described = {"counts": unsteady, "id": ops.zeros((), dtype="float32")}
            for one in reversed(found):  # the first in the model comes out last
                described = _chosen(ops.any(one.wrong), self._detail(one, batch), described)
            return _chosen(_says_nothing(record), described, record)

        result: Record = rows.either(clean, lambda: record, describe)
        return result

    @staticmethod
    def elsewhere(record: Record, process: int) -> Record:
        """The record after a batch that was bad in another process, and in this one was not."""
        assert rows is not None
        counts = _counts(ELSEWHERE, record["counts"][FIELDS.index("batch")], 0, 0, process)
        found: Record = rows.either(
            _says_nothing(record), lambda: {**record, "counts": counts}, lambda: record
        )
        return found

    def _detail(self, one: InvalidIds, batch: Any) -> Record:
        ids, wrong = ops.reshape(one.ids, (-1,)), ops.reshape(one.wrong, (-1,))
        floating = "float" in keras.backend.standardize_dtype(ids.dtype)
        seen = _LookedAt(one.layer, tuple(one.ids.shape), floating)
        if seen not in self._looked_at:
            self._looked_at.append(seen)
        place = ops.argmax(ops.where(wrong, one.layer.id_range.distance(ids), -1.0))
        worst = ops.take(ids, place)
        counts = _counts(
            self._looked_at.index(seen),
            batch,
            ops.sum(ops.cast(wrong, "int32")),
            place,
            0 if floating else worst,
        )
        return {"counts": counts, "id": ops.cast(worst, "float32")}

    def error(self, record: Record) -> RowwiseError | None:
        """What ``record`` says, as an error; None when it says nothing. Waits for the step."""
        counts = ops.convert_to_numpy(record["counts"])
        said = dict(zip(FIELDS, counts.tolist(), strict=True))
        number, batch = said["where"], said["batch"]
        if number == NONE:
            return None
        if number == UNSTEADY:
            return InvalidIdError(
                f"In batch {batch} of training, the model looked up other ids when it was run a "
                "second time. Make random ids with keras.random and a SeedGenerator, or give the "
                'layer updates="dense".'
            )
        if number == ELSEWHERE:
            return InvalidIdError(
                f"Process {said['whole']} met a bad id in batch {batch} of the epoch, counted from "
                "0, and raises an error that says which. Neither that batch nor any after it "
                "changed the weights, in any process."
            )
        seen = self._looked_at[number]
        worst = (
            np.float32(ops.convert_to_numpy(record["id"]))
            if seen.are_floating
            else np.int32(said["whole"])
        )
        position = tuple(int(i) for i in np.unravel_index(said["place"], seen.shape))
        total = math.prod(seen.shape)
        error = seen.layer.id_range.error(worst, position, said["wrong"], total)
        located = InvalidIdError(
            f"{error} This was in batch {batch} of the epoch, counted from 0; neither it nor any "
            "batch after it changed the weights."
        )
        located.worst, located.position = worst, position
        return located


def _says_nothing(record: Record) -> Any:
    return ops.equal(record["counts"][FIELDS.index("where")], NONE)


def _chosen(condition: Any, first: Record, second: Record) -> Record:
    return {name: ops.where(condition, first[name], second[name]) for name in first}


def _counts(*values: Any) -> Any:
    """``counts`` that begin with these values; the others are 0."""
    given = [ops.cast(value, "int32") for value in values]
    zero = ops.zeros((), dtype="int32")
    return ops.stack([*given, *[zero] * (len(FIELDS) - len(given))])
