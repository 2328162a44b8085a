"""Two processes with four devices each train one model, over ``jax.distributed`` on loopback."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jax_process import BATCH, EVERY, STEPS, batches, build
from layouts import by_rows, on_devices, whole_state
from twins import ON_JAX, assert_close, state_of

from rowwise.training import load_checkpoint

SCRIPT = Path(__file__).with_name("jax_process.py")


@contextmanager
def processes(folder: Path, stop: int = 0) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that train; they are gone at the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    try:
        for number in range(2):
            command = [sys.executable, SCRIPT, number, 2, port, folder, stop]
            with open(folder / f"said-{number}.txt", "w") as said:
                started.append(
                    subprocess.Popen(list(map(str, command)), stdout=said, stderr=said, text=True)
                )
        yield started
    finally:
        for one in started:
            one.kill()
            one.wait()


def fit(model: Any, first: int, last: int) -> Any:
    some = slice(first * BATCH, last * BATCH)
    ids, targets = batches()
    return model.fit(ids[some], targets[some], batch_size=BATCH, shuffle=False, verbose=0).history


if ON_JAX:

    def test_two_processes_train_as_one(tmp_path: Path) -> None:
        with processes(tmp_path) as started:
            for number, one in enumerate(started):
                assert one.wait(240) == 0, (tmp_path / f"said-{number}.txt").read_text()
        alone, joint = build(), build()
        history = fit(alone, 0, STEPS)
        assert load_checkpoint(joint, tmp_path / "end") == STEPS
        assert_close(state_of(joint), state_of(alone))
        for number in range(2):
            np.testing.assert_allclose(
                np.load(tmp_path / f"loss-{number}.npy"), history["loss"], rtol=1e-5
            )
            assert (tmp_path / f"why-{number}.txt").read_text() == (
                "exact: asked for; its rows are divided among 8 devices"
            )
        # Each wrote its rows: eight parts in all, of 11 rows and the last of 6.
        parts = (tmp_path / "end" / f"step-{STEPS:09d}").glob("model-0-*.npy")
        assert sorted(len(np.load(part)) for part in parts) == [6, *[11] * 7]

    def test_a_killed_process_leaves_a_checkpoint_to_go_on_from(tmp_path: Path) -> None:
        with processes(tmp_path, stop=2 * EVERY + 5) as started:
            assert started[1].wait(240) == -9, (tmp_path / "said-1.txt").read_text()
        alone = build()
        fit(alone, 0, STEPS)
        with on_devices(by_rows("batch", "batch", batch=2)):  # on fewer devices, in one process
            again = build()
            assert load_checkpoint(again, tmp_path / "run") == 2 * EVERY
            fit(again, 2 * EVERY, STEPS)
            values = whole_state(again)
        assert_close(values, state_of(alone))
