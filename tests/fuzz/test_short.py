"""A short run of what `make fuzz` does at length: the same cases each time."""

from collections.abc import Iterator, Mapping

import pytest

from tests.fuzz.leaks import no_leak
from tests.fuzz.targets import Run, open_targets

WARM_UP_PART = 10
CASES = {
    "conversations": 1_500,
    "files": 1_500,
    "films": 300,
    "options": 400,
    "video options": 300,
    "dance options": 300,
    "tryon options": 300,
    "motions": 200,
    "calls": 150,
}


@pytest.fixture(scope="module")
def targets() -> Iterator[Mapping[str, Run]]:
    """Make the targets."""
    with open_targets(is_repeatable=True) as made:
        yield made


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@pytest.mark.parametrize("name", CASES)
def test_random_cases_end_in_a_result_or_a_refusal(targets: Mapping[str, Run], name: str) -> None:
    """No case crashes, takes over a second, or leaves memory, a file or a thread behind."""
    targets[name](CASES[name] // WARM_UP_PART)
    with no_leak():
        targets[name](CASES[name])
