"""A connection on which plain requests are answered the short way."""

import asyncio
from typing import Any

from rowwise.serve.heads import guarded
from rowwise.serve.short_way import ShortWay
from rowwise.serve.wire import Head, Reply, plain_post, written

# Seconds in which the body has to follow its head, where a client sends them one after the other,
# for the short way. One that comes later is read by the server's parser, and waited for there.
PATIENCE = 0.05


def connection(short_way: ShortWay, seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's protocol for a connection, with limits on heads, and with a short way.

    Args:
        short_way: answers what it takes.
        seconds: in which the head of a request has to come.
    """
    base: Any = guarded(seconds)

    class Connection(base):
        """Reads plain requests by itself, and leaves all others to uvicorn."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # Whether uvicorn's parser stands between two requests.
            self._is_between = True
            # A plain request without the end of its body, and how long that is waited for.
            self._begun = b""
            self._patience: asyncio.TimerHandle | None = None
            # Answers the request that is there, while what comes after it is kept.
            self._answering: asyncio.Task[None] | None = None
            self._later = b""
            self._is_last = False

        def data_received(self, data: bytes) -> None:
            if self._answering is not None:
                self._later += data
                self.flow.pause_reading()
            elif self._is_free():
                self._read(self._begun + data)
            else:
                super().data_received(data)

        def on_message_begin(self) -> None:
            self._is_between = False
            super().on_message_begin()

        def on_message_complete(self) -> None:
            self._is_between = True
            super().on_message_complete()

        def shutdown(self) -> None:
            self._leave_to_parser(self._begun)
            if self._answering is None:
                super().shutdown()
            else:
                self._is_last = True

        def connection_lost(self, exc: Exception | None) -> None:
            self._begun = b""
            self._stop_patience()
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
            if len(body) == head.length:
                return self._answer(head, body)
            self._begun = data
            if self._patience is None:
                self._patience = self.loop.call_later(PATIENCE, self._on_patience_over)
            return None

        def _on_patience_over(self) -> None:
            self._leave_to_parser(self._begun)

        def _leave_to_parser(self, data: bytes) -> None:
            self._begun = b""
            self._stop_patience()
            if data:
                super().data_received(data)

        def _stop_patience(self) -> None:
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

        def _answer(self, head: Head, body: bytes) -> None:
            self._begun = b""
            self._stop_patience()
            self._answering = task = self.loop.create_task(self._tell_answer(head, body))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

        async def _tell_answer(self, head: Head, body: bytes) -> None:
            try:
                reply = await short_way.answer(head, body)
            finally:
                self._answering = None
            if self.transport.is_closing():
                return
            is_last = self._is_last or (b"connection", b"close") in reply.headers
            headers = self.server_state.default_headers + reply.headers
            if is_last and (b"connection", b"close") not in reply.headers:
                headers.append((b"connection", b"close"))
            self.transport.write(written(Reply(reply.status, headers, reply.body)))
            if is_last:
                self.transport.close()
            self.on_response_complete()
            if self._later and not self.transport.is_closing():
                later, self._later = self._later, b""
                self.data_received(later)

    return Connection
