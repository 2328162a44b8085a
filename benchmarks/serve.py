"""The server under load: many connections ask /neighbors, each as soon as it has its answer.

The server is `rowwise serve` in a process of its own over generated vectors; the load comes from
this process, on the same cores. Every answer is read, and some are compared with most_similar.
Usage: python benchmarks/serve.py [--rows 100000] [--columns 100] [--connections 64] [--seconds 10]
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rowwise.vectors import Vectors

# Not measured: the server warms up, and connections find their rhythm.
WARM_UP = 2.0
K = 10


class Connection(asyncio.Protocol):
    """Asks again and again; reads as little of HTTP as it must: the cores are the server's."""

    def __init__(self, load: "Load") -> None:
        self._load, self._received = load, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._word = self._load.word()
        body = json.dumps({"words": [self._word], "k": K}).encode()
        self._asked = time.perf_counter()
        self._transport.write(
            b"POST /neighbors HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(body) < length:
            return
        self._received = b""
        self._load.answered(self._word, self._asked, lines[0], body)
        if self._load.is_over:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._load.is_over:
            self._load.errors.append(f"connection lost: {error}")


class Load:
    """What all connections ask for, and how long their answers took."""

    def __init__(self, rows: int, seconds: float) -> None:
        self._rng, self._rows = np.random.default_rng(1), rows
        self.begin = time.perf_counter() + WARM_UP
        self.end = self.begin + seconds
        self.latencies: list[float] = []
        self.errors: list[str] = []
        self.samples: dict[str, bytes] = {}

    @property
    def is_over(self) -> bool:
        return time.perf_counter() > self.end

    def word(self) -> str:
        return f"w{self._rng.integers(self._rows)}"

    def answered(self, word: str, asked: float, status: bytes, body: bytes) -> None:
        if b" 200 " not in status:
            self.errors.append(f"{status!r} {body[:200]!r}")
        now = time.perf_counter()
        if self.begin < now < self.end:
            self.latencies.append(now - asked)
        if len(self.samples) < 200:
            self.samples[word] = body


async def put_load(load: Load, port: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    while not load.is_over:
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)


def check(vectors: Vectors, samples: dict[str, bytes]) -> None:
    words = [*samples]
    for word, expected in zip(words, vectors.most_similar(words, topn=K), strict=True):
        [result] = json.loads(samples[word])["results"]
        found = [(each["word"], each["cosine"]) for each in result["neighbors"]]
        assert found == [(name, round(cosine, 6)) for name, cosine in expected], word


def measure(path: Path, vectors: Vectors, connections: int, seconds: float) -> None:
    command = [sys.executable, "-m", "rowwise", "serve", str(path), "--port", "0"]
    started = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    ready = time.perf_counter() - started
    load = Load(len(vectors), seconds)
    busy = os.times()
    asyncio.run(put_load(load, int(line.rsplit(":", 1)[1].strip("/\n")), connections))
    spent = os.times()
    server.send_signal(signal.SIGTERM)
    status = server.wait()
    check(vectors, load.samples)
    p50, p90, p99 = 1e3 * np.percentile(load.latencies, (50, 90, 99))
    slowest = 1e3 * max(load.latencies)
    rate, own = len(load.latencies) / seconds, spent.user + spent.system - busy.user - busy.system
    print(
        f"{connections:>11} {rate:>10.0f} {p50:>6.1f} {p90:>6.1f} {p99:>6.1f} {slowest:>6.1f} "
        f"{len(load.errors):>7} {ready:>7.2f} {own:>7.1f}"
        f"   {'' if status == 0 else f'exit code {status}'}"
    )
    for error in load.errors[:3]:
        print(f"  {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((options.rows, options.columns), dtype=np.float32)
    vectors = Vectors([f"w{number}" for number in range(options.rows)], rows)
    print(
        f"/neighbors, one word and k = {K}, over {options.rows:,} x {options.columns}; "
        f"milliseconds; {os.cpu_count()} cores for server and load"
    )
    print("connections requests/s    p50    p90    p99    max  errors  ready s  load's CPU s")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "words.safetensors")
        vectors.save(path)
        for connections in options.connections:
            measure(path, vectors, connections, options.seconds)


if __name__ == "__main__":
    main()
