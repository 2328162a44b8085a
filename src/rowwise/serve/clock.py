"""The time that a request has, and whether its client still waits."""

import asyncio
from types import TracebackType

from rowwise.serve.bodies import ClientGone, Receive

# An answer that takes longer is dropped when its client goes; most come sooner, and are spared
# the watching.
WATCH_AFTER = 0.25


class TimeOver(Exception):
    """The time of a request is over."""


class Clock:
    """Ends what happens within it: by TimeOver when its time is over, by ClientGone for nobody.

    One timer does for both, as most requests end before it.

    Args:
        seconds: what happens within may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._receive: Receive | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._is_late = self._is_over = self._is_gone = False

    def __enter__(self) -> "Clock":
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelled_before = task, task.cancelling()
        self._loop = asyncio.get_running_loop()
        if self._seconds > WATCH_AFTER:
            self._timer = self._loop.call_later(WATCH_AFTER, self._on_late)
        else:
            self._timer = self._loop.call_later(self._seconds, self._on_over)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if not (self._is_over or self._is_gone):
            return
        # Whoever else cancelled the task is to see it cancelled.
        is_ours = self._task.uncancel() <= self._cancelled_before
        if is_ours and isinstance(error, asyncio.CancelledError):
            raise (ClientGone if self._is_gone else TimeOver) from error

    def watch(self, receive: Receive) -> None:
        """From now on nothing but the client's going comes from ``receive`` of ASGI."""
        self._receive = receive
        if self._is_late:
            self._begin(receive)

    def _on_late(self) -> None:
        self._is_late = True
        self._timer = self._loop.call_later(self._seconds - WATCH_AFTER, self._on_over)
        if self._receive is not None:
            self._begin(self._receive)

    def _on_over(self) -> None:
        if not self._is_gone:
            self._is_over = True
            self._task.cancel()

    def _begin(self, receive: Receive) -> None:
        self._watcher = self._loop.create_task(self._wait(receive))

    async def _wait(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._is_over:
            self._is_gone = True
            self._task.cancel()
