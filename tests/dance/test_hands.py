"""What hands cover and hold: it goes with them, and stays nowhere."""

import numpy as np
import pytest

from services.dance.hands import held_things, with_hands
from services.dance.outline import Silhouette
from services.dance.skeleton import Limb
from services.vision.parts import BodyPart, Wear
from tests.dance.figures import SIZE, skeleton

GREY, RED = (128, 126, 124), (200, 40, 30)
BODY = skeleton()
HAND = BODY.limbs[Limb.LEFT_ARM, 2:].mean(axis=0).astype(int)


def scene(thing: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    """Paint a grey ground with a red thing, and tell where the person is."""
    photo = np.full((*SIZE, 3), GREY, np.uint8)
    photo[thing] = RED
    mask = np.zeros(SIZE, np.uint8)
    mask[40:440, 120:205] = 255
    return photo, mask


def test_a_thing_beside_a_hand_is_found() -> None:
    """All of a ball is, and nothing of the ground around."""
    ball = slice(HAND[1] - 15, HAND[1] + 15), slice(207, 235)
    photo, mask = scene(ball)
    found = held_things(photo, mask, BODY) > 0

    assert found[ball].mean() > 0.95
    assert found.sum() < 2.5 * found[ball].sum()


@pytest.mark.parametrize(
    "thing",
    [
        (slice(HAND[1] - 15, HAND[1] + 15), slice(207, 320)),
        (slice(HAND[1] - 15, HAND[1] + 15), slice(270, 295)),
        (slice(0, 480), slice(207, 320)),
        (slice(0, 0), slice(0, 0)),
    ],
    ids=["a rail", "apart", "a wall", "nothing"],
)
def test_what_no_hand_holds_is_left_alone(thing: tuple[slice, slice]) -> None:
    """A thing that goes on, one that stands apart, a wall."""
    assert not held_things(*scene(thing), BODY).any()


@pytest.mark.parametrize("bare", [False, True])
def test_skin_on_clothes_beside_a_hand_is_the_hands(bare: bool) -> None:
    """A hand that lies on a shirt goes with its arm; a bare belly beside one does not."""
    body = np.full(SIZE, BodyPart.TORSO, np.uint8)
    wear = np.full(SIZE, Wear.SKIN if bare else Wear.UPPER, np.uint8)
    near = slice(HAND[1] - 4, HAND[1] + 4), slice(HAND[0] - 4, HAND[0] + 4)
    far = slice(60, 70), slice(20, 30)
    wear[near] = wear[far] = Wear.SKIN
    seen = Silhouette(mask=np.full(SIZE, 255, np.uint8), body=body, wear=wear)
    found = with_hands(seen, BODY).body

    assert (found[near] == (BodyPart.TORSO if bare else BodyPart.HAND_LEFT)).all()
    assert (found[far] == BodyPart.TORSO).all()
