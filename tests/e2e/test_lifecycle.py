"""The mesh as processes: up, found, down, and not one process or port left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from batchpix_client.errors import BatchpixError
from batchpix_client.mesh import LocalMesh, built_features
from batchpix_client.ports import LOOPBACK, free_ports, is_free
from batchpix_client.profile import Profile, load_profile
from batchpix_client.supervisor import find_supervisor

WAIT_SECONDS = 30.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Make a home, and end what is still up in it."""
    yield tmp_path
    batchpix(tmp_path, "down")


def batchpix(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process, its output piped."""
    return subprocess.run(
        command(home, *arguments),
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def command(home: Path, *arguments: str) -> list[str]:
    """Write the command line."""
    return [sys.executable, "-m", "batchpix_client.cli", "--home", str(home), *arguments]


def up(home: Path) -> tuple[psutil.Process, list[psutil.Process], Profile]:
    """Bring a mesh up in the background; return its supervisor, its processes and its profile."""
    done = batchpix(home, "up", "--detach", "--port", "0")
    assert done.returncode == 0, done.stderr
    supervisor, profile = find_supervisor(home), load_profile(home)
    assert supervisor is not None
    assert profile is not None
    return supervisor, supervisor.children(recursive=True), profile


def ports_of(profile: Profile) -> list[int]:
    """List every port of a mesh."""
    named = [profile.internal, profile.health, profile.metrics]
    addresses = [address for part in named for address in part.values()]
    return [
        int(address.rpartition(":")[2])
        for address in (*addresses, profile.address, profile.admin_address)
    ]


def alive_after(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Wait for processes to end; return those that do not."""
    return psutil.wait_procs(processes, timeout=WAIT_SECONDS)[1]


def test_a_mesh_comes_up_serves_and_goes_down(home: Path, samples: Path) -> None:
    """`up --detach`, `status`, a call and `down` work in a row and leave nothing behind."""
    supervisor, processes, profile = up(home)
    status = batchpix(home, "status", "--json")
    styles = batchpix(home, "styles", "--json").stdout.splitlines()
    name = json.loads(styles[0])["name"]
    photo = str(samples / "scenes" / "lake.jpg")
    art = home / "art.jpg"
    call = batchpix(home, "stylize", photo, "--style", name, "-o", str(art))
    down = batchpix(home, "down")

    parts = (*built_features(), "gateway")
    told = json.loads(status.stdout)
    assert told["parts"] == dict.fromkeys(parts, "serving")
    assert sorted(told["engines"]) == sorted(built_features())
    assert all(engine.startswith(("cpu ", "cuda ")) for engine in told["engines"].values())
    assert (call.returncode, art.is_file()) == (0, True), call.stderr
    assert down.returncode == 0
    assert len(processes) >= 3
    assert alive_after([supervisor, *processes]) == []
    assert all(is_free(port) for port in ports_of(profile))
    assert not (home / "profile.toml").exists()
    assert batchpix(home, "status").returncode == 1


@pytest.mark.parametrize("victim", ["supervisor", "service", "gateway"])
def test_a_killed_part_takes_the_mesh_along(home: Path, victim: str) -> None:
    """After SIGKILL of the supervisor or of any part no process stays and every port is free."""
    supervisor, processes, profile = up(home)
    chosen = {
        "supervisor": [supervisor],
        "service": [each for each in processes if "services.stylize" in " ".join(each.cmdline())],
        "gateway": [each for each in processes if "envoy" in each.name()],
    }[victim]
    assert chosen
    chosen[0].send_signal(signal.SIGKILL)

    assert alive_after([supervisor, *processes]) == []
    assert all(is_free(port) for port in ports_of(profile))


def test_there_is_one_mesh_of_a_home(home: Path) -> None:
    """A second `up` is refused and leaves the first mesh alone."""
    supervisor, _, _ = up(home)
    second = batchpix(home, "up", "--port", "0")

    assert second.returncode == 1
    assert "a mesh is up already" in second.stderr
    assert supervisor == find_supervisor(home)
    assert batchpix(home, "status").returncode == 0


@pytest.mark.parametrize("detach", [True, False])
def test_a_service_that_cannot_start_is_told_with_its_reason(home: Path, detach: bool) -> None:
    """A mesh without models does not come up: status 1, the service's own words, nothing left."""
    options = ["--detach"] if detach else []
    done = batchpix(home, "up", "--port", "0", *options, BATCHPIX_MODELS=str(home / "none"))

    assert done.returncode == 1
    reason = done.stderr.splitlines()[-1]
    assert any(f"{feature} ended with status" in reason for feature in built_features())
    assert find_supervisor(home) is None


def test_a_port_that_is_taken_is_told(home: Path) -> None:
    """A port that was asked for and belongs to another ends in status 1 and names the gateway."""
    (port,) = free_ports(1)
    with socket.create_server((LOOPBACK, port)):
        done = batchpix(home, "up", "--port", str(port))

    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_mesh_in_the_foreground_ends_on_a_signal(home: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal stop everything in order, with status 0."""
    with subprocess.Popen(
        command(home, "up", "--port", "0"), stderr=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stderr is not None
        lines = iter(supervisor.stderr)
        assert next(line for line in lines if line.startswith("The mesh is up"))
        processes = psutil.Process(supervisor.pid).children(recursive=True)
        supervisor.send_signal(number)
        try:
            rest = supervisor.communicate(timeout=WAIT_SECONDS)[1]
        finally:
            # Without effect on one that has ended; one that has not would be waited for.
            supervisor.kill()

    assert supervisor.returncode == 0, rest
    assert alive_after(processes) == []


def test_a_service_killed_in_mid_call_is_unavailable(tmp_path: Path) -> None:
    """The caller learns from the gateway that the service is gone, and its picture with it."""
    with LocalMesh(tmp_path) as mesh, mesh.client() as client:
        (service,) = (
            each
            for each in psutil.Process().children(recursive=True)
            if f"BATCHPIX_LISTEN={mesh.profile.internal['stylize']}"
            in {f"{name}={value}" for name, value in each.environ().items()}
        )

        def photos() -> Iterator[bytes]:
            # Taken only once the call is let in, so the service is at work on it now.
            yield b"half a pict"
            service.kill()
            service.wait(WAIT_SECONDS)
            yield b"ure"

        with pytest.raises(BatchpixError) as caught:
            list(client.stylize(photos(), client.styles()[0].name))

    assert (caught.value.code, caught.value.reason) == ("UNAVAILABLE", "SERVICE_UNREACHABLE")
    assert caught.value.retry_after_seconds == 1.0


def test_an_error_inside_the_context_stops_the_mesh(tmp_path: Path) -> None:
    """A program that fails while its mesh is up leaves nothing behind."""
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    with pytest.raises(ZeroDivisionError), LocalMesh(tmp_path) as mesh:  # noqa: PT012
        started = [each for each in psutil.Process().children(True) if each.pid not in before]
        assert mesh.profile.address
        raise ZeroDivisionError

    assert started
    assert alive_after(started) == []
