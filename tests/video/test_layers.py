"""Layers: together the picture, apart without halos, and never stretched."""

import numpy as np
import pytest

from services.chassis.memory.arena import Arena
from services.chassis.raster.cpu import CpuRaster
from services.video import fields
from services.video.focus import DEFAULT, depth_at, find_focus
from services.video.layers import SLOPE, Layers, Relief, grid_size, split
from tests.pictures import noise
from tests.video.scenes import SIZE, SUBJECT, scene, step, texture


def taken_apart(picture: fields.Pixels, depth: fields.Field, arena: Arena) -> Layers:
    """Split with the filter on the CPU."""
    return split(picture, depth, CpuRaster(1), arena)


def together(layers: Layers) -> fields.Pixels:
    """Lay the front over the back."""
    base = layers.back.pixels.copy()
    if layers.front is not None:
        fields.lay_over(layers.front.pixels, base)
    return base[:, :, :3]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_layers_together_are_the_picture(seed: int, arena: Arena) -> None:
    """Bit for bit, even of noise under a depth of noise, where no layer makes sense."""
    picture = noise(60, 80, seed)
    wild = noise(60, 80, seed + 10)[:, :, 0].astype(np.float32) / 255

    assert np.array_equal(together(taken_apart(picture, wild, arena)), picture)
    assert np.array_equal(together(taken_apart(scene(), step(scene()), arena)), scene())


def test_an_even_depth_is_one_layer(arena: Arena) -> None:
    """A wall, or a ground that rises gently, hides nothing."""
    picture = texture(*SIZE)
    slope = np.repeat(np.linspace(0, 1, SIZE[0], dtype=np.float32)[:, None], SIZE[1], axis=1)
    for depth in (np.full(SIZE, 0.5, np.float32), slope):
        layers = taken_apart(picture, depth, arena)
        assert layers.front is None
        assert np.array_equal(layers.back.pixels[:, :, :3], picture)


def test_a_subject_stands_in_front(arena: Arena) -> None:
    """It is opaque along its outline, at its own depth, and nothing else is in front."""
    layers = taken_apart(scene(), step(scene()), arena)
    assert layers.front is not None
    opacity = layers.front.pixels[:, :, 3]
    outline = np.zeros(SIZE, bool)
    outline[21:40, 37:40] = outline[21:40, 56:59] = True
    outside = np.ones(SIZE, bool)
    outside[17:63, 33:63] = False
    middle = fields.enlarge(layers.front.depth, SIZE)[30, 40]

    assert opacity[outline].min() > 230
    assert opacity[outside].max() == 0
    assert middle == pytest.approx(0.9, abs=0.02)


def test_behind_a_subject_nothing_is_left_of_it(arena: Arena) -> None:
    """Along the outline the back is as little red as what surrounds the subject."""
    layers = taken_apart(scene(), step(scene()), arena)
    behind = layers.back.pixels[22:38, 36:40, :3].astype(int)

    assert (behind[:, :, 0] - behind[:, :, 1]).max() < 20


def test_what_runs_level_behind_a_subject_runs_on(arena: Arena) -> None:
    """Boards of a wall that end at the subject on both sides are not broken behind its outline."""
    wall = np.full((*SIZE, 3), (150, 140, 130), np.uint8)
    wall[::8] = wall[1::8] = (90, 70, 60)
    picture = wall.copy()
    picture[SUBJECT] = (30, 60, 200)
    layers = taken_apart(picture, step(scene()), arena)
    outline = (slice(24, 56), slice(36, 39))
    error = np.abs(layers.back.pixels[outline][:, :, :3].astype(int) - wall[outline])

    assert error.mean() < 12


def test_what_is_inside_a_subject_is_no_background(arena: Arena) -> None:
    """Behind a dark subject before a bright wall, wide enough to have a middle, it stays bright."""
    picture = np.full((*SIZE, 3), 210, np.uint8)
    picture[12:72, 20:76] = 20
    depth = np.full(SIZE, 0.2, np.float32)
    depth[12:72, 20:76] = 0.8
    layers = taken_apart(picture, depth, arena)

    assert layers.back.pixels[20:60, 20:24, :3].min() > 190


def test_the_front_carries_no_halo(arena: Arena) -> None:
    """Its colours are the subject's: laid over black, nothing but red and grey appears."""
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[:] = (20, 200, 20)
    picture[SUBJECT] = (200, 20, 20)
    soft = fields.blur(picture, 0.8)
    front = taken_apart(soft, step(scene()), arena).front
    assert front is not None
    rim = front.pixels[20:40, 34:62].astype(int)

    assert (rim[:, :, 1] - rim[:, :, 0]).max() < 40


def test_no_layer_is_steeper_than_is_allowed(arena: Arena) -> None:
    """Whatever the depth does, the layers' own depths stay smooth and enclose it."""
    depth = noise(*SIZE, 4)[:, :, 0].astype(np.float32) / 255
    layers = taken_apart(texture(*SIZE), depth, arena)
    assert layers.front is not None
    steepest = SLOPE / min(grid_size(*SIZE)) + 1e-5
    for layer in (layers.back, layers.front):
        for axis in (0, 1):
            assert np.abs(np.diff(layer.depth, axis=axis)).max() <= steepest
    assert np.all(layers.back.depth <= depth + 1e-6)
    assert np.all(layers.front.depth >= depth - 1e-6)


def test_the_camera_looks_at_the_subject(arena: Arena) -> None:
    """The focus point is on what stands in front, and in the middle of an even picture."""
    x, y = find_focus(taken_apart(scene(), step(scene()), arena))
    even = find_focus(taken_apart(texture(*SIZE), np.zeros(SIZE, np.float32), arena))

    assert 36 <= x * SIZE[1] <= 60
    assert 20 <= y * SIZE[0] <= 60
    assert depth_at(step(scene()), (x, y)) == pytest.approx(0.9, abs=0.01)
    assert even == DEFAULT


def test_the_focus_point_has_unit_depth() -> None:
    """Inverse depth is 1 at the focus, less behind and more in front of it."""
    relief = Relief.around(0.6)
    far, focus, near = relief.inverse_depth(np.array([0.0, 0.6, 1.0], np.float32))

    assert focus == pytest.approx(1.0)
    assert 0.0 < far < focus < near
