"""The privacy policy, clause by clause: one test for each, named after it.

The evidence is that of a small audit: every path of a call once, a crowd of callers, and scans of
all memory, files, logs and metrics. `make audit` does the same with hundreds of calls.
"""

import sys
from collections.abc import Mapping

from batchpix.media.v1 import media_pb2
from batchpix_client.audit.clauses import Row, Verdict
from batchpix_client.audit.evidence import Evidence
from services.chassis.memory.reporters import REPORTERS
from services.chassis.policy import PrivacyPolicy
from services.chassis.telemetry import DEVICE_MODEL_COUNT_MIN, DeviceModel, LogLine

Rows = Mapping[str, Row]

# Words that would name a person, a machine or content, were they fields of a log line.
TELLTALE_FIELDS = {"peer", "address", "token", "subject", "file", "name", "size", "call_id", "text"}


def kept(rows: Rows, number: str) -> bool:
    """Tell whether an audit saw a clause kept."""
    assert rows[number].verdict is Verdict.KEPT, rows[number].evidence
    return True


def test_clause_1_1_only_uploads_are_processed(rows: Rows, evidence: Evidence) -> None:
    """Shows that calls work on their own media: each ends as it must, nothing else is fetched."""
    assert kept(rows, "1.1")
    assert evidence.unexpected == []


def test_clause_1_2_no_facial_data_is_kept(rows: Rows, evidence: Evidence) -> None:
    """Shows that no piece of any picture is left in memory, in any of its forms."""
    assert kept(rows, "1.2")
    assert evidence.forms > 100


def test_clause_1_3_faces_are_computed_on_temporarily(rows: Rows, evidence: Evidence) -> None:
    """Shows that a call that looks for people leaves as little as any other."""
    assert kept(rows, "1.3")
    assert evidence.outcomes["subject"] == {"OK": 1}


def test_clause_2_1_used_for_the_features_only(rows: Rows) -> None:
    """Shows that what comes in leaves as the answer of its own call, or not at all."""
    assert kept(rows, "2.1")


def test_clause_2_2_never_used_for_training(rows: Rows) -> None:
    """Shows that a service can neither store nor send, and that it holds no training code."""
    assert kept(rows, "2.2")
    assert "torch" not in sys.modules


def test_clause_3_1_no_persistent_storage(rows: Rows, evidence: Evidence) -> None:
    """Shows that services have nothing open for writing and wrote no byte to a disk."""
    assert kept(rows, "3.1")
    assert evidence.storage_bytes == 0


def test_clause_3_2_cleared_when_the_result_is_returned(rows: Rows, evidence: Evidence) -> None:
    """Shows that memory is clear within a second, by a scan that sees what is not."""
    assert kept(rows, "3.2")
    assert min(evidence.held.total, evidence.unguarded.total) > 100


def test_clause_3_3_no_records_are_retained(rows: Rows, evidence: Evidence) -> None:
    """Shows that no file, log line or metric holds a piece of a call."""
    assert kept(rows, "3.3")
    assert evidence.files.total == 0


def test_clause_4_1_no_third_party(rows: Rows, evidence: Evidence) -> None:
    """Shows that services open no connection, and can't."""
    assert kept(rows, "4.1")
    assert "connects_denied" not in evidence.guard_missing


def test_clause_4_2_processed_inside_the_system(rows: Rows) -> None:
    """Shows that packages that report to their makers can't be loaded."""
    assert kept(rows, "4.2")
    assert REPORTERS


def test_clause_5_1_operation_data_only(rows: Rows, evidence: Evidence) -> None:
    """Shows that all that services and gateway told is on the list of what may be told."""
    assert kept(rows, "5.1")
    assert evidence.surprises == []


def test_clause_5_2_not_linkable_to_a_person(rows: Rows) -> None:
    """Shows that log lines have no field for who or what, and device models are shared."""
    assert kept(rows, "5.2")
    assert not TELLTALE_FIELDS & set(LogLine.__dataclass_fields__)
    assert DEVICE_MODEL_COUNT_MIN >= 20
    assert len(DeviceModel) < 10


def test_clause_6_1_encrypted(rows: Rows, evidence: Evidence) -> None:
    """Shows that neither plaintext nor an old version of TLS gets an answer."""
    assert kept(rows, "6.1")
    assert evidence.attempts >= 5


def test_clause_6_2_isolated(rows: Rows, evidence: Evidence) -> None:
    """Shows that callers in a crowd get their own answers: equal calls, equal bytes."""
    assert kept(rows, "6.2")
    assert evidence.answers_equal == 16


def test_clause_6_3_strict_access(rows: Rows, evidence: Evidence) -> None:
    """Shows that nobody gets in without a token or a certificate, and no dump gets out."""
    assert kept(rows, "6.3")
    assert "dumps_denied" not in evidence.guard_missing


def test_clause_7_1_stop_at_any_time(rows: Rows, evidence: Evidence) -> None:
    """Shows that calls that are cancelled at random moments leave nothing."""
    assert kept(rows, "7.1")
    assert evidence.outcomes["cancel"]["CANCELLED"] > 0


def test_clause_7_2_cleared_after_each_use(rows: Rows, evidence: Evidence) -> None:
    """Shows that signed receipts, refused calls included, state as much wiped as leased."""
    assert kept(rows, "7.2")
    assert evidence.receipts >= evidence.calls // 2


def test_clause_8_1_policy_has_versions(rows: Rows, evidence: Evidence) -> None:
    """Shows that one version is published, told at acceptance and named in every receipt."""
    assert kept(rows, "8.1")
    assert evidence.policy_versions == {PrivacyPolicy.load().version}
    assert "policy_version" in media_pb2.ErasureStatement.DESCRIPTOR.fields_by_name


def test_clause_9_1_questions_have_an_address(rows: Rows, evidence: Evidence) -> None:
    """Shows that the policy that a service answers carries the channel for questions."""
    assert kept(rows, "9.1")
    assert evidence.policy_published[1] == PrivacyPolicy.load().feedback_address
