"""The long run: `python -m tests.gateway.lint.fuzz COUNT [SEED]` lints that many damaged files."""

import random
import sys
import time
from collections import Counter

from gateway.lint.document import DocumentError
from gateway.lint.linter import lint
from gateway.lint.rules import RULES
from tests.gateway.lint.mutate import FIXTURES, UNUSUAL, mutated

SECONDS_MAX = 5.0  # of processor time: the linter waits for nothing


def main() -> None:
    """Fuzz, and print how files ended; a traceback is a find."""
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    sys.stdout.write(f"{dict(fuzz(count, seed))}\n")


def fuzz(count: int, seed: int) -> Counter[str]:
    """Lint damaged files, those of others too; count how they end.

    Raises:
        AssertionError: one took too long; any other exception but DocumentError is a find too.
    """
    # Repeatable, not secret.
    source = random.Random(seed)
    files = (*sorted(FIXTURES.glob("*.yaml")), *sorted(UNUSUAL.iterdir()))
    texts = [file.read_text(encoding="utf-8") for file in files]
    endings: Counter[str] = Counter()
    for _ in range(count):
        text = mutated(source.choice(texts), source)
        began = time.process_time()
        try:
            endings["found" if lint(text, "fuzz.yaml", RULES) else "nothing"] += 1
        except DocumentError:
            endings["unreadable"] += 1
        assert time.process_time() - began < SECONDS_MAX
    return endings


if __name__ == "__main__":
    main()
