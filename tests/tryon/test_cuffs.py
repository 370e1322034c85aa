"""Where sleeves and hems end is told by colour where the parts network errs."""

from dataclasses import replace

import numpy as np

from services.tryon.body import Side, Wearer
from services.tryon.cuffs import with_cuffs
from services.tryon.limb import along_arm
from services.vision.parts import BodyPart, Wear


def share(wear: np.ndarray, chosen: np.ndarray, label: Wear) -> float:
    """Return how much of a choice has a label."""
    return float((wear[chosen] == label).mean())


def test_a_right_answer_stays(wearer: Wearer) -> None:
    """Labels that agree with the colours are kept."""
    assert (with_cuffs(wearer) != wearer.wear).mean() < 0.002


def test_skin_taken_for_a_sleeve_is_skin_again(wearer: Wearer) -> None:
    """A bare forearm that was labelled as cloth is told by its colour."""
    forearm = wearer.body == BodyPart.FOREARM_LEFT
    wear = np.where(forearm, np.uint8(Wear.UPPER), wearer.wear)
    told = with_cuffs(replace(wearer, wear=wear))

    assert share(told, forearm, Wear.SKIN) > 0.95


def test_a_sleeve_taken_for_skin_is_a_sleeve_again(wearer: Wearer) -> None:
    """Cloth on an upper arm that was labelled as skin is told by its colour."""
    upper = (wearer.body == BodyPart.UPPER_ARM_RIGHT) & (along_arm(wearer, Side.RIGHT) < 110)
    wear = np.where(upper, np.uint8(Wear.SKIN), wearer.wear)
    told = with_cuffs(replace(wearer, wear=wear))

    assert share(told, upper, Wear.UPPER) > 0.9


def test_a_hem_is_found_where_the_colours_change(wearer: Wearer) -> None:
    """A border between top and trousers that lies wrong is moved to where the colours part."""
    wear = wearer.wear.copy()
    band = np.zeros(wear.shape, np.bool_)
    band[430:470] = wear[430:470] == Wear.UPPER
    band &= wearer.body == BodyPart.TORSO
    wear[band] = Wear.LOWER
    told = with_cuffs(replace(wearer, wear=wear))

    assert share(told, band, Wear.UPPER) > 0.9
