"""What a filling is judged by: colours, larger shapes, edges, and what a distilled VGG sees."""

import torch
from torch import Tensor
from torch.nn import functional as F

from training.stylize.perception import Perception

COLOUR, SHAPE, EDGE, SEEN = 3.0, 2.0, 1.5, 0.25
"""Weights of the parts."""

LAYERS = 4
"""Of the perceptual network that are compared: all but the coarsest."""

SHAPE_CELLS = 4
"""Pixels across which larger shapes are averaged."""


def losses_of(
    filling: Tensor, truth: Tensor, hole: Tensor, perception: Perception
) -> dict[str, Tensor]:
    """Return each part, weighted.

    Args:
        filling: [N,3,H,W], what was drawn.
        truth: [N,3,H,W] 0..1.
        hole: [N,1,H,W] 0..1.
        perception: sees both pictures at half the size, which is enough for shapes.
    """
    whole = truth + (filling - truth) * hole
    cells = F.avg_pool2d(hole, SHAPE_CELLS)
    coarse = F.avg_pool2d(whole - truth, SHAPE_CELLS)
    halves = F.avg_pool2d(whole, 2), F.avg_pool2d(truth, 2)
    return {
        "colour": COLOUR * inside(whole - truth, hole),
        "shape": SHAPE * inside(coarse, cells),
        "edge": EDGE * edge_loss(whole, truth, hole),
        "seen": SEEN * seen_loss(*halves, perception),
    }


def inside(difference: Tensor, hole: Tensor) -> Tensor:
    """Return the mean absolute difference over the holes, difference being 0 elsewhere."""
    return difference.abs().sum() / (difference.shape[1] * hole.sum()).clamp(min=1)


def edge_loss(whole: Tensor, truth: Tensor, hole: Tensor) -> Tensor:
    """Compare steps from pixel to pixel at two sizes."""
    total = whole.new_zeros(())
    for _ in range(2):
        apart = whole - truth
        total = total + inside(apart.diff(dim=2), hole) + inside(apart.diff(dim=3), hole)
        whole, truth, hole = (F.avg_pool2d(each, 2) for each in (whole, truth, hole))
    return total


def seen_loss(whole: Tensor, truth: Tensor, perception: Perception) -> Tensor:
    """Compare features, each layer as a share of its own mean."""
    with torch.no_grad():
        wanted = perception(truth)[:LAYERS]
    total = whole.new_zeros(())
    for mine, theirs in zip(perception(whole)[:LAYERS], wanted, strict=True):
        total = total + (mine - theirs).abs().float().mean() / theirs.float().mean()
    return total
