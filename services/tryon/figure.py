"""A figure and garments drawn with a few polygons: what a service warms up with."""

import numpy as np
from numpy.typing import NDArray

from services.tryon import canvas
from services.tryon.body import Wearer
from services.tryon.garment import Garment, GarmentCategory
from services.vision.frame import Frame, Window
from services.vision.landmarker import CELLS, LANDMARKS
from services.vision.parts import BodyPart, Wear
from services.vision.person import Person

HEIGHT, WIDTH = 960, 640
# Joints of a figure that faces the camera, by landmark, x and y in pixels of a 640x960 crop.
JOINTS = {
    0: (320, 118),
    9: (330, 148),
    10: (310, 148),
    11: (398, 230),
    12: (242, 230),
    13: (434, 352),
    14: (206, 352),
    15: (466, 462),
    16: (174, 462),
    23: (366, 462),
    24: (274, 462),
    25: (374, 656),
    26: (266, 656),
    27: (380, 848),
    28: (260, 848),
}
# A part, what it wears, the joints that it lies between, and half its width at both.
LIMBS = (
    (BodyPart.THIGH_LEFT, Wear.LOWER, 23, 25, 44, 28),
    (BodyPart.THIGH_RIGHT, Wear.LOWER, 24, 26, 44, 28),
    (BodyPart.SHIN_LEFT, Wear.LOWER, 25, 27, 28, 18),
    (BodyPart.SHIN_RIGHT, Wear.LOWER, 26, 28, 28, 18),
    (BodyPart.UPPER_ARM_LEFT, Wear.UPPER, 11, 13, 24, 19),
    (BodyPart.UPPER_ARM_RIGHT, Wear.UPPER, 12, 14, 24, 19),
    (BodyPart.FOREARM_LEFT, Wear.SKIN, 13, 15, 19, 14),
    (BodyPart.FOREARM_RIGHT, Wear.SKIN, 14, 16, 19, 14),
)
COLOURS = {
    Wear.GROUND: (200, 205, 210),
    Wear.UPPER: (60, 90, 140),
    Wear.LOWER: (70, 70, 75),
    Wear.SKIN: (205, 160, 135),
    Wear.HAIR: (60, 40, 30),
    Wear.SHOES: (30, 30, 30),
}


def wearer() -> Wearer:
    """Draw the figure in a top with short sleeves and trousers."""
    body, wear = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)

    def lay(corners: NDArray[np.float64], part: BodyPart, covered: Wear) -> None:
        chosen = canvas.polygon(body.shape, corners)
        body[chosen], wear[chosen] = part, covered

    for part, covered, first, second, *widths in LIMBS:
        lay(bone(first, second, widths[0], widths[1]), part, covered)
    for side, (x, y) in ((7, JOINTS[15]), (8, JOINTS[16])):
        lay(box(x - 12, y, x + 12, y + 46), BodyPart(side), Wear.SKIN)
    for side, (x, y) in ((13, JOINTS[27]), (14, JOINTS[28])):
        lay(box(x - 22, y, x + 22, y + 44), BodyPart(side), Wear.SHOES)
    trunk = [(250, 212), (390, 212), (398, 300), (388, 380), (398, 470), (320, 505)]
    trunk += [(242, 470), (252, 380), (242, 300)]
    lay(np.array(trunk, np.float64), BodyPart.TORSO, Wear.UPPER)
    lay(box(292, 160, 348, 222), BodyPart.TORSO, Wear.SKIN)
    lay(box(278, 60, 362, 176), BodyPart.HEAD, Wear.SKIN)
    lay(box(270, 45, 370, 92), BodyPart.HEAD, Wear.HAIR)
    palette = np.array(
        [COLOURS.get(Wear(label), (0, 0, 0)) for label in range(len(Wear))], np.uint8
    )
    return Wearer(pixels=palette[wear], body=body, wear=wear, landmarks=landmarks())


def landmarks() -> NDArray[np.float32]:
    """Return the figure's landmarks, 33x4."""
    points = np.zeros((LANDMARKS, 4), np.float32)
    points[:, :2] = JOINTS[0]
    points[:, 3] = 1.0
    for number, place in JOINTS.items():
        points[number, :2] = place
    return points


def person() -> Person:
    """Return the figure as `PersonFinder` would find it."""
    silhouette = np.zeros((CELLS, CELLS), np.uint8)
    silhouette[:, CELLS * 3 // 8 : CELLS * 5 // 8] = 255
    return Person(
        score=1.0,
        frame=Frame(centre=(WIDTH / 2, HEIGHT / 2), side=HEIGHT * 1.1, turn=0.0),
        box=Window(top=45, left=160, bottom=892, right=480),
        landmarks=landmarks(),
        silhouette=silhouette,
    )


def bone(first: int, second: int, width: float, narrow: float) -> NDArray[np.float64]:
    """Return the four corners of a limb between two joints."""
    start, end = np.array(JOINTS[first], np.float64), np.array(JOINTS[second], np.float64)
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    return np.array(
        [
            start + width * across,
            end + narrow * across,
            end - narrow * across,
            start - width * across,
        ]
    )


def box(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    """Return the four corners of an upright rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


TOP = {
    "collar": (36, 40),
    "shoulder": (84, 52),
    "cuff_outer": (150, 230),
    "cuff_inner": (108, 246),
    "armpit": (80, 150),
    "waist": (72, 250),
    "hem": (84, 360),
}
TROUSERS = {"waist": (70, 40), "ankle_outer": (96, 560), "ankle_inner": (44, 560)}
SKIRT = {"waist": (70, 40), "hem": (100, 300)}
MIDDLE = 200.0
SIDES = (("left", 1), ("right", -1))


def garment(category: GarmentCategory) -> tuple[NDArray[np.uint8], Garment]:
    """Draw a garment in its picture: HxWx3 uint8 RGB, and what a reader would find there."""
    if category in (GarmentCategory.TROUSERS, GarmentCategory.SHORTS):
        corners, centre = TROUSERS, {"crotch": (MIDDLE, 180.0)}
    elif category is GarmentCategory.SKIRT:
        corners, centre = SKIRT, {}
    else:
        corners, centre = TOP, {"collar_centre": (MIDDLE, 70.0)}
        if category is GarmentCategory.TOP_SLEEVELESS:
            corners = {name: place for name, place in TOP.items() if "cuff" not in name}
    places = {
        f"{name}_{side}": (MIDDLE + sign * offset, float(height))
        for name, (offset, height) in corners.items()
        for side, sign in SIDES
    }
    outline = [places[f"{name}_left"] for name in corners]
    middle = [place for name, place in centre.items() if name == "crotch"]
    top = [place for name, place in centre.items() if name != "crotch"]
    outline += [*middle, *reversed([places[f"{name}_right"] for name in corners]), *top]
    chosen = canvas.polygon((620, 400), np.array(outline))
    pixels = np.full((620, 400, 3), 245, np.uint8)
    pixels[chosen] = (170, 60, 60)
    pixels[::24][chosen[::24]] = (240, 230, 220)
    found = Garment(
        category=category,
        scores={category: 1.0},
        mask=chosen.astype(np.uint8) * np.uint8(255),
        landmarks={name: (*place, 1.0) for name, place in {**places, **centre}.items()},
        axis=((MIDDLE, 40.0), (MIDDLE, 360.0)),
    )
    return pixels, found
