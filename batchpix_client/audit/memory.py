"""The memory of another process, all of it that exists, read while the process runs."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchpix_client.audit.needles import Haystack
from batchpix_client.errors import BatchpixError

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Read at a time; the next read starts a little before the end, so that no needle is cut in two.
BLOCK_BYTES = 16 << 20
OVERLAP_BYTES = 256
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)")
# Pages of the kernel, which no process can write to; reading them fails.
KERNEL_MAPPINGS = ("[vvar]", "[vvar_vclock]", "[vsyscall]")
# Bits of /proc/PID/pagemap: the page is in memory, or in swap.
PAGE_EXISTS = np.uint64(0b11 << 62)
PAGEMAP_ENTRY_BYTES = 8
HITS_MAX = 1_000_000
# Kept of each scan, for whoever wants to know whose memory it is.
ADDRESSES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A range of addresses of a process."""

    start: int
    end: int
    access: str
    """As the kernel writes it: "rw-p"."""
    name: str
    """The file behind it, "[heap]" and the like, or empty."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a scan found.

    Attributes:
        scanned_bytes: how much memory was looked at.
        by_form: hits for each form of a canary.
        by_place: hits for each kind of mapping.
        calls: labels of the calls that left something.
        addresses: of the first hits, to look around there.
    """

    scanned_bytes: int = 0
    by_form: Counter[str] = field(default_factory=Counter)
    by_place: Counter[str] = field(default_factory=Counter)
    calls: set[str] = field(default_factory=set)
    addresses: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Hits in all."""
        return sum(self.by_form.values())

    def add(self, other: "Findings") -> None:
        """Take over what another scan found."""
        self.scanned_bytes += other.scanned_bytes
        self.by_form += other.by_form
        self.by_place += other.by_place
        self.calls |= other.calls
        self.addresses += other.addresses


def scan_process(process_id: int, haystack: Haystack) -> Findings:
    """Look for needles in every page that a process has.

    Raises:
        BatchpixError: this process may not read the other's memory.
    """
    findings = Findings()
    for mapping, address, block in blocks(process_id):
        findings.scanned_bytes += block.size
        for hit in haystack.search(block, address):
            findings.by_form[hit.needle.form] += 1
            findings.by_place[place_of(mapping)] += 1
            findings.calls.add(hit.needle.call)
            if len(findings.addresses) < ADDRESSES_MAX:
                findings.addresses.append((hit.address, hit.needle.form, hit.needle.call))
            if findings.total > HITS_MAX:
                return findings
    return findings


def require_access(process_id: int) -> None:
    """Refuse early, in words, where the kernel will not let this process look at another.

    Raises:
        BatchpixError: it will not.
    """
    try:
        with Path(f"/proc/{process_id}/mem").open("rb"):
            return
    except OSError:
        message = (
            "the memory of a service can be read by root with CAP_SYS_PTRACE alone, since "
            "services are not dumpable: run the audit as root"
        )
        raise BatchpixError("PERMISSION_DENIED", "AUDIT_BLIND", message) from None


def blocks(process_id: int) -> Iterator[tuple[Mapping, int, NDArray[np.uint8]]]:
    """Read all pages of a process that exist, in blocks; each is (mapping, address, bytes)."""
    folder = Path(f"/proc/{process_id}")
    buffer = np.empty(BLOCK_BYTES, np.uint8)
    with (
        (folder / "mem").open("rb", buffering=0) as memory,
        (folder / "pagemap").open("rb", buffering=0) as pagemap,
    ):
        for mapping in mappings(process_id):
            for start, end in existing(mapping, pagemap.fileno()):
                for address in range(start, end, BLOCK_BYTES - OVERLAP_BYTES):
                    view = buffer[: min(end - address, BLOCK_BYTES)]
                    read = read_at(memory.fileno(), view, address)
                    if read:
                        yield mapping, address, view[:read]


def mappings(process_id: int) -> list[Mapping]:
    """List the mappings of a process, leaving out those of the kernel."""
    listed = []
    for line in Path(f"/proc/{process_id}/maps").read_text().splitlines():
        match = MAPPING.fullmatch(line)
        assert match is not None, "the kernel writes its mappings in another way"
        start, end, access, name = match.groups()
        if name not in KERNEL_MAPPINGS:
            mapping = Mapping(start=int(start, 16), end=int(end, 16), access=access, name=name)
            listed.append(mapping)
    return listed


def existing(mapping: Mapping, pagemap: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of pages of a mapping that exist: reservations are mostly empty."""
    first, last = mapping.start // PAGE_BYTES, mapping.end // PAGE_BYTES
    entries = np.empty(last - first, np.uint64)
    read = os.preadv(pagemap, [entries.data.cast("B")], first * PAGEMAP_ENTRY_BYTES)
    exists = (entries[: read // PAGEMAP_ENTRY_BYTES] & PAGE_EXISTS) != 0
    edges = np.flatnonzero(np.diff(exists, prepend=False, append=False))
    for start, end in edges.reshape(-1, 2).tolist():
        yield (first + start) * PAGE_BYTES, (first + end) * PAGE_BYTES


def read_at(memory: int, target: NDArray[np.uint8], address: int) -> int:
    """Read as many bytes as there are; 0 where the pages have gone meanwhile."""
    try:
        return os.preadv(memory, [target.data], address)
    except OSError:
        return 0


def place_of(mapping: Mapping) -> str:
    """Name the kind of a mapping."""
    if mapping.name.startswith("["):
        return mapping.name.split(":")[0].strip("[]")
    return Path(mapping.name).name if mapping.name else "anonymous"
