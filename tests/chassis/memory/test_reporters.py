"""Tests of what keeps packages from reporting their use."""

import pytest

from tests.chassis.memory import programs


@pytest.mark.parametrize("call", ["silence_reporters()", "seal.seal_process([], [])"])
def test_reporter_can_not_be_imported(call: str) -> None:
    """After either call, a package that reports is not there for anyone who asks for it."""
    done = programs.python(
        f"from services.chassis.memory.reporters import silence_reporters\n{call}\n"
        "try:\n    import openvino_telemetry\nexcept ImportError:\n    print('silent')"
    )

    assert done.stdout == "silent\n", done.stderr
