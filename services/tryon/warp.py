"""Meshes that carry cloth onto the body, and the backward maps they are drawn by."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas

Points: TypeAlias = NDArray[np.float64]

# How far a thin plate may miss its controls: a share of their spread, so that points that disagree
# a little do not fold it.
SLACK = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A piece of cloth cut into triangles.

    Attributes:
        source: Nx2, x and y in pixels of the cloth.
        target: Nx2, the same corners on the body, in pixels of the crop.
        triangles: Mx3 numbers of corners; later ones lie in front.
    """

    source: Points
    target: Points
    triangles: NDArray[np.int64]


def thin_plate(source: Points, target: Points, points: Points) -> Points:
    """Bend points as the thin plate that carries source controls to target controls.

    Bookstein, "Principal Warps" (1989), with smoothing after Wahba.

    Args:
        source: Kx2 controls, at least 3 and not on one line.
        target: Kx2 where they go.
        points: Nx2 in the frame of `source`.

    Returns:
        Nx2 in the frame of `target`.
    """
    centre, size = source.mean(axis=0), max(float(np.ptp(source, axis=0).max()), 1e-6)
    knots, places = (source - centre) / size, (points - centre) / size
    count = len(knots)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = bending(knots, knots) + SLACK * np.eye(count)
    system[:count, count:] = flat(knots)
    system[count:, :count] = flat(knots).T
    weights = np.linalg.lstsq(system, np.vstack([target, np.zeros((3, 2))]), rcond=None)[0]
    return np.asarray(bending(places, knots) @ weights[:count] + flat(places) @ weights[count:])


def bending(points: Points, knots: Points) -> Points:
    """Return the NxK kernel r^2 log r^2."""
    squares = ((points[:, None] - knots[None]) ** 2).sum(axis=2)
    return np.asarray(squares * np.log(np.maximum(squares, 1e-12)))


def flat(points: Points) -> Points:
    """Return Nx3: 1, x, y."""
    return np.hstack([np.ones((len(points), 1)), points])


def lattice(rows: int, columns: int) -> NDArray[np.int64]:
    """Return the triangles of a grid of corners that are numbered row by row."""
    corner = np.arange(rows * columns).reshape(rows, columns)
    first, right = corner[:-1, :-1].ravel(), corner[:-1, 1:].ravel()
    below, across = corner[1:, :-1].ravel(), corner[1:, 1:].ravel()
    pairs = np.stack([first, right, below, right, across, below], axis=1)
    return pairs.reshape(-1, 3)


def grid_over(cover: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Lay a grid of corners over what a cover covers."""
    held = cover if cover.any() else np.ones_like(cover)
    rows, columns = (np.flatnonzero(held.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0] - 4, rows[-1] + 4, columns[0] - 4, columns[-1] + 4
    down, along = np.linspace(top, bottom, 28), np.linspace(left, right, 22)
    x, y = np.meshgrid(along, down)
    return np.stack([x.ravel(), y.ravel()], axis=1), lattice(28, 22)


def strip(source: Points, target: Points, columns: int, margin: float) -> Mesh:
    """Lay a strip of sections over sections: a sleeve along an arm, a leg along a leg.

    Args:
        source: Kx2x2, section by section its two ends.
        target: Kx2x2, the same ends on the body.
        columns: corners across.
        margin: how far the mesh reaches beyond the ends, as a share of a section's width; the
            cloth's own mask gives the edge there.
    """
    across = np.linspace(-margin, 1 + margin, columns)[None, :, None]

    def corners(sections: Points) -> Points:
        first, last = sections[:, None, 0], sections[:, None, 1]
        return np.asarray((first + (last - first) * across).reshape(-1, 2))

    return Mesh(
        source=corners(source),
        target=corners(target),
        triangles=lattice(len(source), columns),
    )


def backward_maps(
    mesh: Mesh, shape: tuple[int, int], origin: tuple[int, int]
) -> tuple[canvas.Plane, canvas.Plane]:
    """Tell for each pixel of a window where the cloth is that lies there.

    Args:
        mesh: with a target in pixels of the crop.
        shape: rows and columns of the window.
        origin: row and column of the crop that it starts at.

    Returns:
        x and y, HxW float32, pixels of the cloth; far outside of it where the mesh does not reach.
    """
    corners = (mesh.target - np.array([origin[1], origin[0]]))[mesh.triangles]
    numbers = canvas.painted_triangles(shape, corners)
    maps = np.full((2, *shape), -1e4, np.float32)
    rows, columns = np.nonzero(numbers >= 0)
    if rows.size:
        matrices = affine_maps(corners, mesh.source[mesh.triangles])[numbers[rows, columns]]
        for axis in (0, 1):
            weights = matrices[:, :, axis]
            maps[axis][rows, columns] = (
                weights[:, 0] * columns + weights[:, 1] * rows + weights[:, 2]
            )
    return maps[0], maps[1]


def affine_maps(target: Points, source: Points) -> NDArray[np.float32]:
    """Return Mx3x2 float32: (x, y, 1) in a target triangle times it is the place in the source."""
    edges = np.concatenate([target, np.ones((*target.shape[:2], 1))], axis=2)
    # A triangle without area covers hardly a pixel; its map only has to be finite.
    edges[np.abs(np.linalg.det(edges)) < 1e-6] = np.eye(3)
    return np.linalg.solve(edges, source).astype(np.float32)
