"""Where processes that train together meet, so that none of them waits for one that does not come.

At a meeting each says what it is about to do. Where they are not about to do the same, all of them
learn it at once, and all raise an error.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.backend.processes import Processes
from rowwise.errors import InvalidArgumentError, WorkerError

# What a process is about to do; in words, after so many batches.
PLAN, BEGIN, STEP, EPOCH, FIT, FAILED = range(6)
_DOES: tuple[Callable[[int], str], ...] = (
    lambda _: "plans to train",
    lambda _: "begins to train",
    lambda batches: f"trains batch {batches} of its epoch, counted from 0",
    lambda batches: f"ended its epoch after {batches} batches",
    lambda _: "ended `fit`",
    lambda _: "ended by an error",
)

# How many numbers a process can say at a meeting.
NUMBERS = 3

# What the others do when this process fails: they come to a meeting; they wait for it, or nobody
# knows; or they have failed as well.
_COMING, _WAITING, _KNOWING = range(3)


class Meetings:
    """The meetings of some processes.

    Args:
        processes: all of them.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._batches = 0
        self._others = _WAITING

    def meet(
        self, what: int, *numbers: float, ids: Any = None
    ) -> tuple[list[list[float]], list[Any]]:
        """The numbers and int32 ids (m,) of all processes, which must be about to do the same.

        From here on the others wait for this process, until `done`.

        Raises:
            InvalidArgumentError: they are not.
            WorkerError: one has failed, or is lost.
        """
        self._others = _WAITING
        if ids is None:
            ids = keras.ops.convert_to_tensor(np.zeros(0, "int32"))
        numbers = (*numbers, *[0.0] * (NUMBERS - len(numbers)))
        heads, found = self._processes.gathered([float(what), float(self._batches), *numbers], ids)
        if what != FAILED:
            self._check(what, [(int(head[0]), int(head[1])) for head in heads])
        self._batches = self._batches + 1 if what == STEP else 0
        return [head[2:] for head in heads], found

    def _check(self, what: int, said: list[tuple[int, int]]) -> None:
        if all(kind == what for kind, _ in said):
            return
        self._others = _KNOWING
        failed = [rank for rank, (kind, _) in enumerate(said) if kind == FAILED]
        if failed:
            raise WorkerError(
                f"Process {failed[0]} of {len(said)} ended training by an error, and so this one "
                "ends it, too. Look for that error; then train again in all processes."
            )
        does = "; ".join(
            f"process {rank} {_DOES[kind](batches)}" for rank, (kind, batches) in enumerate(said)
        )
        raise InvalidArgumentError(
            f"Processes that train together must make the same steps. Instead {does}. Give all of "
            "them equally many batches: as many examples of the same batch size, or the same "
            "`steps_per_epoch`; and end all of them by the same callbacks. No weight was changed "
            "by what only some of them do."
        )

    def agree(self, values: list[float], of_what: str) -> None:
        """Make sure that what processes have said is the same.

        Raises:
            InvalidArgumentError: it is not.
        """
        if len({repr(value) for value in values}) == 1:  # NaN, too
            return
        self._others = _KNOWING
        said = ", ".join(f"process {rank}: {value:.9g}" for rank, value in enumerate(values))
        raise InvalidArgumentError(
            "Processes that train together must have the same model, compiled in the same way, "
            f"and the same learning rate. Here {of_what} differs ({said}). Make and compile the "
            "model alike in all of them; a callback that changes the rate must do so in all."
        )

    def done(self) -> None:
        """No other process waits for this one: all come to the next meeting."""
        self._others = _COMING

    def leave(self) -> None:
        """Let nobody wait for this process, which has failed.

        Connections are closed only where there is no other way: that cuts off what was said last.
        """
        if self._others == _COMING:
            with suppress(WorkerError):
                self.meet(FAILED)
        elif self._others == _WAITING:
            self._processes.leave()
        self._others = _KNOWING
