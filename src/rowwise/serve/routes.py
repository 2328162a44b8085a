"""The endpoints: each reads a request, asks whoever answers it, and writes what comes back."""

from collections.abc import Awaitable, Callable
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from rowwise.errors import RowwiseError
from rowwise.serve import messages
from rowwise.serve.documents import described
from rowwise.serve.explorer import Explorer
from rowwise.serve.parsing import parse
from rowwise.serve.predictions import Texts
from rowwise.serve.problems import field_problem
from rowwise.serve.rows import Lookup
from rowwise.serve.search import Direction, Nearest
from rowwise.serve.served import Served
from rowwise.serve.short_way import Answer
from rowwise.serve.turns import turns
from rowwise.text.wording import counted
from rowwise.vectors.formulas import parse_formula


def add_routes(app: FastAPI, served: Served) -> dict[str, Answer]:
    """Give ``app`` its endpoints, and return those that take POST, by their paths."""
    app.router.route_class = _Route
    endpoints = _Endpoints(served)
    asked = messages.requests(served.limits)
    answers: dict[str, type[BaseModel]] = {
        "/neighbors": messages.NeighborsAnswer,
        "/analogy": messages.AnalogyAnswer,
        "/predict": messages.PredictAnswer,
        "/embed": messages.EmbedAnswer,
    }
    found: dict[str, Answer] = {}
    for path, answer in answers.items():
        name = path.removeprefix("/")
        takes = asked[path] if path in served.paths else None
        found[path] = getattr(endpoints, name)
        app.add_api_route(
            path,
            _of_request(found[path]),
            methods=["POST"],
            operation_id=name,
            include_in_schema=takes is not None,
            **described(answer, takes),
        )
    gets: dict[str, type[BaseModel]] = {
        "/info": messages.InfoAnswer,
        "/health": messages.HealthAnswer,
    }
    for path, answer in gets.items():
        name = path.removeprefix("/")
        app.add_api_route(path, getattr(endpoints, name), operation_id=name, **described(answer))
    app.add_api_route("/", endpoints.page, response_class=HTMLResponse, include_in_schema=False)
    return found


class _Route(APIRoute):
    """An endpoint that reads its request itself, and is documented as every one of FastAPI.

    What FastAPI does between a request and a function is not needed here, and takes longer than
    the function.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(Request(scope, receive))
            await response(scope, receive, send)

        self.app = answer


def _of_request(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """What takes a body and its type, as FastAPI has an endpoint."""

    async def endpoint(request: Request) -> Response:
        body: bytes = (await request.receive())["body"]  # in one piece, by the gate
        found = await answer(body, request.headers.get("content-type", ""))
        return Response(found, media_type="application/json")

    endpoint.__name__, endpoint.__doc__ = answer.__name__, answer.__doc__
    return endpoint


class _Endpoints:
    """What is done for each path; FastAPI shows the docstrings in the OpenAPI document.

    Those for POST take the body of a request and its Content-Type, and return the JSON of their
    answer.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._asked = messages.requests(served.limits)
        self._explorer = Explorer(served)

    async def neighbors(self, body: bytes, kind: str) -> bytes:
        """The words whose rows are nearest to each word's row, by the cosine."""
        asked = self._read("/neighbors", body, kind)
        directions = tuple(
            Direction((word,), (), f"#/words/{number}") for number, word in enumerate(asked.words)
        )
        found: list[str] = []
        for part in turns(asked.words):
            question = Nearest(directions[part], asked.k)
            found += await self._served.batcher.ask(self._served.search, question)
        results = ",".join(
            f'{{"word":{quoted(word)},"neighbors":{neighbors}}}'
            for word, neighbors in zip(asked.words, found, strict=True)
        )
        return f'{{"results":[{results}]}}'.encode()

    async def analogy(self, body: bytes, kind: str) -> bytes:
        """The words nearest to a sum of words: ``king - man + woman``."""
        asked = self._read("/analogy", body, kind)
        try:
            added, taken = parse_formula(asked.formula)
        except RowwiseError as error:
            raise field_problem("bad-formula", "#/formula", str(error)) from None
        direction = Direction(tuple(added), tuple(taken), "#/formula")
        found = await self._served.batcher.ask(self._served.search, Nearest((direction,), asked.k))
        return f'{{"formula":{quoted(asked.formula)},"neighbors":{found[0]}}}'.encode()

    async def predict(self, body: bytes, kind: str) -> bytes:
        """The label of each text and, if asked for, each word's share in the decision."""
        served = self._served
        predictions = served.predictions  # before the body is looked at: vectors have none
        asked = self._read("/predict", body, kind)
        texts = tuple(asked.texts)
        if not asked.explain:
            return _predictions([await served.batcher.ask(predictions, Texts(texts))])
        if len(asked.texts) > served.limits.explained:
            raise field_problem(
                "bad-field",
                "#/texts",
                f"At most {counted(served.limits.explained, 'text')} can be explained at once. "
                f"Received {len(asked.texts):,}.",
            )
        found = [
            await served.batcher.ask(served.explanations, Texts(texts[part]))
            for part in turns(texts)
        ]
        return _predictions(found)

    async def embed(self, body: bytes, kind: str) -> bytes:
        """The row of each word."""
        asked = self._read("/embed", body, kind)
        served, words = self._served, tuple(asked.words)
        rows = [
            await served.batcher.ask(served.rows, Lookup(words[part], asked.oov, part.start))
            for part in turns(words)
        ]
        columns = served.vectors.dimension
        return b'{"columns":%d,"rows":[%b]}' % (columns, b",".join(rows))

    async def info(self, request: Request) -> Response:
        """What is served, and what one request may ask."""
        return JSONResponse(self._served.info())

    async def health(self, request: Request) -> Response:
        """That the server answers."""
        return JSONResponse({"status": "ok"})

    async def page(self, request: Request) -> Response:
        """The live explorer."""
        return HTMLResponse(await self._explorer.page())

    def _read(self, path: str, body: bytes, kind: str) -> Any:
        return parse(self._asked[path], body, kind)


def _predictions(parts: list[bytes]) -> bytes:
    return b'{"predictions":[%b]}' % b",".join(parts)
