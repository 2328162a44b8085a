"""The address that a server listens on."""

import socket
from contextlib import suppress
from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.serve.access import check_token, is_loopback

HOST = "127.0.0.1"
PORT = 8000
# Connections that may wait to be taken.
_BACKLOG = 1024


def listen(host: str = HOST, port: int = PORT, *, token: str | None = None) -> socket.socket:
    """Begin to listen, for ``run``; connections wait until it takes them.

    Args:
        host: a name or an address of this machine. Other machines reach only what is not of its
            loopback, and that takes a token.
        port: 0 for any that is free.
        token: that requests will have to carry.

    Raises:
        InvalidArgumentError: there is no such address here, the port is taken, the token can be
            none, or the address can be reached from outside and there is no token.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise InvalidArgumentError(f"A port is a number from 0 to 65535. Received: {port!r}.")
    if token is not None:
        check_token(token)
    family, address = _look_up(host, port)
    check_reach(address[0], token)
    # With its protocol said: only then asyncio sends at once what is written (TCP_NODELAY), and
    # an answer whose head and body are written one after the other would wait 40 ms between.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Without it a port is taken for a minute after a server has stopped.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidArgumentError(
            f"Cannot listen on port {port} of {host!r}: {error.strerror or error}. Choose another "
            "port, 0 for any that is free, or another host."
        ) from error
    return listener


def check_reach(address: str, token: str | None) -> None:
    """Raise an InvalidArgumentError if others can reach ``address`` and there is no token."""
    if token is None and not is_loopback(address):
        raise InvalidArgumentError(
            f"Other machines can reach {address}, so requests to it must carry a token: set "
            "ROWWISE_TOKEN, or give --token-file FILE or --new-token (token= in Python). Only this "
            "machine reaches 127.0.0.1."
        )


def address_of(listener: socket.socket) -> str:
    """The address of HTTP that a listening socket is reached by: ``http://127.0.0.1:8000/``."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _look_up(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidArgumentError(
            f"There is no host {host!r} ({reason}). Give a name or an address of this machine."
        ) from error
    # Of a name that has both, the address of IPv4, which every client can reach.
    found.sort(key=lambda each: each[0] != socket.AF_INET)
    return found[0][0], found[0][4]
