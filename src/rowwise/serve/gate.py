"""The gate that every request passes: who asks, how much, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from rowwise.serve.access import Hosts, has_token
from rowwise.serve.bodies import ClientGone, Message, Receive, read_body
from rowwise.serve.clock import Clock, TimeOver
from rowwise.serve.limits import Limits
from rowwise.serve.problems import Headers, Problem

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

# Every answer has these. The page's own rules on what it may load stand in the page.
SAFE_HEADERS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Gate:
    """Checks a request before the application sees it, and ends it when its time is over.

    Args:
        app: an application of ASGI; gets the body of a request in one piece.
        limits: on body and time.
        hosts: that requests may name.
        token: that every request must carry, or None.
        origins: of pages whose scripts may read the answers.
    """

    def __init__(
        self,
        app: App,
        limits: Limits,
        hosts: Hosts,
        token: str | None = None,
        origins: frozenset[str] = frozenset(),
        ending: "Ending | None" = None,
    ) -> None:
        self._app, self._limits, self._hosts = app, limits, hosts
        self._token, self._origins = token, origins
        self._ending = ending or Ending()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        answer = _Answer(send, self._more_headers(headers.get(b"origin")), self._ending)
        body: bytes | None = None
        try:
            with Clock(self._limits.seconds) as clock:
                if self._is_preflight(scope, headers):
                    self._check_host(scope)
                    return await answer.preflight()
                try:
                    self._check_host(scope)
                    self._check_token(scope, headers)
                finally:
                    # A refused request is read to its end, too, so that its answer can be read.
                    declared = headers.get(b"content-length")
                    body = await read_body(receive, self._limits.body_bytes, declared)
                clock.watch(receive)
                await self._app(_as_get(scope), _Body(body, receive), answer.send)
        except Problem as problem:
            await answer.problem(problem)
        except ClientGone:
            return None
        except asyncio.CancelledError:
            if not self._ending.is_near:
                raise
            # A second Ctrl-C: this is all that there is time for.
            await answer.problem(_STOPPED)
        except TimeOver:
            await answer.problem(self._too_slow(body))
        except Exception:
            await answer.problem(FAILED)
            raise  # whoever runs the application prints it
        return None

    def _check_host(self, scope: Scope) -> None:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            raise Problem(400, "bad-host", "A request has one Host header.")
        if not self._hosts.allows(given[0]):
            shown = given[0][:100].decode("ascii", "backslashreplace")
            raise Problem(
                421,
                "bad-host",
                f"This server does not answer to the host {shown!r}. If it is its own, start it "
                "with --allow-host, or allow_hosts= in Python.",
            )

    def _check_token(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        if self._token is None:
            return
        authorization = headers.get(b"authorization")
        # Within another application the path begins with the place that it gives to this one.
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if not has_token(self._token, authorization, path, scope["query_string"]):
            raise Problem(
                401,
                "no-token" if authorization is None else "wrong-token",
                "Every request must carry the token of this server, in the header "
                "'Authorization: Bearer TOKEN'; the page's address may end in /?token=TOKEN.",
                headers=[("www-authenticate", 'Bearer realm="rowwise"')],
            )

    def _is_preflight(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        """Whether a browser asks if a page of another origin may ask; that carries no token."""
        return (
            scope["method"] == "OPTIONS"
            and b"access-control-request-method" in headers
            and self._is_allowed(headers.get(b"origin"))
        )

    def _is_allowed(self, origin: bytes | None) -> bool:
        return origin is not None and origin.decode("latin-1").lower() in self._origins

    def _more_headers(self, origin: bytes | None) -> Headers:
        headers = SAFE_HEADERS
        if self._origins:
            headers = [*headers, (b"vary", b"origin")]
            if origin is not None and self._is_allowed(origin):
                headers.append((b"access-control-allow-origin", origin))
        return headers

    def _too_slow(self, body: bytes | None) -> Problem:
        seconds = self._limits.seconds
        if body is None:
            return Problem(
                408,
                "body-too-slow",
                f"The request did not come to its end within {seconds:g} seconds.",
                headers=[("connection", "close")],
            )
        return Problem(
            504, "too-slow", f"There was no answer within {seconds:g} seconds. Ask for less."
        )


def _as_get(scope: Scope) -> Scope:
    """HEAD as GET: the server leaves out the body of the answer."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


FAILED = Problem(
    500, "failed", "The server failed to answer. What happened is printed where it runs."
)
_STOPPED = Problem(503, "stopped", "The server was stopped before it could answer.")


class Ending:
    """Whether the server is about to stop: answers then say that the connection closes."""

    is_near = False


class _Answer:
    """The way out: adds headers to what an application sends."""

    def __init__(self, send: Send, headers: Headers, ending: Ending) -> None:
        self._send, self._headers, self._ending = send, headers, ending
        self._has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_begun = True
            headers = [*message.get("headers", ()), *self._headers]
            if self._ending.is_near:
                headers.append((b"connection", b"close"))
            message["headers"] = headers
        await self._send(message)

    async def problem(self, problem: Problem) -> None:
        if self._has_begun:
            return  # the server sees that the answer has no end, and closes the connection
        await self._whole(problem.status, problem.raw_headers(), problem.body())

    async def preflight(self) -> None:
        allowed = [
            (b"access-control-allow-methods", b"GET, POST"),
            (b"access-control-allow-headers", b"authorization, content-type"),
            (b"access-control-max-age", b"600"),
        ]
        await self._whole(204, allowed, b"")

    async def _whole(self, status: int, headers: Headers, body: bytes) -> None:
        start: Message = {"type": "http.response.start", "status": status, "headers": headers}
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


class _Body:
    """``receive`` for an application: the body in one piece, then whatever comes."""

    def __init__(self, body: bytes, further: Receive) -> None:
        self._body: bytes | None = body
        self._further = further

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._further()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
