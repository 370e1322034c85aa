"""Two scans that must find something: an audit that is blind would find nothing anywhere."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from batchpix_client.audit.canaries import Aviary
from batchpix_client.audit.conversation import Caller, medium, options, straight, style
from batchpix_client.audit.dancing import long_dance
from batchpix_client.audit.dressing import long_garment
from batchpix_client.audit.filming import long_clip
from batchpix_client.audit.memory import Findings
from batchpix_client.audit.needles import Haystack, Needle
from batchpix_client.audit.paths import PATHS, walk
from batchpix_client.audit.plans import PNG, Maker, Plan, maker_of
from batchpix_client.audit.plans import Path as CallPath
from batchpix_client.audit.targets import scan_all, scan_services, with_children
from batchpix_client.mesh import LocalMesh
from batchpix_client.wire import Stream

# A service waits so long for its reader, since a look at all its memory may take a while.
PATIENCE = {"BATCHPIX_STALL_SECONDS_MAX": "300"}
# A result of this size does not fit in what transports hold: the service waits for its reader.
HELD_SIDE_PIXELS = 1800
GUARD_LIBRARY = "*.so"
UNGUARDED_PATHS: Mapping[str, Sequence[str]] = {
    "stylize": ("jpeg", "png", "webp", "lossless result", "own style", "cancel"),
    "video": ("clip", "clip as frames"),
    "dance": ("dance", "dance as frames"),
    "tryon": ("garment on a person",),
}


def control_held(mesh: LocalMesh, caller: Caller, maker: Maker) -> Mapping[str, Findings]:
    """Scan each service while it holds a call, since its caller does not read the result."""
    found = {}
    for feature in mesh.profile.internal:
        make = replace(maker, call=f"held {feature}", needles=[])
        plan = LONG_CALLS[feature](make)
        processes, haystack = with_children([mesh.process_ids[feature]]), Haystack(make.needles)
        with held(caller, plan):
            found[feature] = scan_all(processes, haystack)
    return found


def long_picture(make: Maker) -> Plan:
    """Make a call whose result no encoder can shrink: noise, sent back as it is."""
    picture = make.picture("image/webp", HELD_SIDE_PIXELS)
    unchanged = options(styles=style(make.style), strength=0.0, format=PNG)
    return make.plan(unchanged, medium(0, picture))


LONG_CALLS: Mapping[str, CallPath] = {
    "stylize": long_picture,
    "video": long_clip,
    "dance": long_dance,
    "tryon": long_garment,
}


@contextmanager
def held(caller: Caller, plan: Plan) -> Iterator[Stream]:
    """Begin a call, read up to the first of its result, and cancel it when the block ends."""
    stream = caller.begin(plan.requests, plan.wire)
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
            maker = maker_of(mesh, aviary)
            caller = straight(mesh.profile)
            needles: list[Needle] = []
            for feature in mesh.profile.internal:
                for name in UNGUARDED_PATHS[feature]:
                    make = replace(maker, call=name, needles=[])
                    needles += walk(caller, PATHS[feature][name](make), name)[1]
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
