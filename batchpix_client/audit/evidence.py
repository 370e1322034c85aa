"""What an audit has seen, added up over all of its calls."""

from collections import Counter
from dataclasses import dataclass, field

from batchpix.media.v1 import media_pb2
from batchpix_client.audit.conversation import Reply
from batchpix_client.audit.memory import Findings
from batchpix_client.errors import BatchpixError

# Paths whose callers do not wait for the end.
BROKEN_OFF = frozenset(
    {"cancel", "deadline", "cancelled clip", "cancelled dance", "cancelled garment"}
)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What an audit has seen.

    Attributes:
        calls: calls made.
        needles: byte strings looked for in the last, complete scan.
        forms: forms of the canaries that they are of.
        scans: scans of all services, one within a second after each group of calls.
        outcomes: status codes, by path.
        unexpected: calls that ended otherwise than their path must.
        services: what was found in the memory of the services.
        gateway: what was found in the memory of the gateway after the last call.
        held: what the first control found: calls that were still running.
        blind: features whose running call the first control did not find.
        unguarded: what the second control found: a service whose guard was taken out.
        files: what was found in files written since the start, logs and metrics.
        files_read: how many files were read.
        open_files: files that a service could write to.
        connections: connections that a service opened.
        storage_bytes: what services wrote to storage since they serve.
        log_lines: lines that services and gateway wrote.
        surprises: log lines and metrics that are not on the list.
        receipts: receipts whose signature and sums were checked.
        receipts_bad: why a receipt did not hold.
        receipts_missing: calls that succeeded or were refused late, and gave none.
        guard_missing: parts of the guard that a receipt named as missing.
        policy_versions: as told at acceptance and in receipts.
        policy_published: version, address for questions.
        refused: attempts that must fail and did not.
        attempts: attempts that must fail.
        answers_mixed: pairs of equal calls in a crowd whose answers differ.
        answers_equal: pairs whose answers are equal, byte for byte.
        leased_bytes: call memory that was still leased at the end.
    """

    calls: int = 0
    needles: int = 0
    forms: int = 0
    scans: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    services: Findings = field(default_factory=Findings)
    gateway: Findings = field(default_factory=Findings)
    held: Findings = field(default_factory=Findings)
    blind: list[str] = field(default_factory=list)
    unguarded: Findings = field(default_factory=Findings)
    files: Findings = field(default_factory=Findings)
    files_read: int = 0
    open_files: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    storage_bytes: int = 0
    log_lines: int = 0
    surprises: list[str] = field(default_factory=list)
    receipts: int = 0
    receipts_bad: list[str] = field(default_factory=list)
    receipts_missing: int = 0
    guard_missing: set[str] = field(default_factory=set)
    policy_versions: set[str] = field(default_factory=set)
    policy_published: tuple[str, str] = ("", "")
    refused: list[str] = field(default_factory=list)
    attempts: int = 0
    answers_mixed: int = 0
    answers_equal: int = 0
    leased_bytes: float = 0.0

    def note(self, path: str, expected: tuple[str, ...], reply: Reply, keys: list[bytes]) -> None:
        """Take in how a call went."""
        self.calls += 1
        self.outcomes.setdefault(path, Counter())[reply.outcome] += 1
        if reply.outcome not in expected:
            self.unexpected.append(f"{path}: {reply.outcome}")
        if reply.policy_version:
            self.policy_versions.add(reply.policy_version)
        if reply.receipt is None:
            # Whoever breaks off does not wait for it.
            self.receipts_missing += path not in BROKEN_OFF
            return
        try:
            statement = reply.receipt.verify(*keys)
        except BatchpixError as error:
            self.receipts_bad.append(f"{path}: {error.reason}")
            return
        self.receipts += 1
        self.policy_versions.add(statement.policy_version)
        self.guard_missing.update(missing_of(statement.guard))
        if statement.outcome != reply.outcome:
            self.receipts_bad.append(f"{path}: states {statement.outcome}")

    def note_broken(self, path: str, outcome: str) -> None:
        """Take in a call whose caller did not live to see its end."""
        self.calls += 1
        self.outcomes.setdefault(path, Counter())[outcome] += 1
        if outcome != "KILLED":
            self.unexpected.append(f"{path}: {outcome}")

    @property
    def findings(self) -> list[str]:
        """Everything that must not be, one line each; empty is a passed audit."""
        listed = [
            *(f"memory of a service: {form}: {hits}" for form, hits in by_size(self.services)),
            *(f"files, logs, metrics: {form}: {hits}" for form, hits in by_size(self.files)),
            *(f"open for writing: {name}" for name in self.open_files),
            *(f"connection opened by a service: {name}" for name in self.connections),
            *(f"not on the list: {line}" for line in self.surprises),
            *(f"receipt: {why}" for why in self.receipts_bad),
            *(f"guard lacks {part}" for part in sorted(self.guard_missing)),
            *(f"let in: {attempt}" for attempt in self.refused),
            *(f"unexpected end: {call}" for call in self.unexpected),
            *(f"blind to a running call of {feature}" for feature in self.blind),
        ]
        for count, what in (
            (self.storage_bytes, "bytes that services wrote to storage"),
            (self.answers_mixed, "pairs of equal calls with different answers"),
            (self.receipts_missing, "calls without a receipt"),
            (int(self.leased_bytes), "bytes of call memory still leased"),
            (int(not self.held.total), "blind to a call that runs"),
            (int(not self.unguarded.total), "blind to what an unguarded service keeps"),
        ):
            if count:
                listed.append(f"{what}: {count}")
        return listed


def by_size(findings: Findings) -> list[tuple[str, int]]:
    """List forms by how often they were found."""
    return findings.by_form.most_common()


def missing_of(guard: media_pb2.Guard) -> list[str]:
    """Name the parts that a receipt's guard lacks."""
    stated = {
        "wipe_on_free": guard.wipe_on_free,
        "writes_denied": guard.writes_denied,
        "connects_denied": guard.connects_denied,
        "dumps_denied": guard.dumps_denied,
        "swap_denied": guard.swap_denied,
    }
    return [*guard.missing, *(name for name, holds in stated.items() if not holds)]
