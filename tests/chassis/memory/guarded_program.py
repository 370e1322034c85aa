"""A program that wants to be guarded, and prints what became of it.

Arguments: how it takes a missing guard, the library, and some of its own to hand on.
"""

import json
import os
import sys
from pathlib import Path

from services.chassis.memory import guard

if __name__ == "__main__":
    guard.ensure_guard(os.environ, guard.Retention(sys.argv[1]), Path(sys.argv[2]))
    json.dump(
        {
            "wipes": guard.wipes_on_free(),
            "malloc": guard.python_uses_malloc(),
            "arguments": sys.argv[3:],
            "temporary": os.environ.get("TMPDIR"),
            "prefix": sys.prefix,
        },
        sys.stdout,
    )
