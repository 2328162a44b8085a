"""A step's part for one table, where several processes look up rows in it."""

from dataclasses import dataclass, field, replace
from typing import Any

from rowwise.backend import keras
from rowwise.training.aside_table_step import AsideTableStep
from rowwise.training.on_shards import Carried
from rowwise.training.table_step import Distinct
from rowwise.training.tapes import Lookups

ops = keras.ops


@dataclass
class OfAll:
    """What all processes look up in a step, for each table that trains row-wise."""

    ids: list[Any] = field(default_factory=list)
    """int32 (m,): of one process after the other."""
    own: list[slice] = field(default_factory=list)
    """Where in ``ids`` this process's are."""

    def sort_out(self, messages: list[Any], tables: int, rank: int) -> None:
        """Take it from messages, of each process one.

        Args:
            messages: int32, how many ids of each table there are, and then the ids.
            tables: how many.
            rank: the number of this process.
        """
        sizes = [message[:tables].tolist() for message in messages]
        starts = [tables] * len(messages)
        self.ids, self.own = [], []
        for table in range(tables):
            of_table = [size[table] for size in sizes]
            parts = [
                message[start : start + size]
                for message, start, size in zip(messages, starts, of_table, strict=True)
            ]
            starts = [start + size for start, size in zip(starts, of_table, strict=True)]
            before = sum(of_table[:rank])
            self.ids.append(ops.concatenate(parts))
            self.own.append(slice(before, before + of_table[rank]))


class JointTableStep(AsideTableStep):
    """An ``AsideTableStep`` with the distinct rows of all processes, in the same order in each.

    Args:
        of_all: what is looked up, set before each step.
        *arguments: of ``AsideTableStep``.
    """

    def __init__(self, of_all: OfAll, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._of_all = of_all

    def find_distinct(
        self, carried: Carried, looked_up: Lookups, sound: Any = None
    ) -> tuple[Carried, Distinct]:
        """See ``TableStep``; ``places`` are those of this process's lookups."""
        del looked_up, sound
        ids, own = self._of_all.ids[self._number], self._of_all.own[self._number]
        everywhere = Lookups([self.variable], [ids], [False])
        carried, wanted = super().find_distinct(carried, everywhere)
        # Which of several equal ids stands for all of them is left open, and so is the order.
        order = ops.argsort(wanted.read)
        places = ops.take(ops.argsort(order), wanted.places[own])
        ids, read = ops.take(wanted.ids, order), ops.take(wanted.read, order)
        return carried, replace(wanted, ids=ids, read=read, places=places)
