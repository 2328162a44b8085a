"""Processes that train one model together, each on its own part of the data, behind one contract.

There are such on PyTorch alone: those of a process group of ``torch.distributed``.
"""

from importlib import import_module
from typing import Any, Protocol

import keras


class Processes(Protocol):
    """What a backend's module gives for a group of more than one process.

    Every method but ``leave`` has to be called by all processes, in the same order, and waits for
    them. It raises a WorkerError where one of them is lost.
    """

    count: int
    """How many there are."""
    rank: int
    """The number of this one, from 0."""

    def gathered(self, numbers: list[float], ids: Any) -> tuple[list[list[float]], list[Any]]:
        """The ``numbers``, equally many, and the int32 ``ids`` (m,), any m, of every process."""

    def summed(self, tensors: list[Any]) -> list[Any]:
        """Sums over all processes of tensors of the same shapes; may overwrite its arguments."""

    def take_over(self, tensors: list[Any]) -> None:
        """Give ``tensors`` the values that process 0 has in them, in their places."""

    def checksum(self, tensors: list[Any]) -> float:
        """A number that is the same for the same values; of this process alone, without waiting."""

    def draw_apart(self, distance: int) -> None:
        """Move what draws random numbers in this process by ``distance``; without waiting."""

    def wait(self) -> None:
        """Wait until all processes have come here."""

    def leave(self) -> None:
        """Let go of the others; who waits for this process gets an error instead of waiting on."""


_MODULES = {"torch": "rowwise.backend._torch_processes"}
_module = _MODULES.get(keras.backend.backend())
_of_backend: Any = import_module(_module) if _module else None


def connected() -> Processes | None:
    """The processes that are connected now; None where this one is alone."""
    found: Processes | None = None if _of_backend is None else _of_backend.connected()
    return found
