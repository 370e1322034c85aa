"""The demonstration as its users start it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from batchpix_client.mesh import built_features

WAIT_SECONDS = 300.0  # for every feature, on a machine that has other work too


def demo(tmp_path: Path, *options: str) -> list[str]:
    """Write the command line."""
    out = str(tmp_path / "out")
    return [sys.executable, "-m", "batchpix_client.cli", "demo", "--out", out, *options]


def test_the_demo_shows_every_feature_and_leaves_nothing_running(
    tmp_path: Path, samples: Path
) -> None:
    """Results, page and sheet are there, each line tells a picture, and no process stays."""
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        demo(tmp_path, "--samples", str(samples), "--json"),
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert "Every receipt holds." in done.stderr
    assert {path.name for path in samples.glob("[gps][aec]*/*.jpg")} <= {
        row["picture"] for row in rows
    }
    assert all(0 < row["first_milliseconds"] <= row["milliseconds"] for row in rows)
    assert all(row["bytes"] > 0 for row in rows)
    assert tuple(dict.fromkeys(row["feature"] for row in rows)) == built_features()
    assert len(rows) == len(list((tmp_path / "out" / "results").iterdir()))
    with Image.open(tmp_path / "out" / "contact-sheet.jpg") as sheet:
        assert min(sheet.size) > 1000
    assert list((tmp_path / "tmp").iterdir()) == []
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_leaves_nothing_running(
    tmp_path: Path, samples: Path, number: signal.Signals
) -> None:
    """Ctrl-C while the mesh starts ends non-zero, with no process and no file left."""
    (tmp_path / "tmp").mkdir()
    with subprocess.Popen(
        demo(tmp_path, "--samples", str(samples)),
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert "Starting" in process.stderr.readline()
        process.send_signal(number)
        rest = process.communicate(timeout=WAIT_SECONDS)[1]

    assert (process.returncode, rest.splitlines()[-1]) == (130, "batchpix: interrupted")
    assert processes_of(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_demo_without_samples_says_so(tmp_path: Path) -> None:
    """A wrong folder is told in one line before anything is started."""
    done = subprocess.run(
        demo(tmp_path, "--samples", str(tmp_path / "none")),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )

    assert done.returncode == 1
    assert "no sample pictures" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def processes_of(folder: Path) -> list[psutil.Process]:
    """Find the processes whose environment or command line names a folder of the test."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = [*(process.info["cmdline"] or ()), *(process.info["environ"] or {}).values()]
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(process)
    return found
