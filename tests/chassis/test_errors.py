"""The error tree and the status that callers see."""

import pytest
from google.rpc import error_details_pb2

from batchpix.media.v1 import media_pb2
from services.chassis.errors import (
    BusyError,
    InternalError,
    InvalidRequestError,
    LimitError,
    MeshError,
    Reason,
    translate,
)
from services.chassis.interceptors import to_rpc_status

PREFIX = "ERROR_REASON_"


def test_reasons_are_those_of_the_contract() -> None:
    """The names in code and in the protocol can't drift apart."""
    names = {name.removeprefix(PREFIX) for name in media_pb2.ErrorReason.keys()}  # noqa: SIM118

    assert names - {"UNSPECIFIED"} == {reason.value for reason in Reason}


def test_an_error_becomes_a_status_with_its_details() -> None:
    """ErrorInfo always, BadRequest where a field is at fault, RetryInfo where a retry can help."""
    invalid = InvalidRequestError(
        Reason.OPTION_INVALID, "must be from 0 to 1", field="options.strength"
    )
    busy = BusyError(Reason.SERVICE_BUSY, "busy", retry_after_seconds=1.5)
    refused, waiting = to_rpc_status(invalid), to_rpc_status(busy)
    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )

    assert [detail.type_url.rpartition(".")[2] for detail in refused.details] == [
        "ErrorInfo",
        "BadRequest",
    ]
    assert refused.details[0].Unpack(info)
    assert info.reason == "OPTION_INVALID"
    assert refused.details[1].Unpack(bad)
    assert bad.field_violations[0].field == "options.strength"
    assert (refused.code, waiting.code) == (3, 8)
    assert waiting.details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 1500


def test_foreign_errors_lose_their_text() -> None:
    """What a library says of a caller's bytes does not come along, not even as a cause."""
    with (
        pytest.raises(LimitError) as caught,
        translate({ValueError: (LimitError, Reason.PIXELS_TOO_MANY, "too many pixels")}),
    ):
        raise ValueError("canary")

    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_errors_that_no_rule_names_pass() -> None:
    """A bug stays a bug."""
    with (
        pytest.raises(KeyError),
        translate({ValueError: (InternalError, Reason.INTERNAL, "failed")}),
    ):
        raise KeyError


@pytest.mark.parametrize("kind", MeshError.__subclasses__())
def test_every_class_has_a_status_code(kind: type[MeshError]) -> None:
    """The code is one that gRPC has."""
    assert to_rpc_status(kind(Reason.INTERNAL, "text")).code > 0
