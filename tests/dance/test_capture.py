"""Feet of captured people stand where they stand, and turns stay within what a photo can show."""

import numpy as np

from services.dance.capture import Joint, captured, held, runs
from services.dance.pose import FOOT_CHANNELS, PLANTED_MAX, Channel

STANDING = {
    Joint.HEAD: (0, -65),
    Joint.LEFT_SHOULDER: (18, -50),
    Joint.LEFT_ELBOW: (22, -22),
    Joint.LEFT_WRIST: (24, 2),
    Joint.LEFT_HIP: (10, 0),
    Joint.LEFT_KNEE: (11, 45),
    Joint.LEFT_ANKLE: (12, 90),
}


def standing(frames: int) -> np.ndarray:
    """Return somebody who stands still for a while, TxJx3."""
    joints = np.zeros((len(Joint), 3))
    for joint, place in STANDING.items():
        joints[joint, :2] = place
        if joint is not Joint.HEAD:
            joints[joint + 1, :2] = (-place[0], place[1])
    return np.tile(joints, (frames, 1, 1))


def test_a_foot_that_trembles_is_held_still() -> None:
    """Noise of the capture does not make feet slide."""
    rng = np.random.default_rng(2)
    joints = standing(60)
    joints[..., :2] += rng.normal(0.0, 0.6, joints[..., :2].shape)
    poses = captured(joints, 15.0).poses
    for foot in FOOT_CHANNELS.values():
        stands = poses[:, foot.start + 1] < PLANTED_MAX

        assert stands.mean() > 0.7
        assert np.ptp(poses[stands, foot.start]) < 0.02


def test_a_foot_that_steps_is_lifted_and_stands_elsewhere() -> None:
    """In between it is not planted."""
    joints = standing(60)
    step = np.clip((np.arange(60) - 20) / 10, 0.0, 1.0)
    joints[:, Joint.LEFT_ANKLE, 0] += 20 * step
    joints[:, Joint.LEFT_ANKLE, 1] -= 15 * np.sin(np.pi * step)
    foot = FOOT_CHANNELS[2]
    poses = captured(joints, 15.0).poses
    up = poses[:, foot.start + 1]

    assert up[25] > 0.05
    assert up[5] < PLANTED_MAX
    assert up[55] < PLANTED_MAX
    assert poses[55, foot.start] - poses[5, foot.start] > 0.1


def test_whoever_turns_away_is_turned_only_as_far_as_a_photo_shows() -> None:
    """A quarter turn of the shoulders stays within the limit."""
    joints = standing(30)
    joints[:, Joint.LEFT_SHOULDER] = (0, -50, 18)
    joints[:, Joint.RIGHT_SHOULDER] = (0, -50, -18)

    assert captured(joints, 15.0).poses[:, Channel.CHEST_TURN].max() <= 32.0


def test_corrections_go_over_from_one_standing_place_to_the_next() -> None:
    """Frames between two places are moved along with them."""
    out = np.array([0.0, 0.1, 0.0, 0.5, 1.0, 1.1, 1.0])
    stands = np.array([True, True, True, False, True, True, True])
    still = held(out, stands)

    assert np.ptp(still[:3]) == 0.0
    assert np.ptp(still[4:]) == 0.0
    assert runs(stands) == [(0, 3), (4, 7)]
