"""Running a server until it is told to stop."""

import asyncio
import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any

from rowwise.errors import MissingExtraError
from rowwise.serve.addresses import address_of, check_reach, listen
from rowwise.serve.app import Checks, make_app
from rowwise.serve.connection import connection
from rowwise.serve.limits import Limits

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Told to stop, a server still takes requests for so many seconds, and says in each answer that
# the connection closes: so clients that keep theirs open learn of it before they ask again.
LAST_CALL = 0.3

# Seconds after which a thread of Python that computes lets another one run. The usual 5 ms are
# what every step of a search would wait for while requests are read.
SWITCH_INTERVAL = 0.0005

# New objects after which Python looks for garbage among them. The usual 700 are those of some ten
# requests that wait.
YOUNG_OBJECTS = 20_000


def run(
    model: Any,
    listener: socket.socket | None = None,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    token: str | None = None,
    allow_hosts: Iterable[str] = (),
    cors: Iterable[str] = (),
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM comes; then finish what was asked, and return.

    Args:
        model: ``Vectors``, or a fitted ``TextClassifier``.
        listener: of ``listen``; by default port 8000 of 127.0.0.1.
        name: see ``create_app``.
        limits: see ``create_app``.
        token: see ``create_app``; needed where other machines can reach the listener.
        allow_hosts: see ``create_app``; the listener's own address need not be named.
        cors: see ``create_app``.
        ready: called with the server's address when it answers.

    Raises:
        InvalidArgumentError: an argument makes no sense, the address is taken, or a token is
            missing.
        MissingExtraError: FastAPI, uvicorn or httptools is not installed.
        KeyboardInterrupt: a second SIGINT came while the server was finishing.
    """
    try:
        import httptools  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("A server", error.name or "uvicorn", "explore") from error
    with listen(token=token) if listener is None else listener as bound:
        host = bound.getsockname()[0]
        check_reach(host, token)
        checks = Checks(token, tuple(allow_hosts), tuple(cors), host)
        app, short_way = make_app(model, name, limits, checks)
        rules = short_way.rules
        config = uvicorn.Config(
            app,
            http=connection(short_way),
            # uvicorn's own lines would show the address of the page, and in it the token.
            log_config=None,
            access_log=False,
            log_level="error",
            ws="none",
            lifespan="on",
            proxy_headers=False,
            server_header=False,
            # Every request has an end of its own, so this is for what hangs all the same.
            timeout_graceful_shutdown=ceil(rules.limits.seconds) + 5,
        )
        address = address_of(bound)

        class Server(uvicorn.Server):
            """Stops with its answers told and its exit code 0."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                # What has been loaded stays. Looking through all of it for garbage, again and
                # again, would keep everybody waiting for some 50 ms each time. And the requests
                # of one batch are looked through less often than several times each.
                gc.collect()
                gc.freeze()
                if threshold[0]:  # else somebody has switched it off
                    gc.set_threshold(max(threshold[0], YOUNG_OBJECTS), *threshold[1:])
                if ready is not None:
                    ready(address)

            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                rules.ending.is_near = True
                await asyncio.sleep(LAST_CALL)
                await super().shutdown(sockets)

            @contextmanager
            def capture_signals(self) -> Iterator[None]:
                if threading.current_thread() is not threading.main_thread():
                    yield  # where Python lets no one wait for signals
                    return
                before = {each: signal.signal(each, self.handle_exit) for each in _SIGNALS}
                try:
                    yield
                finally:
                    for each, handler in before.items():
                        signal.signal(each, handler)

        server = Server(config)
        interval, threshold = sys.getswitchinterval(), gc.get_threshold()
        sys.setswitchinterval(SWITCH_INTERVAL)
        try:
            server.run(sockets=[bound])
        finally:
            sys.setswitchinterval(interval)
            gc.set_threshold(*threshold)
            gc.unfreeze()
        if server.force_exit:
            raise KeyboardInterrupt
