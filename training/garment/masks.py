"""Masks of real garment photos, guessed from colours: `python -m training.garment.masks`.

The photos have no masks. What differs from the colours at a photo's border is taken for the
garment (GrabCut; Rother, Kolmogorov and Blake 2004), and kept only if the guess looks like a
garment: one piece, away from the border, near symmetric.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.tryon.landmarks import SIDE
from training.stylize.data import read

Bytes = NDArray[np.uint8]

FOLDERS = ("dress", "longsleeve", "outwear", "pants", "shirt", "shorts", "skirt", "t-shirt")
AREA_SHARES = (0.08, 0.8)
SYMMETRY_MIN = 0.75
SOLIDITY_MIN = 0.55
BORDER_SHARE_MAX = 0.06
RIM = 14


def main() -> None:
    """Read the flags and guess."""
    parser = argparse.ArgumentParser(description="Guess masks of garment photos.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    flags = parser.parse_args()
    cv2.setNumThreads(1)
    kept: dict[str, Bytes] = {}
    files = [
        file
        for folder in FOLDERS
        for file in sorted((flags.data / "garments" / folder).glob("*.jpg"))
    ]
    for file in files:
        pixels = letterboxed(read(file))
        mask = guess(pixels)
        if is_garment(mask):
            kept[f"{file.parent.name}/{file.stem}"] = mask
    print(f"{len(kept)} of {len(files)} photos have a mask that looks right")
    np.savez_compressed(flags.out, **kept)


def letterboxed(pixels: Bytes) -> Bytes:
    """Fit a picture into 256x256, its borders continued."""
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    down, right = SIDE - size[1], SIDE - size[0]
    return np.asarray(
        cv2.copyMakeBorder(
            small, down // 2, down - down // 2, right // 2, right - right // 2, cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


def guess(pixels: Bytes) -> Bytes:
    """Return 0/255 where colours are not the border's."""
    marks = np.full((SIDE, SIDE), cv2.GC_PR_FGD, np.uint8)
    edge = round(0.05 * SIDE)
    inner = pixels_hull(pixels)
    marks[: inner[0] + edge] = marks[inner[1] - edge :] = cv2.GC_BGD
    marks[:, : inner[2] + edge] = marks[:, inner[3] - edge :] = cv2.GC_BGD
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)
    cv2.grabCut(pixels, marks, None, background, foreground, 5, cv2.GC_INIT_WITH_MASK)
    mask = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    return tidy(mask)


def pixels_hull(pixels: Bytes) -> tuple[int, int, int, int]:
    """Return first and last rows and columns of what is not a continued border."""
    rows = np.nonzero(np.abs(np.diff(pixels.astype(int), axis=0)).sum(axis=(1, 2)))[0]
    columns = np.nonzero(np.abs(np.diff(pixels.astype(int), axis=1)).sum(axis=(0, 2)))[0]
    return int(rows[0]), int(rows[-1]) + 2, int(columns[0]), int(columns[-1]) + 2


def tidy(mask: Bytes) -> Bytes:
    """Keep the largest piece, without specks and holes."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel), np.uint8)
    contours = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]
    whole = np.zeros_like(mask)
    if contours:
        cv2.drawContours(whole, [max(contours, key=cv2.contourArea)], -1, 255, -1)
    # A hole between the legs stays one: only small ones are closed.
    holes = (whole > 0) & (mask == 0)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8))
    for piece in range(1, count):
        if stats[piece, cv2.CC_STAT_AREA] > 0.01 * (whole > 0).sum():
            whole[pieces == piece] = 0
    return whole


def is_garment(mask: Bytes) -> bool:
    """Tell whether a guess looks like one garment lying within the picture."""
    area = (mask > 0).mean()
    if not AREA_SHARES[0] < area < AREA_SHARES[1]:
        return False
    contour = max(
        cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea
    )
    hull = cv2.contourArea(cv2.convexHull(contour))
    if cv2.contourArea(contour) < SOLIDITY_MIN * hull:
        return False
    rims = (mask[:RIM], mask[-RIM:], mask[:, :RIM], mask[:, -RIM:])
    ring = np.concatenate([rim.ravel() for rim in rims])
    return float((ring > 0).mean()) < BORDER_SHARE_MAX and symmetry(mask) > SYMMETRY_MIN


def symmetry(mask: Bytes) -> float:
    """Return how much of the union a mask shares with its mirror image, turned a little at most."""
    moments = cv2.moments(mask, binaryImage=True)
    x, y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    best = 0.0
    for turn in range(-12, 13, 3):
        matrix = cv2.getRotationMatrix2D((x, y), turn, 1.0)
        matrix[:, 2] += SIDE / 2 - np.array([x, y])
        turned = cv2.warpAffine(mask, matrix, (SIDE, SIDE)) > 127
        other = turned[:, ::-1]
        best = max(best, float((turned & other).sum() / max((turned | other).sum(), 1)))
    return best


if __name__ == "__main__":
    main()
