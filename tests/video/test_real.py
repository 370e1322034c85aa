"""The real networks on a sample photo: the person stands out, and what is behind is clean."""

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.chassis.media.clip import ClipFormat
from services.chassis.media.movie import Studio
from services.chassis.memory.arena import Arena
from services.chassis.raster.cpu import CpuRaster
from services.chassis.settings import Device, Settings
from services.video import fields
from services.video.assembly import make_pipeline, warm_up
from services.video.camera import CameraPath
from services.video.layers import split
from services.video.pipeline import VideoPipeline
from services.video.shot import Shot

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NAME = "diego_red_tee_shorts_beach"
SIZE = (480, 320)
OUTLINE_PIXELS = 6


@pytest.fixture(scope="module")
def real() -> VideoPipeline:
    """Load the networks."""
    return make_pipeline(Settings(device=Device.CPU, threads=2))


def photo() -> fields.Pixels:
    """Read a person in a red shirt on a beach."""
    with Image.open(SAMPLES / "people" / f"{NAME}.jpg") as image:
        return np.asarray(image.convert("RGB").resize(SIZE[::-1]))


def person() -> fields.Pixels:
    """Read what the person truly covers."""
    with Image.open(SAMPLES / "truth" / f"{NAME}_person.png") as image:
        return np.asarray(image.convert("L").resize(SIZE[::-1]))


def test_a_person_stands_out(real: VideoPipeline, arena: Arena) -> None:
    """Along the outline the front holds the person and not the beach."""
    picture = photo()
    layers = split(picture, real.depth(picture, None, arena), CpuRaster(1), arena)
    assert layers.front is not None
    opacity = layers.front.pixels[:, :, 3]
    inside = person() > 250
    deep = fields.widen((~inside).astype(np.uint8), 2) == 0
    rim = deep & (fields.widen((~inside).astype(np.uint8), OUTLINE_PIXELS) > 0)
    # From the knees down a person is as near as the sand beside them.
    rim[330:] = False
    outside = fields.widen((person() > 5).astype(np.uint8), OUTLINE_PIXELS) == 0

    assert (opacity[rim] > 200).mean() > 0.9
    assert (opacity[outside] > 50).mean() < 0.02


def test_what_a_move_uncovers_is_background(real: VideoPipeline, arena: Arena) -> None:
    """Beside the red shirt of a person who has moved, nothing is red."""
    picture = arena.array((*SIZE, 3), np.uint8)
    picture[:] = photo()
    shot = Shot(path=CameraPath.PAN_LEFT, intensity=1.5)
    film = real.prepare(picture, None, (), shot, ClipFormat(seconds=1.0), arena, threading.Event())
    *_, last = film.frames()
    red = last[:, :, 0].astype(int) - last[:, :, 1] > 90
    shirt = red[150:200]
    columns = np.flatnonzero(shirt.mean(axis=0) > 0.5)

    assert columns.size > 40
    assert shirt[:, : columns[0] - 12].mean() < 0.02
    assert shirt[:, columns[-1] + 12 :].mean() < 0.02


def test_everything_is_warm_before_the_seal(real: VideoPipeline) -> None:
    """The warm-up of a service runs every path without a photo of anybody's."""
    warm_up(real, Studio(raster=CpuRaster(1), threads=1))
