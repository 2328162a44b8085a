"""What looking at ids costs in training: steps of one model with stock and with checked ids.

Both models train densely on the same batches, in turns; what is printed is the median of the
differences between a run and the one beside it.
"""

import argparse
import statistics
import time

import numpy as np

import rowwise  # first, since it chooses the backend

import keras  # isort: skip

COLUMNS = 100


def build(sequential: type, embedding: type, rows: int, length: int, **options: object) -> object:
    keras.utils.set_random_seed(0)
    model = sequential(
        [
            keras.Input((length,), dtype="int32"),
            embedding(rows, COLUMNS, **options),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--runs", type=int, default=41)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    texts = options.steps * options.batch
    ids = rng.integers(0, options.rows, (texts, options.length)).astype("int32")
    labels = rng.integers(0, 2, (texts, 1)).astype("float32")
    size = options.rows, options.length
    models = [
        build(keras.Sequential, keras.layers.Embedding, *size),
        build(rowwise.Sequential, rowwise.layers.Embedding, *size, updates="dense"),
    ]

    def microseconds(model: object) -> float:
        start = time.perf_counter()
        model.fit(ids, labels, batch_size=options.batch, shuffle=False, verbose=0)
        return 1e6 * (time.perf_counter() - start) / options.steps

    for model in models:  # compiles
        microseconds(model)
    pairs = [[microseconds(model) for model in models] for _ in range(options.runs)]
    stock, checked = (statistics.median(column) for column in zip(*pairs, strict=True))
    differences = sorted(checked - stock for stock, checked in pairs)
    print(
        f"{options.rows:,} rows x {COLUMNS}, batches of {options.batch} x {options.length}: "
        f"{stock:.0f} microseconds a step with stock ids, {checked:.0f} with checked ids; median "
        f"of {options.runs} differences {statistics.median(differences):.1f} microseconds "
        f"(half of them from {differences[len(pairs) // 4]:.1f} to "
        f"{differences[3 * len(pairs) // 4]:.1f})"
    )


if __name__ == "__main__":
    main()
