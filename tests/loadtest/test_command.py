"""`python -m loadtest` against a running fleet."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchpix_client.profile import Profile
from tests.e2e.fleet import ROOT, Fleet

WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run a fleet, with a profile that tells how to reach it."""
    folder = tmp_path_factory.mktemp("home")
    with Fleet(folder) as fleet:
        token_file = folder / "token"
        token_file.write_text(fleet.token())
        address = f"localhost:{fleet.gateway_port}"
        Profile(address=address, ca=fleet.authority, token_file=token_file).save(folder)
        yield folder


def loadtest(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "loadtest", arguments[0], "--home", str(home), *arguments[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


def test_the_open_loop_tells_latencies_and_endings(home: Path) -> None:
    """Every call of a light load ends well, and its first byte comes before its end."""
    done = loadtest(home, "open", "--rate=10", "--seconds=2", "--side=64", "--callers=2", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)

    assert figures["codes"] == {"OK": figures["calls"]}
    assert 0 < figures["first_frame_ms"]["p50"] <= figures["latency_ms"]["p50"]
    assert list(figures["latency_ms"]) == ["p50", "p90", "p99", "p99.9"]


@pytest.mark.skipif(importlib.util.find_spec("locust") is None, reason="the extra `load` is absent")
def test_the_scenarios_run_and_write_a_page(home: Path, tmp_path: Path) -> None:
    """Locust's users meet no unexpected ending, and the report is there."""
    page = tmp_path / "load.html"
    done = loadtest(home, "scenarios", "--seconds=5", "--callers=2", f"--html={page}")

    assert done.returncode == 0, done.stderr
    assert "first frame" in page.read_text(encoding="utf-8")


def test_a_feature_that_nobody_knows_is_told(home: Path) -> None:
    """The command ends with one line before any call."""
    done = loadtest(home, "open", "--feature=paint")

    assert done.returncode == 1
    assert "unknown paint" in done.stderr


def test_a_profile_without_a_token_is_told(tmp_path: Path) -> None:
    """The command ends with one line that says what is missing."""
    Profile(address="localhost:1").save(tmp_path)
    done = loadtest(tmp_path, "open")

    assert done.returncode == 1
    assert "the profile must name an authority and a token" in done.stderr
