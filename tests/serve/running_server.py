"""``rowwise serve`` as a process, and what is asked of it."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

ASKED = json.dumps({"words": ["w1"], "k": 5})
JSON = {"Content-Type": "application/json"}


class Server(NamedTuple):
    """A server that runs, and what it printed first."""

    process: subprocess.Popen[str]
    line: str
    port: int

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection):
            connection.request(method, path, body, {**JSON, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "rowwise", "serve", *map(str, arguments)]


@contextmanager
def served(*arguments: object, **environment: str) -> Iterator[Server]:
    """``rowwise serve`` on a port that is free."""
    process = subprocess.Popen(
        command(*arguments, "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert " at http://127.0.0.1:" in line, line + process.communicate(timeout=30)[1]
        port = int(line.rsplit(":", 1)[1].split("/")[0])
        yield Server(process, line, port)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
