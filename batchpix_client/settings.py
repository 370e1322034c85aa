"""The one place of the client that reads the environment as a whole: what child processes get."""

import os

# Variables of the command itself; a service would refuse them as unknown.
OWN_VARIABLES = frozenset(
    f"BATCHPIX_{name}"
    for name in (
        "HOME",
        "ADDRESS",
        "CA",
        "TOKEN",
        "TOKEN_FILE",
        "CERTIFICATE",
        "KEY",
        "DEVICE_MODEL",
    )
)


def inherited_environment() -> dict[str, str]:
    """Copy the environment without the command's own variables."""
    return {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
