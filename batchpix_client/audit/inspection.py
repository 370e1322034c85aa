"""An audit of a private mesh: its calls, and a look wherever they could have left a mark."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from batchpix_client.audit import footprint, forms, telemetry
from batchpix_client.audit.attempts import ATTEMPTS
from batchpix_client.audit.canaries import Aviary
from batchpix_client.audit.controls import PATIENCE, control_held, control_unguarded
from batchpix_client.audit.conversation import straight
from batchpix_client.audit.evidence import Evidence
from batchpix_client.audit.memory import require_access
from batchpix_client.audit.needles import Haystack, Needle
from batchpix_client.audit.plans import maker_of
from batchpix_client.audit.rounds import Rounds
from batchpix_client.audit.targets import gateway_ids, scan_all, scan_services, service_ids
from batchpix_client.mesh import LocalMesh
from gateway.settings import SERVICES
from gateway.tokens import load_or_make_key, make_token

# Nothing may be left a second after a call; connections that nobody uses close in half of one.
PAUSE_SECONDS = 0.8
CALLER = "auditor"
LEASED_METRIC = "batchpix_leased_bytes "

Say = Callable[[str], None]
Logs = Mapping[str, Sequence[str]]


def inspect(calls: int, seed: int, say: Say) -> Evidence:
    """Start a mesh, make the calls, look everywhere, end the mesh.

    Args:
        calls: how many, at least.
        seed: of all pictures, texts and moments.
        say: is given lines about the progress.

    Raises:
        BatchpixError: the mesh did not come up, or this process may not read others' memory.
    """
    evidence, aviary = Evidence(), Aviary(seed)
    with tempfile.TemporaryDirectory(prefix="batchpix-audit-") as home:
        started, logs = time.time(), defaultdict[str, list[str]](list)
        mesh = LocalMesh(
            Path(home),
            environment=PATIENCE,
            log_line=lambda name, line: logs[name].append(line),
        )
        with mesh:
            for process_id in service_ids(mesh):
                require_access(process_id)
            # Before its seal a service may keep compiled code, as Python does.
            evidence.storage_bytes = -storage_bytes(mesh)
            token = make_token(load_or_make_key(Path(home, "tokens")), CALLER, list(SERVICES))
            # The part that proves who calls; what stands before it is no secret.
            needles = list(forms.of_text(token.rpartition(".")[2], "token", "all"))
            needles += make_calls(mesh, token, needles, calls, aviary, evidence, say)
            haystack = Haystack(needles)
            evidence.needles = len(haystack.needles)
            evidence.forms = len({needle.form for needle in haystack.needles})
            evidence.services.add(scan_all(service_ids(mesh), haystack))
            evidence.gateway.add(scan_all(gateway_ids(mesh), haystack))
            look_around(mesh, started, Path(home), haystack, evidence)
            read_telemetry(mesh, logs, haystack, evidence)
    say("a mesh whose services run without their guard")
    evidence.unguarded = control_unguarded(aviary, PAUSE_SECONDS)
    say(f"{evidence.unguarded.total} canaries found there, as there should be")
    return evidence


def make_calls(
    mesh: LocalMesh,
    token: str,
    constant: Sequence[Needle],
    calls: int,
    aviary: Aviary,
    evidence: Evidence,
    say: Say,
) -> Iterator[Needle]:
    """Make all calls and scan the services after each group; yield what to look for at the end."""
    with mesh.client() as client:
        policy = client.policy()
    maker = maker_of(mesh, aviary)
    evidence.policy_published = (policy.version, policy.feedback_address)
    # Straight to the services: the gateway would give up on a reader that does not read.
    caller = straight(mesh.profile)
    for feature, found in control_held(mesh, caller, maker).items():
        evidence.held.add(found)
        evidence.blind += [] if found.total else [feature]
        say(f"{found.total} canaries found while {feature} runs, as there should be")
    caller.close()
    rounds = Rounds(mesh, token, maker, evidence)
    for group in rounds.run(calls):
        time.sleep(PAUSE_SECONDS)
        found = scan_services(mesh, [*constant, *group.needles])
        evidence.services.add(found)
        evidence.scans += 1
        say(f"{evidence.calls} calls ({group.name}): {found.total} canaries found")
        yield from group.needles
    rounds.close()
    evidence.attempts = len(ATTEMPTS)
    evidence.refused = [name for name, refused in ATTEMPTS.items() if not refused(mesh.profile)]


def look_around(
    mesh: LocalMesh, started: float, home: Path, haystack: Haystack, evidence: Evidence
) -> None:
    """Look at descriptors, connections, storage, and at all files written since the start."""
    for process_id in service_ids(mesh):
        evidence.open_files += footprint.open_files_for_writing(process_id)
        evidence.connections += footprint.outgoing_connections(process_id)
    evidence.storage_bytes += storage_bytes(mesh)
    places = {*footprint.USUAL_PLACES, home, Path.home(), Path.cwd()}
    outermost = [place for place in places if not places.intersection(place.parents)]
    changed = footprint.files_changed_since(started, outermost)
    evidence.files_read, evidence.files = footprint.scan_files(changed, haystack)


def storage_bytes(mesh: LocalMesh) -> int:
    """Add up what the services have sent to a disk until now."""
    return sum(map(footprint.bytes_written_to_storage, service_ids(mesh)))


def read_telemetry(mesh: LocalMesh, logs: Logs, haystack: Haystack, evidence: Evidence) -> None:
    """Read all that services and gateway tell: log lines and metrics."""
    told = {name: "\n".join(lines) for name, lines in logs.items()}
    for name, lines in logs.items():
        evidence.log_lines += len(lines)
        evidence.surprises += telemetry.surprising_log_lines(name, lines)
    for feature, address in mesh.profile.metrics.items():
        page = telemetry.fetch(address, "metrics")
        told[f"metrics of {feature}"] = page
        evidence.surprises += telemetry.surprising_metrics(page)
        evidence.leased_bytes += telemetry.reading(page, LEASED_METRIC)
    told["metrics of gateway"] = telemetry.fetch(mesh.profile.admin_address, "stats/prometheus")
    for name, text in told.items():
        evidence.files.add(footprint.scan_bytes(text.encode(), name, haystack))
