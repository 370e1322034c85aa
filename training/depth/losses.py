"""What a depth map is judged by."""

import torch
from torch import Tensor
from torch.nn import functional as F

from training.depth.canvas import PERSON, SKY, UNKNOWN

PAIRS = 800
"""Places of a picture that are compared two by two."""

RATIO_MIN = 1.15
"""Pairs whose depths differ by less than this factor say nothing about their order."""

FLOOR = 0.004
"""Inverse depths below this are all equally far."""

SOFTNESS = 0.06
"""Difference of inverse depth that counts as about one step of order."""

RING = 25
"""Cells: how far around somebody the background is known to be behind."""


def levelled(values: Tensor, known: Tensor) -> Tensor:
    """Take middle and spread out of each picture's known values (Ranftl et al., "MiDaS", 2020)."""
    count = known.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
    middle = (values * known).sum(dim=(1, 2, 3), keepdim=True) / count
    away = values - middle
    spread = (away.abs() * known).sum(dim=(1, 2, 3), keepdim=True) / count
    return away / spread.clamp(min=0.02)


def slope_loss(found: Tensor, wanted: Tensor, known: Tensor) -> Tensor:
    """Compare steps between neighbours at four scales."""
    total = found.new_zeros(())
    for _ in range(4):
        difference = (found - wanted) * known
        across = (difference[..., 1:] - difference[..., :-1]) * known[..., 1:] * known[..., :-1]
        down = (
            (difference[..., 1:, :] - difference[..., :-1, :])
            * known[..., 1:, :]
            * known[..., :-1, :]
        )
        total = total + across.abs().mean() + down.abs().mean()
        found, wanted, known = (F.avg_pool2d(each, 2) for each in (found, wanted, known))
        known = (known > 0.99).float()
    return total


def order_loss(found: Tensor, wanted: Tensor, kind: Tensor) -> Tensor:
    """Compare places two by two: which is nearer; of pasted people only with their surroundings."""
    unknown = kind == UNKNOWN
    ring = F.max_pool2d((kind == PERSON).float(), RING, 1, RING // 2) > 0
    usable = ~unknown | ring
    places = torch.randint(found[0].numel(), (len(found), 2 * PAIRS))
    near, true, fit, dark = (
        each.flatten(1).gather(1, places).chunk(2, dim=1)
        for each in (found, wanted.clamp(min=FLOOR), usable, unknown)
    )
    ratio = torch.log(true[0] / true[1])
    counted = (
        fit[0] & fit[1] & ~(dark[0] & dark[1]) & (ratio.abs() > torch.log(torch.tensor(RATIO_MIN)))
    )
    wrong = F.softplus(-torch.sign(ratio) * (near[0] - near[1]) / SOFTNESS)
    return (wrong * counted).sum() / counted.sum().clamp(min=1)


def kind_loss(logits: Tensor, kind: Tensor) -> Tensor:
    """Compare the likelihood of people and sky."""
    truth = torch.cat([kind == PERSON, kind == SKY], dim=1).float()
    known = (kind != UNKNOWN).float()
    return (F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * known).mean()


def depth_losses(answers: Tensor, wanted: Tensor, kind: Tensor) -> dict[str, Tensor]:
    """Return the weighted parts of the loss.

    Args:
        answers: [N,3,h,w] logits as `DepthNetwork.answers` returns them.
        wanted: [N,1,h,w] 0..1 inverse depth.
        kind: [N,1,h,w] what is seen there.
    """
    found = torch.sigmoid(answers[:, :1])
    # A picture with unknown parts knows nothing but its order.
    whole = (kind != UNKNOWN).flatten(1).all(dim=1)[:, None, None, None].float()
    known = whole.expand_as(wanted)
    flat, true = levelled(found, known), levelled(wanted, known)
    return {
        "place": 2.0 * ((found - wanted).abs() * known).mean(),
        "shape": 0.3 * ((flat - true).abs() * known).mean(),
        "slope": 0.05 * slope_loss(flat, true, known),
        "order": 0.5 * order_loss(found, wanted, kind),
        "kind": 0.8 * kind_loss(answers[:, 1:], kind),
    }
