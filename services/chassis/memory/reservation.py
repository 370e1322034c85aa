"""A private range of addresses whose pages come when they are touched."""

import ctypes
import mmap

from services.chassis.memory import libc

# Pages of this size hold the range: charges are counted in them, since one touched byte takes one.
PAGE_BYTES = 2 * 1024 * 1024
# Linux, all architectures but alpha, mips, powerpc and sparc; Python names it from 3.13 on.
MAP_NORESERVE = 0x4000


class Reservation:
    """One anonymous private mapping, kept out of core dumps and of child processes.

    Attributes:
        buffer: the mapping; views of it keep the addresses valid even after `close`.
    """

    def __init__(self, size_bytes: int) -> None:
        """Reserve `size_bytes` (a multiple of `PAGE_BYTES`) of addresses, but no memory yet.

        Raises:
            OSError: the kernel has no room for the addresses.
        """
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
        self.buffer = mmap.mmap(-1, size_bytes, flags=flags)
        for advice in (mmap.MADV_DONTDUMP, mmap.MADV_DONTFORK):
            self.buffer.madvise(advice)
        _prefer_huge_pages(self.buffer)
        # The anchor exports the buffer, which would block `close`: only its address is kept.
        anchor = (ctypes.c_char * 0).from_buffer(self.buffer)
        self._address = ctypes.addressof(anchor)

    def lock(self, start: int, end: int) -> bool:
        """Lock the pages of [start, end) as they are touched; tell whether the kernel agreed."""
        return libc.lock_on_fault(self._address + start, end - start)

    def wipe(self, start: int, end: int) -> None:
        """Overwrite [start, end) with zeros; the interpreter's lock is free meanwhile."""
        assert 0 <= start <= end <= len(self.buffer)
        ctypes.memset(self._address + start, 0, end - start)

    def drop(self, start: int, end: int) -> None:
        """Give the pages of [start, end) back to the kernel; they read as zeros afterwards."""
        libc.unlock(self._address + start, end - start)
        self.buffer.madvise(mmap.MADV_DONTNEED, start, end - start)

    def close(self) -> None:
        """Unmap; while a view is alive only the pages go, and the addresses with the last view."""
        try:
            self.buffer.close()
        except BufferError:
            self.drop(0, len(self.buffer))


def whole_pages(size_bytes: int) -> int:
    """Round up to whole pages of `PAGE_BYTES`."""
    return -(-size_bytes // PAGE_BYTES) * PAGE_BYTES


def _prefer_huge_pages(buffer: mmap.mmap) -> None:
    try:
        buffer.madvise(mmap.MADV_HUGEPAGE)
    except OSError:
        # A kernel without huge pages serves small ones: slower to touch, otherwise the same.
        return
