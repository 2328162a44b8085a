"""Fetching vectors, from a server on this machine."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from rowwise.errors import DataFileError, InvalidArgumentError, MissingExtraError
from rowwise.vectors import Vectors, download, published


class Server:
    """Serves one file, may break off, and remembers what it was asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.version = '"1"'
        self.breaks: list[int] = []
        """After how many bytes each of the next answers breaks off."""
        self.status = 200
        self.location = ""
        """Where it sends on to, by a redirect, if it does."""
        self.ranges: list[str | None] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/data/glove.vec"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.ranges.append(asked)
        start = 0
        if self.location and handler.path != "/moved":
            handler.send_response(302)
            handler.send_header("Location", self.location)
            handler.end_headers()
            return
        if self.status != 200:
            handler.send_error(self.status)
            return
        if asked and handler.headers.get("If-Range") == self.version:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            handler.send_response(206)
            end = len(self.content)
            handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        else:
            handler.send_response(200)
        body = self.content[start:]
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", self.version)
        handler.end_headers()
        handler.wfile.write(body[: self.breaks.pop(0)] if self.breaks else body)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv(download.CACHE_VARIABLE, str(tmp_path / "cache"))
    path = tmp_path / "served.vec"
    rows = np.random.default_rng(0).normal(size=(500, 20)).astype("float32")
    Vectors([f"w{i}" for i in range(500)], rows).save(path)
    made = Server(path.read_bytes())
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_a_file_is_fetched_once(server: Server) -> None:
    told: list[tuple[int, int | None]] = []
    first = Vectors.load(server.address, progress=lambda *done: told.append(done))
    assert len(first) == 500
    assert first.report.path == server.address
    assert (len(server.content), len(server.content)) in told
    assert Vectors.load(server.address, limit=3).words == ("w0", "w1", "w2")
    assert server.ranges == [None]


def test_a_broken_download_goes_on_where_it_broke(server: Server) -> None:
    server.breaks = [5_000, 7_000]
    assert len(Vectors.load(server.address)) == 500
    assert server.ranges == [None, "bytes=5000-", "bytes=12000-"]


def test_what_was_kept_is_gone_on_with_by_a_later_call(server: Server) -> None:
    server.breaks = [5_000, 1_000, 1_000]
    with pytest.raises(DataFileError, match="7,000 bytes are kept; try again"):
        Vectors.load(server.address)
    assert len(Vectors.load(server.address)) == 500
    assert server.ranges[-1] == "bytes=7000-"


def test_a_file_that_changed_is_begun_anew(server: Server) -> None:
    server.breaks = [5_000, 0, 0]
    with pytest.raises(DataFileError):
        Vectors.load(server.address)
    server.version = '"2"'
    server.content = server.content.replace(b"w0 ", b"v0 ")
    assert Vectors.load(server.address).words[0] == "v0"
    assert server.ranges[-1] == "bytes=5000-"


def test_a_checksum_is_checked(server: Server, tmp_path: Path) -> None:
    right = f"sha256:{hashlib.sha256(server.content).hexdigest()}"
    wrong = f"sha256:{'0' * 64}"
    with pytest.raises(DataFileError, match="another checksum"):
        Vectors.load(server.address, checksum=wrong)
    kept = [path.name for path in (tmp_path / "cache").iterdir()]
    assert not [name for name in kept if not name.endswith(".lock")]
    assert len(Vectors.load(server.address, checksum=right)) == 500
    with pytest.raises(InvalidArgumentError, match="goes with an address"):
        Vectors.load(tmp_path / "served.vec", checksum=right)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_an_error(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(DataFileError, match=f"cannot be fetched.*{status}"):
        Vectors.load(server.address)
    assert len(server.ranges) == (3 if status == 500 else 1)


@pytest.mark.parametrize("location", ["http://example.org/v.vec", "//example.org/v.vec"])
def test_being_sent_on_is_by_https_only(server: Server, location: str) -> None:
    server.location = location
    with pytest.raises(DataFileError, match=r"sends on to 'http://example\.org.*https only"):
        Vectors.load(server.address)
    assert len(server.ranges) == 1
    server.location = "/moved"
    assert len(Vectors.load(server.address)) == 500


def test_well_known_names(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    found = published.find("glove.6B.100d")
    assert found is not None
    assert (found.address[:8], found.member) == ("https://", 100)
    assert {published.find(name) is None for name in published.names()[:-2]} == {False}
    assert published.find("cc.de.300.vec").address.endswith("/cc.de.300.vec.gz")
    assert published.find("glove.6B.70d") is None
    checksum = f"sha256:{hashlib.sha256(server.content).hexdigest()}"
    monkeypatch.setattr(
        published, "find", lambda name: published.Published(server.address, checksum)
    )
    assert len(Vectors.load("my.vectors.20d")) == 500


def test_what_is_not_safe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match="by https only"):
        Vectors.load("http://example.org/v.vec")
    monkeypatch.setitem(__import__("sys").modules, "pooch", None)
    with pytest.raises(MissingExtraError, match=r"rowwise\[download\]"):
        Vectors.load("https://example.org/v.vec")
