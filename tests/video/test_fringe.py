"""Strands beyond an outline: found by colour, and not mistaken for what is behind."""

import numpy as np

from services.chassis.raster.cpu import CpuRaster
from services.video.fields import Pixels
from services.video.fringe import find_strands

SIZE = (360, 480)
HEAD = (slice(120, 360), slice(180, 300))
WALL, HAIR, BOARD = (200, 190, 170), (60, 40, 30), (40, 120, 160)


def photo() -> tuple[Pixels, Pixels]:
    """Draw somebody dark before a bright wall, and how opaque they are."""
    picture, opacity = np.empty((*SIZE, 3), np.uint8), np.zeros(SIZE, np.uint8)
    picture[:] = WALL
    picture[HEAD], opacity[HEAD] = HAIR, 255
    return picture, opacity


def strands(picture: Pixels, opacity: Pixels) -> Pixels:
    """Find strands on a grid of half the size."""
    return find_strands(picture, opacity, (SIZE[0] // 2, SIZE[1] // 2), CpuRaster(1))


def test_a_hair_beyond_the_outline_is_found() -> None:
    """A line of two pixels, half covered by hair, all along it and nothing else."""
    picture, opacity = photo()
    hair = (slice(110, 112), slice(190, 290))
    picture[hair] = (130, 115, 100)
    found = strands(picture, opacity)

    assert (found[hair] == 255).all()
    found[hair] = 0
    assert not found.any()


def test_what_is_broad_is_no_strand() -> None:
    """A board that reaches behind the head stays where it is."""
    picture, opacity = photo()
    picture[112:119, 180:300] = BOARD

    assert not strands(picture, opacity)[114:117, 190:290].any()


def test_a_colour_of_the_background_is_no_strand() -> None:
    """A dark line that goes on beside the head, as a wire does, belongs to what is behind."""
    picture, opacity = photo()
    picture[110:112] = HAIR
    beside = strands(picture, opacity)[110:112]

    assert not beside[:, :160].any()
    assert not beside[:, 320:].any()


def test_nothing_in_front_has_no_strands() -> None:
    """Of an outline that covers nothing, or everything, there is nothing to tell."""
    picture, opacity = photo()

    assert not strands(picture, np.zeros_like(opacity)).any()
    assert not strands(picture, np.full_like(opacity, 255)).any()
