"""Reading the body of a request, and no more of it than is allowed."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from rowwise.serve.problems import Problem
from rowwise.text.wording import counted

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

# So many times the limit is read and thrown away, so that whoever still writes gets to read the
# answer in place of a broken connection.
READ_ANYWAY = 16


class ClientGone(Exception):
    """The client closed the connection: nobody waits for an answer."""


async def read_body(receive: Receive, limit: int, declared: bytes | None) -> bytes:
    """The body of a request.

    Args:
        receive: of ASGI.
        limit: bytes at most.
        declared: the header Content-Length.

    Raises:
        Problem: the body is longer than the limit.
        ClientGone: the connection was closed before its end.
    """
    message = await _next(receive) if not _exceeds(declared, limit) else None
    if message is not None and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) <= limit:
            return body
        raise too_large(limit)
    parts, size = [], 0
    while message is not None:
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            break
        if not message.get("more_body"):
            return b"".join(parts)
        message = await _next(receive)
    if not _exceeds(declared, READ_ANYWAY * limit):
        await _throw_away(receive, READ_ANYWAY * limit, message)
    raise too_large(limit)


def too_large(limit: int) -> Problem:
    """The problem with a body of more than ``limit`` bytes."""
    return Problem(
        413,
        "body-too-large",
        f"The body of a request has at most {counted(limit, 'byte')}. Send fewer words or "
        "texts at once.",
        headers=[("connection", "close")],
    )


def _exceeds(declared: bytes | None, limit: int) -> bool:
    # A length of very many digits is not even read as a number.
    return declared is not None and (len(declared) > 18 or int(declared or b"0") > limit)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


async def _throw_away(receive: Receive, most: int, last: Message | None) -> None:
    size = 0
    while size <= most and (last is None or last.get("more_body")):
        last = await _next(receive)
        size += len(last.get("body", b""))
