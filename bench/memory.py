"""What many calls leave behind: `python -m bench.memory`.

Calls of changing sizes go through the gateway one after the other; resident memory of the service
and the bytes that its calls lease are read at marks on the way.
"""

import argparse
import json
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from batchpix_client.mesh import LocalMesh
from bench.stylize import STYLE, photo_of

MARKS = (20, 50, 100, 200)
SIZES = ((512, 512), (480, 640), (640, 480), (720, 1280))
LEASED = "batchpix_leased_bytes"


def main() -> None:
    """Make the calls, print a row at each mark, keep the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=main.__doc__)
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    photos = [photo_of(size) for size in SIZES]
    with tempfile.TemporaryDirectory() as home, LocalMesh(Path(home)) as mesh:
        rows = list(measure(mesh, photos))
    print(f"{'calls':>6} {'resident MiB':>13} {'leased bytes':>13} {'of mark 20':>11}")
    for calls, resident, leased in rows:
        share = resident / rows[0][1]
        print(f"{calls:6} {resident / 2**20:13.1f} {leased:13.0f} {share:11.3f}")
    if options.json:
        options.json.write_text(json.dumps(rows) + "\n")


def measure(mesh: LocalMesh, photos: list[bytes]) -> Iterator[tuple[int, int, float]]:
    """Yield calls made, resident bytes and leased bytes at each mark."""
    service = service_process()
    metrics = f"http://{mesh.profile.metrics['stylize']}/metrics"
    with mesh.client() as client:
        for number in range(1, MARKS[-1] + 1):
            list(client.stylize([photos[number % len(photos)]], STYLE))
            if number in MARKS:
                yield number, service.memory_info().rss, metric(metrics, LEASED)


def service_process() -> psutil.Process:
    """Find the stylize service among this process's descendants."""
    for child in psutil.Process().children(recursive=True):
        if "services.stylize" in child.cmdline():
            return child
    raise LookupError("the mesh runs no stylize service")


def metric(page: str, name: str) -> float:
    """Read one gauge of a metrics page on this machine."""
    with urllib.request.urlopen(page, timeout=5.0) as answer:  # noqa: S310  # loopback, by us
        for line in answer.read().decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
    raise LookupError(f"no metric {name}")


if __name__ == "__main__":
    main()
