"""What is put on lies between what belongs before it and behind it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from services.tryon import canvas, figure
from services.tryon.body import Side, Wearer, below_hips
from services.tryon.cloth import cut_out
from services.tryon.edit import Edit
from services.tryon.garment import GarmentCategory
from services.tryon.hems import hem_of_top
from services.tryon.layers import put_on
from services.tryon.limb import along_arm
from services.tryon.shading import shading_of
from services.vision.parts import BodyPart, Wear

Pixels = NDArray[np.uint8]
RED = np.array([170, 60, 60])
SKIN = np.array(figure.COLOURS[Wear.SKIN])


def mirrored(pixels: Pixels, hole: NDArray[np.bool_]) -> Pixels:
    """Fill a hole with what is nearest."""
    return canvas.mirrored_out(pixels, ~hole)


def dress(
    wearer: Wearer, category: GarmentCategory, *, tucked: bool = False
) -> tuple[Edit, Wearer]:
    """Put a drawn garment on."""
    cloth = cut_out(*figure.garment(category))
    shading = shading_of(wearer)
    change = put_on(wearer, cloth, tucked=tucked, shading=shading, fill=mirrored, seed=1)
    return change.edit, change.dressed()


def long_sleeved() -> Wearer:
    """Draw the figure in long sleeves."""
    wearer = figure.wearer()
    arms = np.isin(wearer.body, (BodyPart.FOREARM_LEFT, BodyPart.FOREARM_RIGHT))
    wear, pixels = wearer.wear.copy(), wearer.pixels.copy()
    wear[arms], pixels[arms] = Wear.UPPER, figure.COLOURS[Wear.UPPER]
    return replace(wearer, wear=wear, pixels=pixels)


@pytest.mark.parametrize("category", list(GarmentCategory))
def test_face_and_hair_are_never_touched(wearer: Wearer, category: GarmentCategory) -> None:
    """No garment's edit covers or shades head or hair."""
    edit, after = dress(wearer, category)
    kept = (wearer.body == BodyPart.HEAD) | (wearer.wear == Wear.HAIR)

    assert edit.cover[kept].max() == 0
    assert edit.light[kept].min() == 1
    assert np.array_equal(after.pixels[kept], wearer.pixels[kept])


def test_hair_over_the_shoulder_stays_in_front(wearer: Wearer) -> None:
    """Hair that falls over the chest lies on the new top."""
    wear, pixels = wearer.wear.copy(), wearer.pixels.copy()
    wear[240:330, 330:350], pixels[240:330, 330:350] = Wear.HAIR, figure.COLOURS[Wear.HAIR]
    _, after = dress(replace(wearer, wear=wear, pixels=pixels), GarmentCategory.TOP_LONG_SLEEVE)

    assert np.array_equal(after.pixels[240:330, 330:350], pixels[240:330, 330:350])


def test_a_bare_arm_in_front_of_the_body_hides_the_top(wearer: Wearer) -> None:
    """A forearm held before the belly stays in front of the new trunk."""
    body, wear, pixels = wearer.body.copy(), wearer.wear.copy(), wearer.pixels.copy()
    bent = canvas.polygon(body.shape, figure.box(300, 365, 434, 395))
    body[bent], wear[bent] = BodyPart.FOREARM_LEFT, Wear.SKIN
    pixels[bent] = SKIN
    landmarks = wearer.landmarks.copy()
    landmarks[13, :2], landmarks[15, :2] = (434, 360), (310, 380)
    held = replace(wearer, body=body, wear=wear, pixels=pixels, landmarks=landmarks)
    _, after = dress(held, GarmentCategory.TOP_SLEEVELESS)

    assert np.array_equal(after.pixels[375:386, 320:380], pixels[375:386, 320:380])
    assert (np.abs(after.pixels[330, 320].astype(int) - RED) < 40).all()


def test_what_the_old_sleeves_leave_is_skin_of_the_persons_tone() -> None:
    """Short sleeves over long ones uncover forearms, in the tone of hands and face."""
    wearer = long_sleeved()
    _, after = dress(wearer, GarmentCategory.TOP_SHORT_SLEEVE)
    along = along_arm(wearer, Side.LEFT)
    bare = (wearer.body == BodyPart.FOREARM_LEFT) & (along > 230)
    bare = canvas.shrunk(bare, 4)
    colours = after.pixels[bare].astype(float)

    assert np.abs(np.median(colours, axis=0) - SKIN).max() < 14
    assert (after.wear[bare] == Wear.SKIN).mean() > 0.9


def test_nothing_of_the_old_garment_remains() -> None:
    """After a dress on top and trousers, no pixel has the old clothes' colours."""
    wearer = long_sleeved()
    _, after = dress(wearer, GarmentCategory.DRESS)
    old = np.array([figure.COLOURS[Wear.UPPER], figure.COLOURS[Wear.LOWER]])
    apart = np.abs(after.pixels[:, :, None].astype(int) - old).sum(axis=3).min(axis=2)

    assert (apart < 12).mean() < 0.002


def test_a_top_tucked_in_ends_at_the_waist(wearer: Wearer) -> None:
    """Tucked in, a top leaves the trousers in sight up to the waist."""
    _, over = dress(wearer, GarmentCategory.TOP_SHORT_SLEEVE)
    _, tucked = dress(wearer, GarmentCategory.TOP_SHORT_SLEEVE, tucked=True)
    rows = {}
    for name, after in (("over", over), ("in", tucked)):
        column = after.pixels[:, 340].astype(int)
        rows[name] = np.nonzero(np.abs(column - RED).sum(axis=1) < 60)[0].max()

    assert rows["in"] < rows["over"] - 30
    assert abs(rows["in"] - 425) < 12


def test_the_garments_colour_is_kept(wearer: Wearer) -> None:
    """The middle of the laid garment has the colour that its picture has."""
    _, after = dress(wearer, GarmentCategory.TOP_LONG_SLEEVE)
    trunk = after.pixels[260:420, 270:370].reshape(-1, 3)

    assert np.abs(np.median(trunk, axis=0) - RED).max() <= 3


def test_outerwear_leaves_the_top_below_it(wearer: Wearer) -> None:
    """A jacket is worn over what is there: what it does not cover stays."""
    edit, _ = dress(wearer, GarmentCategory.OUTERWEAR)
    legs = np.isin(wearer.body, (BodyPart.SHIN_LEFT, BodyPart.SHIN_RIGHT))

    assert edit.cover[legs].max() == 0


def test_a_waistband_does_not_stand_out_beside_a_top_over_it(wearer: Wearer) -> None:
    """Above the hem of the top that stays, a skirt changes nothing beside that top."""
    _, after = dress(wearer, GarmentCategory.SKIRT)
    above = below_hips(wearer) < hem_of_top(wearer) - 0.1 * wearer.span

    assert not (above & (wearer.body == 0) & (after.wear == Wear.LOWER)).any()


def test_a_dress_goes_on_under_the_trousers_without_a_gap(wearer: Wearer) -> None:
    """Trousers over a dress leave no skin between its upper part and their waistband."""
    wear = wearer.wear.copy()
    wear[np.isin(wear, (Wear.UPPER, Wear.LOWER))] = Wear.DRESS
    worn = replace(wearer, wear=wear)
    _, after = dress(worn, GarmentCategory.TROUSERS)

    trunk = canvas.shrunk(wearer.body == BodyPart.TORSO, 4)
    assert not (trunk & (after.wear == Wear.SKIN) & (wearer.wear != Wear.SKIN)).any()


def test_nothing_of_an_old_hem_that_was_found_too_high_remains(wearer: Wearer) -> None:
    """Over a longer top whose last rows pass for trousers, a short one leaves no dark line."""
    lap = np.isin(wearer.body, (BodyPart.TORSO, BodyPart.THIGH_LEFT, BodyPart.THIGH_RIGHT))
    low = below_hips(wearer)
    wear, pixels = wearer.wear.copy(), wearer.pixels.copy()
    hem = 0.5 * wearer.span
    wear[lap & (low < hem)] = Wear.UPPER
    wear[lap & (low >= hem)] = Wear.LOWER
    strip = lap & (low >= hem) & (low < hem + 0.05 * wearer.span)
    pixels[lap & (low < hem)] = (20, 90, 20)
    pixels[strip] = (20, 90, 20)
    _, after = dress(replace(wearer, wear=wear, pixels=pixels), GarmentCategory.TOP_SHORT_SLEEVE)
    apart = np.abs(after.pixels.astype(int) - (20, 90, 20)).sum(axis=2)

    assert (apart[canvas.shrunk(strip, 2)] > 60).all()
