"""The head of a request: what is none, and what is too long or too slow."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from running_server import ASKED, JSON, Server, served

from rowwise.serve.heads import HEAD_BYTES

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = (
    b"POST /neighbors HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n" % len(ASKED)
)


@pytest.fixture(scope="module")
def server(words: Path) -> Iterator[Server]:
    with served(words, "--max-seconds", 1) as running:
        yield running
        assert running.stop() == (0, "", "Ctrl-C stops the server.\n")


def told(server: Server, *sent: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for piece in sent:
            connection.sendall(piece)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def problem(answer: bytes) -> tuple[int, str]:
    """The status and the code of an answer, which is whole and a problem."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *headers = head.decode().lower().split("\r\n")
    assert "content-type: application/problem+json" in headers
    assert "connection: close" in headers
    assert "x-content-type-options: nosniff" in headers
    assert f"content-length: {len(body)}" in headers
    assert json.loads(body)["status"] == int(first.split()[1])
    return int(first.split()[1]), json.loads(body)["code"]


@pytest.mark.parametrize(
    "sent",
    [
        b"no request\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        GET + b"no colon\r\n\r\n",
        GET + b"Content-Length: -1\r\n\r\n",
        GET + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        GET + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
    ],
)
def test_what_is_no_http_is_a_problem(server: Server, sent: bytes) -> None:
    assert problem(told(server, sent)) == (400, "bad-http")


def test_what_was_asked_before_is_answered(server: Server) -> None:
    answer = told(server, (POST + b"\r\n" + ASKED.encode()) * 3 + b"no request\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert problem(answer[answer.rindex(b"HTTP/1.1 ") :]) == (400, "bad-http")


def test_a_connection_goes_on_after_head(server: Server) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        for method, path, size in (
            ("HEAD", "/info", 0),
            ("HEAD", "/no", 0),
            ("GET", "/health", 15),
        ):
            connection.request(method, path)
            answer = connection.getresponse()
            assert len(answer.read()) == size
            assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_who_offers_another_protocol_is_answered_in_this_one(server: Server, protocol: str) -> None:
    """As Java does with every request."""
    offer = {"Connection": "Upgrade, HTTP2-Settings", "UPGRADE": protocol, "HTTP2-Settings": "AA"}
    status, body = server.ask("POST", "/neighbors", ASKED, **offer)
    assert status == 200, body


@pytest.mark.parametrize("kind", ["address", "header", "headers", "second request"])
def test_a_head_has_a_limit(server: Server, kind: str) -> None:
    long = b"x" * (16 * HEAD_BYTES)  # what is read at once is not all counted
    sent = {
        "address": [b"GET /" + long],
        "header": [GET + b"X-Long: " + long],
        "headers": [GET, *[b"X-Short: 1\r\n"] * (HEAD_BYTES // 8)],
        "second request": [POST + b"\r\n" + ASKED.encode(), GET + b"X-Long: " + long],
    }[kind]
    answer = told(server, *sent)
    if kind == "second request":
        assert answer.startswith(b"HTTP/1.1 200 ")
        answer = answer[answer.index(b"HTTP/1.1 431 ") :]
    assert problem(answer) == (431, "head-too-large")


def test_a_long_head_and_a_long_body_are_fine(server: Server) -> None:
    status, _ = server.ask("GET", "/health", X=("x" * (HEAD_BYTES // 2)))
    assert status == 200
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    with closing(connection):
        for _ in range(2):
            connection.request("POST", "/neighbors", ASKED + " " * (3 * HEAD_BYTES), JSON)
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == 200, told
            assert len(json.loads(told)["results"]) == 1


def test_a_head_that_does_not_come_to_its_end_is_not_waited_for(server: Server) -> None:
    assert problem(told(server, GET)) == (408, "head-too-slow")


def test_a_connection_on_which_nothing_is_asked_is_closed(server: Server) -> None:
    assert told(server) == b""
