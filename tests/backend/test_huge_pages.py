"""Asking for large pages never changes what is in memory; where there are such pages, it works."""

import mmap
import re
from pathlib import Path

import numpy as np
import pytest

from rowwise.backend import huge_pages
from rowwise.backend.huge_pages import LEAST, gather_pages

SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def kilobytes_in_large_pages(address):
    """Of the mapping in this process that holds ``address``."""
    found = None
    for line in Path("/proc/self/smaps").read_text().splitlines():
        bounds = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
        if bounds:
            inside = int(bounds[1], 16) <= address < int(bounds[2], 16)
        elif inside and line.startswith("AnonHugePages:"):
            found = int(line.split()[1])
    return found


@pytest.fixture
def array():
    """In memory that NumPy did not ask large pages for."""
    size = LEAST + (4 << 20)
    values = np.frombuffer(mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), np.int32)
    values[:] = np.arange(len(values))
    return values


def test_memory_keeps_what_is_in_it(array):
    before = array.copy()
    thread = gather_pages([(array.ctypes.data + 4, array.nbytes - 12)])
    if thread is not None:
        thread.join()
    np.testing.assert_array_equal(array, before)


def test_where_the_system_has_large_pages_memory_is_put_into_them(array):
    thread = gather_pages([(array.ctypes.data, array.nbytes)])
    has_them = SETTING.exists() and "[never]" not in SETTING.read_text()
    assert (thread is not None) == has_them
    if thread is not None:
        thread.join()
        version = [int(part) for part in re.findall(r"\d+", Path("/proc/version").read_text())[:2]]
        assert version < [6, 1] or kilobytes_in_large_pages(array.ctypes.data) >= LEAST >> 11


@pytest.mark.parametrize("setting", ["always madvise [never]\n", None])
def test_nobody_is_asked_against_the_owner_s_will(setting, array, monkeypatch, tmp_path):
    path = tmp_path / "enabled"
    if setting is not None:
        path.write_text(setting)
    monkeypatch.setattr(huge_pages, "_SETTING", path)
    assert gather_pages([(array.ctypes.data, array.nbytes)]) is None


def test_small_and_freed_memory_does_no_harm():
    assert gather_pages([(4096, LEAST - 1)]) is None
    thread = gather_pages([(1 << 46, LEAST)])
    if thread is not None:
        thread.join()
