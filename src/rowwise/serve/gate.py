"""The gate that every request to the application passes: who asks, how much, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from rowwise.serve.bodies import ClientGone, Message, Receive, read_body
from rowwise.serve.clock import Clock, TimeOver
from rowwise.serve.problems import Headers, Problem
from rowwise.serve.rules import FAILED, STOPPED, Rules

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Gate:
    """Checks a request before the application sees it, and ends it when its time is over.

    Args:
        app: an application of ASGI; gets the body of a request in one piece.
        rules: that requests must keep to.
    """

    def __init__(self, app: App, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        rules, headers = self._rules, dict(scope["headers"])
        answer = _Answer(send, rules, headers.get(b"origin"))
        body: bytes | None = None
        try:
            with Clock(rules.limits.seconds) as clock:
                if self._is_preflight(scope, headers):
                    self._check_host(scope)
                    return await answer.preflight()
                try:
                    self._check_host(scope)
                    # Within another application the path begins with its place in that one.
                    path = scope["path"].removeprefix(scope.get("root_path", ""))
                    authorization = headers.get(b"authorization")
                    rules.check_token(authorization, path, scope["query_string"])
                finally:
                    # A refused request is read to its end, too, so that its answer can be read.
                    declared = headers.get(b"content-length")
                    body = await read_body(receive, rules.limits.body_bytes, declared)
                clock.watch(receive)
                await self._app(_as_get(scope), _Body(body, receive), answer.send)
        except Problem as problem:
            await answer.problem(problem)
        except ClientGone:
            return None
        except asyncio.CancelledError:
            if not rules.ending.is_near:
                raise
            # A second Ctrl-C: this is all that there is time for.
            await answer.problem(STOPPED)
        except TimeOver:
            await answer.problem(rules.body_too_slow() if body is None else rules.too_slow())
        except Exception:
            await answer.problem(FAILED)
            raise  # whoever runs the application prints it
        return None

    def _check_host(self, scope: Scope) -> None:
        self._rules.check_host([value for name, value in scope["headers"] if name == b"host"])

    def _is_preflight(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        """Whether a browser asks if a page of another origin may ask; that carries no token."""
        return (
            scope["method"] == "OPTIONS"
            and b"access-control-request-method" in headers
            and self._rules.allows_origin(headers.get(b"origin"))
        )


def _as_get(scope: Scope) -> Scope:
    """HEAD as GET: the server leaves out the body of the answer."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


class _Answer:
    """The way out: adds headers to what an application sends."""

    def __init__(self, send: Send, rules: Rules, origin: bytes | None) -> None:
        self._send, self._rules, self._origin = send, rules, origin
        self._has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_begun = True
            headers = self._rules.headers_for(self._origin)
            message["headers"] = [*message.get("headers", ()), *headers]
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
