"""The calls that load tests are made of end as their scenarios say, on the real services."""

import pytest

from gateway.settings import SERVICES
from loadtest.callers import Caller
from loadtest.loads import OK, loads_of
from loadtest.target import target_of
from tests.e2e.conftest import RunningMesh


@pytest.mark.parametrize("feature", SERVICES)
def test_calls_end_as_their_scenario_says(running_mesh: RunningMesh, feature: str) -> None:
    """The most usual call of a feature ends well, with a first byte; a refused one as is told."""
    target = target_of(running_mesh.profile, 1, [feature])
    with Caller(target, 0) as caller:
        loads = loads_of(feature, caller.names(target.features), side=256)
        usual, refused = loads[0], loads[-1]
        ends = {load.name: caller.call(load) for load in (usual, refused)}

    assert (ends[usual.name].code, ends[refused.name].code) == (OK, refused.ending)
    assert refused.ending != OK
    assert ends[usual.name].first_byte is not None
    assert ends[usual.name].received_bytes > 0
    assert ends[refused.name].first_byte is None
