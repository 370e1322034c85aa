"""Packages that tell their makers that, and how, they are used: none of them may be loaded."""

import sys

# OpenVINO brings it along, imports it with itself, and does without it where it is not installed.
# It writes an identifier of the machine into the home folder and sends it with every import.
REPORTERS = ("openvino_telemetry",)


def silence_reporters() -> None:
    """Make the import of every reporter fail, as if it were not installed.

    Sealing a process does so; call it as well before importing what brings a reporter along, for
    tools and tests run unsealed.
    """
    for name in REPORTERS:
        # Python's own way to forbid an import: the entry says that there is no such module.
        sys.modules[name] = None  # type: ignore[assignment]
