"""Bootstraps of other people: valid, and written in ways that ours is not."""

import subprocess
from pathlib import Path

import pytest

from gateway.lint.linter import lint
from gateway.lint.rules import RULES
from gateway.run import envoy_binary
from tests.gateway.lint.mutate import UNUSUAL

FILES = sorted(UNUSUAL.iterdir())
FORM = [rule for rule in RULES if rule.id == "E28"]
SERVERS = "configuration comes from a server without mutual TLS"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_envoy_takes_is_of_the_api(file: Path) -> None:
    """Nothing that Envoy knows is called unknown, and no rule breaks down on it."""
    text = file.read_text(encoding="utf-8")
    faults = [finding.problem.message for finding in lint(text, file.name, FORM)]
    found = lint(text, file.name, RULES)

    # What is deprecated is known too, and is told as such.
    assert {fault for fault in faults if not fault.endswith("is deprecated")} <= {SERVERS}
    assert found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_envoy_takes_them(file: Path) -> None:
    """They are valid: Envoy itself says so."""
    done = subprocess.run(
        [str(envoy_binary()), "--mode", "validate", "--log-level", "error", "-c", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_what_is_wrapped_is_looked_into() -> None:
    """A filter that is written as free-form values is held to the rules of its type."""
    text = next(file for file in FILES if file.stem == "matchers").read_text(encoding="utf-8")
    bodies = [rule for rule in RULES if rule.id == "E21"]
    misspelt = text.replace("max_request_bytes", "max_request_byte")

    assert "buffer" in " ".join(each.problem.message for each in lint(text, "a", bodies))
    assert "has no field" in lint(misspelt, "a", FORM)[0].problem.message
