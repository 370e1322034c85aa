"""Two estimators' ideas of a joint: measured on photos, the same for all, and undone exactly."""

import numpy as np

from bench.joints import as_seen, hits, idea_of, ways
from tests.dance.figures import SIZE, skeleton

JOINTS = skeleton().limbs[:, :3]


def turned(degrees: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the figure's joints, turned about the picture's corner and moved."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray(JOINTS @ np.array([[cosine, sine], [-sine, cosine]]) + 400.0)


def test_an_idea_goes_with_the_body() -> None:
    """What was measured on an upright photo tells where joints of a turned body are marked."""
    rng = np.random.default_rng(5)
    marks = rng.normal(0.0, 0.05, (2, 3, 2))
    idea = marks[[0, 0, 1, 1]]
    seen = as_seen(JOINTS, idea)

    assert np.allclose(ways(seen, JOINTS), idea)
    assert np.allclose(ways(as_seen(turned(70.0), idea), turned(70.0)), idea)


def test_one_wrong_photo_changes_no_idea() -> None:
    """The middle value of many people is taken, both sides of each alike."""
    right, wrong = np.zeros((4, 3, 2)), np.full((4, 3, 2), 3.0)

    assert np.array_equal(idea_of([right, wrong, right]), right)


def test_hits_are_told_joint_by_joint() -> None:
    """Near is found, far is not, beyond the picture does not count, nobody finds nothing."""
    seen = JOINTS.copy()
    seen[0, 0] += [9.0, 0.0]
    seen[1, 1] += [0.0, 11.0]
    joints = JOINTS.copy()
    joints[2, 2] = seen[2, 2] = [500.0, 100.0]
    found = hits(seen, joints, 10.0, SIZE)

    assert found[0, 0] == 1.0
    assert found[1, 1] == 0.0
    assert np.isnan(found[2, 2])
    assert np.nansum(hits(None, joints, 10.0, SIZE)) == 0.0
