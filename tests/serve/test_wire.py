"""What is read by itself as a plain POST is that to a whole parser of HTTP, too."""

from typing import Any

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rowwise.serve.wire import Reply, plain_post, written

FIRST = b"POST /neighbors HTTP/1.1"
LENGTH = b"Content-Length: 4"
BODY = b"body"

FIRSTS = [
    FIRST,
    b"POST / HTTP/1.1",
    b"POST /neighbors HTTP/1.0",
    b"POST /neighbors?k=3 HTTP/1.1",
    b"POST /n%65ighbors HTTP/1.1",
    b"POST  /neighbors HTTP/1.1",
    b"POST http://localhost/neighbors HTTP/1.1",
    b"post /neighbors HTTP/1.1",
    b"GET /neighbors HTTP/1.1",
    b"\r\nPOST /neighbors HTTP/1.1",
]
LINES = [
    LENGTH,
    b"content-length:4",
    b"CONTENT-LENGTH:  \t 4",
    b"Content-Length: 04",
    b"Content-Length: 4 ",
    b"Content-Length: +4",
    b"Content-Length: 4, 4",
    b"Content-Length: \xb24",
    b"Content-Length : 4",
    b"Content-Length: 3",
    b"Content-Length: 1000000000000000000000",
    b"Host: localhost",
    b"Host:localhost:8000",
    b"Host:",
    b"Content-Type: application/json; charset=utf-8",
    b"X-Odd: a\tb",
    b"X-Odd: \xe9",
    b"X-Odd: a\x00b",
    b"X-Odd: a\rb",
    b"X-Odd: a\nTransfer-Encoding: chunked",
    b" folded",
    b"no colon",
    b"x_y: 1",
    b"X Y: 1",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: identity",
    b"Expect: 100-continue",
    b"Upgrade: websocket",
    b"Connection: upgrade",
    b"Connection: Keep-Alive",
    b"Connection: close",
    b"Connection: keep-alive, close",
    b"Proxy-Connection: close",
    b"Keep-Alive: timeout=5",
    b"",
]
PLAIN = [
    LENGTH,
    b"Host: localhost",
    b"content-type:application/json",
    b"Connection: Keep-Alive",
    b"X-Odd: a b",
    b"X-Empty:",
]


class Read:
    """What httptools makes of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.url, self.body, self.messages = b"", b"", 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.messages += 1


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A POST, most often a plain one but for one thing."""
    lines = draw(st.lists(st.sampled_from(PLAIN), unique=True).flatmap(st.permutations))
    lines += draw(st.lists(st.sampled_from(LINES) | st.binary(max_size=12), max_size=1))
    first = draw(st.just(FIRST) | st.sampled_from(FIRSTS))
    following = draw(st.sampled_from([BODY, b"", b"bo", BODY + FIRST, b"\r\n\r\n"]) | st.binary())
    data = b"\r\n".join([first, *lines, b"", following])
    if draw(st.integers(0, 3)):
        return data
    place = draw(st.integers(0, len(data)))
    return data[:place] + draw(st.binary(max_size=3)) + data[place:]


@given(requests())
@example(FIRST + b"\r\nContent-Length: 4\r\n\r\nbody")
@example(FIRST + b"\r\nContent-Length: 4\r\n\r\n\r\nbody")
def test_a_parser_reads_the_same(data: bytes) -> None:
    found = plain_post(data)
    if found is None or found[0].length > 100:
        return
    head, rest = found
    body = rest[: head.length].ljust(head.length, b".")
    read = Read(data.removesuffix(rest) + body)
    assert read.messages == 1
    assert (read.url, read.body) == (head.path.encode(), body)
    assert dict(read.headers) == head.headers
    assert len(read.headers) == len(head.headers)
    assert read.parser.get_method() == b"POST"
    assert read.parser.get_http_version() == "1.1"
    assert read.parser.should_keep_alive()
    assert not read.parser.should_upgrade()


@pytest.mark.parametrize("line", [*LINES[:3], b"Content-Length: 04"])
@pytest.mark.parametrize(
    "more", [[], [b"Host:localhost", b"X-Odd: a b", b"Connection: KEEP-alive"]]
)
def test_what_is_plain_is_read(line: bytes, more: list[bytes]) -> None:
    found = plain_post(b"\r\n".join([FIRST, line, *more, b"", BODY]))
    assert found is not None
    head, rest = found
    assert (head.path, head.length, rest) == ("/neighbors", 4, BODY)
    assert len(head.headers) == 1 + len(more)


@pytest.mark.parametrize("number", range(len(LINES)))
def test_one_odd_line_is_left_to_the_parser(number: int) -> None:
    line = LINES[number]
    found = plain_post(b"\r\n".join([FIRST, LENGTH, line, b"", BODY]))
    is_plain = line[:4] in (b"Host", b"Keep") or line[:14] in (b"Content-Type: ", b"Connection: Ke")
    # An empty line ends the head.
    assert (found is not None) == (is_plain or not line)


@pytest.mark.parametrize("first", FIRSTS[2:])
def test_an_odd_first_line_is_left_to_the_parser(first: bytes) -> None:
    assert plain_post(b"\r\n".join([first, LENGTH, b"", BODY])) is None


def test_a_long_head_is_left_to_the_parser() -> None:
    def found(size: int) -> Any:
        return plain_post(b"\r\n".join([FIRST, LENGTH, b"X: " + b"x" * size, b"", BODY]))

    assert found(4_000)
    assert found(5_000) is None


def test_an_answer_is_read_back() -> None:
    body = b'{"status":"ok"}'
    headers = [(b"content-length", b"15"), (b"x-odd", b"a b")]
    sent = written(Reply(422, headers, body))
    assert sent.startswith(b"HTTP/1.1 422 Unprocessable Content\r\n")
    seen: list[Any] = []

    class Answer:
        def on_header(self, name: bytes, value: bytes) -> None:
            seen.append((name, value))

        def on_body(self, part: bytes) -> None:
            seen.append(part)

    parser = httptools.HttpResponseParser(Answer())
    parser.feed_data(sent)
    assert (parser.get_status_code(), seen) == (422, [*headers, body])
