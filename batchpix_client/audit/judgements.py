"""What an audit's evidence says of a clause: each in words, and whether it is what it should be."""

from batchpix_client.audit.evidence import BROKEN_OFF, Evidence


def memory(evidence: Evidence) -> tuple[str, bool]:
    """Nothing left in memory, seen by eyes that can see."""
    found, controls = evidence.services.total, (evidence.held.total, evidence.unguarded.total)
    text = (
        f"{evidence.calls} calls, {evidence.scans} scans and one of everything, "
        f"{evidence.needles:,} canaries in {evidence.forms} forms: {found} found; controls found "
        f"{controls[0]:,} in a running call and {controls[1]:,} without the guard"
    )
    return text, found == 0 and all(controls)


def storage(evidence: Evidence) -> tuple[str, bool]:
    """Nothing on disks."""
    text = (
        f"{evidence.files_read} new files, all logs and metrics: {evidence.files.total} canaries; "
        f"{len(evidence.open_files)} files open for writing; {evidence.storage_bytes} bytes to disk"
    )
    return text, not (evidence.files.total or evidence.open_files or evidence.storage_bytes)


def cleared(evidence: Evidence) -> tuple[str, bool]:
    """Memory given back, with receipts that say so."""
    text = (
        f"{evidence.receipts} signed receipts state as much wiped as leased; "
        f"{evidence.leased_bytes:.0f} bytes leased at the end; {evidence.services.total} canaries"
    )
    receipts = evidence.receipts and not (evidence.receipts_bad or evidence.receipts_missing)
    return text, bool(receipts) and not (evidence.leased_bytes or evidence.services.total)


def sealed(evidence: Evidence) -> tuple[str, bool]:
    """No way out of a service."""
    missing = ", ".join(sorted(evidence.guard_missing)) or "nothing"
    text = (
        f"{len(evidence.connections)} connections opened by services; receipts name as missing of "
        f"the seal: {missing}"
    )
    return text, not (evidence.connections or evidence.guard_missing) and evidence.receipts > 0


def counted(evidence: Evidence) -> tuple[str, bool]:
    """Telemetry on the list."""
    text = (
        f"{evidence.log_lines} log lines and all metrics: {len(evidence.surprises)} not on the "
        f"list, {evidence.files.total} canaries"
    )
    return text, not (evidence.surprises or evidence.files.total) and evidence.log_lines > 0


def shut(evidence: Evidence) -> tuple[str, bool]:
    """Doors closed to whoever shows nothing."""
    let_in = ", ".join(evidence.refused) or "none"
    return f"{evidence.attempts} attempts that must fail; let in: {let_in}", (
        evidence.attempts > 0 and not evidence.refused
    )


def isolated(evidence: Evidence) -> tuple[str, bool]:
    """Nobody gets what is another's."""
    text = (
        f"{evidence.answers_equal} of {evidence.answers_equal + evidence.answers_mixed} pairs of "
        "equal calls in crowds were answered alike, byte for byte"
    )
    return text, evidence.answers_mixed == 0 and evidence.answers_equal > 0


def used(evidence: Evidence) -> tuple[str, bool]:
    """What is sent ends as a result or an error, and nowhere else."""
    text = (
        f"{len(evidence.unexpected)} of {evidence.calls} calls ended otherwise than they must; "
        f"{len(evidence.connections)} connections out; {evidence.files.total} canaries in files"
    )
    return text, not (evidence.unexpected or evidence.connections or evidence.files.total)


def stopped(evidence: Evidence) -> tuple[str, bool]:
    """Stopping at any moment."""
    broken = {
        name: sum(outcomes.values())
        for name, outcomes in evidence.outcomes.items()
        if name in {*BROKEN_OFF, "killed caller"}
    }
    left = [call for call in evidence.services.calls if call.startswith(tuple(broken))]
    text = ", ".join(f"{count} x {name}" for name, count in broken.items())
    return f"{text}; {len(left)} left something", bool(broken.get("cancel")) and not left


def versioned(evidence: Evidence) -> tuple[str, bool]:
    """One policy, named everywhere."""
    version, _ = evidence.policy_published
    told = ", ".join(sorted(evidence.policy_versions))
    text = f"published: {version}; told at acceptance and in receipts: {told}"
    return text, bool(version) and evidence.policy_versions == {version}


def answerable(evidence: Evidence) -> tuple[str, bool]:
    """Somebody to ask."""
    _, address = evidence.policy_published
    return f"published: {address}", bool(address)
