"""What the runs of one call did to device memory, for its receipt.

Engines know runs, not calls. A call counts in the threads that work for it, and whoever starts
another thread for the same call passes the context on (`contextvars.copy_context().run`).
"""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DeviceTally:
    """Counts for one call. Safe for threads.

    Attributes:
        leased_bytes_peak: most bytes that the call's runs held at one time.
        wiped_bytes: bytes overwritten with zeros when they ended.
    """

    def __init__(self) -> None:
        self.leased_bytes_peak = 0
        self.wiped_bytes = 0
        self._leased_bytes = 0
        self._lock = threading.Lock()

    def counted(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do some work of the call, and count what it does in this thread."""
        token = CURRENT.set(self)
        try:
            return work(*args, **kwargs)
        finally:
            CURRENT.reset(token)

    def hold(self, size_bytes: int) -> None:
        """Count a run that begins."""
        with self._lock:
            self._leased_bytes += size_bytes
            self.leased_bytes_peak = max(self.leased_bytes_peak, self._leased_bytes)

    def let_go(self, size_bytes: int, *, is_wiped: bool) -> None:
        """Count a run that has ended."""
        with self._lock:
            self._leased_bytes -= size_bytes
            self.wiped_bytes += size_bytes if is_wiped else 0


CURRENT: ContextVar[DeviceTally | None] = ContextVar("device_tally", default=None)
"""Of the call that the thread works for; nobody's while a service starts."""
