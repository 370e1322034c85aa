"""The puppet's joints: what bends softly never turns inside out."""

import numpy as np
import pytest

from services.dance.cutting import ARM_LAYERS
from services.dance.outline import Outline
from services.dance.pose import ARM_CHANNELS, CHANNELS
from services.dance.rig import follow_limb
from services.dance.skeleton import Limb, Points
from services.dance.skinning import limb_weights
from services.dance.stance import home_of, stand
from tests.dance.figures import SIZE, skeleton

RADIUS = 12.0


@pytest.mark.parametrize("fold", [60.0, 120.0, 165.0])
@pytest.mark.parametrize("limb", [Limb.LEFT_ARM, Limb.RIGHT_ARM])
def test_an_elbow_folds_without_turning_a_mesh_over(limb: Limb, fold: float) -> None:
    """Around the elbow every square of either part's mesh keeps its side to the viewer."""
    body = skeleton()
    outline = Outline(radii=np.full((4, 3), RADIUS), crotch=body.pelvis, hem=None)
    grid = body.limbs[limb, 1] + squares(RADIUS, 9)
    weights = limb_weights(body, outline, limb, grid.reshape(-1, 2))
    pose = np.zeros(CHANNELS)
    pose[ARM_CHANNELS[limb]][:2] = 30.0, 30.0 + fold
    stance = stand(body, home_of(body, SIZE), pose)
    for layer in ARM_LAYERS[limb]:
        placed = follow_limb(body, weights, grid.reshape(-1, 2), stance, layer)

        assert (areas(placed.reshape(grid.shape)) > 0).all()


def test_a_little_bent_elbow_is_the_same_in_both_of_its_parts() -> None:
    """Where they overlap, upper arm and forearm show one picture."""
    body = skeleton()
    outline = Outline(radii=np.full((4, 3), RADIUS), crotch=body.pelvis, hem=None)
    places = (body.limbs[Limb.LEFT_ARM, 1] + squares(RADIUS, 5)).reshape(-1, 2)
    weights = limb_weights(body, outline, Limb.LEFT_ARM, places)
    pose = np.zeros(CHANNELS)
    pose[ARM_CHANNELS[Limb.LEFT_ARM]][:2] = 20.0, 70.0
    stance = stand(body, home_of(body, SIZE), pose)
    upper, fore = (
        follow_limb(body, weights, places, stance, layer) for layer in ARM_LAYERS[Limb.LEFT_ARM]
    )

    assert np.allclose(upper, fore)


def squares(half: float, count: int) -> Points:
    """Return places of a grid around the middle, count x count x 2."""
    steps = np.linspace(-half, half, count)
    return np.stack(np.meshgrid(steps, steps), axis=-1)


def areas(grid: Points) -> Points:
    """Return the signed areas of a grid's squares, half by half."""
    across, down = np.diff(grid, axis=1)[:-1], np.diff(grid, axis=0)[:, :-1]
    return np.asarray(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0])
