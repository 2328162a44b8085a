"""The head of a request: what no application sees before it is whole.

A request reaches the gate, and the limits there, when its head has been read. uvicorn reads a head
of any length, waits for its end for any time, and answers in plain text to what is no HTTP.
"""

import asyncio
import re
from typing import Any

from rowwise.serve.problems import Problem
from rowwise.serve.rules import CLOSE, SAFE_HEADERS
from rowwise.serve.wire import Reply, written

# Of a request's first line and its headers together.
HEAD_BYTES = 1 << 16

# Seconds in which a client that is refused may still write: closed at once, the connection would
# break under its hands before it reads the answer.
LINGER = 1.0


def guarded(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's protocol for a connection, with limits on heads.

    Args:
        seconds: in which the head of a request has to come.
    """
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    base: Any = HttpToolsProtocol

    class Guarded(base):
        """A connection that sends heads in time, and not too long ones."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._head_bytes = 0
            self._head_timer: asyncio.TimerHandle | None = None
            self._is_refused = False
            # What is wrong with a head, while the request before is still answered.
            self._last: Problem | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._is_refused:
                return
            before = self.cycle
            is_body = before is not None and before.more_body and not before.response_complete
            super().data_received(data if is_body else _without_upgrade(data))
            if self.cycle is not before:  # a head was whole
                self._head_bytes = 0
                self._stop_waiting()
            elif not is_body:
                self._head_bytes += len(data)
                if self._head_bytes > HEAD_BYTES:
                    self._refuse(_TOO_LARGE)
                elif self._head_timer is None:
                    self._wait_for_head()

        def send_400_response(self, msg: str) -> None:
            self._refuse(_NO_HTTP)

        def _wait_for_head(self) -> None:
            self._head_timer = self.loop.call_later(seconds, self._on_time_over)

        def _stop_waiting(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _on_time_over(self) -> None:
            if self._head_bytes:
                self._refuse(_too_slow(seconds))
            else:  # browsers open connections that they may need: no answer to no question
                self.transport.close()

        def _refuse(self, problem: Problem) -> None:
            """Answer by a problem, read no more, and close the connection."""
            if self._is_refused or self.transport.is_closing():
                return
            self._is_refused = True
            self._stop_waiting()
            cycle = self.cycle
            if cycle is not None and not cycle.response_complete:
                if not cycle.more_body:
                    self._last = problem
                    return
                cycle.disconnected = True  # the rest of its body is not to be understood
                cycle.message_event.set()
            self._tell(problem)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            problem = self._last
            if problem is None or not self.cycle.response_complete:
                return
            self._last = None
            if not self.transport.is_closing():
                self._tell(problem)

        def _tell(self, problem: Problem) -> None:
            headers = [*problem.raw_headers(), *SAFE_HEADERS, CLOSE]
            self.transport.write(written(Reply(problem.status, headers, problem.body())))
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(LINGER, self.transport.close)

    return Guarded


def _without_upgrade(data: bytes) -> bytes:
    """A head without the wish to go on in another protocol, which is answered in this one.

    Some clients, Java's among them, add it to every request. httptools would then take the body for
    the other protocol, and it would be lost.
    """
    if not _UPGRADE.search(data):
        return data
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\\nx-not-", head) + end + rest


_UPGRADE = re.compile(rb"\n(?=upgrade[ \t]*:)", re.IGNORECASE)

_NO_HTTP = Problem(
    400,
    "bad-http",
    "This is no HTTP/1.1: the first line, a header or the size of a chunk is wrong.",
)
_TOO_LARGE = Problem(
    431,
    "head-too-large",
    f"The address and the headers of a request have at most {HEAD_BYTES:,} bytes together.",
)


def _too_slow(seconds: float) -> Problem:
    return Problem(
        408,
        "head-too-slow",
        f"The head of the request did not come to its end within {seconds:g} seconds.",
    )
