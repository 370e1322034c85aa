"""The long run: `python -m tests.fuzz COUNT` checks that many cases, shared among all targets."""

import sys
import time

from tests.fuzz.targets import open_targets

BATCH_CASES = 2_000  # of one search, which remembers all that it has tried
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
            for start in range(0, cases, BATCH_CASES):
                run(min(BATCH_CASES, cases - start))
            rate = cases / (time.monotonic() - started)
            sys.stdout.write(f"{name}: {cases} cases, {rate:.0f} a second, nothing found\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
