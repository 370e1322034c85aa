"""BodyPix as a judge of poses: joints of a single person, as its authors decode them.

Papandreou et al., "PersonLab" (2018): every cell that is hot for a joint votes, through its offset,
for where the joint is, and the votes are smoothed. The mirror image votes as well.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.chassis.engine.openvino import OpenVinoEngine

MODEL = "teachers/bodypix_mobilenet050_stride8.onnx"
STRIDE = 8
# Rows of the picture that it is shown.
HEIGHT = 513
# Votes are counted in squares of so many pixels, and smoothed over so many squares.
SQUARE = 2
SMOOTH = 2.5
HEAT_MIN = 0.05
JOINTS = 17
OPPOSITES = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
# Shoulder, elbow, wrist; hip, knee, ankle; left before right.
LIMBS = ((5, 7, 9), (6, 8, 10), (11, 13, 15), (12, 14, 16))

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class BodyPix:
    """Finds the joints of the one person of a picture."""

    def __init__(self, data: Path) -> None:
        """Open the network in a folder with teachers/."""
        self._engine = OpenVinoEngine(data / MODEL, threads=2, picture_inputs=(), exact=True)

    def joints(self, picture: Pixels) -> NDArray[np.float64]:
        """Find them in HxWx3 uint8 RGB: 4x3x2, x and y in its pixels."""
        width = round(picture.shape[1] * HEIGHT / picture.shape[0] / STRIDE) * STRIDE + 1
        method = cv2.INTER_AREA if picture.shape[0] > HEIGHT else cv2.INTER_CUBIC
        shown = np.asarray(cv2.resize(picture, (width, HEIGHT), interpolation=method), np.uint8)
        mirrored = self._votes(np.ascontiguousarray(shown[:, ::-1]))
        votes = self._votes(shown) + mirrored[list(OPPOSITES), :, ::-1]
        points = np.empty((JOINTS, 2))
        for number, plane in enumerate(votes):
            smooth = cv2.GaussianBlur(plane, (0, 0), SMOOTH)
            row, column = np.unravel_index(np.argmax(smooth), smooth.shape)
            points[number] = SQUARE * column, SQUARE * row
        points *= [(picture.shape[1] - 1) / (width - 1), (picture.shape[0] - 1) / (HEIGHT - 1)]
        return np.stack([points[list(limb)] for limb in LIMBS])

    def _votes(self, shown: Pixels) -> Floats:
        """Count the votes for each joint, 17xhxw."""
        rows, columns = ((extent - 1) // STRIDE + 1 for extent in shown.shape[:2])
        depths = {spec.name: spec.shape[-1] for spec in self._engine.outputs}
        answers = {
            name: np.empty((1, rows, columns, depth or 1), np.float32)
            for name, depth in depths.items()
        }
        self._engine.run({"input": shown.astype(np.float32)[None] / 127.5 - 1.0}, answers)
        heat = 1.0 / (1.0 + np.exp(-answers["heatmaps"][0]))
        offsets = answers["short_offsets"][0]
        down, right = np.mgrid[:rows, :columns] * STRIDE
        size = tuple((extent - 1) // SQUARE + 1 for extent in shown.shape[:2])
        votes = np.zeros((JOINTS, *size), np.float32)
        for number in range(JOINTS):
            row = (down + offsets[:, :, number]) / SQUARE
            column = (right + offsets[:, :, JOINTS + number]) / SQUARE
            cast(votes[number], row, column, heat[:, :, number])
        return votes


def cast(plane: Floats, rows: Floats, columns: Floats, heat: Floats) -> None:
    """Add each cell's heat to the four squares around where it points, in place."""
    height, width = plane.shape
    inside = (rows >= 0) & (columns >= 0) & (rows < height - 1) & (columns < width - 1)
    used = inside & (heat > HEAT_MIN)
    row, column, weight = rows[used], columns[used], heat[used]
    top, left = row.astype(int), column.astype(int)
    for lower, vertical in ((0, 1 - (row - top)), (1, row - top)):
        for other, level in ((0, 1 - (column - left)), (1, column - left)):
            np.add.at(plane, (top + lower, left + other), weight * vertical * level)
