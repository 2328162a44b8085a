"""What every request must keep to, and what every answer carries."""

from rowwise.serve.access import Hosts, has_token
from rowwise.serve.limits import Limits
from rowwise.serve.problems import Headers, Problem

# Every answer has these. The page's own rules on what it may load stand in the page.
SAFE_HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]

FAILED = Problem(
    500, "failed", "The server failed to answer. What happened is printed where it runs."
)
STOPPED = Problem(503, "stopped", "The server was stopped before it could answer.")


# Says that the connection has no further answer.
CLOSE = (b"connection", b"close")


class Ending:
    """Whether the server is about to stop: answers then say that the connection closes."""

    is_near = False


class Rules:
    """What requests are checked for, and the headers of their answers.

    Args:
        limits: on body and time.
        hosts: that requests may name.
        token: that every request must carry, or None.
        origins: of pages whose scripts may read the answers.

    Attributes:
        limits: as given.
        ending: says when the server is about to stop.
    """

    def __init__(
        self,
        limits: Limits,
        hosts: Hosts,
        token: str | None = None,
        origins: frozenset[str] = frozenset(),
    ) -> None:
        self.limits = limits
        self._hosts, self._token, self._origins = hosts, token, origins
        self.ending = Ending()

    def check_host(self, named: list[bytes]) -> None:
        """Raise a Problem unless the Host headers of a request are one, which is allowed."""
        if len(named) != 1:
            raise Problem(400, "bad-host", "A request has one Host header.")
        if not self._hosts.allows(named[0]):
            shown = named[0][:100].decode("ascii", "backslashreplace")
            raise Problem(
                421,
                "bad-host",
                f"This server does not answer to the host {shown!r}. If it is its own, start it "
                "with --allow-host, or allow_hosts= in Python.",
            )

    def check_token(self, authorization: bytes | None, path: str, query: bytes) -> None:
        """Raise a Problem unless a request carries the token, if there is one."""
        if self._token is None or has_token(self._token, authorization, path, query):
            return
        raise Problem(
            401,
            "no-token" if authorization is None else "wrong-token",
            "Every request must carry the token of this server, in the header "
            "'Authorization: Bearer TOKEN'; the page's address may end in /?token=TOKEN.",
            headers=[("www-authenticate", 'Bearer realm="rowwise"')],
        )

    def allows_origin(self, origin: bytes | None) -> bool:
        """Whether a page of this origin may read answers."""
        return origin is not None and origin.decode("latin-1").lower() in self._origins

    def headers_for(self, origin: bytes | None) -> Headers:
        """The headers that an answer has besides its own, for a request from this origin."""
        headers = SAFE_HEADERS
        if self._origins:
            headers = [*headers, (b"vary", b"origin")]
            if origin is not None and self.allows_origin(origin):
                headers.append((b"access-control-allow-origin", origin))
        if self.ending.is_near:
            headers = [*headers, CLOSE]
        return headers

    def too_slow(self) -> Problem:
        """The problem with a question whose answer took too long."""
        return Problem(
            504,
            "too-slow",
            f"There was no answer within {self.limits.seconds:g} seconds. Ask for less.",
        )

    def body_too_slow(self) -> Problem:
        """The problem with a request that did not come to its end."""
        return Problem(
            408,
            "body-too-slow",
            f"The request did not come to its end within {self.limits.seconds:g} seconds.",
            headers=[("connection", "close")],
        )
