"""Files that replace what stood in their place in one step."""

import os
from pathlib import Path
from uuid import uuid4


def replace_file(file: Path, content: bytes) -> None:
    """Write a file of mode 0600 beside its place and rename it there.

    A reader sees the old content or the new, and a folder's watcher sees one move.
    """
    fresh = file.with_name(f".{file.name}.{uuid4().hex}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    fresh.replace(file)
