"""Garments end on the body where their own proportions say, whatever is worn now."""

from dataclasses import replace

import numpy as np
import pytest

from services.tryon import figure
from services.tryon.body import Side, Wearer
from services.tryon.cloth import Cloth, cut_out
from services.tryon.fit import fit
from services.tryon.garment import GarmentCategory
from services.tryon.limb import find_limb
from services.tryon.pieces import Part, Piece
from services.vision.parts import Wear

TEE = GarmentCategory.TOP_SHORT_SLEEVE


def cloth_of(category: GarmentCategory, **moved: tuple[float, float]) -> Cloth:
    """Cut a drawn garment out, with some of its landmarks moved by (x, y)."""
    cloth = cut_out(*figure.garment(category))
    points = {
        name: point + np.array(moved.get(name, (0.0, 0.0))) for name, point in cloth.points.items()
    }
    return replace(cloth, points=points)


def piece(pieces: list[Piece], part: Part, side: Side | None = None) -> Piece:
    """Pick a piece."""
    return next(each for each in pieces if (each.part, each.side) == (part, side))


def lowest(laid: Piece) -> float:
    """Return the row that a piece reaches down to."""
    return float(laid.mesh.target[:, 1].max())


@pytest.mark.parametrize("category", list(GarmentCategory))
def test_every_kind_is_laid_on_the_body(wearer: Wearer, category: GarmentCategory) -> None:
    """All pieces lie within the crop's surroundings, and sides with sleeves have one each."""
    pieces = fit(cloth_of(category), wearer)
    targets = np.vstack([each.mesh.target for each in pieces])

    assert np.isfinite(targets).all()
    assert (targets > -200).all()
    assert (targets < 1200).all()
    assert [each.part for each in pieces].count(Part.TRUNK) == 1


def test_longer_sleeves_end_further_down_the_arm(wearer: Wearer) -> None:
    """A sleeve half as long again ends in that proportion, from the seam on."""
    short = piece(fit(cloth_of(TEE), wearer), Part.SLEEVE, Side.LEFT).ends_at
    moved = {
        f"{name}_{side}": (sign * 30.0, 70.0)
        for name in ("cuff_outer", "cuff_inner")
        for side, sign in (("left", 1), ("right", -1))
    }
    long = piece(fit(cloth_of(TEE, **moved), wearer), Part.SLEEVE, Side.LEFT).ends_at

    assert long > 1.2 * short


def test_no_sleeve_reaches_far_over_the_hand(wearer: Wearer) -> None:
    """A sleeve that is far too long ends at the hand."""
    moved = {
        f"{name}_{side}": (0.0, 900.0)
        for name in ("cuff_outer", "cuff_inner")
        for side in ("left", "right")
    }
    laid = piece(fit(cloth_of(TEE, **moved), wearer), Part.SLEEVE, Side.RIGHT)

    assert laid.ends_at <= 1.06 * find_limb(wearer, "arm", Side.RIGHT).length


def test_the_hem_does_not_depend_on_what_is_worn(wearer: Wearer) -> None:
    """Over a top or over a dress, a garment ends at the same height."""
    wear = np.where(wearer.wear == Wear.LOWER, np.uint8(Wear.DRESS), wearer.wear)
    over_top = piece(fit(cloth_of(TEE), wearer), Part.TRUNK)
    over_dress = piece(fit(cloth_of(TEE), replace(wearer, wear=wear)), Part.TRUNK)

    assert lowest(over_top) == lowest(over_dress)


def test_full_length_trousers_reach_the_ankles(wearer: Wearer) -> None:
    """Trousers made to reach the ankle do, on legs of any length."""
    for side in Side:
        laid = piece(fit(cloth_of(GarmentCategory.TROUSERS), wearer), Part.LEG, side)
        leg = find_limb(wearer, "leg", side)

        assert abs(laid.ends_at - leg.length) <= 0.05 * leg.length


def test_the_wearers_left_sleeve_comes_from_the_right_of_the_picture(wearer: Wearer) -> None:
    """Sides are the wearer's own on the body and in the garment's picture."""
    cloth = cloth_of(TEE)
    laid = piece(fit(cloth, wearer), Part.SLEEVE, Side.LEFT)

    assert laid.mesh.source[:, 0].mean() > cloth.cover.shape[1] / 2
    assert laid.mesh.target[:, 0].mean() > wearer.landmarks[0, 0]


def test_a_garment_is_at_least_as_wide_as_the_body(wearer: Wearer) -> None:
    """A trunk never lets the sides of the body show."""
    pieces = fit(cloth_of(GarmentCategory.DRESS), wearer)
    trunk = piece(pieces, Part.TRUNK).mesh.target
    at_waist = trunk[np.abs(trunk[:, 1] - 400) < 12][:, 0]

    assert at_waist.min() <= 252
    assert at_waist.max() >= 388
