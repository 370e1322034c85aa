"""A garment is cut out of its picture with clean edges and in memory of its own."""

from dataclasses import replace

import numpy as np
import pytest

from services.chassis.errors import InvalidRequestError, Reason
from services.chassis.memory.arena import Arena
from services.tryon import figure
from services.tryon.cloth import cut_out, evenness_of
from services.tryon.garment import GarmentCategory
from services.tryon.outfit import Hint
from services.tryon.pipeline import TryonPipeline, require_corners
from tests.tryon.conftest import garment_picture

TEE = GarmentCategory.TOP_SHORT_SLEEVE


def test_a_garment_outlives_its_picture(arena: Arena) -> None:
    """What is cut out does not end with the memory that picture and mask lie in."""
    drawn, found = figure.garment(TEE)
    with arena.scope():
        pixels, mask = (arena.array(each.shape, np.uint8) for each in (drawn, found.mask))
        pixels[:], mask[:] = drawn, found.mask
        cloth = cut_out(pixels, replace(found, mask=mask))

    assert cloth.cover.max() == 255
    assert (cloth.colour[cloth.solid] > 0).any(axis=1).all()


def test_no_ground_is_left_at_the_edge() -> None:
    """Beyond the garment its own colours go on, so that no white seam shines through."""
    cloth = cut_out(*figure.garment(TEE))
    beside = cloth.colour[cloth.cover < 255].astype(int)

    assert (beside.min(axis=1) < 240).all()


def test_a_large_picture_is_shrunk_with_its_landmarks() -> None:
    """A garment larger than is needed is worked on smaller; corners stay where they were on it."""
    pixels, found = figure.garment(TEE)
    large = found.mask.repeat(4, 0).repeat(4, 1)
    marks = {name: (4 * x + 1.5, 4 * y + 1.5, c) for name, (x, y, c) in found.landmarks.items()}
    cloth = cut_out(pixels.repeat(4, 0).repeat(4, 1), replace(found, mask=large, landmarks=marks))
    small = cut_out(pixels, found)
    scale = cloth.cover.shape[0] / small.cover.shape[0]

    assert max(cloth.cover.shape) <= 1024
    for name, point in small.points.items():
        apart = cloth.points[name] / cloth.cover.shape[::-1] - point / small.cover.shape[::-1]
        assert np.abs(apart).max() < 0.03
    assert scale > 1.0


def test_a_studio_is_told_from_a_floor() -> None:
    """An even ground is one, and a floor with planks is none."""
    cover = np.zeros((100, 100), np.uint8)
    cover[30:70, 30:70] = 255
    even = np.full((100, 100, 3), 240, np.uint8)
    planks = even.copy()
    planks[:, ::7] = 150

    assert evenness_of(even, cover) == 1.0
    assert evenness_of(planks, cover) == 0.0


def test_a_garment_that_is_cut_off_is_refused(pipeline: TryonPipeline, arena: Arena) -> None:
    """Without its corners a garment can't be laid on a body."""
    _, found = figure.garment(TEE)
    marks = {name: mark for name, mark in found.landmarks.items() if name != "hem_left"}
    with pytest.raises(InvalidRequestError) as caught:
        require_corners(replace(found, landmarks=marks))

    assert caught.value.reason is Reason.GARMENT_NOT_FOUND
    with pytest.raises(InvalidRequestError):
        pipeline.read_garment(garment_picture(TEE), Hint(category=GarmentCategory.SHORTS), arena)
