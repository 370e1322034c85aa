"""Turning pictures and fitting masks to their edges on the CPU."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.raster.cpu import CpuRaster, Edges, solve_symmetric


@pytest.fixture
def lens() -> CpuRaster:
    """Return the raster of machines without an accelerator."""
    return CpuRaster(1)


def disc(side: int, radius: float) -> NDArray[np.bool_]:
    """Return a disc in the middle of a square."""
    down, right = np.indices((side, side)) - (side - 1) / 2
    return np.hypot(down, right) <= radius


def test_a_warp_takes_each_pixel_from_where_the_matrix_says(lens: CpuRaster) -> None:
    """A shift by whole pixels is exact, and what comes from outside is 0."""
    source = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) + 1
    target = np.full((3, 5, 3), 77, np.uint8)

    lens.warp(source, np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]), target)

    assert np.array_equal(source[1:4, 2:4], target[:, :2])
    assert not target[:, 2:].any()


def test_a_warp_writes_into_a_view(lens: CpuRaster) -> None:
    """The caller's own memory is filled, also where it is a part of something larger."""
    whole = np.zeros((10, 10), np.uint8)
    part = whole[2:6, 3:9]

    lens.warp(np.full((4, 6), 9, np.uint8), np.array([[1.0, 0, 0], [0, 1.0, 0]]), part)

    assert whole.sum() == 9 * 24


def test_a_very_wide_picture_can_be_fitted(lens: CpuRaster) -> None:
    """The guide may be wider than what one warp could read."""
    guide = np.zeros((4, 40_000, 3), np.uint8)
    guide[:, 20_000:] = 255
    mask = np.zeros((1, 200), np.uint8)
    mask[:, 100:] = 255
    target = np.zeros((4, 40_000), np.uint8)

    lens.fit_to_edges(guide, mask, 2, 1.0, target)

    assert (target[0, 100], target[3, 39_900]) == (0, 255)


def test_a_coarse_mask_takes_on_the_edge_of_the_picture(lens: CpuRaster) -> None:
    """A disc that is three pixels too large comes back as the true one, but for a pixel in 300."""
    truth = disc(160, 50)
    guide = np.where(truth[:, :, None], (210, 60, 50), (40, 90, 160)).astype(np.uint8)
    coarse = disc(160, 53).astype(np.uint8) * 255
    target = np.zeros_like(coarse)

    lens.fit_to_edges(guide, coarse, 8, 2.0, target)

    assert ((coarse >= 128) != truth).mean() > 0.03
    assert ((target >= 128) != truth).mean() < 1 / 300


def test_a_small_mask_is_brought_to_the_size_of_the_picture(lens: CpuRaster) -> None:
    """Fitted at a quarter of the size, the edge still lies where the picture has it."""
    truth = disc(320, 100)
    guide = np.where(truth[:, :, None], (210, 60, 50), (40, 90, 160)).astype(np.uint8)
    target = np.zeros((320, 320), np.uint8)

    lens.fit_to_edges(guide, disc(80, 25).astype(np.uint8) * 255, 4, 2.0, target)

    assert ((target >= 128) != truth).mean() < 0.003


def test_even_masks_stay_as_they_are(lens: CpuRaster) -> None:
    """Noise in the picture neither tears holes into a full mask nor fills an empty one."""
    guide = np.random.default_rng(3).integers(0, 256, (300, 70, 3), np.uint8)
    target = np.full((300, 70), 99, np.uint8)

    for value in (0, 255):
        lens.fit_to_edges(guide, np.full((75, 18), value, np.uint8), 3, 2.5, target)

        assert (target == value).all()


def test_contrast_turns_around_one_half(lens: CpuRaster) -> None:
    """A half stays a half; what is off it moves away from it."""
    guide = np.full((20, 20, 3), 128, np.uint8)
    target = np.zeros((20, 20), np.uint8)

    answers = []
    for value in (64, 127, 128, 191):
        lens.fit_to_edges(guide, np.full((20, 20), value, np.uint8), 2, 2.0, target)
        answers.append(int(target[10, 10]))

    assert answers == pytest.approx([1, 127, 128, 254], abs=1)


def test_one_pixel_is_enough(lens: CpuRaster) -> None:
    """The smallest guide and mask do not fail."""
    target = np.zeros((1, 1), np.uint8)

    lens.fit_to_edges(np.zeros((1, 1, 3), np.uint8), np.full((1, 1), 200, np.uint8), 2, 1.0, target)

    assert target[0, 0] == 200


def test_cramers_rule_solves_each_pixel() -> None:
    """The answer equals that of a general solver."""
    generator = np.random.default_rng(1)
    factor = generator.normal(size=(4, 5, 3, 3))
    matrices = factor @ factor.swapaxes(-1, -2) + np.eye(3)
    right = generator.normal(size=(4, 5, 3))
    upper = matrices[..., [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]].astype(np.float32)

    found = solve_symmetric(upper, right.astype(np.float32))

    assert np.allclose(np.linalg.solve(matrices, right[..., None])[..., 0], found, atol=1e-3)


def test_the_model_of_an_even_mask_has_no_colours() -> None:
    """Where nothing changes only the constant speaks."""
    guide = np.random.default_rng(2).integers(0, 256, (12, 12, 3), np.uint8)

    model = Edges(guide, 2).model(np.full((12, 12), 200, np.uint8))

    assert np.allclose(0, model[:, :, :3], atol=1e-3)
    assert np.allclose(200, model[:, :, 3], atol=0.1)


def test_the_largest_piece_is_kept_with_its_soft_edge(lens: CpuRaster) -> None:
    """A speck goes, a larger piece stays as it is, its half covered edge too."""
    mask = np.zeros((20, 20), np.uint8)
    mask[2:10, 2:10] = 255
    mask[2:10, 10] = 90
    mask[15:17, 15:17] = 255
    target = np.full_like(mask, 7)

    lens.largest_piece(mask, target)

    assert (target[:12] == mask[:12]).all()
    assert not target[12:].any()


def test_an_empty_mask_has_no_piece(lens: CpuRaster) -> None:
    """Where nothing is covered, nothing is left."""
    target = np.full((5, 5), 7, np.uint8)

    lens.largest_piece(np.full((5, 5), 100, np.uint8), target)

    assert not target.any()


def test_several_masks_are_fitted_like_each_alone(lens: CpuRaster) -> None:
    """Looking at the picture once changes nothing."""
    guide = np.random.default_rng(5).integers(0, 256, (40, 30, 3), np.uint8)
    masks = np.random.default_rng(6).integers(0, 256, (3, 20, 15), np.uint8)
    alone, together = np.zeros((3, 40, 30), np.uint8), np.zeros((3, 40, 30), np.uint8)

    for mask, target in zip(masks, alone, strict=True):
        lens.fit_to_edges(guide, mask, 2, 1.5, target)
    lens.fit_shares_to_edges(guide, masks, 2, 1.5, together)

    assert (alone == together).all()
