"""Motion files made for tests: somebody who waves while standing."""

import numpy as np

NAMES = {
    "Hips": ("", (0, 100, 0)),
    "Head": ("Hips", (0, 65, 0)),
    "LeftArm": ("Hips", (18, 50, 0)),
    "LeftForeArm": ("LeftArm", (0, -28, 0)),
    "LeftHand": ("LeftForeArm", (0, -25, 0)),
    "RightArm": ("Hips", (-18, 50, 0)),
    "RightForeArm": ("RightArm", (0, -28, 0)),
    "RightHand": ("RightForeArm", (0, -25, 0)),
    "LeftUpLeg": ("Hips", (10, -2, 0)),
    "LeftLeg": ("LeftUpLeg", (0, -45, 1)),
    "LeftFoot": ("LeftLeg", (0, -45, 0)),
    "RightUpLeg": ("Hips", (-10, -2, 0)),
    "RightLeg": ("RightUpLeg", (0, -45, 1)),
    "RightFoot": ("RightLeg", (0, -45, 0)),
}


def waving(frames: int = 60, without: str = "", rename: str = "") -> bytes:
    """Write a motion: the left arm goes up sideways by 120 degrees, at 30 frames a second.

    Args:
        without: name of a joint to leave out, with all that hangs on it.
        rename: name of a joint to give a name that nobody knows.
    """
    order: list[str] = []
    lines = ["HIERARCHY", *tree("", without, rename, order)]
    lines += ["MOTION", f"Frames: {frames}", "Frame Time: 0.0333333"]
    for angle in np.linspace(0.0, 120.0, frames):
        values = [0.0, 100.0, 0.0]
        for name in order:
            values += [angle if name == "LeftArm" else 0.0, 0.0, 0.0]
        lines.append(" ".join(f"{value:g}" for value in values))
    return "\n".join(lines).encode()


def tree(parent: str, without: str, rename: str, order: list[str]) -> list[str]:
    """Write the joints that hang on another one."""
    lines = []
    for name, (above, offset) in NAMES.items():
        if above != parent or name == without:
            continue
        order.append(name)
        rotations = "Zrotation Xrotation Yrotation"
        channels = f"3 {rotations}" if parent else f"6 Xposition Yposition Zposition {rotations}"
        spelt = "canary" if name == rename else name
        lines += [f"{'JOINT' if parent else 'ROOT'} {spelt}", "{"]
        lines += [f"OFFSET {' '.join(map(str, offset))}", f"CHANNELS {channels}"]
        below = tree(name, without, rename, order)
        lines += below or ["End Site", "{", "OFFSET 0 -8 0", "}"]
        lines.append("}")
    return lines
