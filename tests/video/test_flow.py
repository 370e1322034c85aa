"""Living regions flow where they are told, loop, and leave all else alone."""

from itertools import pairwise

import numpy as np
import pytest

from services.chassis.memory.arena import Arena
from services.video import fields
from services.video.flow import Current, Flow, Stream
from tests.video.scenes import texture

SIZE = (64, 96)


def mask() -> fields.Pixels:
    """Choose the lower half."""
    chosen = np.zeros(SIZE, np.uint8)
    chosen[32:, 8:88] = 255
    return chosen


def layer(picture: fields.Pixels) -> fields.Pixels:
    """Make an opaque layer."""
    pixels = np.zeros((*SIZE, 4), np.uint8)
    fields.with_opacity(picture, pixels)
    return pixels


def flow(arena: Arena, direction: float = 0.0, speed: float = 0.2, *, loop: bool = True) -> Flow:
    """Let the lower half flow for four seconds."""
    current = Current(mask=mask(), direction_degrees=direction, speed=speed)
    return Flow([current], seconds=4.0, loop=loop, arena=arena)


def states(arena: Arena, times: list[float], **options: float) -> list[fields.Pixels]:
    """Show a layer at some times."""
    pixels = layer(texture(*SIZE))
    current, found = flow(arena, **options), []
    stream = Stream(pixels, current, arena)
    for time in times:
        current.flow_to(time)
        stream.show()
        found.append(pixels[:, :, :3].astype(int))
    return found


def test_a_flow_begins_with_the_photo(arena: Arena) -> None:
    """At the start nothing has moved, within one level."""
    (start,) = states(arena, [0.0])

    assert np.abs(start - texture(*SIZE)).max() <= 1


def test_nothing_flows_outside_its_region(arena: Arena) -> None:
    """Beyond the mask not one pixel changes; inside most do."""
    (later,) = states(arena, [0.1])
    changed = np.any(later != texture(*SIZE), axis=2)

    assert not changed[mask() == 0].any()
    assert changed[40:60, 16:80].mean() > 0.8


def test_a_flow_loops_without_a_jump(arena: Arena) -> None:
    """The last state is no farther from the first than neighbours are from each other."""
    shown = states(arena, [step / 60 for step in range(60)])
    steps = [np.abs(a - b).mean() for a, b in pairwise(shown)]

    assert np.abs(shown[-1] - shown[0]).mean() <= 1.05 * max(steps)
    assert min(steps) > 0.0


@pytest.mark.parametrize(("direction", "rows", "columns"), [(0, 0, 1), (90, 1, 0), (180, 0, -1)])
def test_a_flow_goes_where_it_is_told(
    direction: float, rows: int, columns: int, arena: Arena
) -> None:
    """After a moment the texture is found some pixels on, in that direction."""
    start, later = states(arena, [0.0, 0.05], direction=float(direction))
    inside = (slice(42, 54), slice(24, 72))

    def error(step: int) -> float:
        moved = np.roll(start, (step * rows, step * columns), (0, 1))
        return float(np.abs(moved[inside] - later[inside]).mean())

    assert error(2) < min(error(0), error(-2), error(5))


def test_a_flow_stays_lively(arena: Arena) -> None:
    """Half-way through a cycle, where two textures are mixed, contrast is as at the start."""
    start, middle = states(arena, [0.0, 0.25 / 2], speed=0.1)
    inside = (slice(40, 60), slice(16, 80))

    assert middle[inside].std() > 0.75 * start[inside].std()


def test_a_region_of_nothing_does_not_flow(arena: Arena) -> None:
    """An empty mask is no error: nothing moves."""
    nothing = Current(mask=np.zeros(SIZE, np.uint8), direction_degrees=0.0, speed=0.1)

    assert not Flow([nothing], seconds=4.0, loop=True, arena=arena).parts
