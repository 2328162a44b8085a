"""An alarm that is put off far more often than it rings."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Rings at a time that is moved with every request.

    To begin and to cancel a timer takes a loop several microseconds, so the one that runs is left
    alone where it ends before the alarm is to ring: then another one is begun.

    Args:
        loop: whose time it is.
        ring: called when the time has come.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._rings_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ends_at = 0.0

    def set(self, seconds: float) -> None:
        """Ring in so many seconds, and not before."""
        self._rings_at = rings_at = self._loop.time() + seconds
        if self._timer is None or self._ends_at > rings_at:
            self._begin(rings_at)

    def stop(self) -> None:
        """Do not ring."""
        self._rings_at = None

    def close(self) -> None:
        """Do not ring, and let nothing wait."""
        self._rings_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self, ends_at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._ends_at = ends_at
        self._timer = self._loop.call_at(ends_at, self._on_end)

    def _on_end(self) -> None:
        self._timer = None
        if self._rings_at is None:
            return
        # A loop may be a little early.
        if self._rings_at > self._ends_at:
            self._begin(self._rings_at)
        else:
            self._rings_at = None
            self._ring()
