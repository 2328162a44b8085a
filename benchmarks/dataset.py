"""An epoch of shuffled batches out of a large CSV file, and its memory, beside pandas.

The file is generated: texts of 20 to 100 words out of 200,000, as frequent as Zipf's law has it,
two labels; one of the size asked for and one of a tenth. Each measurement runs in its own process.
Its memory is the peak of that process, above what it needs to import rowwise. Finding the examples
is the pass over the file that a TextDataset makes first; then every batch of one epoch is taken.

The peer is what people write by hand: pandas reads the same file in chunks of as many rows as a
window has, each chunk is shuffled in itself and encoded by the same vocabulary. It shuffles within
neighbours only, and cannot be resumed.
Usage: python benchmarks/dataset.py [--megabytes 5000] [--workers 0 1] [--folder FOLDER]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from counting import LETTERS, peak_of_this

DISTINCT = 200_000
BATCH = 256
LENGTH = 100
CHUNK = 180_000
COLUMNS = {"text": "text", "label": "label"}


def words() -> Any:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 10, size=DISTINCT)
    letters = LETTERS[rng.integers(0, len(LETTERS), size=(DISTINCT, 10))]
    spelled = zip(lengths, letters, strict=True)
    return np.array([f"{''.join(row[:n])}{i:06}" for i, (n, row) in enumerate(spelled)], object)


def make_file(path: Path, megabytes: int) -> None:
    rng = np.random.default_rng(megabytes)
    known = words()
    shares = np.cumsum(1 / np.arange(1, DISTINCT + 1))
    shares /= shares[-1]
    written = number = 0
    with path.open("w", encoding="utf-8") as file:
        written += file.write("id,text,label\n")
        while written < megabytes * 1_000_000:
            lengths = rng.integers(20, 100, size=20_000)
            drawn = known[np.searchsorted(shares, rng.random(lengths.sum()))].tolist()
            rows = []
            place = 0
            for length in lengths.tolist():
                text = " ".join(drawn[place : place + length])
                rows.append(f'{number},"{text}, said ""{number}""",{"ab"[number % 2]}\n')
                number, place = number + 1, place + length
            written += file.write("".join(rows))


def tokenizer() -> Any:
    from rowwise.text import Vocabulary

    return Vocabulary(words().tolist())


def take_all(batches: Iterator[Any]) -> dict[str, Any]:
    """Take every batch; the sum shows that all saw the same examples."""
    examples = checksum = 0
    for ids, labels in batches:
        examples += len(ids)
        checksum += int(ids.sum(dtype=np.int64)) + int(labels.sum())
    return {"examples": examples, "checksum": checksum}


def measure(path: Path, way: str) -> dict[str, Any]:
    from rowwise import TextDataset

    vocabulary = tokenizer()
    before = peak_of_this()
    start = time.perf_counter()
    batches: Iterator[Any]
    if way == "pandas":
        batches = by_hand(path, vocabulary)
    else:
        options = {"max_length": LENGTH, "batch_size": BATCH, "workers": int(way)}
        batches = iter(TextDataset(path, vocabulary, **COLUMNS, **options))
    found = time.perf_counter()
    result = take_all(batches)
    return {
        "finding": found - start,
        "epoch": time.perf_counter() - found,
        "peak": peak_of_this() / 1e6,
        "memory": (peak_of_this() - before) / 1e6,
        **result,
    }


def by_hand(path: Path, vocabulary: Any) -> Iterator[Any]:
    import pandas as pd

    rng = np.random.default_rng(0)
    for chunk in pd.read_csv(path, chunksize=CHUNK):
        ids = vocabulary.encode(chunk["text"].tolist(), max_length=LENGTH).ids
        labels = (chunk["label"] == "b").to_numpy().astype(np.int32)
        order = rng.permutation(len(ids))
        for first in range(0, len(ids), BATCH):
            taken = order[first : first + BATCH]
            yield ids[taken], labels[taken]


def run_apart(path: Path, way: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", str(path), way]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=5000, help="size of the larger file")
    parser.add_argument("--workers", nargs="+", default=["0", "1"], help="numbers of threads")
    parser.add_argument("--folder", type=Path, help="where files are made; kept there")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(Path(options.measure[0]), options.measure[1])))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        results: dict[tuple[int, str], dict[str, Any]] = {}
        print(
            "what                      file   finding     epoch  examples/s  MB/s  memory    peak"
        )
        for size in (options.megabytes // 10, options.megabytes):
            path = folder / f"texts-{size}.csv"
            if not path.exists():
                make_file(path, size)
            megabytes = path.stat().st_size / 1e6
            for way in (*options.workers, "pandas"):
                row = results[size, way] = run_apart(path, way)
                what = "pandas, in chunks" if way == "pandas" else f"TextDataset, workers={way}"
                print(
                    f"{what:22} {megabytes:5.0f} MB  {row['finding']:6.1f} s  {row['epoch']:6.1f} s"
                    f"  {row['examples'] / row['epoch']:10,.0f}  {megabytes / row['epoch']:4.1f}"
                    f"  {row['memory']:4.0f} MB  {row['peak']:4.0f} MB",
                    flush=True,
                )
            if not options.folder:
                path.unlink()
            of_size = [row for (of, _), row in results.items() if of == size]
            assert len({(row["examples"], row["checksum"]) for row in of_size}) == 1, "they differ"
    print("all saw the same examples")


if __name__ == "__main__":
    main()
