"""Files of key frames: where the camera is at which time, in TOML or JSON.

Example:
    [[key_frames]]
    time = 0.0

    [[key_frames]]
    time = 1.0
    x = 0.1
    zoom = 1.2
    easing = "out"
"""

import json
import tomllib
from dataclasses import fields
from pathlib import Path

from batchpix_client.channels import configuration_error
from batchpix_client.jobs.video import KeyFrame

TABLE = "key_frames"
NAMES = frozenset(field.name for field in fields(KeyFrame))


def read_key_frames(path: Path) -> tuple[KeyFrame, ...]:
    """Read a file: a list of records, or a table `key_frames` of them.

    Raises:
        BatchpixError: the file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise configuration_error(f"cannot read {path}: {error}", TABLE) from None
    records = document.get(TABLE) if isinstance(document, dict) else document
    if not isinstance(records, list) or not records:
        raise configuration_error(f"{path} holds no list {TABLE}", TABLE)
    return tuple(key_frame(record, f"{TABLE}[{place}]") for place, record in enumerate(records))


def key_frame(record: object, field: str) -> KeyFrame:
    """Read one record.

    Raises:
        BatchpixError: it has no time, an unknown entry, or a value that is no number.
    """
    if not isinstance(record, dict) or "time" not in record:
        raise configuration_error("a key frame needs a time", field)
    if unknown := sorted(record.keys() - NAMES):
        known = ", ".join(sorted(NAMES))
        raise configuration_error(f"unknown {', '.join(unknown)}; known are {known}", field)
    numbers = [value for name, value in record.items() if name != "easing"]
    if not all(isinstance(value, int | float) for value in numbers):
        raise configuration_error("every value but easing is a number", field)
    return KeyFrame(**record)
