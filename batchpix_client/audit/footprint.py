"""What a process leaves or could leave outside its memory: descriptors, connections, files."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil

from batchpix_client.audit.memory import Findings
from batchpix_client.audit.needles import Haystack

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # looked at, not written to
# What programs leave behind, they leave here.
USUAL_PLACES = (Path("/tmp"), Path("/var/tmp"), SHARED_MEMORY, Path("/run"))  # noqa: S108
# A file is read in whole up to this size; larger ones were not written by a call of this audit.
FILE_BYTES_MAX = 64 << 20
FILES_MAX = 20_000
# Code: a hundred thousand files, and nothing that a call could have written to unnoticed.
PASSED_OVER = frozenset({".git", "site-packages", "__pycache__"})
WRITABLE = os.O_WRONLY | os.O_RDWR


def open_files_for_writing(process_id: int) -> list[str]:
    """Name what a process could write to and that would outlive it: files, memory files."""
    found = []
    for link in Path(f"/proc/{process_id}/fd").iterdir():
        try:
            target, status = str(link.readlink()), link.stat()
            flags = open_flags(process_id, link.name)
        except OSError:
            continue  # closed meanwhile
        if target.startswith("/memfd:") or (flags & WRITABLE and stat.S_ISREG(status.st_mode)):
            found.append(target)
    return found


def open_flags(process_id: int, descriptor: str) -> int:
    """Read how a descriptor was opened."""
    text = Path(f"/proc/{process_id}/fdinfo/{descriptor}").read_text()
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(fields["flags"], 8)


def outgoing_connections(process_id: int) -> list[str]:
    """Name connections that a process opened itself: those from ports it does not listen on."""
    connections = psutil.Process(process_id).net_connections("inet")
    listening = {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
    return [
        f"{each.raddr.ip}:{each.raddr.port}"
        for each in connections
        if each.raddr and each.laddr.port not in listening
    ]


def bytes_written_to_storage(process_id: int) -> int:
    """Read from the kernel how many bytes a process has sent to a disk since it started."""
    return int(psutil.Process(process_id).io_counters().write_bytes)


def files_changed_since(started: float, places: Iterable[Path]) -> Iterator[Path]:
    """Yield regular files that were written since a time, anywhere beneath `places`."""
    folders = [str(place) for place in places]
    count = 0
    while folders and count < FILES_MAX:
        for entry in entries_of(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in PASSED_OVER:
                    folders.append(entry.path)
            elif changed_since(entry, started):
                count += 1
                yield Path(entry.path)


def entries_of(folder: str) -> Sequence["os.DirEntry[str]"]:
    """List a folder; one that is gone or closed to us has nothing of ours."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return ()


def changed_since(entry: "os.DirEntry[str]", started: float) -> bool:
    """Tell whether a file was written since a time."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_mtime >= started


def scan_files(paths: Iterator[Path], haystack: Haystack) -> tuple[int, Findings]:
    """Look for needles in files; return how many were read, and what was found."""
    findings, count = Findings(), 0
    for path in paths:
        try:
            content = path.read_bytes() if path.stat().st_size <= FILE_BYTES_MAX else b""
        except OSError:
            continue
        count += 1
        findings.add(scan_bytes(content, str(path), haystack))
    return count, findings


def scan_bytes(content: bytes, place: str, haystack: Haystack) -> Findings:
    """Look for needles in bytes."""
    findings = Findings(scanned_bytes=len(content))
    padded = content + bytes(-len(content) % 8)
    for hit in haystack.search(np.frombuffer(padded, np.uint8), 0):
        findings.by_form[hit.needle.form] += 1
        findings.by_place[place] += 1
        findings.calls.add(hit.needle.call)
    return findings
