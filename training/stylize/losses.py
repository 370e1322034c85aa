"""What is minimised: distance to the style's Gram matrices, to the photo's content, and unrest."""

import torch
from torch import Tensor
from torch.nn import functional as F

from training.stylize.perception import CONTENT, Features, Perception, gram, halved

LEVELS = 3
"""Sizes at which style is compared: 1, 1/2 and 1/4; the smaller ones see large brush shapes."""

PALETTE_STEPS = 32
"""Equal shares of patches, ordered along a colour direction, that a palette tells of."""

COLOUR_DIRECTIONS = torch.tensor(
    [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.33, 0.34, 0.33],
        [1.0, -1.0, 0.0],
        [0.5, 0.5, -1.0],
        [1.0, 0.0, -1.0],
    ]
)
"""Red, green, blue, lightness and three contrasts between colours."""

CONTENT_POWER = 8e-6
"""Mean square of relu4_1 over photos."""

GLOW_CELL = 16
"""Pixels: the side of the cells that are compared."""

GLOW_LAGS = (1, 2, 4)
"""Cells between two that are compared."""

GLOW_FREE = 0.03
"""Difference of two cells, of 0..1, that brush strokes may make."""

GRAM_SIDES = (16, 32, 64, 128, 128)
"""Channels of the judged layers, hence sides of their Gram matrices."""

GRAM_FLOATS = sum(side * side for side in GRAM_SIDES)
"""Floats in the Gram matrices of one size of a picture."""


def packed_grams(features: Features) -> Tensor:
    """Return the Gram matrices of all judged layers as one tensor [N,GRAM_FLOATS], float32."""
    return torch.cat([gram(layer).flatten(1) for layer in features], dim=1)


def pyramid_grams(eye: Perception, image: Tensor) -> tuple[Tensor, Features]:
    """Return packed Gram matrices [N,LEVELS,GRAM_FLOATS] and the features at full size.

    Args:
        eye: the perceptual network.
        image: [N,3,H,W] sRGB 0..1.
    """
    whole = eye(image)
    packed = [packed_grams(whole)]
    for _ in range(LEVELS - 1):
        image = halved(image)
        packed.append(packed_grams(eye(image)))
    return torch.stack(packed, dim=1), whole


def gram_distance(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean over the layers of |A-B| / (|A|+|B|), [...], of packed [...,GRAM_FLOATS]."""
    pairs = zip(by_layer(one), by_layer(other), strict=True)
    distances = [(a - b).norm(dim=-1) / (a.norm(dim=-1) + b.norm(dim=-1) + 1e-20) for a, b in pairs]
    return torch.stack(distances).mean(dim=0)


def by_layer(packed: Tensor) -> list[Tensor]:
    """Return packed Gram matrices [...,GRAM_FLOATS] as one tensor [...,side*side] per layer."""
    sides = [side * side for side in GRAM_SIDES]
    return list(torch.split(packed, sides, -1))


def content_distance(features: Features, wanted: Features) -> Tensor:
    """Return the squared error [N] of relu4_1, relative to the photo's: what is reported."""
    error, power = content_error(features, wanted)
    return error / power.clamp_min(1e-12)


def content_loss(features: Features, wanted: Features) -> Tensor:
    """Return the squared error [N] of relu4_1, relative to a floor where the photo has little.

    Without the floor an empty sky, whose own power is next to nothing, would outweigh all else.
    """
    error, power = content_error(features, wanted)
    return error / (0.5 * power + 0.5 * CONTENT_POWER)


def content_error(features: Features, wanted: Features) -> tuple[Tensor, Tensor]:
    """Return mean squared error and mean square [N] of relu4_1."""
    one, other = features[CONTENT].float(), wanted[CONTENT].float()
    return (one - other).square().mean(dim=(1, 2, 3)), other.square().mean(dim=(1, 2, 3))


def palette(image: Tensor) -> Tensor:
    """Return how colours are spread, [N,2,directions,PALETTE_STEPS], of pictures [N,3,H,W] 0..1.

    For patches of 4 and of 16 pixels, whose size keeps dithering from passing as colour, and along
    each of some directions in RGB: the means of equal shares of the patches, from low to high.
    """
    found = []
    for side in (4, 16):
        patches = F.avg_pool2d(image, side).flatten(2)
        values = (COLOUR_DIRECTIONS @ patches).sort(dim=2).values
        found.append(F.adaptive_avg_pool1d(values, PALETTE_STEPS))
    return torch.stack(found, dim=1)


def palette_distance(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean difference [N] of two palettes: a sliced Wasserstein distance."""
    return (one - other).abs().mean(dim=(1, 2, 3))


def drawing_distance(image: Tensor, features: Features, target: Tensor, wanted: Features) -> Tensor:
    """Return how far pictures [N,3,H,W] are from their paired targets [N], by pixel and layer."""
    pixels = (image - target).abs().mean(dim=(1, 2, 3))
    layers = [
        (one.float() - other.float()).abs().mean(dim=(1, 2, 3))
        / other.float().abs().mean(dim=(1, 2, 3)).clamp_min(1e-3)
        for one, other in zip(features[:3], wanted[:3], strict=True)
    ]
    return 10 * pixels + torch.stack(layers).mean(dim=0)


def excess(image: Tensor) -> Tensor:
    """Return how far pixels leave 0..1, as a mean square."""
    return (image - image.clamp(0, 1)).square().mean()


def grid(image: Tensor) -> Tensor:
    """Return how much pictures [N,3,H,W] repeat with the network's cells of 8 pixels.

    The Gram matrices alone are easily pleased by one pattern in every cell. Over a whole window
    the mean at each place in the cell is the same, unless there is such a pattern.
    """
    places = F.pixel_unshuffle(image, 8).mean(dim=(2, 3))
    return places.reshape(-1, 64).std(dim=1).mean()


def glow(image: Tensor, photo: Tensor) -> Tensor:
    """Return how much flat places of one colour differ in a picture [N,3,H,W] of a photo.

    The network sees how far a flat place is from an edge, and is tempted to paint a glow around
    figures. Cells of the photo [N,3,H,W] without an edge and of like colour, up to 64 pixels apart,
    shall stay alike, but for GLOW_FREE; their inner texture is free.
    """
    luma = photo.mean(dim=1, keepdim=True)
    spread = F.max_pool2d(luma, GLOW_CELL) + F.max_pool2d(-luma, GLOW_CELL)
    flat = ((0.08 - spread) * 25).clamp(0, 1)
    drawn, seen = F.avg_pool2d(image, GLOW_CELL), F.avg_pool2d(photo, GLOW_CELL)
    change, share = [], []
    for lag in GLOW_LAGS:
        for dim in (2, 3):
            first, last = (slice_of(part, dim, lag) for part in (0, 1))
            like = (seen[first] - seen[last]).abs().amax(dim=1, keepdim=True)
            weight = flat[first] * flat[last] * ((0.06 - like) * 25).clamp(0, 1)
            beyond = F.relu((drawn[first] - drawn[last]).abs() - GLOW_FREE)
            change.append((beyond * weight).sum())
            share.append(3 * weight.sum())
    return torch.stack(change).sum() / torch.stack(share).sum().clamp_min(1.0)


def slice_of(part: int, dim: int, lag: int) -> tuple[slice, ...]:
    """Return the index of all cells but the last (part 0) or first (part 1) `lag` along dim."""
    kept = slice(lag, None) if part else slice(None, -lag)
    return (*(slice(None) for _ in range(dim)), kept)


def displacement(whole: Tensor, moved: Tensor, place: tuple[int, int]) -> Tensor:
    """Return how much a piece drawn by itself differs from the same piece of the whole.

    Args:
        whole: [3,H,W], the picture of a photo.
        moved: [3,S,S], the picture of a piece of that photo.
        place: pixels, row and column of the photo where the piece starts.
    """
    side = moved.shape[1]
    border = side // 4
    rows = slice(place[0] + border, place[0] + side - border)
    columns = slice(place[1] + border, place[1] + side - border)
    return F.l1_loss(moved[:, border:-border, border:-border], whole[:, rows, columns])
