"""The other garment goes on where the old one lay over it."""

from dataclasses import replace

import numpy as np

from services.tryon.beneath import beneath
from services.tryon.body import LOWER, Wearer
from services.tryon.canvas import Chosen

ROWS, COLUMNS = slice(470, 520), slice(280, 360)


def lap(wearer: Wearer) -> tuple[Chosen, Chosen]:
    """Choose the trousers that are seen, and a part of the trunk where they go on."""
    wanted = np.zeros(wearer.shape, np.bool_)
    wanted[ROWS, COLUMNS] = True
    return (wearer.wear == LOWER) & ~wanted, wanted


def test_trousers_go_on_up(wearer: Wearer) -> None:
    """Where a top was, the colour of the trousers below it shows, in each column its own."""
    pixels = wearer.pixels.copy()
    pixels[wearer.wear == LOWER] = (60, 70, 90)
    pixels[:, :320][(wearer.wear == LOWER)[:, :320]] = (120, 70, 90)
    source, wanted = lap(wearer)
    made = beneath(replace(wearer, pixels=pixels), source, wanted, from_below=True)

    left, right = made[ROWS, 284:300].astype(int), made[ROWS, 340:356].astype(int)
    assert np.abs(left - (120, 70, 90)).max() <= 1
    assert np.abs(right - (60, 70, 90)).max() <= 1


def test_a_mark_does_not_come_again(wearer: Wearer) -> None:
    """A button beside the old hem is not carried up."""
    pixels = wearer.pixels.copy()
    pixels[wearer.wear == LOWER] = (60, 70, 90)
    pixels[522:524, 286:290] = 250
    source, wanted = lap(wearer)
    made = beneath(replace(wearer, pixels=pixels), source, wanted, from_below=True)

    assert made[ROWS, COLUMNS].max() < 150


def test_a_hand_before_trousers_is_not_carried_up(wearer: Wearer) -> None:
    """What lies in front of a garment is none of it."""
    pixels = wearer.pixels.copy()
    pixels[wearer.wear == LOWER] = (60, 70, 90)
    source, wanted = lap(wearer)
    pixels[520:560, 290:310] = (250, 20, 20)
    source[520:560, 290:310] = False
    made = beneath(replace(wearer, pixels=pixels), source, wanted, from_below=True)

    assert made[ROWS, COLUMNS, 0].max() < 100
