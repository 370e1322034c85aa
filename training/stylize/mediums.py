"""Mediums that are no single painting, made from a photo by classical filters.

Each filter is a function of the photo's neighbourhood alone, so that a local network can learn
it: no paper grain or hatching whose place on the sheet would have to be known. Lines follow the
extended difference of Gaussians (Winnemöller, 2011), washes the filter of Kuwahara (1976).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.stylize.data import Picture, picture

Floats = npt.NDArray[np.float32]
"""HWC or HW, float32, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A medium and the filter that shows it.

    Attributes:
        name: the style's name in a call.
        title: what it is called in full.
        render: photo HWC 0..1 and size of the tool (1 is usual, 2 twice as broad) to picture.
    """

    name: str
    title: str
    render: Callable[[Floats, float], Floats]


def render(medium: Medium, photo: Picture, scale: float) -> Picture:
    """Return the photo in the medium, with a tool 2**scale times the usual size."""
    return picture(medium.render(floats(photo / 255), 2.0**scale) * 255)


def ink(photo: Floats, tool: float) -> Floats:
    """Draw black lines and filled shadows on warm white paper."""
    tone = luminance(photo)
    tone = floats(0.5 + (tone - 0.5) * 1.1 + (tone - blur(tone, 20 * tool)) * 0.35)
    smooth = smoothed(tone.clip(0, 1), 0.14, 2.5 * tool)
    lines = drawn_lines(smooth, 1.0 * tool, sharpness=17, level=0.50, softness=14)
    shadows = 1 / (1 + np.exp(-28 * (blur(smooth, 1.5 * tool) - 0.17)))
    return between(floats(lines * shadows), (0.08, 0.08, 0.12), (0.985, 0.975, 0.94))


def pencil(photo: Floats, tool: float) -> Floats:
    """Draw with graphite: grey lines where tones change, light shading elsewhere."""
    tone = luminance(photo)
    smooth = smoothed(tone, 0.08, 1.5 * tool)
    dodged = np.clip(smooth / np.maximum(blur(smooth, 5 * tool), 0.04), 0, 1) ** 2.2
    fine = drawn_lines(smooth, 0.8 * tool, sharpness=14, level=0.55, softness=5)
    shading = 0.35 + 0.65 * np.clip(blur(smooth, 2 * tool) * 1.7, 0, 1)
    return between(dodged * (0.40 + 0.60 * fine) * shading, (0.12, 0.12, 0.14), (0.98, 0.98, 0.97))


def charcoal(photo: Floats, tool: float) -> Floats:
    """Rub broad black charcoal on grey paper and pick out the lights with chalk."""
    tone = luminance(photo)
    broad = kuwahara(tone[..., None], 2.6 * tool)[..., 0]
    local = broad - blur(broad, 24 * tool)
    mass = 1 / (1 + np.exp(-7 * (0.60 * broad + 0.9 * local - 0.16)))
    lines = drawn_lines(0.5 * (tone + broad), 1.5 * tool, sharpness=16, level=0.50, softness=7)
    body = between(mass * (0.25 + 0.75 * lines), (0.09, 0.085, 0.085), (0.80, 0.775, 0.735))
    chalk = np.clip((broad - 0.72) * 4 + local * 2, 0, 1)[..., None]
    return floats(body + (0.965 - body) * chalk * lines[..., None])


def watercolour(photo: Floats, tool: float) -> Floats:
    """Lay light washes that pool dark at their edges and leave the paper in the lights."""
    washes = kuwahara(kuwahara(photo, 3.4 * tool), 2.0 * tool)
    tone = luminance(washes)[..., None]
    bright = tone + (washes - tone) * 1.35
    bright = 1 - (1 - np.clip(bright, 0, 1)) ** 1.25
    bright = 0.16 + 0.84 * bright
    lights = np.clip((tone - 0.72) / 0.22, 0, 1)
    paper = np.array((0.985, 0.975, 0.95))
    bright = bright + (paper - bright) * lights * 0.85
    rim = np.clip(blur(tone[..., 0], 2.2 * tool) - tone[..., 0], 0, 0.12)[..., None]
    slope = edge_strength(tone[..., 0], 1.2 * tool)[..., None]
    return floats(np.clip(bright * (1 - 1.9 * rim - 0.30 * slope), 0, 1) ** 1.05)


def comic(photo: Floats, tool: float) -> Floats:
    """Fill a few flat strong colours and draw their outlines in black."""
    flat = photo
    for _ in range(3):
        flat = smoothed(flat, 0.10, 3.5 * tool)
    lab = floats(cv2.cvtColor(flat, cv2.COLOR_RGB2LAB))
    light = floats((lab[..., 0] - 50) * 1.1 + 59)
    lab[..., 0] = np.clip(stepped(light, 100 / 6, 9), 6, 98)
    lab[..., 1:] = stepped(floats(lab[..., 1:] * 1.5), 16, 5)
    colours = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)
    lines = drawn_lines(luminance(flat), 1.3 * tool, sharpness=24, level=0.47, softness=12)
    black = np.array((0.04, 0.03, 0.07))
    return floats(colours * lines[..., None] + (1 - lines[..., None]) * black)


MEDIUMS = (
    Medium(name="ink", title="Ink drawing", render=ink),
    Medium(name="pencil", title="Pencil drawing", render=pencil),
    Medium(name="charcoal", title="Charcoal and chalk", render=charcoal),
    Medium(name="watercolour", title="Watercolour", render=watercolour),
    Medium(name="comic", title="Comic, flat colours and outlines", render=comic),
)
"""The mediums that train."""


def floats(values: npt.ArrayLike) -> Floats:
    """Return values as float32."""
    return np.asarray(values, np.float32)


def smoothed(photo: Floats, contrast: float, sigma: float) -> Floats:
    """Return the picture smoothed within sigma pixels, except across steps above contrast."""
    return floats(cv2.bilateralFilter(photo, -1, contrast, sigma))


def drawn_lines(
    tone: Floats, sigma: float, *, sharpness: float, level: float, softness: float
) -> Floats:
    """Return 1 on paper and 0 on lines of a tone HW, by an extended difference of Gaussians."""
    near, far = blur(tone, sigma), blur(tone, 1.6 * sigma)
    response = level + (near - far) * sharpness + 0.25 * near
    return np.where(response >= level, 1, 1 + np.tanh(softness * (response - level))).astype(
        np.float32
    )


def kuwahara(photo: Floats, radius: float) -> Floats:
    """Return each pixel as the mean of the calmest of its neighbourhoods, blended softly.

    Args:
        photo: HWC 0..1.
        radius: pixels from a pixel to the centre of each of its eight neighbourhoods.
    """
    spread = max(0.5, radius / 2)
    mean = np.dstack([blur(photo[..., c], spread) for c in range(photo.shape[2])])
    power = np.dstack([blur(photo[..., c] ** 2, spread) for c in range(photo.shape[2])])
    unrest = (power - mean**2).sum(axis=2)
    total = np.zeros_like(mean)
    weights = np.zeros_like(unrest)
    for step in range(8):
        angle = step * np.pi / 4
        shift = np.array([[1, 0, radius * np.cos(angle)], [0, 1, radius * np.sin(angle)]])
        weight = 1 / (1e-4 + moved(unrest, shift)) ** 4
        weight = np.minimum(weight, np.float32(1e15))
        total += moved(mean, shift).reshape(mean.shape) * weight[..., None]
        weights += weight
    return floats(total / weights[..., None])


def moved(field: Floats, shift: npt.NDArray[np.float64]) -> Floats:
    """Return the field moved by an affine matrix, mirrored at its edges."""
    size = (field.shape[1], field.shape[0])
    return cv2.warpAffine(field, shift, size, borderMode=cv2.BORDER_REFLECT).astype(np.float32)


def stepped(values: Floats, step: float, sharpness: float) -> Floats:
    """Return values drawn towards multiples of step; sharpness says how strongly."""
    nearest = np.round(values / step)
    rest = values / step - nearest
    pulled: Floats = (
        (
            nearest
            + np.tanh(sharpness * (np.abs(rest) - 0.5)) * np.sign(rest) * 0.5
            + 0.5 * np.sign(rest)
        )
        * step
    ).astype(np.float32)
    return pulled


def edge_strength(tone: Floats, sigma: float) -> Floats:
    """Return how steep the tone HW is, 0..1."""
    smooth = blur(tone, sigma)
    steep = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return floats(np.clip(steep * 2, 0, 1))


def luminance(photo: Floats) -> Floats:
    """Return the luma HW of a picture HWC RGB 0..1."""
    return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32)


def blur(tone: Floats, sigma: float) -> Floats:
    """Return the tone HW smoothed by a Gaussian of sigma pixels."""
    return cv2.GaussianBlur(tone, (0, 0), sigma, borderType=cv2.BORDER_REFLECT).astype(np.float32)


def between(share: Floats, dark: tuple[float, ...], light: tuple[float, ...]) -> Floats:
    """Return colours HW3 from dark, where the share HW is 0, to light, where it is 1."""
    low, high = np.array(dark), np.array(light)
    return floats(low + (high - low) * np.clip(share, 0, 1)[..., None])
