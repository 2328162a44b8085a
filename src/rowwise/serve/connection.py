"""A connection on which plain requests are answered the short way."""

import asyncio
from typing import Any

from rowwise.serve.alarm import Alarm
from rowwise.serve.heads import guarded
from rowwise.serve.problems import Problem
from rowwise.serve.rules import CLOSE, STOPPED
from rowwise.serve.short_way import ShortWay
from rowwise.serve.wire import Head, Reply, plain_post, written

# Seconds in which the body has to follow its head, where a client sends them one after the other,
# for the short way. One that comes later is read by the server's parser, and waited for there.
PATIENCE = 0.05


def connection(short_way: ShortWay) -> type[asyncio.Protocol]:
    """uvicorn's protocol for a connection, with limits on heads, and with a short way.

    Args:
        short_way: answers what it takes.
    """
    base: Any = guarded(short_way.rules.limits.seconds)

    class Connection(base):
        """Reads plain requests by itself, and leaves all others to uvicorn."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Whether uvicorn's parser stands between two requests.
            self._is_between = True
            # A plain request without the end of its body.
            self._begun = b""
            # Answers the request that is there, while what comes after it is kept.
            self._answering: asyncio.Task[None] | None = None
            self._later = b""
            self._is_late = self._is_last = False
            # Rings when the answer is late, or the rest of a body, or the next request.
            self._alarm = Alarm(self.loop, self._on_alarm)

        def data_received(self, data: bytes) -> None:
            if self._answering is not None:
                self._later += data
                self.flow.pause_reading()
            elif self._is_free():
                self._read(self._begun + data)
            else:
                self._leave_to_parser(self._begun + data)

        def on_message_begin(self) -> None:
            self._is_between = False
            super().on_message_begin()

        def on_message_complete(self) -> None:
            self._is_between = True
            super().on_message_complete()

        def shutdown(self) -> None:
            if self._answering is not None:
                self._is_last = True
                return
            self._leave_to_parser(self._begun)
            super().shutdown()

        def connection_lost(self, exc: Exception | None) -> None:
            self._begun = b""
            self._alarm.close()
            if self._answering is not None:
                self._answering.cancel()  # nobody waits for it
            super().connection_lost(exc)

        def _is_free(self) -> bool:
            """Whether what comes now is a new request, and no answer has to be written before."""
            return (
                self._is_between
                and (self.cycle is None or self.cycle.response_complete)
                and not self.flow.write_paused
                and not self._is_refused
            )

        def _read(self, data: bytes) -> None:
            found = plain_post(data)
            if found is None or not short_way.takes(found[0]):
                return self._leave_to_parser(data)
            head, body = found
            if len(body) > head.length:
                return self._leave_to_parser(data)
            self._unset_keepalive_if_required()
            self._stop_waiting()
            self._head_bytes = 0  # of empty lines between requests
            if len(body) == head.length:
                return self._answer(head, body)
            if not self._begun:
                self._alarm.set(PATIENCE)
            self._begun = data
            return None

        def _leave_to_parser(self, data: bytes) -> None:
            self._begun = b""
            self._alarm.stop()
            if data:
                super().data_received(data)

        def _answer(self, head: Head, body: bytes) -> None:
            self._begun = b""
            self._is_late = False
            self._alarm.set(short_way.rules.limits.seconds)
            self._answering = task = self.loop.create_task(self._tell_answer(head, body))
            self.tasks.add(task)
            task.add_done_callback(self._on_end)

        async def _tell_answer(self, head: Head, body: bytes) -> None:
            try:
                reply = await short_way.answer(head, body)
            except asyncio.CancelledError:
                problem = self._why_cancelled()
                if problem is None:
                    raise
                reply = short_way.refusal(head, problem)
            if not self.transport.is_closing():
                self._write(reply)

        def _write(self, reply: Reply) -> None:
            headers = self.server_state.default_headers + reply.headers
            if self._is_last and CLOSE not in headers:
                headers.append(CLOSE)
            self.transport.write(written(reply._replace(headers=headers)))
            self.server_state.total_requests += 1
            if CLOSE in headers:
                self.transport.close()
                return
            self._answering = None
            self._alarm.set(self.timeout_keep_alive)
            self.flow.resume_reading()
            if self._later:
                later, self._later = self._later, b""
                self.data_received(later)

        def _on_end(self, task: asyncio.Task[None]) -> None:
            self.tasks.discard(task)
            if self._answering is task:  # cancelled, perhaps before it began, or failed
                self.transport.close()

        def _why_cancelled(self) -> Problem | None:
            if self._is_late:
                return short_way.rules.too_slow()
            # A second Ctrl-C: this is all that there is time for.
            return STOPPED if short_way.rules.ending.is_near else None

        def _on_alarm(self) -> None:
            if self._answering is not None:
                self._is_late = True
                self._answering.cancel()
            elif self._begun:
                self._leave_to_parser(self._begun)
            else:
                self.timeout_keep_alive_handler()

    return Connection
