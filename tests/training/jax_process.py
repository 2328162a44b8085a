"""One of several processes that train a model together; run by ``test_processes_jax.py``.

Arguments: its number, how many there are, the port of the first, a folder for what comes out, and
where to stop as if killed: after how many steps, or 0.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROWS, COLUMNS, LENGTH, BATCH, STEPS, EVERY = 83, 3, 5, 16, 30, 10


def batches() -> tuple[Any, Any]:
    generator = np.random.default_rng(4)
    chances = 1 / np.arange(1, ROWS - 3) ** 1.4
    ids = generator.choice(ROWS - 4, size=(STEPS * BATCH, LENGTH), p=chances / chances.sum())
    return ids.astype("int32"), generator.integers(0, 2, (STEPS * BATCH, 1)).astype("float32")


def build() -> Any:
    import rowwise
    from rowwise.backend import keras

    keras.utils.set_random_seed(1)
    model = rowwise.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            rowwise.layers.Embedding(ROWS, COLUMNS, updates="exact", name="words"),
            rowwise.layers.Pool("mean"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    return model


def main(number: int, count: int, port: int, folder: Path, stop: int) -> None:
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
    import jax

    import rowwise
    from rowwise.backend import keras
    from rowwise.training import save_checkpoint

    distribution = keras.distribution
    distribution.initialize(f"127.0.0.1:{port}", count, number)
    devices = distribution.list_devices()
    mesh = distribution.DeviceMesh((len(devices),), ["batch"], devices)
    layout = distribution.LayoutMap(mesh)
    layout[".*embeddings"] = ("batch", None)
    distribution.set_distribution(
        distribution.ModelParallel(layout_map=layout, auto_shard_dataset=False)
    )
    model = build()

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if stop and batch + 1 == stop and number == count - 1:
                os.kill(os.getpid(), signal.SIGKILL)

    # Of each batch, every process has its part.
    ids, targets = (
        one.reshape(STEPS, count, BATCH // count, -1)[:, number].reshape(-1, one.shape[1])
        for one in batches()
    )
    callbacks = [rowwise.Checkpoints(folder / "run", every=EVERY), Stop()]
    history = model.fit(
        ids, targets, batch_size=BATCH // count, shuffle=False, verbose=0, callbacks=callbacks
    )
    np.save(folder / f"loss-{number}.npy", history.history["loss"])
    [decision] = model.table_updates()
    (folder / f"why-{number}.txt").write_text(f"{decision.how}: {decision.why}")
    assert {shard.data.shape for shard in model.layers[0].table.value.addressable_shards} == {
        (-(-ROWS // len(jax.devices())), COLUMNS)
    }
    save_checkpoint(model, folder / "end")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), Path(sys.argv[4]), int(sys.argv[5]))
