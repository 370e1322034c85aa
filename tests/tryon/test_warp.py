"""Meshes carry cloth over without tearing or bending what is straight."""

import numpy as np

from services.tryon import canvas
from services.tryon.warp import Mesh, backward_maps, grid_over, strip, thin_plate

SQUARE = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0], [100.0, 100.0], [50.0, 50.0]])


def test_a_thin_plate_hits_its_controls() -> None:
    """Controls that do not contradict each other go where they should, within a pixel."""
    target = SQUARE * (1.2, 0.8) + (30.0, 10.0)
    bent = thin_plate(SQUARE, target, SQUARE)

    assert np.abs(bent - target).max() < 1.0


def test_a_thin_plate_keeps_affine_maps_straight() -> None:
    """Where scaling is enough, points between and beyond the controls are scaled alike."""
    points = np.array([[20.0, 70.0], [130.0, -20.0]])
    bent = thin_plate(SQUARE, SQUARE * 2.0 + 5.0, points)

    assert np.allclose(bent, points * 2.0 + 5.0, atol=1e-3)


def test_backward_maps_undo_a_mesh() -> None:
    """A pixel of the target looks up the place of the cloth that was carried there."""
    cover = np.zeros((60, 40), np.uint8)
    cover[5:55, 5:35] = 255
    corners, triangles = grid_over(cover)
    mesh = Mesh(source=corners, target=corners * 2.0 + 10.0, triangles=triangles)
    map_x, map_y = backward_maps(mesh, (140, 110), (0, 0))

    assert abs(map_x[70, 50] - 20.0) < 0.01
    assert abs(map_y[70, 50] - 30.0) < 0.01
    assert map_x[0, 0] < -1000


def test_a_window_of_the_maps_equals_their_part() -> None:
    """Maps of a window are those of the whole crop, cut."""
    cover = np.full((40, 40), 255, np.uint8)
    corners, triangles = grid_over(cover)
    mesh = Mesh(source=corners, target=corners + 7.3, triangles=triangles)
    whole = backward_maps(mesh, (60, 60), (0, 0))
    part = backward_maps(mesh, (20, 25), (15, 10))

    assert np.allclose(part[0], whole[0][15:35, 10:35], atol=1e-3)
    assert np.allclose(part[1], whole[1][15:35, 10:35], atol=1e-3)


def test_stripes_keep_order_and_number_round_a_bend() -> None:
    """A striped sleeve on a bent arm shows every stripe once, in order."""
    colour = np.zeros((200, 40), np.uint8)
    for number in range(10):
        colour[number * 20 : number * 20 + 10] = 255
    shares = np.linspace(0.0, 1.0, 21)
    source = np.stack(
        [np.stack([np.full(21, edge), shares * 199], axis=1) for edge in (0.0, 39.0)], axis=1
    )
    angle = shares * np.pi / 2
    middle = np.stack([150 * np.sin(angle), 150 * np.cos(angle)], axis=1) + 20
    out = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    target = np.stack([middle + 20 * out, middle - 20 * out], axis=1)
    map_x, map_y = backward_maps(strip(source, target, 5, 0.0), (220, 220), (0, 0))
    drawn = canvas.sampled(colour, map_x, map_y)
    along = np.linspace(0.01, np.pi / 2 - 0.01, 600)
    seen = drawn[
        np.rint(150 * np.cos(along) + 20).astype(int), np.rint(150 * np.sin(along) + 20).astype(int)
    ]
    turns = np.count_nonzero(np.diff((seen > 127).astype(int)) != 0)

    assert turns == 19
