"""The application, put together; loaded when FastAPI is known to be there."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from rowwise import __version__
from rowwise.serve.access import Hosts
from rowwise.serve.bodies import Receive
from rowwise.serve.direct import Direct
from rowwise.serve.documents import openapi_of
from rowwise.serve.gate import FAILED, SAFE_HEADERS, App, Ending, Gate, Scope, Send
from rowwise.serve.problems import MEDIA_TYPE, Problem
from rowwise.serve.routes import add_routes
from rowwise.serve.served import Served


def build(
    served: Served, hosts: Hosts, token: str | None, origins: frozenset[str], ending: Ending
) -> FastAPI:
    """The application for what is served, see ``create_app``."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        served.batcher.open()
        warming = asyncio.create_task(served.batcher.ask(_WarmUp(), served))
        try:
            yield
        except asyncio.CancelledError:
            if not ending.is_near:
                raise
            return  # a second Ctrl-C: nothing is waited for
        warming.cancel()
        await asyncio.to_thread(served.batcher.close)

    app = _Application(
        title="rowwise",
        description=f"Questions about {served.name}.",
        version=__version__,
        # FastAPI's own pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        exception_handlers={
            Problem: _as_answer,
            HTTPException: _as_problem,
            Exception: _as_failure,
        },
    )
    answers = add_routes(app, served)
    checks = (served.limits, hosts, token, origins, ending)
    # What is added last comes first.
    app.add_middleware(Direct, answers=answers)
    app.add_middleware(Gate, *checks)
    app.begin_short_way(answers, checks)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_of(app, token is not None)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


class _Application(FastAPI):
    """FastAPI, with a way past what it puts around all middleware, which takes as long as the gate.

    It is for requests that are answered directly, as long as nobody adds middleware of their own.
    """

    def begin_short_way(self, answers: Mapping[str, App], checks: tuple[Any, ...]) -> None:
        """Answer these directly from now on, each behind a gate with these checks."""
        gated = {path: Gate(answer, *checks) for path, answer in answers.items()}
        self._long_way = super().__call__
        self._short_way = Direct(self._long_way, gated)
        self._own = len(self.user_middleware)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_plain = len(self.user_middleware) == self._own and not self.root_path
        await (self._short_way if is_plain else self._long_way)(scope, receive, send)


class _WarmUp:
    """A question for the thread of the batcher: do now what first answers would wait for."""

    most = 1

    def cost(self, question: Served) -> int:
        return 1

    def answer(self, questions: Sequence[Served]) -> list[Exception | None]:
        for served in questions:
            served.warm_up()
        return [None for _ in questions]


async def _as_answer(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    headers = dict(error.headers)
    return Response(error.body(), error.status, headers, media_type=MEDIA_TYPE)


async def _as_problem(request: Request, error: Exception) -> Response:
    """What Starlette raises: no such path, another method."""
    assert isinstance(error, HTTPException)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if headers.get("allow") == "GET":
        headers["allow"] = "GET, HEAD"
    allowed = headers.get("allow")
    detail = {
        404: "There is nothing at this path. /openapi.json says what can be asked.",
        405: f"This path takes {allowed}.",
    }.get(error.status_code, str(error.detail))
    code = {404: "no-such-path", 405: "wrong-method"}.get(error.status_code, "bad-request")
    problem = Problem(error.status_code, code, detail, headers=headers.items())
    return await _as_answer(request, problem)


async def _as_failure(request: Request, error: Exception) -> Response:
    """A mistake in middleware of others; what goes wrong behind the gate is told by the gate."""
    del error
    safe = [(name.decode(), value.decode()) for name, value in SAFE_HEADERS]
    return await _as_answer(request, Problem(500, FAILED.code, FAILED.detail, headers=safe))
