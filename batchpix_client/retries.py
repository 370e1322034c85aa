"""Which calls are tried again, when, and how often: only those that never began."""

from collections.abc import Callable

import tenacity

from batchpix_client.errors import BatchpixError

ATTEMPTS_MAX = 3
JITTER_SECONDS_FIRST = 0.1  # doubled for each further attempt
JITTER_SECONDS_MAX = 2.0


def may_retry(error: BaseException) -> bool:
    """Tell whether a call that was not let in may be tried again.

    UNAVAILABLE means that nobody took the call. RESOURCE_EXHAUSTED comes with a delay when the
    service has no room now, and without one when the call would never fit.
    """
    if not isinstance(error, BatchpixError):
        return False
    busy = error.code == "RESOURCE_EXHAUSTED" and error.retry_after_seconds is not None
    return busy or error.code == "UNAVAILABLE"


def pause_seconds(state: tenacity.RetryCallState) -> float:
    """Wait as long as the service asked, and a random while more so that callers do not meet."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_seconds if isinstance(error, BatchpixError) else None
    jitter = tenacity.wait_random_exponential(JITTER_SECONDS_FIRST, max=JITTER_SECONDS_MAX)
    return (asked or 0.0) + jitter(state)


def attempts(deadline_seconds: float) -> tenacity.Retrying:
    """Iterate over the attempts of a call; the last error is raised as it is."""
    return tenacity.Retrying(
        stop=stop(deadline_seconds),
        wait=pause_seconds,
        retry=tenacity.retry_if_exception(may_retry),
        reraise=True,
    )


def stop(deadline_seconds: float) -> Callable[[tenacity.RetryCallState], bool]:
    """End the attempts at their number or where the next would begin past the deadline."""
    by_count = tenacity.stop_after_attempt(ATTEMPTS_MAX)
    return tenacity.stop_any(by_count, tenacity.stop_before_delay(deadline_seconds))
