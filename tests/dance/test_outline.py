"""What a silhouette tells: skirts are skirts, and shorts in a lunge are none."""

import numpy as np
import pytest

from services.dance.outline import Silhouette, find_hem
from services.vision.parts import Wear
from tests.dance.figures import SIZE, landmarks, skeleton


def dressed(hem: int) -> Silhouette:
    """Clothe everything from the waist to a row, and leave what is below bare."""
    wear = np.full(SIZE, Wear.SKIN, np.uint8)
    wear[200:hem] = Wear.LOWER
    return Silhouette(mask=np.full(SIZE, 255, np.uint8), body=np.zeros(SIZE, np.uint8), wear=wear)


@pytest.mark.parametrize(("hem", "skirt"), [(310, True), (370, True), (265, False)])
def test_cloth_between_standing_legs_is_a_skirt_where_it_is_long(hem: int, skirt: bool) -> None:
    """The hem is where the cloth ends; what ends half way down the thigh is shorts."""
    found = find_hem(dressed(hem), skeleton())

    assert (found is not None) == skirt
    assert found is None or abs(found - hem) < 4


def test_shorts_in_a_lunge_are_no_skirt() -> None:
    """Knees that are hardly below the hips make no hem of what ends near them."""
    lunging = landmarks()
    lunging[[25, 26], 0] = 260, 60
    lunging[[25, 26], 1] = 262
    lunging[[27, 28, 29, 30, 31, 32], 0] = 262, 58, 262, 58, 266, 54
    lunging[[27, 28, 29, 30, 31, 32], 1] = 350, 350, 360, 360, 366, 366
    body = skeleton(lunging)

    assert not body.missing
    assert find_hem(dressed(258), body) is None
