"""What the bench of growth keeps can be written down."""

import json

import pytest

from bench.growth import Line, Step, sides


def no_call(size: float) -> None:
    """Stand for a call that is never made."""
    raise AssertionError(size)


def test_failures_are_kept_with_their_causes() -> None:
    """A size at which calls failed stands in the result as JSON, with the cause and how often."""
    line = Line(feature="stylize", dimension="megapixels", begin=no_call, sizes=(1.0,))  # type: ignore[arg-type]
    line.steps[1.0] = Step(size=1.0, failures={"RESOURCE_EXHAUSTED BUSY": 3})

    kept = json.loads(json.dumps(line.document()))

    assert kept["steps"][0]["failures"] == {"RESOURCE_EXHAUSTED BUSY": 3}


@pytest.mark.parametrize("megapixels", [0.25, 1.0, 40.0])
def test_sizes_keep_to_what_was_asked(megapixels: float) -> None:
    """Width and height are even and make at most so many pixels, and nearly as many."""
    width, height = sides(megapixels, 4, 3)

    assert width % 2 == height % 2 == 0
    assert 0.99 < width * height / (megapixels * 1e6) <= 1.0
