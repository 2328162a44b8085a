"""Plain requests are answered the short way, with the answers of the long one."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import pytest
import uvicorn
import uvloop

from rowwise import TextClassifier, Vectors
from rowwise.serve import Limits
from rowwise.serve import connection as module
from rowwise.serve.app import Checks, make_app
from rowwise.serve.batching import Batcher
from rowwise.serve.connection import PATIENCE, connection
from rowwise.serve.rules import Ending
from rowwise.serve.short_way import ShortWay
from rowwise.serve.wire import Head, Reply

TOKEN = "0123456789abcdef"
PAGE = "https://words.example.org"
ASKED = b'{"words": ["king"], "k": 1}'

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

# No plain header, so that the request takes the long way.
ODD = "X_Odd: 1"
LONG_WAY = ("Host: localhost", "Content-Type: application/json", ODD)


def request(path: str = "/neighbors", body: bytes = ASKED, *lines: str) -> bytes:
    """A POST; with lines of its own it has no others but its first and its length."""
    lines = lines or ("Host: localhost", "Content-Type: application/json")
    head = [f"POST {path} HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


class Running:
    """A server in this process, and the requests that its short way has answered."""

    def __init__(self, port: int, ending: Ending, short: list[str]) -> None:
        self.port, self.ending, self.short = port, ending, short
        self.server: uvicorn.Server
        self.before_answer: Callable[[], Any] | None = None

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, sent: bytes) -> tuple[bytes, dict[str, str], bytes]:
        with closing(self.connect()) as client:
            client.sendall(sent)
            return answer(client)


def answer(client: socket.socket) -> tuple[bytes, dict[str, str], bytes]:
    """The first line, headers and body of one answer."""
    with client.makefile("rb", buffering=0) as lines:  # leaves the next answer where it is
        first = lines.readline()
        headers = {}
        while line := lines.readline().strip():
            name, _, value = line.decode().partition(": ")
            assert name not in headers
            headers[name] = value
        body, size = b"", int(headers["content-length"])
        while len(body) < size:
            body += lines.read(size - len(body))
        return first, headers, body


@contextmanager
def running(
    model: Any, limits: Limits | None = None, keep_alive: int = 5, **checked: Any
) -> Iterator[Running]:
    checks = Checks(checked.get("token"), (), checked.get("cors", ()), "127.0.0.1")
    app, short_way = make_app(model, None, limits, checks)
    listener = socket.create_server(("127.0.0.1", 0))
    found = Running(listener.getsockname()[1], short_way.rules.ending, [])

    class Watched(ShortWay):
        async def answer(self, head: Head, body: bytes) -> Reply:
            found.short.append(head.path)
            if found.before_answer is not None:
                await found.before_answer()
            return await super().answer(head, body)

    short_way.__class__ = Watched
    options: Any = {"log_config": None, "ws": "none", "timeout_keep_alive": keep_alive}
    config = uvicorn.Config(app, http=connection(short_way), **options)
    found.server = uvicorn.Server(config)
    thread = threading.Thread(target=found.server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not found.server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield found
    finally:
        found.server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def classifying(classifier: TextClassifier) -> Iterator[Running]:
    with running(classifier, Limits(body_bytes=1_000), token=TOKEN, cors=(PAGE,)) as found:
        yield found


@pytest.fixture(scope="module")
def shared(vectors: Vectors) -> Iterator[Running]:
    with running(vectors) as found:
        yield found


@pytest.fixture
def server(shared: Running) -> Running:
    shared.short.clear()
    shared.before_answer = None
    return shared


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/neighbors", '{"words": ["good", "film"], "k": 3}', {}),
        ("/neighbors", '{"words": ["good"]}', {"Content-Type": "application/json; charset=utf-8"}),
        ("/neighbors", '{"words": ["good"]}', {"Content-Type": "text/plain"}),
        ("/neighbors", '{"words": ["good"]}', {"Content-Type": ""}),
        ("/neighbors", '{"words": ["good"]}', {"Content-Type": None}),
        ("/neighbors", '{"words": ["nowhere"]}', {}),
        ("/neighbors", '{"words": []}', {}),
        ("/neighbors", "no JSON", {}),
        ("/neighbors", "", {}),
        ("/neighbors", '{"words": ["good"]}', {"Origin": PAGE}),
        ("/neighbors", '{"words": ["good"]}', {"Origin": "https://evil.example.org"}),
        ("/neighbors", '{"words": ["good"]}', {"Host": "evil.example.org"}),
        ("/neighbors", '{"words": ["good"]}', {"Host": None}),
        ("/neighbors", '{"words": ["good"]}', {"Authorization": None, "Origin": PAGE}),
        ("/neighbors", '{"words": ["good"]}', {"Authorization": "Bearer 0123456789abcdeg"}),
        ("/analogy", '{"formula": "good - bad + film"}', {}),
        ("/analogy", '{"formula": "good -"}', {}),
        ("/embed", '{"words": ["good"]}', {}),
        ("/predict", '{"texts": ["good film"], "explain": true}', {}),
    ],
)
def test_the_short_way_answers_as_the_long_one(
    path: str, body: str, headers: dict[str, str | None], classifying: Running
) -> None:
    usual: dict[str, str | None] = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {TOKEN}",
    }
    lines = [
        f"{name}: {value}" for name, value in {**usual, **headers}.items() if value is not None
    ]
    before = len(classifying.short)
    short = classifying.ask(request(path, body.encode(), *lines))
    assert classifying.short[before:] == [path]
    long = classifying.ask(request(path, body.encode(), *lines, ODD))
    assert classifying.short[before:] == [path]
    for _, told, _ in (short, long):
        assert told.pop("date")
    assert short[0].split()[1] == long[0].split()[1]  # phrases are of no meaning
    assert short[1:] == long[1:]


@pytest.mark.parametrize(
    "sent",
    [
        request("/info", b"{}"),
        request("/nothing", b"{}"),
        request("/neighbors", b" " * 2_000, "Host: localhost", f"Authorization: Bearer {TOKEN}"),
        request("/neighbors", ASKED, "Host: localhost", "Connection: close"),
    ],
)
def test_every_other_request_takes_the_long_way(sent: bytes, classifying: Running) -> None:
    before = len(classifying.short)
    first, _, _ = classifying.ask(sent)
    assert first.split()[1] in (b"401", b"404", b"405", b"413")
    assert len(classifying.short) == before


@pytest.mark.parametrize("at", [[-1], [-20, -3], [-len(ASKED)]])
def test_a_body_may_follow_its_head(server: Running, at: list[int], monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "PATIENCE", 20.0)
    sent = request()
    with closing(server.connect()) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for first, last in zip([0, *at], [*at, len(sent)], strict=True):
            client.sendall(sent[first:last])
            time.sleep(0.01)
        first_line, _, body = answer(client)
    assert first_line == b"HTTP/1.1 200 OK\r\n"
    assert json.loads(body)["results"][0]["word"] == "king"
    assert server.short == ["/neighbors"]


@pytest.mark.parametrize("at", [20, -5])
def test_what_comes_late_takes_the_long_way(server: Running, at: int) -> None:
    sent = request()
    with closing(server.connect()) as client:
        client.sendall(sent[:at])
        time.sleep(5 * PATIENCE)
        client.sendall(sent[at:] + request())
        assert answer(client)[0] == b"HTTP/1.1 200 OK\r\n"
        assert answer(client)[0] == b"HTTP/1.1 200 OK\r\n"
        assert not server.short
        client.sendall(request())
        assert answer(client)[0] == b"HTTP/1.1 200 OK\r\n"
    assert server.short == ["/neighbors"]


def test_answers_come_in_the_order_of_their_requests(server: Running) -> None:
    """Whatever way each of them takes, and however they are cut into pieces."""
    words = ["king", "queen", "man", "woman", "boy", "girl"]
    sent = [
        request("/embed", json.dumps({"words": [word]}).encode(), *lines)
        for word, lines in zip(
            words,
            [(), (), LONG_WAY, (), (), ()],
            strict=True,
        )
    ]
    expected = [server.ask(each)[2] for each in sent]
    whole = b"".join(sent)
    for size in (1, 50, len(sent[0]), len(sent[0]) + 10, len(whole)):
        with closing(server.connect()) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for first in range(0, len(whole), size):
                client.sendall(whole[first : first + size])
            assert [answer(client)[2] for _ in sent] == expected


class Slow:
    """Makes answers wait until they are let go."""

    def __init__(self, server: Running) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        server.before_answer = self._wait

    async def _wait(self) -> None:
        self.begun.set()
        while not self.go.is_set():
            await asyncio.sleep(0.01)


def test_what_comes_while_an_answer_is_waited_for_is_kept(server: Running) -> None:
    slow = Slow(server)
    with closing(server.connect()) as client:
        client.sendall(request())
        assert slow.begun.wait(20)
        client.sendall(HEALTH + request())
        time.sleep(0.1)
        assert server.short == ["/neighbors"]
        slow.go.set()
        found = [json.loads(answer(client)[2]) for _ in range(3)]
    assert [[*each] for each in found] == [["results"], ["status"], ["results"]]


def test_a_plain_request_waits_for_the_answer_before(server: Running, monkeypatch: Any) -> None:
    ask, begun, go = Batcher.ask, threading.Event(), threading.Event()

    async def first_is_slow(batcher: Batcher, *question: Any) -> Any:
        if not begun.is_set():
            begun.set()
            while not go.is_set():
                await asyncio.sleep(0.01)
        return await ask(batcher, *question)

    monkeypatch.setattr(Batcher, "ask", first_is_slow)
    with closing(server.connect()) as client:
        client.sendall(request("/neighbors", b'{"words": ["queen"]}', *LONG_WAY))
        assert begun.wait(20)
        client.sendall(request())
        time.sleep(0.1)
        go.set()
        words = [json.loads(answer(client)[2])["results"][0]["word"] for _ in range(2)]
    assert words == ["queen", "king"]


def test_plain_requests_may_all_come_while_the_first_is_answered(server: Running) -> None:
    slow, words = Slow(server), ["king", "queen", "man", "boy"]
    with closing(server.connect()) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for word in words:
            client.sendall(request("/neighbors", json.dumps({"words": [word]}).encode()))
            assert slow.begun.wait(20)
            time.sleep(0.02)
        slow.go.set()
        found = [json.loads(answer(client)[2])["results"][0]["word"] for _ in words]
    assert found == words


def test_nothing_more_is_read_while_an_answer_is_waited_for(server: Running) -> None:
    slow = Slow(server)
    with closing(server.connect()) as client:
        client.sendall(request())
        assert slow.begun.wait(20)
        client.sendall(request())
        end = time.monotonic() + 20
        while not any(each.flow.read_paused for each in server.server.server_state.connections):  # type: ignore[union-attr]
            assert time.monotonic() < end
        slow.go.set()
        assert [answer(client)[0].split()[1] for _ in range(2)] == [b"200"] * 2
        assert not any(each.flow.read_paused for each in server.server.server_state.connections)  # type: ignore[union-attr]


def test_empty_lines_between_requests_are_no_head(server: Running) -> None:
    with closing(server.connect()) as client:
        for _ in range(5):
            client.sendall(request())
            assert answer(client)[0] == b"HTTP/1.1 200 OK\r\n"
            client.sendall(b"\r\n" * 10_000)
            time.sleep(0.01)


def test_nothing_within_a_request_is_taken_for_another(server: Running) -> None:
    """Neither in a head that has begun, nor in a body that is no longer of use."""
    with closing(server.connect()) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Odd: ")
        time.sleep(0.1)
        client.sendall(request("/neighbors", ASKED, "Accept: text/html"))
        assert answer(client)[2] == b'{"status":"ok"}'
        client.sendall(request())
        assert b"results" in answer(client)[2]
    short = len(server.short)
    with closing(server.connect()) as client:
        client.sendall(
            b"POST /info HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n"
        )
        assert answer(client)[0].split()[1] == b"413"
        try:
            client.sendall(request())
            assert client.recv(100) == b""
        except ConnectionError:
            pass
    assert len(server.short) == short


def test_who_is_gone_is_not_answered(server: Running) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    server.before_answer = wait
    with closing(server.connect()) as client:
        client.sendall(request())
        assert begun.wait(20)
    assert ended.wait(20)


def test_what_is_asked_when_the_server_stops_is_answered(vectors: Vectors) -> None:
    with running(vectors) as server, closing(server.connect()) as client:
        slow = Slow(server)
        client.sendall(request())
        assert slow.begun.wait(20)
        stop(server)
        slow.go.set()
        first, headers, body = answer(client)
        assert (first, headers["connection"]) == (b"HTTP/1.1 200 OK\r\n", "close")
        assert b"results" in body
        assert client.recv(100) == b""


def test_what_is_half_asked_when_the_server_stops_is_answered(
    vectors: Vectors, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 20.0)
    with running(vectors) as server, closing(server.connect()) as client:
        sent = request()
        client.sendall(sent[:-3])
        assert server.ask(HEALTH)[0].split()[1] == b"200"  # by now the half has been read
        stop(server)
        client.sendall(sent[-3:])
        first, headers, body = answer(client)
        assert (first, headers["connection"]) == (b"HTTP/1.1 200 OK\r\n", "close")
        assert b"results" in body


def stop(server: Running) -> None:
    """Tell a server to stop, and return when its connections have been told."""
    server.server.should_exit = True
    while server.server.servers[0].is_serving():
        time.sleep(0.01)
    time.sleep(0.05)


def test_an_answer_says_that_the_server_is_about_to_stop(vectors: Vectors) -> None:
    with running(vectors) as server, closing(server.connect()) as client:
        server.ending.is_near = True
        client.sendall(request())
        assert answer(client)[1]["connection"] == "close"
        assert client.recv(100) == b""
        assert server.short == ["/neighbors"]


@pytest.mark.parametrize("lines", [(), LONG_WAY])
@pytest.mark.parametrize("stops", [False, True])
def test_an_answer_has_its_time(
    vectors: Vectors, monkeypatch: Any, lines: tuple[str, ...], stops: bool
) -> None:
    begun = threading.Event()

    async def forever(*_: Any) -> None:
        begun.set()
        await asyncio.sleep(60)

    with running(vectors, Limits(seconds=0.5)) as server, closing(server.connect()) as client:
        monkeypatch.setattr(Batcher, "ask", forever)
        client.sendall(request("/neighbors", ASKED, *lines))
        assert begun.wait(20)
        server.server.should_exit = stops
        first, headers, body = answer(client)
        assert (first, json.loads(body)["code"]) == (
            b"HTTP/1.1 504 Gateway Timeout\r\n",
            "too-slow",
        )
        assert (headers.get("connection") == "close") == stops


class Wire(asyncio.Transport):
    """A connection whose other end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.is_closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def test_what_is_never_begun_is_not_waited_for(vectors: Vectors) -> None:
    """Something else keeps the loop, which then looks at its timers first."""
    _, short_way = make_app(vectors, None, Limits(seconds=0.01), Checks(None, (), ()))

    async def main() -> Wire:
        config = uvicorn.Config(lambda *_: None, log_config=None)
        config.load()
        protocol: Any = connection(short_way)(config, uvicorn.server.ServerState(), {})  # type: ignore[call-arg]
        protocol.connection_made(wire := Wire())
        protocol.data_received(request())
        time.sleep(0.1)
        await asyncio.sleep(0.1)
        return wire

    wire = uvloop.run(main())
    assert wire.is_closed or b" 504 " in wire.written


def slow_at(number: int, monkeypatch: Any) -> None:
    """Makes one question take longer than connections are kept for nothing."""
    ask, asked = Batcher.ask, count()

    async def slow(batcher: Batcher, *question: Any) -> Any:
        if next(asked) == number:
            await asyncio.sleep(1.5)
        return await ask(batcher, *question)

    monkeypatch.setattr(Batcher, "ask", slow)


@pytest.mark.parametrize("ways", [((), LONG_WAY), (LONG_WAY, ()), ((), ())])
def test_a_connection_is_kept_while_an_answer_is_waited_for(
    vectors: Vectors, ways: tuple[tuple[str, ...], ...], monkeypatch: Any
) -> None:
    with running(vectors, keep_alive=1) as server, closing(server.connect()) as client:
        assert server.ask(request())[0].split()[1] == b"200"  # it is warm
        slow_at(1, monkeypatch)
        for way in ways:
            client.sendall(request("/neighbors", ASKED, *way))
            assert answer(client)[0] == b"HTTP/1.1 200 OK\r\n"


def test_a_connection_that_is_no_longer_used_is_closed(vectors: Vectors) -> None:
    with running(vectors, keep_alive=1) as server, closing(server.connect()) as client:
        for _ in range(3):
            client.sendall(request())
            assert answer(client)[0] == b"HTTP/1.1 200 OK\r\n"
            begun = time.monotonic()
            time.sleep(0.5)
        assert client.recv(100) == b""
        assert time.monotonic() - begun > 0.9


def test_what_goes_wrong_inside_is_told_and_printed(
    server: Running, monkeypatch: Any, caplog: Any
) -> None:
    from rowwise.serve import routes

    def fail(*_: Any) -> None:
        raise RuntimeError("a mistake in here")

    monkeypatch.setattr(routes, "parse", fail)
    with closing(server.connect()) as client, caplog.at_level(logging.ERROR):
        for _ in range(2):  # the connection goes on
            client.sendall(request())
            first, headers, body = answer(client)
            assert first.split()[1] == b"500"
            assert json.loads(body)["code"] == "failed"
            assert headers["x-content-type-options"] == "nosniff"
            assert b"a mistake" not in body
    assert server.short == ["/neighbors"] * 2
    assert caplog.text.count("a mistake in here") >= 2


def test_who_does_not_read_answers_is_not_given_more(server: Running) -> None:
    """The system's buffers hold some MB; what more is written would be kept here."""
    sent = request("/neighbors", json.dumps({"words": ["king"] * 250, "k": 9}).encode())
    answers, most = 0, 300
    with closing(server.connect()) as client:
        while len(server.short) == answers < most:
            client.sendall(sent)
            answers += 1
            end = time.monotonic() + 1
            while len(server.short) < answers and time.monotonic() < end:
                time.sleep(0.001)
    assert 1 < answers < most
