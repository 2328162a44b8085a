"""An application answers the same with and without FastAPI's routes."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.testclient import TestClient

from rowwise import TextClassifier, Vectors
from rowwise.serve import Limits, create_app
from rowwise.serve.direct import Direct

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/neighbors", '{"words": ["good", "film"], "k": 3}', JSON),
        ("/neighbors", '{"words": ["good"]}', {"Content-Type": "application/json; charset=utf-8"}),
        ("/neighbors", '{"words": ["good"]}', {"Content-Type": "text/plain"}),
        ("/neighbors", '{"words": ["good"]}', {}),
        ("/neighbors", '{"words": ["nowhere"]}', JSON),
        ("/neighbors", '{"words": []}', JSON),
        ("/neighbors", "no JSON", JSON),
        ("/neighbors", " " * 2_000, JSON),
        ("/neighbors", '{"words": ["good"]}', {**JSON, "Origin": "https://words.example.org"}),
        ("/neighbors", '{"words": ["good"]}', {**JSON, "Host": "evil.example.org"}),
        ("/analogy", '{"formula": "good - bad + film"}', JSON),
        ("/analogy", '{"formula": "good -"}', JSON),
        ("/embed", '{"words": ["good"]}', JSON),
        ("/predict", '{"texts": ["good film"], "explain": true}', JSON),
        ("/info", "{}", JSON),
        ("/nothing", "{}", JSON),
    ],
)
def test_an_endpoint_answers_as_the_application(
    path: str, body: str, headers: dict[str, str], classifier: TextClassifier
) -> None:
    # Below another application Starlette looks for the route.
    options: Any = {"limits": Limits(body_bytes=1_000), "cors": ["https://words.example.org"]}
    direct = TestClient(create_app(classifier, **options), base_url="http://localhost")
    mounted = Starlette(routes=[Mount("/at", create_app(classifier, **options))])
    below = TestClient(mounted, base_url="http://localhost")
    one, other = (
        client.post(url, content=body, headers=headers)
        for client, url in ((direct, path), (below, f"/at{path}"))
    )
    assert (one.status_code, one.headers, one.content) == (
        other.status_code,
        other.headers,
        other.content,
    )


@pytest.mark.parametrize(
    ("scope", "is_direct"),
    [
        ({"type": "http", "method": "POST", "path": "/neighbors"}, True),
        ({"type": "http", "method": "POST", "path": "/neighbors", "root_path": ""}, True),
        ({"type": "http", "method": "POST", "path": "/neighbors", "root_path": "/x"}, False),
        ({"type": "http", "method": "POST", "path": "/neighbors/"}, False),
        ({"type": "http", "method": "GET", "path": "/neighbors"}, False),
        ({"type": "lifespan"}, False),
    ],
)
def test_every_other_request_goes_to_the_application(
    scope: dict[str, Any], is_direct: bool
) -> None:
    taken: list[str] = []

    async def application(*_: Any) -> None:
        taken.append("application")

    async def answer(*_: Any) -> None:
        taken.append("endpoint")

    asyncio.run(Direct(application, {"/neighbors": answer})(scope, None, None))  # type: ignore[arg-type]
    assert taken == ["endpoint" if is_direct else "application"]


def test_what_goes_wrong_inside_is_told_by_the_gate(vectors: Vectors, monkeypatch: Any) -> None:
    from rowwise.serve import routes

    def fail(*_: Any) -> None:
        raise RuntimeError("a mistake in here")

    monkeypatch.setattr(routes, "parse", fail)
    app = create_app(vectors)
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    answer = client.post("/neighbors", json={"words": ["king"]})
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "a mistake" not in answer.text


def test_middleware_of_ones_own_sees_every_request(vectors: Vectors) -> None:
    app = create_app(vectors)

    @app.middleware("http")
    async def with_key(request: Any, call_next: Any) -> Any:
        if request.headers.get("x-key") != "open":
            return Response(status_code=403)
        return await call_next(request)

    with TestClient(app, base_url="http://localhost") as client:
        asked = {"words": ["king"], "k": 1}
        assert client.post("/neighbors", json=asked).status_code == 403
        answer = client.post("/neighbors", json=asked, headers={"x-key": "open"})
        assert answer.json()["results"][0]["word"] == "king"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.post("/neighbors", json={}, headers={"x-key": "open"}).status_code == 422


def test_endpoints_are_behind_the_gate(vectors: Vectors) -> None:
    token = "0123456789abcdef"
    app = create_app(vectors, token=token, cors=["https://words.example.org"])
    client = TestClient(app, base_url="http://localhost")
    asked = {"words": ["king"], "k": 1}
    assert client.post("/neighbors", json=asked).status_code == 401
    headers = {"authorization": f"Bearer {token}", "origin": "https://words.example.org"}
    answer = client.post("/neighbors", json=asked, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == headers["origin"]
    assert client.post("/neighbors", json=asked, headers={**headers, "host": "a.org"}).is_error
