"""The clauses of the privacy policy: what keeps each of them, and what this audit saw of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from batchpix_client.audit import judgements
from batchpix_client.audit.evidence import Evidence


class Verdict(StrEnum):
    """How a clause came out of an audit."""

    KEPT = "pass"
    BROKEN = "fail"
    NOT_PROMISED = "not promised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A promise and what keeps it.

    Attributes:
        number: as in the policy; empty for what the policy does not promise.
        promise: in short.
        mechanism: what keeps it.
        test: the evidence in words, and whether it is what it should be.
    """

    number: str
    promise: str
    mechanism: str
    test: Callable[[Evidence], tuple[str, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table of clauses."""

    number: str
    promise: str
    mechanism: str
    evidence: str
    verdict: Verdict


def table(evidence: Evidence) -> Sequence[Row]:
    """Judge every clause by the evidence."""
    rows = [judged(clause, evidence) for clause in CLAUSES]
    seen = f"{evidence.gateway.total:,} pieces in its heap after the last call"
    gateway = "Envoy frees, but does not overwrite, what went through it"
    return [
        *rows,
        unpromised("memory of the gateway", gateway, seen),
        *(unpromised(*each) for each in BEYOND),
    ]


def judged(clause: Clause, evidence: Evidence) -> Row:
    """Hold one clause to the evidence."""
    seen, holds = clause.test(evidence)
    return Row(
        number=clause.number,
        promise=clause.promise,
        mechanism=clause.mechanism,
        evidence=seen,
        verdict=Verdict.KEPT if holds else Verdict.BROKEN,
    )


def unpromised(promise: str, mechanism: str, seen: str) -> Row:
    """Make a line about what nobody may rely on."""
    return Row(
        number="",
        promise=promise,
        mechanism=mechanism,
        evidence=seen,
        verdict=Verdict.NOT_PROMISED,
    )


ARENA = "call memory of one arena, wiped before the status is sent; heap that zeroes what is freed"
SEAL = "kernel seal: no file can be written, no connection opened, no core dumped"
LISTED = "log fields, metric names and label values are enumerated; anything else is dropped"

CLAUSES: Sequence[Clause] = (
    Clause(
        number="1.1",
        promise="only what is actively uploaded is processed",
        mechanism="a service takes the media of the call and reads models and certificates only",
        test=judgements.used,
    ),
    Clause(
        number="1.2",
        promise="no facial data is kept anywhere",
        mechanism=ARENA,
        test=judgements.memory,
    ),
    Clause(
        number="1.3",
        promise="faces are computed on temporarily only",
        mechanism=f"{ARENA}; no cache",
        test=judgements.memory,
    ),
    Clause(
        number="2.1",
        promise="used for the features only",
        mechanism="one service for each feature, which can do nothing but answer its call",
        test=judgements.used,
    ),
    Clause(
        number="2.2",
        promise="never used for training, promotion or analysis",
        mechanism=f"{SEAL}; no training code in a serving install",
        test=judgements.sealed,
    ),
    Clause(
        number="3.1", promise="in memory only, no storage", mechanism=SEAL, test=judgements.storage
    ),
    Clause(
        number="3.2",
        promise="cleared when the result is returned",
        mechanism=f"{ARENA}; signed receipt",
        test=judgements.memory,
    ),
    Clause(
        number="3.3",
        promise="no originals, records or derivatives are kept",
        mechanism=f"{SEAL}; {LISTED}",
        test=judgements.storage,
    ),
    Clause(
        number="4.1",
        promise="nothing goes to third parties",
        mechanism="Landlock and a system call filter refuse every connection out",
        test=judgements.sealed,
    ),
    Clause(
        number="4.2",
        promise="processed inside the system",
        mechanism="networks run in the service itself; packages that report home can't be loaded",
        test=judgements.sealed,
    ),
    Clause(
        number="5.1",
        promise="only operation data that identifies nobody",
        mechanism=LISTED,
        test=judgements.counted,
    ),
    Clause(
        number="5.2",
        promise="it can't be linked to a person",
        mechanism="times in buckets, device models coarse and shared by 20 calls, no addresses",
        test=judgements.counted,
    ),
    Clause(
        number="6.1",
        promise="encrypted by industry standards",
        mechanism="TLS 1.2 or 1.3 from outside, mutual TLS 1.3 inside",
        test=judgements.shut,
    ),
    Clause(
        number="6.2",
        promise="isolated processing",
        mechanism="a process for each feature, an arena and a connection for each call",
        test=judgements.isolated,
    ),
    Clause(
        number="6.3",
        promise="strict access",
        mechanism="tokens at the gateway, listed certificates at services, processes not dumpable",
        test=judgements.shut,
    ),
    Clause(
        number="7.1",
        promise="stopping takes effect at once",
        mechanism="a cancel stops the work, wipes and ends the call",
        test=judgements.stopped,
    ),
    Clause(
        number="7.2",
        promise="cleared after each use, unasked",
        mechanism="one place wipes, on every way out of a call",
        test=judgements.cleared,
    ),
    Clause(
        number="8.1",
        promise="the policy has versions",
        mechanism="GetPolicy; the version in each acceptance and receipt",
        test=judgements.versioned,
    ),
    Clause(
        number="9.1",
        promise="questions are answered",
        mechanism="GetPolicy carries the address",
        test=judgements.answerable,
    ),
)

BEYOND = (
    (
        "what root on the machine can do",
        "root can read a call's memory while it runs; a trusted execution environment is needed",
        "this audit itself reads it that way",
    ),
    (
        "processor caches and memory chips",
        "zeros are written, but no cache is flushed and no chip is cut off",
        "not looked at",
    ),
    (
        "kernel socket buffers",
        "they hold what is encrypted",
        "not looked at",
    ),
)
