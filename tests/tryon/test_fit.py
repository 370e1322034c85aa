"""Garments end on the body where their own proportions say, whatever is worn now."""

from dataclasses import replace

import numpy as np
import pytest

from services.tryon import figure
from services.tryon.body import Side, Wearer
from services.tryon.bottoms import shoe_top
from services.tryon.cloth import Cloth, cut_out
from services.tryon.fit import fit
from services.tryon.garment import GarmentCategory
from services.tryon.limb import find_limb
from services.tryon.pieces import Part, Piece
from services.tryon.sections import frame_between
from services.tryon.size import top_scale
from services.tryon.tops import moved_to_end
from services.vision.parts import BodyPart, Wear

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


def test_trousers_reach_down_to_the_shoe(wearer: Wearer) -> None:
    """A shoe that begins below the ankle leaves no gap above it; one that is a boot takes none."""
    leg = find_limb(wearer, "leg", Side.LEFT)
    lower = np.zeros(wearer.shape, np.bool_)
    rows = int(leg.joints[2][1]) + np.array([0.02, 0.2]) * leg.length
    columns = int(leg.joints[2][0]) + np.array([-12, 12])
    lower[int(rows[0]) : int(rows[1]), columns[0] : columns[1]] = True
    wear, body = wearer.wear.copy(), wearer.body.copy()
    wear[wear == Wear.SHOES], body[body == BodyPart.FOOT_LEFT] = 0, 0
    wear[lower], body[lower] = Wear.SHOES, BodyPart.FOOT_LEFT

    assert shoe_top(wearer, leg) >= leg.length
    low = shoe_top(replace(wearer, wear=wear, body=body), leg)
    assert 1.01 * leg.length < low < 1.1 * leg.length


def test_shoulders_tell_the_size_more_than_the_chest(wearer: Wearer) -> None:
    """Of a garment as worn, shoulders a tenth wider make it smaller by most of that."""
    cloth = cloth_of(TEE)
    wide = cloth_of(TEE, shoulder_left=(8.4, 0.0), shoulder_right=(-8.4, 0.0))
    sizes = [
        top_scale(
            wearer,
            each,
            frame_between(each.points["shoulder_right"], each.points["shoulder_left"]),
        )
        for each in (cloth, wide)
    ]

    assert 0.90 < sizes[1] / sizes[0] < 0.94


def test_a_sleeve_ends_where_its_cloth_does() -> None:
    """Corners of an opening that lie before the sleeve's end are moved on to it, and only so."""
    solid = np.zeros((200, 60), np.bool_)
    solid[20:180, 10:50] = True
    seam = np.array([50.0, 20.0]), np.array([10.0, 20.0])
    short = np.array([50.0, 160.0]), np.array([10.0, 160.0])
    wild = np.array([50.0, 90.0]), np.array([10.0, 90.0])
    moved = moved_to_end(solid, seam, short)

    assert all(abs(corner[1] - 179) < 2 for corner in moved)
    assert [corner[0] for corner in moved] == [50.0, 10.0]
    assert moved_to_end(solid, seam, wild) is wild


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
