"""Likeness of colours to the skin of a face."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.vision.skin import skin_likeness

SKIN, CLOTH = (190, 140, 110), (60, 90, 170)


@pytest.fixture
def landmarks() -> NDArray[np.float32]:
    """Put nose, ears and mouth around (32, 10)."""
    marks = np.zeros((33, 4), np.float32)
    marks[[0, 7, 8, 9, 10], :2] = (32, 10), (38, 10), (26, 10), (34, 13), (30, 13)
    marks[:, 3] = 1
    return marks


def likeness(pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compare all of a picture."""
    target = np.full(pixels.shape[:2], 9, np.float32)
    skin_likeness(pixels, landmarks, target)
    return target


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """Paint a face, an arm in the shade, and cloth everywhere else."""
    picture = np.full((64, 64, 3), CLOTH, np.uint8)
    picture[4:18, 22:42] = SKIN
    picture[30:50, 10:14] = np.array(SKIN) * 0.7
    return picture


def test_skin_in_the_shade_is_still_skin(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> None:
    """The face is wholly like itself, a darker arm mostly, and blue cloth not at all."""
    found = likeness(pixels, landmarks)

    assert found[10, 32] == pytest.approx(1)
    assert found[40, 12] > 0.6
    assert found[55, 55] < 0.01


def test_a_face_that_is_hidden_tells_less(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> None:
    """The likeness is worth what the nose's visibility is."""
    landmarks[0, 3] = 0.25

    assert likeness(pixels, landmarks).max() == pytest.approx(0.25)


def test_without_a_face_nothing_is_like_it(
    pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> None:
    """A face beyond the crop gives no colour to compare with."""
    landmarks[:, 1] -= 50

    assert not likeness(pixels, landmarks).any()
