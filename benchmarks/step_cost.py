"""What a training step costs: rowwise beside stock Keras and torch's SparseAdam, in one run.

A model with one table under Adam trains in plain ``fit`` on ids by Zipf's law. For tables of four
sizes, two sizes of a batch and two heads it prints milliseconds per step; the flush that makes all
rows current, which an epoch of 2,000 steps needs once; both together; and memory. Then words per
second beside fastText's supervised training. Each measurement is made in a process of its own.

    python benchmarks/step_cost.py
    python benchmarks/step_cost.py --rows 100000 1000000 --batch 32x50 --head pooled

    python benchmarks/step_cost.py --backend all --rows 1000000 --batch 32x50 --head pooled

Keras runs on JAX, or on each ``--backend`` in turn; all need to be installed together. torch and
fastText are left out where they are not installed. ``--quick`` measures small tables alone, once.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

# The rowwise of this checkout, installed or not.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from step_measure import CORES, Result, measure, measure_bandwidth, measure_fasttext
from step_models import EPOCH, Case

ROWS = [10_000, 100_000, 1_000_000, 4_000_000]
BATCHES = ["32x50", "512x40"]
HEADS = ["pooled", "lstm"]
BACKENDS = ["jax", "tensorflow", "torch"]
TINY = 1_000
NAMES = {
    "stock": "stock Keras",
    "exact": "rowwise exact",
    "lazy": "rowwise lazy",
    "auto": "rowwise auto",
    "torch": "torch SparseAdam",
    "bag": "torch, Bag",
}


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """What ``function`` gives in a process of its own; None when the system ended that."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            return None


def is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def table_mb(case: Case) -> float:
    """The table and Adam's two slots."""
    return 3 * 4 * case.rows * case.columns / 1e6


def least_bytes(case: Case, result: Result) -> float:
    """What a step has to move: rows (all, when dense) and slots read and written once.

    A dense step also writes and reads a gradient of the table's size; an LSTM the rows of all its
    words and their gradients.
    """
    row = 4 * case.columns
    moved = 8 * row * case.rows if result.how == "dense" else 6 * row * result.distinct
    return moved + (4 * row * case.batch * case.length if case.head == "lstm" else 0)


@dataclass
class Bench:
    """The measurements, and what is printed of them."""

    options: argparse.Namespace
    bandwidth: float
    measured: list[dict[str, Any]]

    def measure(self, case: Case) -> Result | None:
        result: Result | None = alone(measure, case)
        if result is not None:
            backend = os.environ["KERAS_BACKEND"]
            about = {"backend": backend, **asdict(case), **asdict(result)}
            self.measured.append({**about, "total_ms": result.total_ms})
        return result

    def say(self, line: str = "") -> None:
        if not self.options.json:
            print(line, flush=True)

    def compare(self, head: str, batch: str) -> None:
        """All methods at all sizes, for one head and one size of a batch."""
        texts, length = map(int, batch.split("x"))
        case = Case("stock", TINY, head, texts, length, self.options.columns)
        case = replace(case, runs=self.options.runs, seconds=self.options.seconds)
        self.say(f"\n{head}, batches of {texts} x {length} = {texts * length:,} ids")
        self.say(
            f"{'rows':>9}  {'':16} {'ms/step':>9} {'flush ms':>9} {'total':>9} {'of steps':>8} "
            f"{'x stock':>8} {'x torch':>8} {'x bag':>7} {'peak MB':>8} {'limit MB':>8} "
            f"{'bytes/step':>10} {'of bound':>8}"
        )
        tiny = self.measure(case)
        tiny_mb = 0.0 if tiny is None else tiny.peak_mb
        if tiny is not None:
            self._line(replace(case, method="stock"), tiny, {}, tiny_mb)
        found: dict[tuple[str, int], Result] = {}
        for rows in self.options.rows:
            of_size: dict[str, Result] = {}
            peers = ["torch", "bag"] if head == "pooled" else ["torch"]
            for method in [*(peers if is_installed("torch") else []), "stock", "exact", "auto"]:
                one = replace(case, method=method, rows=rows)
                result = self.measure(one)
                if result is None:
                    self.say(
                        f"{rows:9,}  {NAMES[method]:16} ended by the system: too little memory"
                    )
                    continue
                of_size[method] = found[method, rows] = result
                self._line(one, result, of_size, tiny_mb)
        self._conclude(found, tiny)

    def _line(self, case: Case, result: Result, beside: dict[str, Result], tiny_mb: float) -> None:
        def times(method: str) -> str:
            return f"{beside[method].total_ms / result.total_ms:.2f}" if method in beside else "-"

        moved = least_bytes(case, result)
        least_ms = 1e3 * moved / self.bandwidth
        how = f" ({result.how})" if case.method == "auto" else ""
        self.say(
            f"{case.rows:9,}  {NAMES[case.method] + how:16.20} {result.step_ms:9.3f} "
            f"{result.flush_ms:9.1f} {result.total_ms:9.3f} {result.steps:8,} "
            f"{times('stock'):>8} {times('torch'):>8} {times('bag'):>7} {result.peak_mb:8,.0f} "
            f"{1.15 * table_mb(case) + tiny_mb:8,.0f} {moved / 1e6:8.2f}MB "
            f"{100 * least_ms / result.total_ms:7.1f}%"
        )

    def _conclude(self, found: dict[tuple[str, int], Result], tiny: Result | None) -> None:
        def total(method: str, rows: int) -> float | None:
            return found[method, rows].total_ms if (method, rows) in found else None

        stock, exact = total("stock", 1_000_000), total("exact", 1_000_000)
        if stock and exact and tiny:
            self.say(
                f"Bound, stock at 1,000,000 over stock at 1,000: {stock / tiny.total_ms:.1f}. "
                f"Reached by exact at 1,000,000: {stock / exact:.1f}."
            )
        large, small = total("exact", 4_000_000), total("exact", 100_000)
        if large and small:
            self.say(f"Exact at 4,000,000 over exact at 100,000: {large / small:.2f}.")
        ratios = [
            (found["auto", rows].total_ms / found["stock", rows].total_ms, rows)
            for method, rows in found
            if method == "auto" and ("stock", rows) in found
        ]
        if ratios:
            worst, rows = max(ratios)
            self.say(f"Auto takes at most {worst:.2f} times as long as stock (at {rows:,} rows).")

    def words(self) -> None:
        """Words per second at 20,480 ids a step, beside fastText's supervised training."""
        rows, texts, length = 50_000, 512, 40
        self.say(f"\nwords per second, {rows:,} rows, {texts * length:,} ids a step, pooled")
        speeds: dict[str, float] = {}
        if is_installed("fasttext") and self.options.device == "cpu":
            count = texts * (20 if self.options.quick else 200)
            speeds["fastText supervised"] = alone(measure_fasttext, rows, length, count)
        peers = ["torch", "bag"] if is_installed("torch") else []
        for method in [*peers, "stock", "exact", "lazy", "auto"]:
            case = Case(method, rows, "pooled", texts, length)
            result = self.measure(
                replace(case, runs=self.options.runs, seconds=self.options.seconds)
            )
            if result is not None:
                speeds[NAMES[method]] = 1e3 * texts * length / result.total_ms
                limit = self.bandwidth / least_bytes(case, result) * texts * length
                if method == "exact":
                    speeds["limit of exact"] = limit
        first = next(iter(speeds.values()))
        for name, speed in speeds.items():
            self.say(f"  {name:20} {speed / 1e6:8.2f} million ({speed / first:.2f})")
            self.measured.append({"method": name, "rows": rows, "words_per_second": speed})

    def saving(self) -> None:
        """Memory with ``save``, at the largest size up to a million rows."""
        rows = max((rows for rows in self.options.rows if rows <= 1_000_000), default=None)
        if rows is None:
            return
        case = Case("exact", rows, "pooled", 32, 50, runs=1, seconds=0.5, save=True)
        result = self.measure(case)
        if result is not None:
            self.say(
                f"\nmemory, {rows:,} rows: table and slots {table_mb(case):,.0f} MB; most in fit "
                f"and flush {result.peak_mb:,.0f} MB, with save {result.saved_mb:,.0f} MB"
            )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=None, help=f"of the table: {ROWS}")
    parser.add_argument("--batch", nargs="+", default=None, help=f"texts x words: {BATCHES}")
    parser.add_argument("--head", nargs="+", default=None, choices=HEADS)
    parser.add_argument("--columns", type=int, default=100, help="of the table: 100")
    parser.add_argument("--seconds", type=float, default=None, help="of a run, at most: 2")
    parser.add_argument("--quick", action="store_true", help="small tables, one short run each")
    parser.add_argument(
        "--backend", nargs="+", default=None, choices=(*BACKENDS, "all"), help="of Keras: jax"
    )
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    options = parser.parse_args()
    quick = options.quick
    options.backend = options.backend or [os.environ.get("KERAS_BACKEND", "jax")]
    if "all" in options.backend:
        options.backend = BACKENDS
    options.runs = 1 if quick else 3
    options.seconds = options.seconds or (0.3 if quick else 2.0)
    options.everything = not (options.rows or options.batch or options.head)
    options.rows = options.rows or ([10_000, 100_000] if quick else ROWS)
    options.batch = options.batch or (BATCHES[:1] if quick else BATCHES)
    options.head = options.head or (HEADS[:1] if quick else HEADS)
    return options


def main() -> None:
    options = parse()
    os.environ.setdefault("JAX_PLATFORMS", {"cpu": "cpu", "gpu": "cuda"}[options.device])
    bench = Bench(options, alone(measure_bandwidth), [])
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    bench.say(
        f"{platform.machine()}, {CORES} cores, load before {load}, {options.device}; memory moves "
        f"{bench.bandwidth / 1e9:.1f} GB/s (copies); {options.runs} runs of at most "
        f"{options.seconds:g} s and {EPOCH:,} steps, of which the median; total: a step and its "
        f"{EPOCH:,}th part of a flush"
    )
    for backend in options.backend:
        os.environ["KERAS_BACKEND"] = backend  # of the processes that measure
        bench.say(f"\nKeras on {backend}")
        for head in options.head:
            for batch in options.batch:
                bench.compare(head, batch)
        if options.everything:
            bench.words()
            bench.saving()
    if options.json:
        summary = {"bandwidth": bench.bandwidth, "cores": CORES, "load": load}
        print(json.dumps({**summary, "measured": bench.measured}, indent=1))


if __name__ == "__main__":
    main()
