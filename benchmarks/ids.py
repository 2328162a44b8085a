"""Looking up categorical ids: IdColumn beside pandas' Index and a Python dictionary.

Three columns of distinct values: numbers close together, numbers anywhere in 64 bits, strings. Each
is asked for values drawn from it, many at a time and as many as a batch has; the best of several
runs counts. All give the same rows.
Usage: python benchmarks/ids.py [--values 1000000] [--asked 5000000]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from rowwise import IdColumn

BATCH = 4096


def best(call: Callable[[], Any], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=1_000_000, help="different values")
    parser.add_argument("--asked", type=int, default=5_000_000, help="values to look up")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    sparse = np.unique(rng.integers(0, 2**64, options.values, dtype=np.uint64))
    rng.shuffle(sparse)
    columns: dict[str, Any] = {
        "close numbers": rng.permutation(options.values),
        "64-bit numbers": sparse,
        "strings": pa.array([f"user-{number:x}" for number in sparse.tolist()], pa.large_string()),
    }
    print("millions a second        asked    IdColumn  pandas Index  Python dict")
    for name, values in columns.items():
        places = rng.integers(0, len(values), options.asked)
        is_text = name == "strings"
        asked = values.take(pa.array(places)) if is_text else values[places]
        column = IdColumn(values)
        index = pd.Index(values.to_pylist() if is_text else values)
        known = dict(zip(column.values, range(2, len(column)), strict=True))
        for count, runs in ((options.asked, 3), (BATCH, 30)):
            some = asked[:count]
            listed = some.to_pylist() if is_text else some.tolist()
            # Each is given what it takes best.
            for_pandas = np.array(listed, dtype=object) if is_text else some
            ways: list[Callable[[], Any]] = [
                lambda some=some, column=column: column.ids(some),
                lambda given=for_pandas, index=index: index.get_indexer(given) + 2,
                lambda listed=listed, known=known: [known.get(value, 1) for value in listed],
            ]
            first, *others = (np.asarray(way()) for way in ways)
            assert all(np.array_equal(first, other) for other in others)
            speeds = [count / best(way, runs) / 1e6 for way in ways]
            print(f"{name:15} {count:15,}  {speeds[0]:10.1f}  {speeds[1]:12.1f}  {speeds[2]:11.1f}")


if __name__ == "__main__":
    main()
