"""Photos: which there are, which are held out, and random windows of them."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.stylize.network import THUMBNAIL_SIDE

Picture = npt.NDArray[np.uint8]
"""HWC, uint8, RGB, sRGB 0..255."""

TRAINING_FOLDERS = ("photos/cid22", "photos/clic")
"""Folders under the data root whose photos train."""

JUDGING_FOLDER = "photos/kodak"
"""Folder under the data root whose photos only judge."""

HELD_EVERY = 16
"""One photo in so many of the training folders is kept out of training."""

SHORT_SIDE_MAX = 640
"""Pixels: photos are kept in memory no larger than this on their short side."""


def read(path: Path) -> Picture:
    """Read a picture file as HWC uint8 RGB."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        message = f"{path} is not a picture"
        raise ValueError(message)
    return picture(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def write(path: Path, pixels: Picture) -> None:
    """Write an HWC uint8 RGB picture; the suffix names the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])


def picture(pixels: npt.NDArray[np.generic]) -> Picture:
    """Return pixels rounded and limited to uint8, in one piece."""
    return np.ascontiguousarray(np.clip(np.round(pixels.astype(np.float32)), 0, 255), np.uint8)


def resized(pixels: Picture, short_side: int) -> Picture:
    """Return the picture with its short side as given, without aliasing."""
    ratio = short_side / min(pixels.shape[:2])
    if ratio == 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * ratio)), max(1, round(pixels.shape[0] * ratio)))
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    return picture(cv2.resize(pixels, size, interpolation=method))


def centred(pixels: Picture, side: int) -> Picture:
    """Return the middle square, side pixels wide, of the picture resized to fit it."""
    small = resized(pixels, side)
    top, left = (small.shape[0] - side) // 2, (small.shape[1] - side) // 2
    return picture(small[top : top + side, left : left + side])


def thumbnail(pixels: Picture) -> Picture:
    """Return the whole picture shrunk to the square that the network takes statistics from."""
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return picture(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def training_paths(data: Path) -> list[Path]:
    """Return the photos that train, in a fixed order."""
    paths = [path for folder in TRAINING_FOLDERS for path in sorted((data / folder).glob("*.jpg"))]
    return [path for index, path in enumerate(paths) if index % HELD_EVERY]


def judging_paths(data: Path, count: int = 8) -> list[Path]:
    """Return photos that only judge, spread over their folder, in a fixed order."""
    paths = sorted((data / JUDGING_FOLDER).glob("*.jpg"))
    return [paths[index * len(paths) // count] for index in range(count)]


def load_photos(data: Path) -> list[Picture]:
    """Return the photos that train, short side at most SHORT_SIDE_MAX."""
    photos = [read(path) for path in training_paths(data)]
    return [resized(photo, min(SHORT_SIDE_MAX, *photo.shape[:2])) for photo in photos]


def window(pixels: Picture, side: int, random: np.random.Generator) -> Picture:
    """Return a random square window of a randomly shrunk and mirrored photo, side pixels wide."""
    short = min(pixels.shape[:2])
    small = resized(pixels, max(side, round(short * random.uniform(min(1.0, side / short), 1.0))))
    top = int(random.integers(small.shape[0] - side + 1))
    left = int(random.integers(small.shape[1] - side + 1))
    cut = small[top : top + side, left : left + side]
    return picture(cut[:, ::-1] if random.random() < 0.5 else cut)
