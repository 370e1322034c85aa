"""Run a command that dies with its parent: `python tether.py PARENT_PID COMMAND...`.

Run as a file by an isolated interpreter, so it imports the standard library alone. The tie
outlives the exec, so it holds for the command as for this script.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # A parent that ended before the tie was made has handed this process to another.
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  # an argument list, no shell


if __name__ == "__main__":
    main()
