"""Windows of examples: their order, and the store that threads and forked processes share."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from rowwise.text.indexed.order import Order
from rowwise.text.indexed.windows import WindowStore


def test_few_windows_are_kept() -> None:
    store = WindowStore(lambda key: key, 1)
    for key in range(20):
        assert store.get(key, range(key + 1, 20)) == key
        assert len(store._made) <= 3
    store.close()


IN_A_FORK = """
import os
from rowwise.text.indexed.windows import WindowStore
store = WindowStore(lambda key: key, 1)
assert store.get(1, [2, 3]) == 1
child = os.fork()
if not child:
    os._exit(0 if store.get(2, [3]) == 2 and store.get(5) == 5 else 1)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_process_that_was_forked_has_threads_of_its_own() -> None:
    subprocess.run([sys.executable, "-c", IN_A_FORK], check=True, timeout=60)


def test_a_slow_window_holds_up_no_other() -> None:
    released = threading.Event()

    def make(key: Any) -> Any:
        if key == "slow":
            assert released.wait(10)
        return key

    store = WindowStore(make, 2)
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(store.get, "slow")
        assert store.get("quick") == "quick"
        released.set()
        assert slow.result() == "slow"


def test_orders_of_windows() -> None:
    order = Order(np.array([3, 0, 2, 4]), window=2, seed=None).epoch(7)
    assert [window.tolist() for window in order.windows] == [[0, 2], [3]]
    assert order.begins.tolist() == [0, 5, 9]
    assert list(order.windows_of(4, 6)) == [0, 1]
    assert list(order.windows_of(5, 9)) == [1]
    assert list(order.windows_of(0, 5)) == [0]
