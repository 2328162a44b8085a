"""A server as a process: where it listens, how it stops, what it says when it cannot start."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from running_server import ASKED, JSON, command, served

from rowwise import Vectors
from rowwise.errors import InvalidArgumentError, MissingExtraError
from rowwise.serve import Limits, create_app, listen, run
from rowwise.serve.addresses import address_of

TOKEN = "0123456789abcdef"


def fails(*arguments: object, **environment: str) -> str:
    """What a command that cannot serve says, on one line, with exit code 2."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_was_asked_is_answered_before_the_server_stops(
    words: Path, how: signal.Signals
) -> None:
    """Clients ask again and again over open connections; every answer is whole."""
    answers: list[int] = []
    broken: list[str] = []
    answered = threading.Semaphore(0)
    with served(words) as server:
        assert server.ask("POST", "/neighbors", ASKED)[0] == 200
        many = json.dumps({"words": [f"w{number}" for number in range(60)], "k": 100})

        def ask_on() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            connection.connect()
            with closing(connection):
                while ask_once(connection):
                    pass

        def ask_once(connection: http.client.HTTPConnection) -> bool:
            try:
                connection.request("POST", "/neighbors", many, JSON)
                answer = connection.getresponse()
                results = json.loads(answer.read())["results"]
                assert [len(result["neighbors"]) for result in results] == [100] * 60
            except Exception as error:
                # Every answer says whether the connection goes on, so none is found closed.
                broken.append(repr(error))
                return False
            answers.append(answer.status)
            answered.release()
            return answer.getheader("connection") != "close"

        threads = [threading.Thread(target=ask_on) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(16):
            assert answered.acquire(timeout=30), broken
        code, out, err = server.stop(how)
        for thread in threads:
            thread.join(20)
    assert (code, out, err) == (0, "", "Ctrl-C stops the server.\n")
    assert not broken
    assert set(answers) == {200}


def test_a_request_that_is_half_sent_is_still_answered(words: Path) -> None:
    with served(words) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as half:
            head = (
                "POST /neighbors HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(ASKED)}\r\n\r\n"
            )
            half.sendall(head.encode() + ASKED[:5].encode())
            assert server.ask("GET", "/health")[0] == 200  # by now the head has been read
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            half.sendall(ASKED[5:].encode())
            answer = b""
            while piece := half.recv(65536):
                answer += piece
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer.lower()
        assert server.stop()[0] == 0


def test_a_second_signal_stops_at_once(words: Path) -> None:
    """What waits is told so; nothing that only a programmer reads is printed."""
    with served(words, "--max-seconds", 60) as server:  # else a slow machine answers 504
        many = json.dumps({"words": [f"w{number}" for number in range(250)], "k": 1000})
        answers: list[tuple[int, str]] = []
        answered = threading.Semaphore(0)

        def ask() -> None:
            with suppress(ConnectionError):  # too late to be heard
                answers.append(server.ask("POST", "/neighbors", many))
                answered.release()

        threads = [threading.Thread(target=ask) for _ in range(40)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            assert answered.acquire(timeout=30)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        code, out, err = server.stop(signal.SIGINT)
        for thread in threads:
            thread.join(20)
    assert (code, out) == (130, "")
    assert err == "Ctrl-C stops the server.\n\nInterrupted: nothing was saved.\n"
    assert {status for status, _ in answers} == {200, 503}
    told = [json.loads(body) for _, body in answers]
    assert {each.get("code") for each in told} == {None, "stopped"}


def test_a_server_prints_its_address_and_answers(words: Path) -> None:
    with served(words) as server:
        assert server.line.startswith("Serving 50,000 words x 50 columns at http://127.0.0.1:")
        assert json.loads(server.ask("GET", "/info")[1])["name"] == "words.safetensors"
        assert server.ask("GET", "/health", Host="evil.org")[0] == 421
        taken = fails(words, "--port", server.port)
        assert f"Cannot listen on port {server.port} of '127.0.0.1'" in taken
        assert server.stop()[0] == 0


def test_serving_vectors_loads_no_framework(words: Path) -> None:
    script = (
        "import sys, threading, os, signal, time\n"
        "from rowwise.serve import listen, run\n"
        "from rowwise.vectors import Vectors\n"
        "def ready(address):\n"
        "    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        f"run(Vectors.load({str(words)!r}), listen(port=0), ready=ready)\n"
        "print({'keras', 'jax', 'sklearn', 'matplotlib'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")


@pytest.mark.parametrize("place", ["file", "environment", "new"])
def test_a_token_comes_from_a_file_or_the_environment_or_is_made(
    words: Path, tmp_path: Path, place: str
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    options = {"file": ["--token-file", file], "environment": [], "new": ["--new-token"]}[place]
    environment = {"ROWWISE_TOKEN": TOKEN} if place == "environment" else {}
    with served(words, *options, **environment) as server:
        token = TOKEN
        if place == "new":
            token = server.line.strip().rsplit("/?token=", 1)[1]
            assert len(token) > 40
        else:
            assert TOKEN not in server.line
        assert server.ask("GET", "/health")[0] == 401
        assert server.ask("GET", "/health", Authorization=f"Bearer {token}")[0] == 200
        assert server.ask("GET", f"/?token={token}")[0] == 200
        code, out, err = server.stop()
        assert code == 0
        assert token not in out + err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "must carry a token: set ROWWISE_TOKEN, or give --token-file"),
        (["--host", "::"], "must carry a token"),
        (["--host", "no.such.host.invalid"], "There is no host 'no.such.host.invalid'"),
        (["--host", "203.0.113.7", "--new-token"], "Cannot listen on port"),
        (["--port", "70000"], "Invalid value for '--port'"),
        (["--token-file", "missing"], "No such file or directory: 'missing'"),
        (["--token-file", "short", "--port", "0"], "at least 16 characters"),
        (["--token-file", "short", "--new-token"], "not both"),
        (["--token-file", "binary", "--port", "0"], "A token has at least 16 characters"),
        (["--token-file", ".", "--port", "0"], "Is a directory: '.'"),
        (["--cors", "*", "--port", "0"], "An origin is a scheme and a host"),
        (["--allow-host", "http://a.org", "--port", "0"], "A host is a name or an address"),
        (["--max-k", "0"], "`k` must be a positive whole number"),
        (["--max-seconds", "nan"], "`seconds` must be a positive number"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    words: Path, tmp_path: Path, monkeypatch: Any, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short").write_text("abc")
    Path("binary").write_bytes(bytes(range(128, 256)))
    assert message in fails(words, *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--token-file", "short"], "at least 16 characters"),
        (["--cors", "*"], "An origin is a scheme and a host"),
        (["--allow-host", "http://a.org"], "A host is a name or an address"),
        (["--max-k", "0"], "`k` must be a positive whole number"),
    ],
)
def test_options_are_looked_at_before_a_model_is_loaded(
    tmp_path: Path, monkeypatch: Any, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short").write_text("abc")
    assert message in fails("no-such-model.txt", "--port", "0", *options)


def test_the_name_that_a_server_is_started_by_is_its_own(words: Path) -> None:
    with served(words, "--host", "127.1") as server:
        for host, status in (("127.1", 200), ("localhost", 200), ("127.2", 421)):
            assert server.ask("GET", "/health", Host=f"{host}:{server.port}")[0] == status


def test_a_missing_file_is_one_line() -> None:
    assert "missing.txt" in fails("missing.txt", "--port", "0")


def test_limits_are_options(words: Path) -> None:
    limits = ["--max-k", 3, "--max-batch", 2, "--max-bytes", 2000, "--max-seconds", 4.5]
    with served(words, *limits) as server:
        told = json.loads(server.ask("GET", "/info")[1])["limits"]
        assert told == vars(Limits(k=3, batch=2, body_bytes=2000, seconds=4.5))
        for body, status in ((ASKED, 422), (" " * 3000, 413), ("x" * 100_000, 413)):
            assert server.ask("POST", "/neighbors", body)[0] == status
        assert server.stop()[0] == 0


def test_other_addresses_take_a_token(vectors: Vectors) -> None:
    with pytest.raises(InvalidArgumentError, match="must carry a token"):
        listen("0.0.0.0", 0)
    # Also where the socket was opened with one, and the server is to run without.
    with listen("127.0.0.1", 0) as listener:
        name = listener.getsockname

        class Elsewhere(socket.socket):
            def getsockname(self) -> Any:
                return ("192.0.2.1", name()[1])

        with (
            Elsewhere(fileno=os.dup(listener.fileno())) as elsewhere,
            pytest.raises(InvalidArgumentError, match=r"reach 192\.0\.2\.1"),
        ):
            run(vectors, elsewhere)


@pytest.mark.parametrize("port", [-1, 65536, "80", None, True, 1.5])
def test_what_is_no_port_is_named(port: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="A port is a number"):
        listen(port=port)


@pytest.mark.parametrize("host", ["", "127.0.0.1", "localhost"])
def test_addresses_of_listeners(host: str) -> None:
    with listen(host or "127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    ("package", "call"), [("fastapi", create_app), ("uvicorn", run), ("httptools", run)]
)
def test_a_missing_package_names_its_extra(
    vectors: Vectors, monkeypatch: Any, package: str, call: Any
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"package {package}.*rowwise\[explore\]"):
        call(vectors)
