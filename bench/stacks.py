"""Stacks of functions as py-spy samples them, cut down to what says something."""

import re
from collections import Counter
from typing import TypeAlias

Stack: TypeAlias = tuple[str, ...]
"""Functions with their files, outermost first."""

FRAME = re.compile(r"^(?P<function>.*) \((?P<file>.*?)(:\d+)?\)$")
# Threads that stand in one of these wait for work or for each other.
IDLE = {
    ("select", "selectors.py"),
    ("_worker", "concurrent/futures/thread.py"),
    ("__enter__", "threading.py"),
    ("wait", "threading.py"),
    ("run", "threading.py"),
    ("accept", "socket.py"),
}
# What every stack goes through before anything is said.
HOUSE_FILES = ("services/chassis/launch.py", "services/chassis/server.py", "__main__.py")
TRANSPORT = "gRPC and the event loop"


def read_stacks(text: str) -> Counter[Stack]:
    """Read py-spy's raw format: a line for each stack, `function (file:line);... count`."""
    found: Counter[Stack] = Counter()
    for line in text.splitlines():
        frames, _, count = line.rpartition(" ")
        stack = read_stack(frames)
        if stack:
            found[stack] += int(count)
    return found


def read_stack(frames: str) -> Stack:
    """Cut one stack down to the project's functions and the libraries they call; () if idle."""
    pairs = [pair for frame in frames.split(";") if (pair := read_frame(frame))]
    if not pairs:
        return ()
    function, file = pairs[-1]
    if (function.rpartition(".")[2], file) in IDLE:
        return ()
    start = next((place for place, (_, file) in enumerate(pairs) if is_told(file)), None)
    if start is None:
        return (TRANSPORT,)
    return tuple(f"{function} ({short(file)})" for function, file in pairs[start:])


def read_frame(frame: str) -> tuple[str, str] | None:
    """Split a frame into function and file; the line is dropped."""
    match = FRAME.match(frame.strip())
    return (match["function"], match["file"]) if match else None


def is_told(file: str) -> bool:
    """Tell whether a stack is worth telling from here on."""
    return "services/" in file and not file.endswith(HOUSE_FILES)


def short(file: str) -> str:
    """Name a file by its place in the project, or in its package."""
    inside = file.partition("services/")[2]
    return inside or file.rpartition("site-packages/")[2]
