"""Loading files of vectors: rowwise, the loop of tutorials, gensim and fastText, in one run.

The files are generated: 400,000 words with 100 columns as text, the same in rowwise's own form,
and a fastText model of 1 GB. Each load runs in a process of its own, which has loaded a small
file before, so that what it imports does not count; its memory is the peak above that.
Usage: python benchmarks/vectors.py [--folder FOLDER] [--rows 400000] [--runs 3]
"""

import argparse
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

COLUMNS = 100
BUCKETS = 2_000_000
ONLY = 20
"""One word in so many is wanted of the whole file: 20,000."""
LETTERS = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))


def make_words(count: int, rng: np.random.Generator) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < count:
        lengths = rng.integers(3, 12, size=50_000)
        letters = LETTERS[rng.integers(0, len(LETTERS), size=(len(lengths), 12))]
        for length, row in zip(lengths, letters, strict=True):
            words["".join(row[:length])] = None
    return list(words)[:count]


def make_text(path: Path, rows: int) -> None:
    """Write a file as GloVe's: no header, five digits after the point."""
    rng = np.random.default_rng(0)
    words = make_words(rows, rng)
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, rows, 10_000):
            part = words[start : start + 10_000]
            numbers = rng.normal(0, 0.4, size=(len(part), COLUMNS)).round(5)
            texts = np.array(pa.array(numbers.ravel()).cast(pa.string()).to_pylist(), dtype=object)
            lines = texts.reshape(numbers.shape).tolist()
            file.writelines(
                f"{word} {' '.join(line)}\n" for word, line in zip(part, lines, strict=True)
            )


def make_fasttext(path: Path, rows: int) -> None:
    """Write a fastText model of skip-grams with as many words and 2 million buckets."""
    rng = np.random.default_rng(1)
    words = make_words(rows, rng)
    with path.open("wb") as file:
        file.write(struct.pack("<2i", 793712314, 12))
        file.write(struct.pack("<12id", COLUMNS, 5, 5, 1, 5, 1, 2, 2, BUCKETS, 3, 6, 100, 1e-4))
        file.write(struct.pack("<3i2q", rows, rows, 0, rows, -1))
        file.write(b"".join(w.encode() + b"\0" + struct.pack("<qb", 1, 0) for w in words))
        file.write(struct.pack("<?2q", False, rows + BUCKETS, COLUMNS))
        for start in range(0, rows + BUCKETS, 100_000):
            count = min(100_000, rows + BUCKETS - start)
            file.write(rng.random((count, COLUMNS), dtype=np.float32).tobytes())
        file.write(struct.pack("<?2q", False, 0, COLUMNS))


# Each load: given a file, what it gives for some words, to be compared. -----------------------


def loop(path: str, words: list[str]) -> Any:
    """The loop of the tutorials."""
    embeddings_index = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            values = line.split()
            embeddings_index[values[0]] = np.asarray(values[1:], dtype="float32")
    return embeddings_index


def gensim(path: str, words: list[str]) -> Any:
    from gensim.models import KeyedVectors

    return KeyedVectors.load_word2vec_format(path, binary=False, no_header=True)


def rowwise(path: str, words: list[str]) -> Any:
    from rowwise.vectors import Vectors

    return Vectors.load(path)


def rowwise_only(path: str, words: list[str]) -> Any:
    from rowwise.vectors import Vectors

    return Vectors.load(path, only=words)


def fasttext(path: str, words: list[str]) -> Any:
    import fasttext as package

    model = package.load_model(path)
    # Its own get_word_vector scales rows, so they are put together of the pieces that it names.
    return {
        word: np.mean([model.get_input_vector(i) for i in model.get_subwords(word)[1]], axis=0)
        for word in words
    }


LOADS: dict[str, Callable[[str, list[str]], Any]] = {
    function.__name__: function for function in (loop, gensim, rowwise, rowwise_only, fasttext)
}


def memory(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {key} in /proc/self/status")


def measure(name: str, path: str, words_path: str) -> None:
    """In a process of its own: load, and print seconds, bytes and the rows of three words."""
    wanted = Path(words_path).read_text(encoding="utf-8").split("\n")
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / ("small" + Path(path).suffix)
        rows = np.ones((2, 3), dtype="float32")
        from rowwise.vectors import Vectors

        format = "fasttext" if small.suffix == ".bin" else None
        Vectors(["warm", "up"], rows).save(small.with_suffix(".safetensors"))
        Vectors(["warm", "up"], rows).save(small, format=format)
        if name == "gensim":
            small.write_text("warm 1 1 1\nup 1 1 1\n")
        LOADS[name](str(small), ["warm"])
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = memory("VmRSS")
    start = time.perf_counter()
    loaded = LOADS[name](path, wanted if name == "rowwise_only" else wanted[:3])
    seconds = time.perf_counter() - start
    peak = memory("VmHWM") - before
    some = [np.asarray(loaded[word], dtype="float64").tolist() for word in wanted[:3]]
    print(json.dumps({"seconds": seconds, "peak": peak, "rows": some}))


def run(name: str, path: Path, words: Path) -> dict[str, Any]:
    path.read_bytes() if path.stat().st_size < 2**29 else None  # into the system's cache
    done = subprocess.run(
        [sys.executable, __file__, "--measure", name, str(path), str(words)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def median(runs: list[dict[str, Any]], key: str) -> float:
    return statistics.median(each[key] for each in runs)


def prepare(folder: Path, rows: int) -> dict[str, Path]:
    """The files, made where they are not there."""
    from rowwise.vectors import Vectors

    files = {
        "text": folder / f"vectors-{rows}.txt",
        "own": folder / f"vectors-{rows}.safetensors",
        "fasttext": folder / f"vectors-{rows}.bin",
    }
    if not files["text"].exists():
        make_text(files["text"], rows)
    if not files["own"].exists():
        Vectors.load(files["text"]).save(files["own"])
    if not files["fasttext"].exists():
        make_fasttext(files["fasttext"], rows)
    for key in ("text", "fasttext"):
        names = files[key].with_suffix(f".{key}.words")
        names.write_text("\n".join(Vectors.load(files[key]).words[::ONLY]), encoding="utf-8")
        files[f"{key} words"] = names
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the files are kept")
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the median counts")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
        return
    with tempfile.TemporaryDirectory() as temporary:
        report(options.folder or Path(temporary), options.rows, options.runs)


def report(folder: Path, rows: int, runs: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = prepare(folder, rows)
    table = rows * COLUMNS * 4
    plan = [
        ("tutorials' loop", "loop", "text", runs),
        ("gensim", "gensim", "text", 1),
        ("rowwise", "rowwise", "text", runs),
        (f"rowwise, only= {rows // ONLY:,} words", "rowwise_only", "text", runs),
        ("rowwise, its own file, mapped", "rowwise", "own", runs),
        ("fastText .bin: fasttext", "fasttext", "fasttext", 1),
        ("fastText .bin: rowwise, mapped", "rowwise", "fasttext", runs),
    ]
    results: dict[str, list[dict[str, Any]]] = {label: [] for label, *_ in plan}
    for turn in range(runs):
        for label, name, key, times in plan:
            if turn < times:
                words = files["fasttext words" if key == "fasttext" else "text words"]
                results[label].append(run(name, files[key], words))
    base = median(results["tutorials' loop"], "seconds")
    for label, _, key, _ in plan:
        first = "fastText .bin: fasttext" if key == "fasttext" else "tutorials' loop"
        for each in results[label]:
            assert np.allclose(each["rows"], results[first][0]["rows"], atol=1e-6), label
    size = files["text"].stat().st_size / 1e6
    big = files["fasttext"].stat().st_size / 1e6
    print(
        f"{rows:,} x {COLUMNS}: text {size:,.0f} MB, fastText .bin {big:,.0f} MB, table "
        f"{table / 1e6:,.0f} MB; the rows of three words are equal"
    )
    print(f"{'':<34}{'seconds':>9}{'of the loop':>13}{'peak / table':>14}")
    for label, _, key, _ in plan:
        seconds, peak = median(results[label], "seconds"), median(results[label], "peak")
        share = "" if key == "fasttext" else f"{seconds / base:.3f}"
        print(f"{label:<34}{seconds:9.3f}{share:>13}{peak / table:14.2f}")
    ratio = median(results["gensim"], "seconds") / median(results["rowwise"], "seconds")
    print(f"gensim / rowwise, full load: {ratio:.1f}")


if __name__ == "__main__":
    main()
