"""Cycles of objects: a call that was cancelled lives on in one until the collector runs."""

import gc


def freeze_warm_heap() -> None:
    """Take all that lives after warm-up out of the collector's sight.

    It lives as long as the process, so looking at it again after every call would be for nothing.
    """
    gc.collect()
    gc.freeze()


def collect_garbage() -> None:
    """Free the cycles that a call left behind, at the end of every call that was cut off.

    All generations: a call that took long has been moved to the oldest one meanwhile. Cheap only
    after `freeze_warm_heap`.
    """
    gc.collect()
