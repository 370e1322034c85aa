"""Poses on a body: its bones keep their lengths, its feet stand, its limits hold."""

from itertools import pairwise

import numpy as np
import pytest

from services.dance.moves import Move, load_moves
from services.dance.pose import ARM_CHANNELS, CHANNELS, Channel
from services.dance.skeleton import ARMS, LEGS, Limb, Skeleton
from services.dance.stance import Stance, home_of, pose_of, stand
from tests.dance.figures import SIZE, landmarks, skeleton

BOOK = load_moves()
BEATS = np.arange(0.0, 8.0, 1 / 8)


def stances(body: Skeleton, move: Move) -> list[Stance]:
    """Dance a loop."""
    home = home_of(body, SIZE)
    return [stand(body, home, pose) for pose in move.poses(BEATS)]


@pytest.mark.parametrize("move", BOOK.moves, ids=lambda move: str(move.name))
def test_bones_keep_their_lengths(move: Move) -> None:
    """With what points to the viewer added, each long bone is as long as the body's."""
    body = skeleton()
    for stance in stances(body, move):
        for limb in (*ARMS, *LEGS):
            flat = np.hypot(*np.diff(stance.limbs[limb, :3], axis=0).T)
            deep = np.diff(stance.nearness[limb], prepend=0.0)

            assert np.allclose(np.hypot(flat, deep), body.lengths[limb], rtol=0.01)


@pytest.mark.parametrize("move", BOOK.moves, ids=lambda move: str(move.name))
def test_planted_feet_slide_less_than_a_hundredth_of_the_body(move: Move) -> None:
    """From one moment to the next a standing ankle stays in its place."""
    body = skeleton()
    danced = stances(body, move)
    for before, after in pairwise(danced):
        for number, limb in enumerate(LEGS):
            if before.planted[number] and after.planted[number]:
                slid = np.hypot(*(after.limbs[limb, 2] - before.limbs[limb, 2]))

                assert slid < 0.01 * body.height


@pytest.mark.parametrize("arm", [[90.0, 90.0], [60.0, 130.0], [178.0, 178.0]])
def test_arms_stay_in_the_picture(arm: list[float]) -> None:
    """Arms that would leave a narrow photo reach to the viewer, and are as long as ever."""
    body, size = skeleton(), (SIZE[0], 300)
    pose = np.zeros(CHANNELS)
    pose[ARM_CHANNELS[Limb.LEFT_ARM]][:2] = arm
    pose[ARM_CHANNELS[Limb.RIGHT_ARM]][:2] = arm
    stance = stand(body, home_of(body, size), pose)
    points = stance.limbs[list(ARMS)].reshape(-1, 2)
    flat = np.hypot(*np.diff(stance.limbs[Limb.LEFT_ARM, :3], axis=0).T)
    deep = np.diff(stance.nearness[Limb.LEFT_ARM], prepend=0.0)

    assert (points > 0).all()
    assert (points < [300, SIZE[0]]).all()
    assert np.allclose(np.hypot(flat, deep), body.lengths[Limb.LEFT_ARM], rtol=0.01)


def test_the_photos_own_pose_puts_every_joint_back() -> None:
    """A dance that sets out from the photo starts as the photo."""
    body = skeleton()
    home = home_of(body, SIZE)
    stance = stand(body, home, pose_of(body, home))

    assert np.abs(stance.limbs - body.limbs).max() < 0.02 * body.height
    assert np.abs(stance.turns).max() < 0.05


def test_hips_go_no_higher_than_standing_feet_let_them() -> None:
    """Nobody grows longer legs."""
    body = skeleton()
    pose = np.zeros(CHANNELS)
    pose[Channel.DROP] = -0.4
    home = home_of(body, SIZE)
    stance = stand(body, home, pose)

    assert np.allclose(stance.limbs[LEGS[0], 2], home.feet[0], atol=0.5)
    assert stance.pelvis[1] > home.pelvis[1] - 0.05 * body.leg


def test_limbs_that_are_not_seen_are_told_and_keep_still() -> None:
    """Half a body dances with its upper half; the hidden arm moves with the trunk alone."""
    found = landmarks()
    found[25:, 1] += 400
    found[[13, 15], 3] = 0.1
    body = skeleton(found)
    pose = np.full(CHANNELS, 10.0)
    pose[[Channel.SHIFT, Channel.DROP, Channel.SHRUG]] = 0.0
    stance = stand(body, home_of(body, SIZE), pose)

    assert body.missing == {Limb.LEFT_ARM, Limb.LEFT_LEG, Limb.RIGHT_LEG}
    assert np.array_equal(stance.limbs[LEGS[0]], body.limbs[LEGS[0]])


@pytest.mark.parametrize("case", ["lying", "seated", "from behind"])
def test_unusual_bodies_have_a_defined_stance(case: str) -> None:
    """Who lies or sits keeps the legs still; from behind, left is on the left."""
    found = landmarks()
    if case == "lying":
        found[:, :2] = found[:, 1::-1] * [0.66, 1.0]
    elif case == "seated":
        found[[27, 28, 31, 32], 1] -= 150
    else:
        found[:, 0] = 320 - found[:, 0]
    body = skeleton(found)
    stance = stand(body, home_of(body, SIZE), BOOK.move("two_step", "").poses(np.array([1.0]))[0])

    assert np.isfinite(stance.limbs).all()
    assert body.facing == (-1 if case == "from behind" else 1)
    assert (set(LEGS) <= body.missing) == (case in ("lying", "seated"))


def test_a_body_seen_from_its_side_has_a_width() -> None:
    """Shoulders in one place are not divided by."""
    found = landmarks()
    found[11:, 0] = 160
    body = skeleton(found)

    assert abs(body.limbs[0, 0, 0] - body.limbs[1, 0, 0]) > 10
