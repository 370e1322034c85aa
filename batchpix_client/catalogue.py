"""What services tell about themselves: styles, moves and the privacy policy they serve under."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from batchpix.dance.v1 import dance_pb2, dance_pb2_grpc
from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix_client.channels import Line
from batchpix_client.retries import attempts
from batchpix_client.statuses import translated

QUESTION_SECONDS = 10.0  # deadline of these small calls

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedStyle:
    """A style that stylize knows.

    Attributes:
        name: what to ask for it by.
        title: its title for people.
        painter: who painted the work it is named after, empty if it is no single work.
        year: of the work, 0 if it is no single work or not known.
    """

    name: str
    title: str
    painter: str
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedMove:
    """A move that dance knows.

    Attributes:
        name: what to ask for it by.
        title: its title for people.
        beats: length of one loop.
    """

    name: str
    title: str
    beats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The privacy policy in force.

    Attributes:
        version: as in every receipt.
        effective: when it came into force.
        text: the whole text, Markdown.
        feedback_address: where questions go.
        receipt_keys_pem: public keys that receipts are signed with.
    """

    version: str
    effective: datetime
    text: str
    feedback_address: str
    receipt_keys_pem: tuple[str, ...]


def ask_styles(line: Line) -> tuple[NamedStyle, ...]:
    """Name the styles.

    Raises:
        BatchpixError: the call failed.
    """
    method = stylize_pb2_grpc.StylizeServiceStub(line.channel).ListStyles
    return tuple(
        NamedStyle(name=style.name, title=style.title, painter=style.painter, year=style.year)
        for style in ask(line, method, stylize_pb2.ListStylesRequest()).styles
    )


def ask_moves(line: Line) -> tuple[NamedMove, ...]:
    """Name the moves.

    Raises:
        BatchpixError: the call failed.
    """
    method = dance_pb2_grpc.DanceServiceStub(line.channel).ListMoves
    return tuple(
        NamedMove(name=move.name, title=move.title, beats=move.beats)
        for move in ask(line, method, dance_pb2.ListMovesRequest()).moves
    )


def ask_policy(line: Line) -> Policy:
    """Fetch the policy.

    Raises:
        BatchpixError: the call failed.
    """
    method = policy_pb2_grpc.PolicyServiceStub(line.channel).GetPolicy
    message = ask(line, method, policy_pb2.GetPolicyRequest())
    return Policy(
        version=message.version,
        effective=message.effective.ToDatetime(tzinfo=UTC),
        text=message.text,
        feedback_address=message.feedback_address,
        receipt_keys_pem=tuple(key.public_key_pem for key in message.receipt_keys),
    )


def ask(line: Line, method: Callable[..., AnswerT], question: Message) -> AnswerT:
    """Make a small call, again while nobody takes it.

    Raises:
        BatchpixError: the call failed.
    """
    deadline = time.monotonic() + QUESTION_SECONDS
    for attempt in attempts(QUESTION_SECONDS):
        with attempt:
            try:
                return method(
                    question,
                    timeout=deadline - time.monotonic(),
                    metadata=line.endpoint.metadata(),
                )
            except grpc.RpcError as error:
                raise translated(error) from None
    raise AssertionError("the attempts ended without an answer or an error")
