"""The long run: `python -m tests.fuzz COUNT` checks that many cases, shared among all targets."""

import sys
import time

from tests.fuzz.leaks import no_leak
from tests.fuzz.targets import Run, open_targets

BATCH_CASES = 2_000  # of one search, which remembers all that it has tried
WARM_UP_CASES = 500  # load and cache all that stays, before anything is counted
# Most cases go where a case costs least; each target gets what it needs to be searched through.
SHARES = {
    "conversations": 0.25,
    "files": 0.2,
    "films": 0.1,
    "options": 0.05,
    "video options": 0.1,
    "dance options": 0.1,
    "tryon options": 0.05,
    "motions": 0.1,
    "calls": 0.05,
}


def main() -> None:
    """Fuzz, and print how many cases passed and how fast; a traceback is a find."""
    count = int(sys.argv[1])
    with open_targets(is_repeatable=False) as targets:
        for name, run in targets.items():
            cases, started = round(count * SHARES[name]), time.monotonic()
            search(run, cases)
            rate = cases / (time.monotonic() - started)
            sys.stdout.write(f"{name}: {cases} cases, {rate:.0f} a second, nothing found\n")
            sys.stdout.flush()


def search(run: Run, cases: int) -> None:
    """Check so many cases in batches, which together may leave nothing behind.

    Raises:
        AssertionError: a find.
    """
    warm_up = min(WARM_UP_CASES, cases)
    run(warm_up)
    with no_leak():
        for start in range(warm_up, cases, BATCH_CASES):
            run(min(BATCH_CASES, cases - start))


if __name__ == "__main__":
    main()
