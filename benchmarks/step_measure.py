"""One measurement of ``step_cost.py``, made in a process of its own.

So memory and caches are clean, and what a library keeps from one model is not there for the next.
"""

import ctypes
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from step_models import EPOCH, Case, KerasModel, TorchModel, make_data, on_gpu, zipf_ids

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Result:
    """What was measured; times are medians of the runs."""

    step_ms: float
    flush_ms: float
    steps: int
    """Of each run."""
    peak_mb: float
    """The most memory in ``fit`` and flush, the table and the slots with it, above the process
    before the model was made."""
    saved_mb: float
    """The same with ``save``; 0 when nothing was saved."""
    how: str
    """How the table trained."""
    distinct: float
    """Different ids of a batch, on average."""

    @property
    def total_ms(self) -> float:
        """Of a step, with its part of the flush at the end of an epoch."""
        return self.step_ms + self.flush_ms / EPOCH


def measure(case: Case) -> Result:
    """Train on ``case``, and say what it took."""
    ids, labels, distinct = make_data(case)
    kind: type[KerasModel] | type[TorchModel] = (
        TorchModel if case.method in ("torch", "bag") else KerasModel
    )
    kind(Case(case.method, 10, case.head, 2, case.length), ids, labels)  # loads the libraries
    before = _memory("VmRSS")
    model = kind(case, ids, labels)
    _forget_peak()
    steps = _steps_for(case.seconds, model.fit)
    model.flush()  # compiles
    fits, flushes = [], []
    for _ in range(case.runs):
        fits.append(_seconds(lambda: model.fit(steps)))
        flushes.append(_seconds(model.flush))
    peak = _peak() - before
    if case.save:
        model.save()
    return Result(
        step_ms=1e3 * statistics.median(fits) / steps,
        flush_ms=1e3 * statistics.median(flushes),
        steps=steps,
        peak_mb=peak,
        saved_mb=_peak() - before if case.save else 0.0,
        how=model.how,
        distinct=distinct,
    )


def measure_fasttext(rows: int, length: int, texts: int, columns: int = 100) -> float:
    """Words per second of fastText's supervised training, without its reading of the words.

    That is the difference between one epoch and some more, on the same ids as words.
    """
    import fasttext

    ids = zipf_ids(texts * length, rows).reshape(texts, length)
    labels = np.random.default_rng(1).integers(0, 2, texts)
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        with path.open("w") as file:
            for row, label in zip(ids.tolist(), labels.tolist(), strict=True):
                file.write(f"__label__{label} {' '.join(map(str, row))}\n")
        for epochs in (1, 6):
            options = {"dim": columns, "epoch": epochs, "thread": CORES, "verbose": 0}
            seconds[epochs] = statistics.median(
                _seconds(lambda: fasttext.train_supervised(str(path), **options))  # noqa: B023
                for _ in range(3)
            )
    return 5 * ids.size / (seconds[6] - seconds[1])


def measure_bandwidth() -> float:
    """Bytes per second read and written together when an array is copied: NumPy, by all cores.

    On a GPU its own memory's.
    """
    if on_gpu():
        return _gpu_bandwidth()
    source = np.ones(1 << 27, np.float32)  # 512 MiB, beyond any cache
    target = np.zeros_like(source)
    parts = list(zip(np.array_split(source, CORES), np.array_split(target, CORES), strict=True))
    with ThreadPoolExecutor(CORES) as pool:

        def copy() -> None:
            list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), parts))

        return 2 * source.nbytes / statistics.median(_seconds(copy) for _ in range(7))


def _gpu_bandwidth() -> float:
    import jax

    source = jax.numpy.ones(1 << 29, np.float32)  # 2 GiB
    copy = jax.jit(lambda array: array + 1)
    copy(source).block_until_ready()

    def copies() -> None:
        for _ in range(10):
            target = copy(source)
        target.block_until_ready()

    return 20 * source.nbytes / statistics.median(_seconds(copies) for _ in range(5))


def _steps_for(seconds: float, fit: Callable[[int], None]) -> int:
    """How many steps take about that long, of an epoch at most; the first steps compile."""
    fit(2)
    steps, took = 2, _seconds(lambda: fit(2))
    while took < seconds / 8 and steps < EPOCH:
        steps = min(8 * steps, EPOCH)
        took = _seconds(lambda: fit(steps))  # noqa: B023
    return max(2, min(EPOCH, int(steps * seconds / took)))


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _memory(name: str) -> float:
    """Megabytes of this process, ``VmRSS`` now and ``VmHWM`` at most; of the GPU's, on a GPU."""
    if on_gpu():
        return max(_gpu_bytes("bytes_in_use" if name == "VmRSS" else "peak_bytes_in_use")) / 1e6
    with suppress(OSError):
        status = dict(
            line.split(":") for line in Path("/proc/self/status").read_text().splitlines()
        )
        return int(status[name].split()[0]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024  # no /proc: the highest so far
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _gpu_bytes(name: str) -> Iterator[int]:
    if "torch" in sys.modules:
        import torch

        now = name == "bytes_in_use"
        yield torch.cuda.memory_allocated() if now else torch.cuda.max_memory_allocated()
    else:
        import jax

        yield int(jax.devices()[0].memory_stats()[name])


def _peak() -> float:
    return _memory("VmHWM")


def _forget_peak() -> None:
    """Count the most memory from here, where the system can, without what was freed before."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    if on_gpu() and "torch" in sys.modules:
        sys.modules["torch"].cuda.reset_peak_memory_stats()
