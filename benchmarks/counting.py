"""Counting the words of a large file: in blocks, with one and more processes, beside one pass.

The files are generated: lines of 12 words out of 200,000, as frequent as Zipf's law has it; one
of the size asked for and one of a quarter. Each measurement runs in a process of its own. Its
memory is the peak of that process above what it needs to import rowwise, and that of the largest
process that it started. The seconds of processors are those of all processes together, which
others on the machine disturb less. `Vocabulary.build` takes the smaller file, whole.
Usage: python benchmarks/counting.py [--megabytes 400] [--workers 1 2] [--folder FOLDER]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

DISTINCT = 200_000
WORDS_PER_LINE = 12
LETTERS = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))


def make_file(path: Path, megabytes: int) -> None:
    rng = np.random.default_rng(megabytes)
    lengths = np.random.default_rng(0).integers(1, 10, size=DISTINCT)
    letters = LETTERS[np.random.default_rng(1).integers(0, len(LETTERS), size=(DISTINCT, 10))]
    # The number at the end makes them different.
    words = np.array(
        [
            f"{''.join(row[:n])}{i:x}"
            for i, (n, row) in enumerate(zip(lengths, letters, strict=True))
        ],
        dtype=object,
    )
    shares = np.cumsum(1 / np.arange(1, DISTINCT + 1))
    shares /= shares[-1]
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < megabytes * 1_000_000:
            drawn = words[np.searchsorted(shares, rng.random(WORDS_PER_LINE * 50_000))]
            lines = drawn.reshape(-1, WORDS_PER_LINE).tolist()
            written += file.write("\n".join(map(" ".join, lines)) + "\n")


def peak_of_this() -> int:
    """Bytes; unlike getrusage's, the number is not inherited from what started this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("This benchmark reads its memory from /proc/self/status.")


def processor_seconds() -> float:
    """Of this process and those that it started and that have ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(path: Path, workers: int) -> dict[str, Any]:
    """Count with so many workers, or build for 0."""
    from rowwise.text import Vocabulary, read_texts

    before = peak_of_this()
    start, cpu = time.perf_counter(), processor_seconds()
    if workers:
        vocabulary = Vocabulary.count(path, workers=workers)
    else:
        vocabulary = Vocabulary.build(read_texts(path))
    seconds = time.perf_counter() - start
    cpu = processor_seconds() - cpu
    counts = [f"{word} {n}" for word, n in zip(vocabulary, vocabulary.counts or (), strict=True)]
    return {
        "seconds": seconds,
        "cpu": cpu,
        "megabytes": path.stat().st_size / 1e6,
        "memory": (peak_of_this() - before) / 1e6,
        "largest": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6,
        "result": hash_of("\n".join(counts)),
    }


def hash_of(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def run_apart(path: Path, workers: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", str(path), "--workers", str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=400, help="size of the larger file")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of them")
    parser.add_argument("--folder", type=Path, help="where files are made; kept there")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.workers[0])))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        paths = {}
        for name, size in (("small", options.megabytes // 4), ("large", options.megabytes)):
            paths[name] = folder / f"zipf-{size}.txt"
            if not paths[name].exists():
                make_file(paths[name], size)
        print("what                     file     seconds  processors  MB/s   memory   started")
        rows = {("small", 0): run_apart(paths["small"], 0)}
        for workers in options.workers:
            for name in paths:
                rows[name, workers] = run_apart(paths[name], workers)
        for (_, workers), row in rows.items():
            what = f"count, workers={workers}" if workers else "Vocabulary.build"
            speed = row["megabytes"] / row["seconds"]
            times = f"{row['seconds']:8.2f} s  {row['cpu']:8.2f} s  {speed:4.1f}"
            started = f"{row['largest']:6.0f} MB" if workers > 1 else ""
            size = f"{row['megabytes']:6.0f} MB"
            print(f"{what:20} {size}  {times}  {row['memory']:6.0f} MB  {started}")
    small = {row["result"] for (name, _), row in rows.items() if name == "small"}
    large = {row["result"] for (name, _), row in rows.items() if name == "large"}
    assert len(small) == len(large) == 1, "the vocabularies differ"
    built = rows["small", 0]
    print("vocabularies are equal")
    for workers in options.workers:
        less, more = rows["small", workers], rows["large", workers]
        speed = more["megabytes"] / more["seconds"] / (built["megabytes"] / built["seconds"])
        print(
            f"workers={workers}: {speed:.2f} times the speed of one pass; memory for four times "
            f"the size: {more['memory'] / less['memory']:.2f}; one pass needed "
            f"{built['memory'] / less['memory']:.1f} times as much for the smaller file"
        )


if __name__ == "__main__":
    main()
