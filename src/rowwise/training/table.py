"""A table that trains row-wise: what it carries from step to step, and how it is read.

Between two flushes most rows are behind: what rested has not moved yet. Whoever reads the table or
its optimizer slots must not notice, and whoever does not read must not pay. So these variables
are watched (``watching.py``): when a value is read, all rows are caught up first, once.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import keras, rows
from rowwise.backend.shards import Shards
from rowwise.errors import InvalidArgumentError
from rowwise.training.catch_up import CatchUp, Factors, Now
from rowwise.training.on_shards import Carried, on_shards
from rowwise.training.watching import as_they_are, watch

ops = keras.ops

# The most steps between two flushes. A flush is one pass over the table.
CAPACITY = 8192

# Of rows that are current however long they rest: nothing moves them until they are looked up.
ASLEEP = -1


@dataclass(frozen=True)
class Spec:
    """What a step has to know of a table."""

    index: int
    """Among the model's trainable variables."""
    slots: list[int]
    """Among the optimizer's variables."""
    form: CatchUp
    row_count: int
    columns: int
    dtype: str
    room: int = 0
    """Rows for the gradients of a batch; those of a larger batch are made anew in each step."""
    resting: npt.NDArray[np.bool_] | None = None
    """(n,): rows that never train, or None."""
    shards: Shards | None = None
    """How the table lies on several devices, or None. There ``row_count`` and ``room`` are those of
    one shard."""
    may_spoil: bool = True
    """Whether ``spoilt`` may become something else than 0."""

    @property
    def shape(self) -> tuple[int, int]:
        """Of the table, whole."""
        count = 1 if self.shards is None else self.shards.count
        return self.row_count * count, self.columns

    def values_of(self, trainable: list[Any], optimizer: list[Any]) -> list[Any]:
        """The table's value and those of its slots, out of the values of all variables."""
        return [trainable[self.index], *(optimizer[place] for place in self.slots)]

    def put_values(self, values: list[Any], trainable: list[Any], optimizer: list[Any]) -> None:
        """Put what ``values_of`` gives back into the lists that it came from."""
        trainable[self.index] = values[0]
        for place, slot in zip(self.slots, values[1:], strict=True):
            optimizer[place] = slot

    def begin(self, slots: list[Any]) -> Carried:
        """What is carried when all rows are current; to be compiled.

        Args:
            slots: the optimizer's, (n, d) each.
        """
        resting = {}
        if self.resting is not None:
            resting["resting"] = ops.convert_to_tensor(self.resting)

        def make(slots: list[Any], resting: Carried) -> tuple[Any, Carried]:
            mine = {name: ops.copy(value) for name, value in resting.items()}
            return (), {**mine, **self._begin(slots)}

        return on_shards(self.shards, make, slots, resting)[1]

    def _begin(self, slots: list[Any]) -> Carried:
        awake = ops.zeros((self.row_count,), dtype="int32")
        elsewhere = self.shards is not None  # ids of rows that are on other devices
        return {
            "scratch": ops.zeros((self.row_count + elsewhere,), dtype="int32"),
            "last": ops.where(self.form.asleep(slots), ASLEEP, awake) if slots else awake,
            "room": ops.zeros((self.room, self.columns), dtype=self.dtype),
            **self._restarted(),
        }

    def _restarted(self) -> Carried:
        return {
            "clock": ops.zeros((), dtype="int32"),
            "base": ops.zeros((), dtype="int32"),
            "spoilt": ops.zeros((), dtype=self.dtype),
            "history": self.form.history(self.dtype),
        }

    def factors(self, last: Any, carried: Carried) -> Factors:
        """What ``rested`` has to know of rows whose ``last`` (m,) is this."""
        return self.form.factors(ops.maximum(last, 0), _now(carried), self.dtype)

    def rested(
        self, values: Any, slots: list[Any], factors: Factors, carried: Carried
    ) -> tuple[Any, list[Any]]:
        """Rows and slots (m, d), which may be behind, as they are now."""
        values, slots = self.form.rest(values, slots, factors, _now(carried))
        if not self.may_spoil:
            return values, slots
        return values + carried["spoilt"], [slot + carried["spoilt"] for slot in slots]

    def flush(self, values: list[Any], carried: Carried) -> tuple[list[Any], Carried]:
        """The whole table and its slots, (n, d) each, as they are now, and what is carried then.

        To be compiled, with both arguments given to it to overwrite.
        """
        result: tuple[list[Any], Carried] = on_shards(self.shards, self._flush, values, carried)
        return result

    def _flush(self, values: list[Any], carried: Carried) -> tuple[list[Any], Carried]:
        assert rows is not None
        behind = ops.not_equal(carried["spoilt"], 0)
        if self.form.moves:
            behind = ops.logical_or(behind, carried["last"] != ASLEEP)
        behind = ops.broadcast_to(behind, (self.row_count,))
        if self.resting is not None:
            behind = ops.logical_and(behind, ops.logical_not(carried["resting"]))
        size = rows.flush_block(self.row_count)
        all_ids, count = rows.find_true(behind, -(-self.row_count // size) * size)

        def catch_up(number: Any, tables: list[Any]) -> list[Any]:
            ids = block_of(all_ids, number, size)
            row, *slots = [rows.take_rows(table, ids) for table in tables]
            factors = self.factors(rows.take_rows(carried["last"], ids), carried)
            row, slots = self.rested(row, slots, factors, carried)
            return rows.put_in_each(tables, ids, [row, *slots])

        values = rows.loop((count + size - 1) // size, catch_up, values)
        # Those that sleep do so still.
        last = rows.overwritten(carried["last"], ops.minimum(carried["last"], 0))
        return values, {**carried, "last": last, **self._restarted()}


def block_of(values: Any, number: Any, size: int) -> Any:
    """Block ``number`` of ``values`` (n,) or (n, d), of ``size`` rows each."""
    shape = (size, *values.shape[1:])
    return ops.slice(values, _start(number * size, len(shape)), shape)


def with_block(values: Any, number: Any, block: Any) -> Any:
    """``values`` (n, d) with another block ``number``, as ``block_of`` gives it."""
    start = _start(number * block.shape[0], len(block.shape))
    return ops.slice_update(values, start, block)


def _start(row: Any, rank: int) -> Any:
    return ops.stack([row, *[ops.zeros_like(row) for _ in range(rank - 1)]])


def _now(carried: Carried) -> Now:
    return Now(carried["clock"], carried["base"], carried["history"])


class Table:
    """A table on the host's side: its variables, and what it carries.

    Args:
        spec: of the table.
        variable: the table.
        slots: the optimizer's variables for it.
        owner: the model, which may hold newer values than the variables do.
    """

    def __init__(self, spec: Spec, variable: Any, slots: list[Any], owner: Any) -> None:
        assert rows is not None
        self.spec, self.variable, self.slots = spec, variable, slots
        self._owner = owner
        self._carried: Carried | None = None
        self._is_forgotten = False
        self.steps = 0
        """At least as many steps as rows may be behind; 0 when all are current."""
        self._begin = rows.compiled(spec.begin)
        self._flush = rows.compiled(spec.flush, donated=(0, 1))

    def attach(self) -> None:
        """Watch the variables; another table's watch over them ends with a flush."""
        for variable in self._variables():
            watch(variable)
            if variable.rowwise_table is self:
                continue
            if variable.rowwise_table is not None:
                variable.rowwise_table.detach()
            variable.rowwise_table = self
            self.forget()

    def detach(self) -> None:
        """Flush, and leave the variables to others."""
        self.read()
        for variable in self._variables():
            if getattr(variable, "rowwise_table", None) is self:
                variable.rowwise_table = None

    def _variables(self) -> list[Any]:
        return [self.variable, *self.slots]

    def forget(self) -> None:
        """Take nothing for known of the slots, which others have written; all rows are current."""
        self._is_forgotten, self.steps = True, 0

    def hand_out(self, variable: Any) -> None:
        """Take note that somebody gets the value of a variable, with all rows current.

        Where a value can be changed in its place, as Keras's own optimizers do it there, nothing is
        known of slots from then on.
        """
        assert rows is not None
        if rows.HAS_VARIABLES and variable is not self.variable:
            self.forget()

    def check_shapes(self) -> None:
        """Raise where the table or a slot has not the shape that it was planned with.

        Raises:
            InvalidArgumentError: it was resized by way of another model.
        """
        size = self.spec.shape
        for variable in self._variables():
            if tuple(variable.shape) != size:
                raise InvalidArgumentError(
                    f"{variable.path} has shape {tuple(variable.shape)} where this model trained "
                    f"{size} before: another model resized the table. Call `compile` again."
                )

    def take_carried(self, slots: list[Any], base: Any) -> Carried:
        """What a step is to carry on with; the step may overwrite it.

        Args:
            slots: their values.
            base: the iterations that the optimizer has made.
        """
        carried, self._carried = self._carried, None
        if carried is None or self._is_forgotten:
            carried = self._begun(slots, carried)
            self._is_forgotten = False
        if self.steps:
            return carried
        # A copy: both this and the optimizer's own are given to the step to overwrite.
        return {**carried, "base": ops.cast(base, "int32") + 0}

    def _begun(self, slots: list[Any], before: Carried | None) -> Carried:
        """What is carried from the start, in the places of what was carried ``before``."""
        assert rows is not None
        carried: Carried = self._begin(slots)
        for name in ("scratch", "last"):
            value = carried[name]
            carried[name] = (
                rows.in_place(value) if before is None else rows.overwritten(before[name], value)
            )
        return carried

    def keep_carried(self, carried: Carried, steps: int) -> None:
        """Keep what a step carried, in which ``steps`` steps were made."""
        self._carried = carried
        self.steps += steps

    def flushed(self, values: list[Any]) -> list[Any]:
        """The table's and the slots' ``values``, which may be overwritten, as they are now."""
        if self._carried is None or not self.steps:
            return values
        values, self._carried = self._flush(values, self._carried)
        self.steps = 0
        return list(values)

    def read(self) -> None:
        """Make the variables' values current."""
        self._owner.sync_values()
        if not self.steps:
            return
        assert rows is not None
        with as_they_are([self]), rows.at_once():
            variables = self._variables()
            held = [variable.value for variable in variables]
            for variable, old, value in zip(variables, held, self.flushed(held), strict=True):
                if value is not old:  # it did not change in place
                    variable.assign(value)
