"""Training on several processes, each with its own part of every batch.

A step says to the others which rows it looks up, and gets their ids; then all of them add up their
gradients, of those rows and of what is dense. From there on every process does the same with the
same numbers, which are those that one process finds for the whole batch. Nothing but that travels:
each process catches up rows by itself, and reads by itself.
"""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np

from rowwise.backend import keras, rows
from rowwise.backend.processes import Processes
from rowwise.training.aside_table_step import AsideTableStep
from rowwise.training.joint_table_step import JointTableStep, OfAll
from rowwise.training.meeting import BEGIN, EPOCH, FIT, PLAN, STEP, Meetings
from rowwise.training.plan import Decision, embedding_layers
from rowwise.training.sharded_step import ShardedTableStep
from rowwise.training.split_optimizer import inner_optimizer
from rowwise.training.table_step import TableStep
from rowwise.training.tapes import Lookups

ops = keras.ops

# So far apart are the seeds of two processes: one draws nothing that another draws soon.
_BETWEEN_SEEDS = 0x1E3779B1


class Alone:
    """The only process: nothing is shared."""

    processes: Processes | None = None
    has_begun = True
    examples: int | None = None
    """Of how many examples the loss of a step is; None for those of the batch."""

    def table_step(self, *arguments: Any) -> TableStep:
        """What a step does with a table; the arguments are those of ``TableStep``."""
        if rows is not None and rows.HAS_VARIABLES:
            return AsideTableStep(*arguments)
        spec = arguments[1]
        return (TableStep if spec.shards is None else ShardedTableStep)(*arguments)

    def totals(self, counts: list[int]) -> list[int]:
        """The sums over all processes."""
        return counts

    def begin(self, model: Any) -> None:
        """Start from the same values as all others."""

    def meet(self, variables: list[Any], seen: Lookups, sound: Any, x: Any, rate: Any) -> Any:
        """Say to the others what is looked up, and hear it from them.

        Args:
            variables: the tables that train row-wise.
            seen: what this process looks up.
            sound: whether all its ids are valid.
            x: inputs of its batch.
            rate: the learning rate, a function that gives it.

        Returns:
            whether all ids of all processes are valid.
        """
        del variables, seen, x, rate
        return sound

    def joined(
        self, gradients: tuple[list[Any], list[Any]], loss: Any, others: Any, sound: Any
    ) -> tuple[tuple[list[Any], list[Any]], Any, list[Any], Any]:
        """What the whole batch gives, of what this process's part of it gives.

        Args:
            gradients: of the dense variables, and of the distinct rows of each table.
            loss: a scalar.
            others: values of other variables, before and after the batch.
            sound: whether the batch may change anything.

        Returns:
            gradients, loss, other variables after the batch, and ``sound``.
        """
        return gradients, loss, others[1], sound

    def unsound_elsewhere(self) -> int | None:
        """The process whose batch it was that was not sound, where it was another's."""
        return None

    def end(self, fit: bool) -> None:
        """Make sure that all processes are at the end of an epoch, or of ``fit``."""

    def leave(self) -> None:
        """Let nobody wait for this process, which has failed."""

    def explained(self, decision: Decision) -> Decision:
        """``decision`` with what travels."""
        return decision


class Together(Alone):
    """One of several processes.

    Args:
        processes: all of them.
    """

    def __init__(self, processes: Processes) -> None:
        self.processes: Processes = processes
        self.has_begun = False
        self._meetings, self._of_all = Meetings(processes), OfAll()
        self._share, self._unsound = 0.0, [False] * processes.count
        self._draws_apart = False

    def table_step(self, *arguments: Any) -> TableStep:
        """See ``Alone``."""
        return JointTableStep(self._of_all, *arguments)

    def totals(self, counts: list[int]) -> list[int]:
        """See ``Alone``."""
        ids = ops.convert_to_tensor(np.asarray(counts, "int32"))
        _, found = self._meetings.meet(PLAN, ids=ids)
        self._meetings.agree([float(len(one)) for one in found], "the number of tables")
        self._meetings.done()
        return [sum(column) for column in zip(*(one.tolist() for one in found), strict=True)]

    def begin(self, model: Any) -> None:
        """See ``Alone``; the values are those of process 0, as in torch's own data parallel.

        Each `fit` begins so, since something may have been done in one process in between.
        """
        trainable, other, optimizer, _ = model.state_variables()
        seeds = [one for one in other if one.path.endswith("seed_generator_state")]
        own = set(map(id, seeds))
        values = [one.value for one in (*trainable, *other, *optimizer) if id(one) not in own]
        of_model = float(zlib.crc32(_description(model).encode()))
        heads, _ = self._meetings.meet(BEGIN, of_model, self.processes.checksum(values))
        self._meetings.agree([head[0] for head in heads], "the model or its optimizer")
        if len({repr(head[1]) for head in heads}) > 1:
            self.processes.take_over(values)
        if not self._draws_apart:
            self._draw_apart(seeds)
        self.has_begun = True
        self._meetings.done()

    def _draw_apart(self, seeds: list[Any]) -> None:
        """Let this process draw other random numbers than the others."""
        self.processes.take_over([one.value for one in seeds])
        distance = self.processes.rank * _BETWEEN_SEEDS
        for variable in seeds if distance else []:
            state = np.array(ops.convert_to_numpy(variable.value))
            state[0] = (int(state[0]) + distance) % 2**31
            variable.assign(state)
        self.processes.draw_apart(distance)
        self._draws_apart = True

    def meet(self, variables: list[Any], seen: Lookups, sound: Any, x: Any, rate: Any) -> Any:
        """See ``Alone``."""
        first = next(one for one in keras.tree.flatten(x) if one is not None)
        ids: list[list[Any]] = [
            [
                ops.reshape(ids, (-1,))
                for variable, ids in zip(seen.variables, seen.ids, strict=True)
                if variable is table
            ]
            for table in variables
        ]
        sizes = [sum(int(one.shape[0]) for one in of_table) for of_table in ids]
        message = ops.concatenate(
            [
                ops.convert_to_tensor(np.asarray(sizes, "int32")),
                *(one for part in ids for one in part),
            ]
        )
        numbers = (float(first.shape[0]), float(bool(sound)), float(rate()))
        heads, found = self._meetings.meet(STEP, *numbers, ids=message)
        self._meetings.agree([head[2] for head in heads], "the learning rate")
        examples = [head[0] for head in heads]
        self.examples = int(sum(examples))
        self._share = examples[self.processes.rank] / max(1, self.examples)
        self._of_all.sort_out(found, len(variables), self.processes.rank)
        self._unsound = [not head[1] for head in heads]
        return ops.convert_to_tensor(not any(self._unsound))

    def joined(
        self, gradients: tuple[list[Any], list[Any]], loss: Any, others: Any, sound: Any
    ) -> tuple[tuple[list[Any], list[Any]], Any, list[Any], Any]:
        """See ``Alone``. Each process counts by its share of the examples.

        So do other variables that are floats and have changed, such as averages of statistics:
        each becomes the mean over the processes. What has not changed, a frozen table for one, does
        not travel.
        """
        dense, sums = gradients
        before, after = others
        moved = [
            place
            for place, (old, new) in enumerate(zip(before, after, strict=True))
            if new is not old and "float" in keras.backend.standardize_dtype(new.dtype)
        ]
        flags = np.zeros(self.processes.count, "float32")
        rank = self.processes.rank
        # What another process's ids have made not sound is not this one's.
        flags[rank] = self._unsound[rank] if any(self._unsound) else not bool(sound)
        parts = [*dense, *sums, *(after[place] for place in moved), loss]
        found = self.processes.summed(
            [*(part * self._share for part in parts), ops.convert_to_tensor(flags)]
        )
        self._unsound = [flag > 0 for flag in found.pop().tolist()]
        loss = found.pop()
        after = list(after)
        for place in reversed(moved):
            after[place] = found.pop()
        sound = ops.convert_to_tensor(not any(self._unsound))
        self._meetings.done()
        return (found[: len(dense)], found[len(dense) :]), loss, after, sound

    def unsound_elsewhere(self) -> int | None:
        """See ``Alone``."""
        if True not in self._unsound or self._unsound[self.processes.rank]:
            return None
        return self._unsound.index(True)

    def end(self, fit: bool) -> None:
        """See ``Alone``."""
        self._meetings.meet(FIT if fit else EPOCH)
        self.has_begun = self.has_begun and not fit
        if not fit:  # after which nobody may come any more
            self._meetings.done()

    def leave(self) -> None:
        """See ``Alone``. Whoever trains again begins again, with the values of process 0."""
        self._meetings.leave()
        self.has_begun = False

    def explained(self, decision: Decision) -> Decision:
        """See ``Alone``."""
        travels = {
            "exact": "the rows that a batch looks up travel",
            "lazy": "the rows that a batch looks up travel",
            "dense": "in each step its whole gradient travels",
        }
        if decision.how not in travels:
            return decision
        way = f"{travels[decision.how]} between {self.processes.count} processes"
        return replace(decision, why=f"{decision.why}; {way}")


def _description(model: Any) -> str:
    """What has to be the same of a model and the way it is compiled; without the rate."""
    optimizer = model.optimizer
    config = {**optimizer.get_config(), **inner_optimizer(optimizer).get_config()}
    left_out = ("name", "learning_rate", "inner_optimizer")
    settings = sorted((key, repr(value)) for key, value in config.items() if key not in left_out)
    variables = [
        (tuple(one.shape), str(one.dtype)) for part in model.state_variables()[:3] for one in part
    ]
    layers = []
    for layer in embedding_layers(model):
        resting = layer.resting_rows
        rests = 0 if resting is None else zlib.crc32(resting.tobytes())
        layers.append((layer.updates, layer.table.trainable, rests))
    return repr((variables, layers, type(optimizer).__name__, settings))


def together(processes: Processes | None) -> Alone:
    """How to train with ``processes``; None where there is one alone."""
    return Alone() if processes is None else Together(processes)
