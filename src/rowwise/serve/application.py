"""The application, put together; loaded when FastAPI is known to be there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from rowwise import __version__
from rowwise.serve.direct import Direct
from rowwise.serve.documents import openapi_of
from rowwise.serve.gate import Gate
from rowwise.serve.problems import MEDIA_TYPE, Problem
from rowwise.serve.routes import add_routes
from rowwise.serve.rules import FAILED, SAFE_HEADERS, Rules
from rowwise.serve.served import Served
from rowwise.serve.short_way import ShortWay


def build(served: Served, rules: Rules, has_token: bool) -> tuple[FastAPI, ShortWay]:
    """The application for what is served, see ``create_app``, and a short way to its endpoints."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        served.batcher.open()
        warming = asyncio.create_task(served.batcher.ask(_WarmUp(), served))
        try:
            yield
        except asyncio.CancelledError:
            if not rules.ending.is_near:
                raise
            return  # a second Ctrl-C: nothing is waited for
        warming.cancel()
        await asyncio.to_thread(served.batcher.close)

    app = FastAPI(
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
    # What is added last comes first.
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    posts = {route.path: route.app for route in routes if route.path in answers}
    app.add_middleware(Direct, answers=posts)
    app.add_middleware(Gate, rules=rules)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_of(app, has_token)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app, ShortWay(answers, rules)


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
