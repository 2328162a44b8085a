"""No request reaches the disk, whatever its path, its query, its headers and its body."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from rowwise import TextClassifier, Vectors
from rowwise.serve import create_app

# What is told to audit hooks when the disk is looked at.
DISK = ("open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.mkdir", "os.chdir")
PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")

watched: list[list[str]] = []


def notice(event: str, arguments: Any) -> None:
    if watched and event in (*DISK, *PROCESSES):
        watched[-1].append(f"{event} {arguments}")


# A hook stays for as long as the process runs; without `watched` it does nothing.
sys.addaudithook(notice)


@contextmanager
def nothing_opened() -> Iterator[None]:
    watched.append([])
    try:
        yield
        assert watched[-1] == []
    finally:
        watched.pop()


def test_the_watch_sees_an_opened_file(tmp_path: Any) -> None:
    with pytest.raises(AssertionError, match="secret"), nothing_opened():
        (tmp_path / "secret").write_text("x")


@pytest.fixture(scope="module")
def client(vectors: Vectors) -> Iterator[TestClient]:
    with TestClient(create_app(vectors), base_url="http://localhost") as made:
        for path in ("/", "/openapi.json", "/info", "/nothing"):
            made.get(path)  # what is loaded or made when it is first needed
        made.post("/neighbors", json={"words": ["king"]})
        made.post("/embed", json={"words": ["king"]})
        yield made


PIECES = st.sampled_from(
    [
        "..",
        ".",
        "~",
        "%2e%2e",
        "%2E%2e%2f",
        "..%2f",
        "%252e%252e",
        "..\\",
        "%5c..",
        "%00",
        "etc",
        "passwd",
        "proc",
        "self",
        "environ",
        "src",
        "model.keras",
        "words.safetensors",
        "C:",
        "file:",
        "",
        "static",
        "openapi.json",
        "\u2025",
        "neighbors",
    ]
)
PATHS = st.lists(PIECES | st.text(max_size=5).map(lambda text: quote(text, safe="")), max_size=8)
NAMED = ["/etc/passwd", "../../etc/passwd", "file:///etc/passwd", "~/.ssh/id_rsa", "/proc/self/mem"]
NAMES = st.sampled_from([*NAMED, "king", "'/etc/passwd' - king", "C:\\boot.ini", "https://a.org/x"])


@settings(max_examples=150)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]),
    PATHS.map("/".join),
    st.text(max_size=10).map(quote),
)
def test_no_path_reaches_the_disk(client: TestClient, method: str, path: str, query: str) -> None:
    with nothing_opened():
        answer = client.request(method, f"http://localhost/{path}?{query}")
    known = ("", "openapi.json", "info", "health", "neighbors", "analogy", "embed", "predict")
    if answer.status_code == 200:
        assert answer.url.path.strip("/") in known
    else:
        assert answer.status_code in (404, 405, 415)
    assert "root:" not in answer.text


@given(st.sampled_from(["/neighbors", "/analogy", "/embed"]), NAMES, NAMES)
def test_no_word_reaches_the_disk(client: TestClient, path: str, name: str, other: str) -> None:
    asked: Any = {"formula": name} if path == "/analogy" else {"words": [name, other]}
    headers = {"referer": name, "x-sendfile": other, "range": "bytes=0-9"}
    with nothing_opened():
        answer = client.post(path, json=asked, headers=headers)
    assert answer.status_code in (200, 422)
    assert "root:" not in answer.text


def test_no_text_reaches_the_disk(classifier: TextClassifier) -> None:
    with TestClient(create_app(classifier), base_url="http://localhost") as client:
        client.post("/predict", json={"texts": NAMED, "explain": True})  # compiled by now
        client.post("/predict", json={"texts": NAMED})
        with nothing_opened():
            for explain in (True, False):
                asked = {"texts": NAMED, "explain": explain}
                assert client.post("/predict", json=asked).status_code == 200
