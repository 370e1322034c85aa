"""What passes through a running gateway, and what is turned away."""

import grpc
import pytest

from tests.gateway.door import GET_POLICY, LIST_STYLES, Door
from tests.gateway.echo import EchoService


def test_valid_token_reaches_the_service(door: Door) -> None:
    """A token with the feature's scope is let through."""
    assert LIST_STYLES.encode() == door.call(LIST_STYLES, door.credentials.token())
