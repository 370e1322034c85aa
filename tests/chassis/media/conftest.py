"""Memory of one call for tests of media."""

from collections.abc import Iterator

import pytest

from services.chassis.memory.arena import Arena, Budget


@pytest.fixture
def arena() -> Iterator[Arena]:
    """Lease the memory of one call."""
    with Budget(1 << 28).lease(0) as arena:
        yield arena
