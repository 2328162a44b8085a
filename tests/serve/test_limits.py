"""Too much, too long, too many: what is beyond a limit is an error, and the server goes on."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from rowwise import TextClassifier, Vectors
from rowwise.errors import InvalidArgumentError
from rowwise.serve import Limits, create_app
from rowwise.serve.batching import Batcher
from rowwise.serve.problems import Problem
from rowwise.serve.turns import CHARACTERS, turns

ASKED = {"words": ["king"]}


class Slow:
    """Makes a search wait until it is let go."""

    def __init__(self, monkeypatch: Any) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self.sizes: list[int] = []
        from rowwise.serve import search

        quick = search.best_rows

        def slow(rows: Any, norms: Any, objective: Any, *others: Any) -> Any:
            self.sizes.append(objective.queries)
            self.begun.set()
            assert self.go.wait(10)
            return quick(rows, norms, objective, *others)

        monkeypatch.setattr(search, "best_rows", slow)

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 10)


@pytest.fixture
def slow(monkeypatch: Any) -> Iterator[Slow]:
    made = Slow(monkeypatch)
    yield made
    made.go.set()


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.mark.parametrize("extra", [0, 1, 5_000, 100_000])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_has_a_limit_with_and_without_a_length(
    vectors: Vectors, extra: int, is_chunked: bool
) -> None:
    body = b'{"words": ["king"]}'
    body += b" " * (1_000 - len(body) + extra)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 300):
            yield body[start : start + 300]

    async def ask() -> httpx.Response:
        async with client_of(create_app(vectors, limits=Limits(body_bytes=1_000))) as client:
            content = chunks() if is_chunked else body
            headers = {"content-type": "application/json"}
            return await client.post("/neighbors", content=content, headers=headers)

    answer = asyncio.run(ask())
    assert answer.status_code == (413 if extra else 200)
    if extra:
        assert answer.json()["code"] == "body-too-large"
        assert "1,000 bytes" in answer.json()["detail"]


@pytest.mark.parametrize("declared", ["1001", "9" * 100, "10_000"])
def test_a_declared_length_is_believed(vectors: Vectors, declared: str) -> None:
    async def ask() -> int:
        app = create_app(vectors, limits=Limits(body_bytes=1_000))
        statuses = []
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/neighbors",
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"content-length", declared.encode())],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"x" * 100, "more_body": False}

        async def send(message: Any) -> None:
            statuses.append(message.get("status"))

        await app(scope, receive, send)
        return int(statuses[0])

    assert asyncio.run(ask()) == 413


def test_a_body_that_does_not_come_is_not_waited_for(vectors: Vectors) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b'{"words": '
        await asyncio.sleep(30)

    async def ask() -> httpx.Response:
        async with client_of(create_app(vectors, limits=Limits(seconds=0.1))) as client:
            return await client.post("/neighbors", content=never())

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (408, "body-too-slow")


def test_an_answer_that_takes_too_long_is_an_error(vectors: Vectors, slow: Slow) -> None:
    async def ask() -> None:
        async with client_of(create_app(vectors, limits=Limits(seconds=0.2))) as client:
            answer = await client.post("/neighbors", json=ASKED)
            assert (answer.status_code, answer.json()["code"]) == (504, "too-slow")
            assert "0.2 seconds" in answer.json()["detail"]
            slow.go.set()
            assert (await client.post("/neighbors", json=ASKED)).status_code == 200

    asyncio.run(ask())


def test_nobody_waits_for_long_texts_of_others(
    classifier: TextClassifier, monkeypatch: Any
) -> None:
    """Each is a turn of its own, and none is begun for whoever does not wait any longer."""
    explained: list[int] = []
    go = threading.Event()
    usual = TextClassifier.explain

    def explain(self: TextClassifier, texts: Any) -> Any:
        explained.append(len(texts))
        if go.is_set():
            return usual(self, texts)
        assert go.wait(10)
        return []  # which nobody waits for

    monkeypatch.setattr(TextClassifier, "explain", explain)

    async def ask() -> None:
        async with client_of(create_app(classifier, limits=Limits(seconds=0.3))) as client:
            texts = ["good fun " * 1_000] * 16
            answer = await client.post("/predict", json={"texts": texts, "explain": True})
            assert (answer.status_code, answer.json()["code"]) == (504, "too-slow")
            go.set()
        async with client_of(create_app(classifier)) as client:
            short = {"texts": ["good"] * 3, "explain": True}
            assert (await client.post("/predict", json=short)).status_code == 200

    asyncio.run(ask())
    assert explained == [1, 3]


def test_two_applications_do_not_ask_keras_at_once(
    classifier: TextClassifier, monkeypatch: Any
) -> None:
    asked: list[str] = []
    begun, go = threading.Event(), threading.Event()
    usual = TextClassifier.predict_proba

    def predict_proba(self: TextClassifier, texts: Any) -> Any:
        asked.extend(texts)
        begun.set()
        assert go.wait(10)
        return usual(self, texts)

    monkeypatch.setattr(TextClassifier, "predict_proba", predict_proba)

    async def ask() -> None:
        async with (
            client_of(create_app(classifier)) as one,
            client_of(create_app(classifier)) as other,
        ):
            first = asyncio.create_task(one.post("/predict", json={"texts": ["good"]}))
            assert await asyncio.to_thread(begun.wait, 10)
            second = asyncio.create_task(other.post("/predict", json={"texts": ["bad"]}))
            await asyncio.wait([second], timeout=0.3)
            assert asked == ["good"]
            go.set()
            assert [(await each).status_code for each in (first, second)] == [200, 200]

    asyncio.run(ask())


@given(st.lists(st.integers(0, 9_000).map("x".__mul__)))
def test_turns_are_neither_long_nor_many(texts: list[str]) -> None:
    parts = list(turns(texts))
    assert [text for part in parts for text in texts[part]] == texts
    sizes = [sum(map(len, texts[part])) for part in parts]
    for part, size in zip(parts, sizes, strict=True):
        assert size <= CHARACTERS or part.stop - part.start == 1
    for part, size in zip(parts[1:], sizes, strict=False):
        assert size + len(texts[part.start]) > CHARACTERS


def test_what_waits_is_bounded_and_told_to_come_again(vectors: Vectors, slow: Slow) -> None:
    async def ask() -> None:
        async with client_of(create_app(vectors, limits=Limits(waiting=2))) as client:
            first = asyncio.create_task(client.post("/neighbors", json=ASKED))
            await slow.has_begun()
            others = [asyncio.create_task(client.post("/neighbors", json=ASKED)) for _ in range(5)]
            done, waiting = await asyncio.wait(others, timeout=1)
            assert (len(done), len(waiting)) == (3, 2)
            for task in done:
                answer = task.result()
                assert (answer.status_code, answer.json()["code"]) == (503, "busy")
                assert answer.headers["retry-after"] == "1"
            assert (await client.get("/health")).status_code == 200
            slow.go.set()
            for task in (first, *waiting):
                assert (await task).status_code == 200

    asyncio.run(ask())


def test_who_has_gone_is_not_answered(vectors: Vectors, slow: Slow) -> None:
    async def ask() -> None:
        app = create_app(vectors)
        async with client_of(app) as client:
            first = asyncio.create_task(client.post("/neighbors", json=ASKED))
            await slow.has_begun()
            gone = asyncio.create_task(leave(app))
            stays = asyncio.create_task(client.post("/neighbors", json=ASKED))
            assert await gone == []
            slow.go.set()
            assert (await first).status_code == (await stays).status_code == 200
        assert slow.sizes == [1, 1]  # that of the one who has gone is in no batch

    async def leave(app: Any) -> list[Any]:
        """Ask, and close the connection before the answer comes."""
        sent: list[Any] = []
        body = b'{"words": ["queen"]}'
        messages = iter([{"type": "http.request", "body": body}, {"type": "http.disconnect"}])
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/neighbors", "query_string": b""}

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            sent.append(message)

        await app({**scope, "headers": headers}, receive, send)
        return sent

    asyncio.run(ask())


@pytest.mark.parametrize("name", list(vars(Limits())))
@pytest.mark.parametrize("value", [0, -1, True, "10", None, float("nan"), float("inf")])
def test_a_limit_is_a_positive_number(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"`{name}` must be a positive"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", [name for name in vars(Limits()) if name != "seconds"])
def test_what_is_counted_is_whole(name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="whole"):
        Limits(**{name: 1.5})


def test_a_closed_server_takes_nothing(vectors: Vectors) -> None:
    async def ask() -> None:
        batcher = Batcher(4)
        batcher.close()
        with pytest.raises(Problem, match="takes no more requests") as raised:
            await batcher.ask(None, None)  # type: ignore[arg-type]
        assert (raised.value.status, raised.value.code) == (503, "stopped")

    asyncio.run(ask())


def test_an_application_can_be_started_again(vectors: Vectors) -> None:
    app = create_app(vectors)
    for _ in range(3):
        with TestClient(app, base_url="http://localhost") as client:
            assert client.post("/neighbors", json=ASKED).status_code == 200
