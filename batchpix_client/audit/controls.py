"""Two scans that must find something: an audit that is blind would find nothing anywhere."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from batchpix_client.audit.canaries import Aviary
from batchpix_client.audit.conversation import (
    Caller,
    Request,
    Stream,
    medium,
    options,
    straight,
    style,
)
from batchpix_client.audit.memory import Findings
from batchpix_client.audit.needles import Needle
from batchpix_client.audit.paths import PATHS, walk
from batchpix_client.audit.plans import PNG, Maker
from batchpix_client.audit.targets import scan_services
from batchpix_client.mesh import LocalMesh

# A result of this size does not fit in what transports hold: the service waits for its reader.
HELD_SIDE_PIXELS = 1800
GUARD_LIBRARY = "*.so"
UNGUARDED_PATHS = ("jpeg", "png", "webp", "lossless result", "own style", "cancel")


def control_held(mesh: LocalMesh, caller: Caller, style_name: str, aviary: Aviary) -> Findings:
    """Scan while a service holds a call, since its caller does not read the result."""
    make = Maker(aviary=aviary, style=style_name, call="held")
    with held(caller, long_call(make)):
        return scan_services(mesh, make.needles)


def long_call(make: Maker) -> list[Request]:
    """Make a call whose result no encoder can shrink: noise, sent back as it is."""
    picture = make.picture("image/webp", HELD_SIDE_PIXELS)
    return [options(styles=style(make.style), strength=0.0, format=PNG), *medium(0, picture)]


@contextmanager
def held(caller: Caller, requests: list[Request]) -> Iterator[Stream]:
    """Begin a call, read up to the first of its result, and cancel it when the block ends."""
    stream = caller.begin(requests)
    try:
        for answer in stream:
            if answer.WhichOneof("message") == "media_start":
                break
        yield stream
    finally:
        stream.cancel()


def control_unguarded(aviary: Aviary, pause_seconds: float) -> Findings:
    """Scan after calls to a service that runs without its guard."""
    with tempfile.TemporaryDirectory(prefix="batchpix-audit-") as folder:
        environment = unguarded_environment(Path(folder))
        with LocalMesh(Path(folder, "home"), environment=environment) as mesh:
            with mesh.client() as client:
                style_name = client.styles()[0].name
            caller = straight(mesh.profile)
            needles: list[Needle] = []
            for name in UNGUARDED_PATHS:
                make = Maker(aviary=aviary, style=style_name, call=name)
                needles += walk(caller, PATHS[name](make), name)[1]
            caller.close()
            time.sleep(pause_seconds)
            return scan_services(mesh, needles)


def unguarded_environment(folder: Path) -> dict[str, str]:
    """Prepare settings under which services run without the guard.

    Nothing can switch the guard off in a service as it is installed. So the services are copied
    without the guard's library, and the copy is told to do its best.

    Args:
        folder: where the copy goes.
    """
    return {
        "BATCHPIX_RETENTION": "best-effort",
        "PYTHONPATH": str(copy_services(folder / "copy")),
        # The working folder, which may hold the services themselves, is not searched.
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def copy_services(folder: Path) -> Path:
    """Copy the services without the guard's library, and put the models beside them."""
    found = find_spec("services")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).parent
    ignored = shutil.ignore_patterns(GUARD_LIBRARY, "__pycache__")
    shutil.copytree(source, folder / source.name, ignore=ignored)
    (folder / "models").symlink_to(source.parent / "models")
    return folder
