"""What a run of many cases leaves behind: memory, descriptors, threads."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

# What one run of cases may add: the search keeps what it has tried, allocators keep some slack.
RESIDENT_BYTES_MAX = 48 << 20


@contextmanager
def no_leak() -> Iterator[None]:
    """Hold the block to leaving nothing behind; run some cases before, so that all is loaded.

    Raises:
        AssertionError: a find.
    """
    process = psutil.Process()
    resident, descriptors, threads = measured(process)
    yield
    resident_after, descriptors_after, threads_after = measured(process)
    assert descriptors_after <= descriptors
    assert threads_after <= threads
    assert resident_after - resident < RESIDENT_BYTES_MAX


def measured(process: psutil.Process) -> tuple[int, int, int]:
    """Free what can be freed; count resident bytes, open descriptors and threads."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return process.memory_info().rss, process.num_fds(), process.num_threads()
