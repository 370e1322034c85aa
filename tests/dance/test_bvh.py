"""Motion files are read, turned into poses, and refused by what is wrong with them."""

import numpy as np
import pytest

from services.chassis.errors import MeshError
from services.dance.bvh import read_bvh
from services.dance.pose import FOOT_CHANNELS, PLANTED_MAX, Channel
from tests.dance.motions import waving


def test_an_arm_that_is_lifted_in_the_file_is_lifted_in_the_pose() -> None:
    """Left is left, outwards is outwards, and the other arm hangs."""
    capture = read_bvh(memoryview(waving()), "media[0]")
    left = capture.poses[:, Channel.LEFT_UPPER]

    assert abs(left[0]) < 5.0
    assert abs(left[-1] - 120.0) < 8.0
    assert np.abs(capture.poses[:, Channel.RIGHT_UPPER]).max() < 5.0


def test_feet_that_stand_in_the_file_are_planted() -> None:
    """Both stand throughout, in one place."""
    poses = read_bvh(memoryview(waving()), "media[0]").poses
    for foot in FOOT_CHANNELS.values():
        assert (poses[:, foot.start + 1] < PLANTED_MAX).all()
        assert np.ptp(poses[:, foot.start]) < 1e-3


def test_a_motion_turns_back_at_its_end() -> None:
    """A clip that is longer than its motion has no jump in it."""
    capture = read_bvh(memoryview(waving()), "media[0]")
    poses = capture.at(np.arange(0.0, 6.0, 0.02), 1.0, capture.poses[0])

    assert np.abs(np.diff(poses[:, Channel.LEFT_UPPER])).max() < 5.0


BAD_MOTIONS = {
    "nothing": (b" ", "MEDIA_UNREADABLE"),
    "another text": (b"What I did on my holidays", "MEDIA_UNREADABLE"),
    "bytes": (bytes(range(256)), "MEDIA_UNREADABLE"),
    "a tree that breaks off": (waving()[:300], "MEDIA_UNREADABLE"),
    "frames that break off": (waving()[:-40], "MEDIA_TRUNCATED"),
    "a word for a number": (waving().replace(b"OFFSET 18", b"OFFSET canary"), "MEDIA_UNREADABLE"),
    "no number": (waving().replace(b"0 100 0 0", b"0 100 0 nan"), "MEDIA_UNREADABLE"),
    "too many frames": (waving().replace(b"Frames: 60", b"Frames: 60000"), "FRAMES_TOO_MANY"),
    "no time": (waving().replace(b"0.0333333", b"0"), "MEDIA_UNREADABLE"),
    "a channel of no use": (waving().replace(b"Xposition", b"Wposition"), "MEDIA_UNREADABLE"),
}


@pytest.mark.parametrize("name", BAD_MOTIONS)
def test_a_bad_motion_is_refused_by_name(name: str) -> None:
    """Reason and field tell what is wrong; nothing of the file is told."""
    data, reason = BAD_MOTIONS[name]
    with pytest.raises(MeshError) as caught:
        read_bvh(memoryview(data), "media[0]")

    assert (caught.value.reason, caught.value.field) == (reason, "media[0]")
    assert "canary" not in caught.value.message


def test_joints_that_nobody_knows_are_named_by_what_is_missing() -> None:
    """The message says what a dance needs; the metadata where in the file the strangers are."""
    with pytest.raises(MeshError) as caught:
        read_bvh(memoryview(waving(rename="LeftForeArm")), "media[0]")

    assert caught.value.metadata["missing"] == "left_elbow"
    assert caught.value.metadata["unknown_joints"] == "0, 3"
    assert "left_elbow" in caught.value.message
    assert "canary" not in str(caught.value.metadata)


def test_a_motion_without_a_leg_says_which_joints_it_lacks() -> None:
    """All that hangs on a missing joint is missing too."""
    with pytest.raises(MeshError) as caught:
        read_bvh(memoryview(waving(without="RightLeg")), "media[0]")

    assert caught.value.metadata["missing"] == "right_knee, right_ankle"
