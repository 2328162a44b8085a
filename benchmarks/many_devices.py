"""What a step sends between devices, beside stock Keras, with a table divided by rows.

Eight virtual devices of one machine train a model under ``keras.distribution.ModelParallel``. The
bytes are counted in what XLA compiled: what one device sends in a step, by the usual algorithms in
a ring (an all-reduce sends everything two times, others once, but for a device's own share). The
milliseconds say how the two ways compare on a machine whose cores all devices share, and nothing
about real ones.

    python benchmarks/many_devices.py
    python benchmarks/many_devices.py --rows 10000 1000000 --batch 512x40 --axes 2x4
"""

import argparse
import math
import multiprocessing
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The rowwise of this checkout, installed or not.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

COLUMNS = 100
BYTES = {"f32": 4, "s32": 4, "u32": 4, "pred": 1, "s8": 1, "f16": 2, "bf16": 2, "s64": 8, "f64": 8}
SENT = {"all-reduce": 2.0, "all-gather": 1.0, "reduce-scatter": 1.0, "all-to-all": 1.0}


@dataclass(frozen=True)
class Measured:
    """Of one way to train."""

    sent: float
    """Bytes that a device sends in a step."""
    largest: int
    """Bytes of the largest array that is sent."""
    milliseconds: float
    held: int
    """Bytes of the table and its slots on a device."""


def measure(is_ours: bool, rows: int, batch: int, length: int, axes: tuple[int, int]) -> Measured:
    """Train a few steps; in a process of its own."""
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={math.prod(axes)}"
    import jax
    import numpy as np

    import rowwise
    from rowwise.backend import keras

    texts: list[str] = []
    jit = jax.jit

    def compile_and_keep(function: Any, **options: Any) -> Any:
        jitted = jit(function, **options)

        def call(*arguments: Any) -> Any:
            if not texts:
                texts.append(jitted.lower(*arguments).compile().as_text())
            return jitted(*arguments)

        return call if {"out_shardings", "donate_argnums"} <= set(options) else jitted

    jax.jit = compile_and_keep
    if not is_ours:
        import keras.src.backend.jax.trainer as keras_trainer

        keras_trainer.jit = compile_and_keep
    layout_of = keras.distribution
    mesh = layout_of.DeviceMesh(axes, ["data", "rows"], layout_of.list_devices())
    layouts = layout_of.LayoutMap(mesh)
    layouts[".*embeddings"] = ("rows" if axes[1] > 1 else "data", None)
    layout_of.set_distribution(layout_of.ModelParallel(layout_map=layouts, batch_dim_name="data"))
    keras.utils.set_random_seed(1)
    embedding = (
        rowwise.layers.Embedding(rows, COLUMNS, updates="exact")
        if is_ours
        else keras.layers.Embedding(rows, COLUMNS)
    )
    sequential = rowwise.Sequential if is_ours else keras.Sequential
    model = sequential(
        [
            keras.Input((length,), dtype="int32"),
            embedding,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    generator = np.random.default_rng(0)
    ids = np.minimum(generator.zipf(1.3, (batch, length)) - 1, rows - 1).astype("int32")
    targets = np.zeros((batch, 1), "float32")
    for _ in range(3):
        model.train_on_batch(ids, targets)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < 3:
        loss = model.train_on_batch(ids, targets)
        steps += 1
    float(loss)
    milliseconds = (time.perf_counter() - start) / steps * 1e3
    table = model.layers[0]._embeddings.value
    held = 3 * table.addressable_shards[0].data.nbytes
    sent, largest = count(texts[0], math.prod(axes))
    return Measured(sent, largest, milliseconds, held)


def count(text: str, devices: int) -> tuple[float, int]:
    """Bytes that a device sends, and of the largest array, by the text of a compiled function."""
    sent, largest = 0.0, 0
    for line in text.splitlines():
        match = re.search(r"= (.*?) ([a-z-]+?)(?:-start)?\(", line)
        if match is None or match[2] not in SENT:
            continue
        group = re.search(r"replica_groups=\{\{([\d,]+)\}", line)
        size = len(group[1].split(",")) if group else devices
        if grid := re.search(r"replica_groups=\[(\d+),(\d+)\]", line):
            size = int(grid[2])
        if named := re.search(r"mesh\[([^\]]*)\] \{([^}]*)\}", line):
            sizes = dict(re.findall(r"'(\w+)'=(\d+)", named[1]))
            size = math.prod(int(sizes[name]) for name in re.findall(r"'(\w+)'", named[2]))
        for dtype, shape in re.findall(r"(\w+)\[([\d,]*)\]", match[1]):
            held = math.prod(map(int, filter(None, shape.split(",")))) * BYTES[dtype]
            whole = held * size if match[2] == "reduce-scatter" else held
            sent += SENT[match[2]] * whole * (size - 1) / size
            largest = max(largest, whole)
    return sent, largest


def pair(text: str) -> tuple[int, int]:
    first, second = text.split("x")
    return int(first), int(second)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--batch", type=pair, default=(512, 40), help="texts x words")
    parser.add_argument(
        "--axes",
        type=pair,
        default=(8, 1),
        help="devices along which examples and rows are divided; 8x1 divides both along one axis",
    )
    arguments = parser.parse_args()
    batch, length = arguments.batch
    print(
        f"{math.prod(arguments.axes)} devices, {arguments.axes[0]} x {arguments.axes[1]}; batches "
        f"of {batch} x {length} = {batch * length:,} ids; {COLUMNS} columns; Adam"
    )
    print("     rows              MB sent  largest MB  ms/step  table and slots, MB a device")
    for rows in arguments.rows:
        for name, is_ours in (("stock Keras", False), ("rowwise", True)):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                found = pool.submit(measure, is_ours, rows, batch, length, arguments.axes).result()
            print(
                f"{rows:9,}  {name:11}  {found.sent / 1e6:8.2f}  {found.largest / 1e6:10.2f}"
                f"  {found.milliseconds:7.1f}  {found.held / 1e6:8.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
