"""The pixel work on the CPU keeps its contracts, and writes into the arrays it is given."""

import cv2
import numpy as np
import pytest

from services.chassis.raster.cpu import CpuRaster
from tests import pictures

SHOWN = pictures.gradient(60, 80)


@pytest.fixture
def raster() -> CpuRaster:
    """Make a raster of two threads."""
    return CpuRaster(2)


@pytest.mark.parametrize("size", [(30, 40), (90, 120), (60, 80)])
def test_resize_keeps_the_picture(raster: CpuRaster, size: tuple[int, int]) -> None:
    """Smaller or larger, the picture shows the same, in the caller's own array."""
    target = np.zeros((*size, 3), np.uint8)

    raster.resize(SHOWN, target)

    assert np.abs(target.astype(np.int16) - pictures.gradient(*size)).mean() < 1.5


def test_shrinking_averages(raster: CpuRaster) -> None:
    """Fine patterns become their mean instead of a pattern that was not there."""
    checks = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    target = np.zeros((16, 16), np.uint8)

    raster.resize(checks, target)

    assert set(np.unique(target)) <= {127, 128}


def test_resize_takes_floats(raster: CpuRaster) -> None:
    """Maps of one float channel are scaled too, values beyond 0..1 included."""
    target = np.zeros((10, 12), np.float32)

    raster.resize(np.full((20, 24), -3.5, np.float32), target)

    assert np.all(target == -3.5)


def test_target_that_can_not_be_written_is_refused(raster: CpuRaster) -> None:
    """A target that is not contiguous raises, rather than leaving the result elsewhere."""
    target = np.zeros((30, 80, 3), np.uint8)[:, ::2]

    with pytest.raises(cv2.error):
        raster.resize(SHOWN, target)


def test_mirror_continues_the_picture(raster: CpuRaster) -> None:
    """The picture lies where it was put, and its surroundings are its mirror image."""
    target = np.zeros((80, 96, 3), np.uint8)

    raster.mirror(SHOWN, target, 7, 9)

    assert np.array_equal(target[7:67, 9:89], SHOWN)
    assert np.array_equal(target[6, 9:89], SHOWN[0])
    assert np.array_equal(target[67:80, 9:89], SHOWN[:-14:-1])


def test_mirror_fills_much_around_a_tiny_picture(raster: CpuRaster) -> None:
    """A picture smaller than its surroundings is mirrored again and again."""
    target = np.zeros((64, 64, 3), np.uint8)
    tiny = np.full((2, 3, 3), 77, np.uint8)

    raster.mirror(tiny, target, 0, 0)

    assert np.all(target == 77)


def test_blend_without_mask_mixes_evenly(raster: CpuRaster) -> None:
    """Opacity alone sets the share of the upper picture, 0 and 1 exactly."""
    over, target = pictures.noise(60, 80, 1), np.zeros_like(SHOWN)
    for opacity, expected in ((0.0, SHOWN), (1.0, over)):
        raster.blend(SHOWN, over, None, opacity, target)
        assert np.array_equal(target, expected)
    raster.blend(np.zeros_like(SHOWN), np.full_like(SHOWN, 200), None, 0.5, target)

    assert np.all(target == 100)


def test_blend_leaves_what_the_mask_leaves_out(raster: CpuRaster) -> None:
    """Mask 0 keeps the base bit for bit, 255 takes the upper picture, between lies between."""
    over, target = pictures.noise(60, 80, 1), np.zeros_like(SHOWN)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40], mask[40:] = 128, 255

    raster.blend(SHOWN, over, mask, 1.0, target)

    half = (SHOWN[20:40].astype(np.float32) + over[20:40]) / 2
    assert np.array_equal(target[:20], SHOWN[:20])
    assert np.array_equal(target[40:], over[40:])
    assert np.abs(target[20:40] - half).max() <= 1.5


def test_keep_colour_takes_brightness_alone(raster: CpuRaster) -> None:
    """The result has the colour of the photo and the lightness of the painting."""
    photo = np.full((8, 8, 3), (180, 90, 60), np.uint8)
    painted = np.full((8, 8, 3), 140, np.uint8)
    target = np.zeros_like(photo)

    raster.keep_colour(photo, painted, target)

    lab = [
        cv2.cvtColor(pixels[:1, :1].astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0, 0]
        for pixels in (photo, painted, target)
    ]
    assert lab[2][0] == pytest.approx(lab[1][0], abs=1.0)
    assert lab[2][1:] == pytest.approx(lab[0][1:], abs=1.5)


def test_keep_colour_leaves_an_unpainted_photo(raster: CpuRaster) -> None:
    """A painting that equals its photo comes out as it is, to a level."""
    target = np.zeros_like(SHOWN)

    raster.keep_colour(SHOWN, SHOWN, target)

    assert np.abs(target.astype(np.int16) - SHOWN).max() <= 1


def test_add_detail_returns_what_a_small_copy_lost(raster: CpuRaster) -> None:
    """An edge that a small copy blurs comes back in the enlarged painting."""
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[:, 32:] = 200
    small = np.zeros((16, 16, 3), np.uint8)
    raster.resize(photo, small)
    target = np.zeros_like(photo)
    raster.resize(small, target)
    blurred = np.abs(target.astype(np.int16) - photo).sum()

    raster.add_detail(photo, small, 1.0, target)

    assert np.abs(target.astype(np.int16) - photo).sum() < blurred / 10


def test_warp_moves_by_whole_pixels(raster: CpuRaster) -> None:
    """A shift takes pixels from where the map says; what lies outside is black."""
    target = np.zeros((60, 80, 3), np.uint8)

    raster.warp(SHOWN, np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 3.0]]), target)

    assert np.array_equal(target[:57, :75], SHOWN[3:, 5:])
    assert not target[57:].any()


def test_frames_of_films_have_the_levels_of_the_standard(raster: CpuRaster) -> None:
    """The primaries become BT.709's limited levels; colour is the mean of four pixels."""
    colours = [(255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
    codes = [(235, 128, 128), (16, 128, 128), (63, 102, 240), (173, 42, 26), (32, 240, 118)]
    picture = np.repeat(np.array([colours], np.uint8), 2, axis=1).repeat(2, axis=0)
    frame = np.zeros((3, 10), np.uint8)

    raster.to_nv12(picture, frame)

    found = np.stack([frame[0, ::2], frame[2, ::2], frame[2, 1::2]], axis=1)
    assert found.tolist() == [list(code) for code in codes]


def places(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Map every pixel to itself: columns and rows."""
    rows, columns = np.indices((height, width), np.float32)
    return columns, rows


def test_remap_to_itself_keeps_every_bit(raster: CpuRaster) -> None:
    """Whole numbers are the middles of pixels, for pictures and for masks."""
    columns, rows = places(60, 80)
    for source in (SHOWN, SHOWN[:, :, 0].copy()):
        target = np.zeros_like(source)
        raster.remap(source, columns, rows, target)
        assert np.array_equal(target, source)


def test_remap_takes_places_between_pixels(raster: CpuRaster) -> None:
    """A quarter of the way from 0 to 200 lies 50; the target may have another size."""
    source = np.array([[0, 200], [0, 200]], np.uint8)
    target = np.zeros((1, 3), np.uint8)

    raster.remap(
        source, np.array([[0.0, 0.25, 0.75]], np.float32), np.full((1, 3), 0.5, np.float32), target
    )

    assert target.tolist() == [[0, 50, 150]]


@pytest.mark.parametrize("far", [20, 150])
def test_remap_mirrors_beyond_the_border(raster: CpuRaster, far: int) -> None:
    """What lies outside is the mirrored picture, however far outside."""
    columns, rows = places(60, 80)
    target = np.zeros_like(SHOWN)
    expected = np.pad(SHOWN, ((0, 0), (far, 0), (0, 0)), mode="symmetric")[:, :80]

    raster.remap(SHOWN, columns - far, rows, target)

    assert np.array_equal(target, expected)
