"""Bare limbs: as wide as limbs are, and of one skin with what is seen of them."""

from dataclasses import replace

import numpy as np

from services.tryon import canvas, figure
from services.tryon.bare import BUILDS, CLOTH_EASE, bare_outline, palms, skin_of, usual_widths
from services.tryon.body import HAND, SIDES, SKIN, Side, Wearer
from services.tryon.limb import find_limb
from services.tryon.shading import shading_of
from services.vision.parts import BodyPart, Wear

TONE = np.array([90.0, 60.0, 45.0], np.float32)


def made_skin(wearer: Wearer, kind: str) -> canvas.Plane:
    """Make the skin of the left arm or leg as a chart."""
    bare = bare_outline(wearer, find_limb(wearer, kind, Side.LEFT))
    seen = canvas.shrunk(wearer.wear == SKIN, 2)
    return skin_of(wearer, bare, seen, shading_of(wearer), TONE)


def test_a_leg_is_narrower_than_wide_trousers(wearer: Wearer) -> None:
    """Trousers twice as wide as the leg do not make the leg so wide."""
    body = wearer.body.copy()
    shin = BodyPart.SHIN_LEFT
    body[canvas.grown(body == shin, 25) & (body == 0)] = shin
    limb = find_limb(wearer, "leg", Side.LEFT)
    bare = bare_outline(replace(wearer, body=body), limb)
    half = np.linalg.norm(bare.edges[:, 0] - bare.edges[:, 1], axis=1) / 2

    usual = usual_widths(limb, bare.alongs, wearer.span)
    assert (half <= BUILDS[1] * CLOTH_EASE * usual + 0.5).all()
    assert bare.chosen(wearer.shape).any()


def test_a_limb_that_nothing_is_seen_of_has_the_tone_that_is_told() -> None:
    """Skin of a covered leg is of the tone, and darker towards both of its edges."""
    wearer = figure.wearer()
    wear = wearer.wear.copy()
    wear[wear == SKIN] = Wear.LOWER
    chart = made_skin(replace(wearer, wear=wear), "leg")
    middle = chart.shape[1] // 2

    assert np.abs(np.median(chart[:, middle], axis=0) - TONE).max() < 8
    assert (chart[:, 0].mean(axis=1) < 0.9 * chart[:, middle].mean(axis=1)).all()
    assert (chart[:, -1].mean(axis=1) < 0.9 * chart[:, middle].mean(axis=1)).all()


def test_skin_runs_on_without_a_step() -> None:
    """From the bare forearm up to where the sleeve was, no row differs much from the next."""
    wearer = figure.wearer()
    pixels = wearer.pixels.copy()
    pixels[wearer.wear == SKIN] = (160, 110, 90)
    chart = made_skin(replace(wearer, pixels=pixels), "arm")
    rows = chart[4:, chart.shape[1] // 2].mean(axis=1)

    assert np.abs(np.diff(rows)).max() < 8


def test_light_palms_tell_nothing_of_an_arm(wearer: Wearer) -> None:
    """A hand of which the light palm shows is told from one that has the face's tone."""
    hands = {side: (wearer.body == HAND[side]) & (wearer.wear == SKIN) for side in SIDES}
    pixels = wearer.pixels.copy()
    pixels[wearer.wear == SKIN] = (110, 70, 50)
    pixels[hands[Side.LEFT]] = (230, 200, 190)
    chosen = palms(replace(wearer, pixels=pixels))

    assert np.array_equal(chosen, hands[Side.LEFT])
