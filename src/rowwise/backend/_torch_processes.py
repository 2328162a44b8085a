"""The processes of ``torch.distributed``.

What they say to each other goes through a group of rowwise's own. So it cannot get between messages
of the user's, and a process that fails can close it: by that the others learn of it at once,
wherever they wait. Messages are of the processor's memory. Needs torch >= 2.6.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from rowwise.errors import WorkerError

# Tensors of fewer numbers go into one message; a larger one is not copied for that.
LARGE = 1 << 20


class TorchProcesses:
    """See ``rowwise.backend.processes``.

    Args:
        world: the group of all processes.
    """

    def __init__(self, world: Any) -> None:
        self.world = world
        self.count, self.rank = dist.get_world_size(), dist.get_rank()
        self._group: Any = None
        self._room = 0

    def gathered(self, numbers: list[float], ids: Any) -> tuple[list[list[float]], list[Any]]:
        """See ``Processes``. In one message, unless there were never as many ids before."""
        self._open()
        room, size = self._room, len(ids)
        head = torch.tensor([size, *numbers], dtype=torch.float64).view(torch.int32)
        start = len(head)
        message = torch.zeros(start + room, dtype=torch.int32)
        message[:start] = head
        message[start : start + size] = ids[:room]
        replies = self._from_all(message)
        heads = [reply[:start].view(torch.float64).tolist() for reply in replies]
        sizes = [int(one[0]) for one in heads]
        found = [reply[start : start + one] for reply, one in zip(replies, sizes, strict=True)]
        if max(sizes) > room:
            message = torch.zeros(max(sizes) - room, dtype=torch.int32)
            message[: max(0, size - room)] = ids[room:]
            found = [
                torch.cat([first, rest[: max(0, one - room)]])
                for first, rest, one in zip(found, self._from_all(message), sizes, strict=True)
            ]
            self._room = max(sizes)
        return [one[1:] for one in heads], [one.to(ids.device) for one in found]

    def _from_all(self, message: Any) -> list[Any]:
        replies = [torch.empty_like(message) for _ in range(self.count)]
        self._do(dist.all_gather, replies, message)
        return replies

    def summed(self, tensors: list[Any]) -> list[Any]:
        """See ``Processes``. In one message for each dtype, and one for each large tensor."""
        self._open()
        results = [tensor.detach().cpu().contiguous() for tensor in tensors]
        together: dict[Any, list[int]] = {}
        for number, tensor in enumerate(results):
            if tensor.numel() < LARGE:
                together.setdefault(tensor.dtype, []).append(number)
            else:
                self._do(dist.all_reduce, tensor)
        for numbers in together.values():
            message = torch.cat([results[number].reshape(-1) for number in numbers])
            self._do(dist.all_reduce, message)
            parts = torch.split(message, [results[number].numel() for number in numbers])
            for number, part in zip(numbers, parts, strict=True):
                results[number] = part.reshape(results[number].shape)
        return [result.to(tensor.device) for result, tensor in zip(results, tensors, strict=True)]

    def take_over(self, tensors: list[Any]) -> None:
        """See ``Processes``. As bytes, so that no dtype is left out; a table is not copied."""
        self._open()
        for tensor in tensors:
            if not tensor.numel():
                continue
            there = tensor.detach()
            here = there.cpu().contiguous()
            self._do(dist.broadcast, here.reshape(-1).view(torch.uint8), 0)
            if here.data_ptr() != there.data_ptr():
                there.copy_(here)

    def checksum(self, tensors: list[Any]) -> float:
        """See ``Processes``. A weighted sum of rows, so that their order counts."""
        total = 0.0
        for number, tensor in enumerate(tensors):
            flat = tensor.detach().reshape(len(tensor) if tensor.dim() else 1, -1)
            sums = flat.sum(dim=1, dtype=torch.float64).cpu()
            weights = torch.arange(1, len(sums) + 1, dtype=torch.float64)
            total += (number + 1) * float(sums.dot(weights))
        return total

    def draw_apart(self, distance: int) -> None:
        """See ``Processes``. Keras's random layers draw by torch's own generator, too."""
        if distance:
            torch.manual_seed((torch.initial_seed() + distance) % 2**63)

    def wait(self) -> None:
        """See ``Processes``."""
        self._open()
        self._do(dist.barrier)

    def leave(self) -> None:
        """See ``Processes``."""
        if self._group is None:
            return
        # What fails here was closed already, by the user for instance.
        with suppress(RuntimeError, ValueError, AssertionError):
            dist.destroy_process_group(self._group)
        # Connections close with the last reference, so that no frame must hold one.
        self._group, self._room = None, 0

    def _open(self) -> None:
        if self._group is not None:
            return
        # To make a group, processes ask a store for each other: there one that is lost is missed
        # only after a timeout, and here at once.
        self._raising(dist.barrier)
        self._group = self._raising(dist.new_group, timeout=_timeout(self.world), backend="gloo")

    def _do(self, collective: Callable[..., Any], *arguments: Any) -> None:
        self._raising(collective, *arguments, group=self._group)

    def _raising(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except (RuntimeError, ValueError) as error:
            options.clear()
            self.leave()
            # Without its frames, for they hold the group.
            cause = error.with_traceback(None)
        raise WorkerError(
            f"Process {self.rank} of {self.count} lost another one while they trained together; "
            f"torch.distributed says: {cause} Look for the error of the process that ended first, "
            "and start all of them again."
        ) from cause


_known: TorchProcesses | None = None


def connected() -> TorchProcesses | None:
    """See ``rowwise.backend.processes``."""
    global _known
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return None
    if _known is None or _known.world is not dist.group.WORLD:
        _known = TorchProcesses(dist.group.WORLD)
    return _known


def _timeout(world: Any) -> timedelta | None:
    """How long the user lets processes wait, which torch has no public name for."""
    try:
        found: timedelta | None = world._get_backend(torch.device("cpu")).options._timeout
    except (AttributeError, RuntimeError):
        return None
    return found
