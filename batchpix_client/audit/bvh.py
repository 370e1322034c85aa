"""A motion file of a body with the usual joints, in the Biovision Hierarchy format (BVH)."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

FRAME_SECONDS = 1 / 30
DECIMALS = 6
# Joint -> its parent and its place from there, in centimetres, y up.
JOINTS: Mapping[str, tuple[str, tuple[int, int, int]]] = {
    "Hips": ("", (0, 95, 0)),
    "LeftUpLeg": ("Hips", (10, -5, 0)),
    "LeftLeg": ("LeftUpLeg", (0, -42, 0)),
    "LeftFoot": ("LeftLeg", (0, -40, 0)),
    "RightUpLeg": ("Hips", (-10, -5, 0)),
    "RightLeg": ("RightUpLeg", (0, -42, 0)),
    "RightFoot": ("RightLeg", (0, -40, 0)),
    "Spine": ("Hips", (0, 15, 0)),
    "LeftArm": ("Spine", (18, 32, 0)),
    "LeftForeArm": ("LeftArm", (12, -25, 0)),
    "LeftHand": ("LeftForeArm", (5, -24, 0)),
    "RightArm": ("Spine", (-18, 32, 0)),
    "RightForeArm": ("RightArm", (-12, -25, 0)),
    "RightHand": ("RightForeArm", (-5, -24, 0)),
    "Head": ("Spine", (0, 52, 0)),
}


def motion_file(turns: NDArray[np.float64]) -> str:
    """Write a file.

    Args:
        turns: TxC degrees, three for each joint in order: about z, x and y.
    """
    rows = [" ".join(f"{value:.{DECIMALS}f}" for value in row) for row in turns]
    head = ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {FRAME_SECONDS:.6f}"]
    return "\n".join(["HIERARCHY", *joint_lines("Hips", "ROOT"), *head, *rows, ""])


def joint_lines(name: str, word: str) -> Iterator[str]:
    """Write a joint and all beneath it."""
    x, y, z = JOINTS[name][1]
    yield f"{word} {name}"
    yield "{"
    yield f"OFFSET {x} {y} {z}"
    yield "CHANNELS 3 Zrotation Xrotation Yrotation"
    children = [child for child, (parent, _) in JOINTS.items() if parent == name]
    for child in children:
        yield from joint_lines(child, "JOINT")
    if not children:
        yield from ("End Site", "{", "OFFSET 0 -5 0", "}")
    yield "}"
