"""Requests and answers as they stand on the wire: RFC 9112, in its plainest form."""

import re
from functools import lru_cache
from typing import NamedTuple

from rowwise.serve.problems import Headers, title_of

# A longer head is left to the server's parser.
_HEAD_BYTES = 4_096

# Nothing here has a second reading: whatever is rare, old or odd is left to the server's parser.
_POST = re.compile(
    rb"POST (/[a-z]*+) HTTP/1\.1(?:\r\n[A-Za-z0-9-]++:[ \t]*+(?:[!-~](?:[ -~]*[!-~])?)?)++"
)

# Headers by which a request, or its connection, is more than a head and a body.
_NOT_PLAIN = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"proxy-connection"})


class Head(NamedTuple):
    """The head of a POST whose body has a length."""

    path: str
    headers: dict[bytes, bytes]
    """By their names in lower case; none is there twice."""
    length: int
    """Bytes of the body."""


class Reply(NamedTuple):
    """An answer, without the headers that the connection adds."""

    status: int
    headers: Headers
    body: bytes


def plain_post(data: bytes) -> tuple[Head, bytes] | None:
    """The head of the POST that ``data`` begins with, and what follows it.

    None where ``data`` begins with something else, or with a request that only a whole parser of
    HTTP reads: the head is not there to its end, is long, has a header twice or one that changes
    how a request is read or a connection goes on.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end or len(head) > _HEAD_BYTES:
        return None
    found = _head(head)
    return None if found is None else (found, rest)


# A client's requests have the same few heads. They are kept as they came, with the token that is
# among them.
@lru_cache(maxsize=256)
def _head(head: bytes) -> Head | None:
    matched = _POST.fullmatch(head)
    if matched is None:
        return None
    headers: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in headers or name in _NOT_PLAIN:
            return None
        headers[name] = value.strip(b" \t")
    length = headers.get(b"content-length", b"")
    if not length.isdigit() or len(length) > 18:
        return None
    if headers.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    return Head(matched[1].decode(), headers, int(length))


def written(reply: Reply) -> bytes:
    """An answer as it is sent."""
    lines = [b"%b: %b" % header for header in reply.headers]
    return b"\r\n".join((_first_line(reply.status), *lines, b"", reply.body))


@lru_cache
def _first_line(status: int) -> bytes:
    return b"HTTP/1.1 %d %b" % (status, title_of(status).encode())
