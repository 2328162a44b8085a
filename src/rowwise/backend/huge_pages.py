"""Large arrays in large pages of memory.

Rows of a table are read here and there. In pages of 4 KiB nearly every row is in one of which the
processor does not know the address (a TLB miss); in pages of 2 MiB it knows most. Linux puts memory
into such pages when it is asked (``madvise(2)``, MADV_HUGEPAGE and, since 6.1, MADV_COLLAPSE).
"""

import ctypes
import mmap
import sys
import threading
from pathlib import Path

_SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25

# Bytes; of what is smaller, the processor knows the addresses anyway.
LEAST = 16 << 20


def gather_pages(regions: list[tuple[int, int]]) -> threading.Thread | None:
    """Ask for large pages for regions of this process's memory, in the background.

    What is in the memory stays as it is and may be read and written meanwhile. Nothing happens
    where the system has no such pages, or its owner wants none.

    Args:
        regions: addresses and sizes, in bytes. The small ones are left alone, and it does no harm
            when one has been freed.

    Returns:
        the thread that asks; None where there is nothing to ask for.
    """
    large = [(address, size) for address, size in regions if size >= LEAST]
    if not large or not _are_offered():
        return None
    thread = threading.Thread(target=_ask, args=(large,), name="rowwise-pages", daemon=True)
    thread.start()
    return thread


def _are_offered() -> bool:
    try:
        return sys.platform == "linux" and "[never]" not in _SETTING.read_text()
    except OSError:
        return False


def _ask(regions: list[tuple[int, int]]) -> None:
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for address, size in regions:
        start = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE
        length = (address + size - start) // mmap.PAGESIZE * mmap.PAGESIZE
        for advice in (_MADV_HUGEPAGE, _MADV_COLLAPSE):  # a system may know none or the first only
            madvise(start, length, advice)
