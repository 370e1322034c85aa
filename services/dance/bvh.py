"""Motion files in the Biovision Hierarchy format (BVH): joints in a tree, angles over time.

Format: Meredith and Maddock, "Motion Capture File Formats Explained" (2001).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.dance.capture import Capture, Joint, Joints, captured, smoothed

JOINTS_MAX = 256
FRAMES_MAX = 20_000
DEPTH_MAX = 64
VALUES_MAX = 4_000_000
# In any unit: beyond it, sums and products would no longer be numbers.
VALUE_MAX = 1e9
CHANNELS_MAX = 6
RATE_MIN = 5.0
RATE_MAX = 500.0
# More frames a second than that are thinned out.
RATE_WANTED = 60.0
FACING_SECONDS = 0.8

CHANNEL_NAMES = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")
# Names of joints in motion files, without case, punctuation and prefix; the first that is found.
NAMES = {
    Joint.HEAD: ("head", "headnub", "skull"),
    Joint.LEFT_SHOULDER: ("leftarm", "leftupperarm", "lshldr", "lshoulder", "leftshoulder"),
    Joint.RIGHT_SHOULDER: ("rightarm", "rightupperarm", "rshldr", "rshoulder", "rightshoulder"),
    Joint.LEFT_ELBOW: ("leftforearm", "leftlowerarm", "leftelbow", "lforearm", "lelbow"),
    Joint.RIGHT_ELBOW: ("rightforearm", "rightlowerarm", "rightelbow", "rforearm", "relbow"),
    Joint.LEFT_WRIST: ("lefthand", "leftwrist", "lhand", "lwrist"),
    Joint.RIGHT_WRIST: ("righthand", "rightwrist", "rhand", "rwrist"),
    Joint.LEFT_HIP: ("leftupleg", "leftupperleg", "lefthip", "leftthigh", "lthigh", "lhip"),
    Joint.RIGHT_HIP: ("rightupleg", "rightupperleg", "righthip", "rightthigh", "rthigh", "rhip"),
    Joint.LEFT_KNEE: ("leftleg", "leftlowerleg", "leftknee", "leftshin", "lshin", "lknee"),
    Joint.RIGHT_KNEE: ("rightleg", "rightlowerleg", "rightknee", "rightshin", "rshin", "rknee"),
    Joint.LEFT_ANKLE: ("leftfoot", "leftankle", "lfoot", "lankle"),
    Joint.RIGHT_ANKLE: ("rightfoot", "rightankle", "rfoot", "rankle"),
}


@dataclass(slots=True, kw_only=True)
class Node:
    """One joint of a file.

    Attributes:
        name: as the file spells it; never leaves this module.
        parent: number of its parent, -1 for the root.
        offset: from the parent.
        channels: names of its values in each frame, in order.
    """

    name: str
    parent: int
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A file's joints and frames.

    Attributes:
        nodes: parents before their children.
        frames: TxC values.
        frame_seconds: from one frame to the next.
    """

    nodes: list[Node]
    frames: NDArray[np.float64]
    frame_seconds: float


def read_bvh(data: memoryview, field_path: str) -> Capture:
    """Read a motion file.

    Args:
        data: the whole file.
        field_path: path of the medium in error details.

    Raises:
        InvalidRequestError: not a BVH file, or one without the joints that a dance needs; the
            message names those that are missing, and the metadata count those nobody knows.
        LimitError: too many joints or frames.
    """
    try:
        hierarchy = parse(bytes(data).decode("utf-8", errors="strict"), field_path)
    except (UnicodeDecodeError, ValueError, StopIteration, IndexError):
        raise unreadable(field_path) from None
    chosen = choose_joints(hierarchy.nodes, field_path)
    thin = max(1, round(1 / hierarchy.frame_seconds / RATE_WANTED))
    frames = hierarchy.frames[::thin]
    rate = 1 / hierarchy.frame_seconds / thin
    places = positions(hierarchy.nodes, frames)
    joints = np.stack([places[chosen[joint]] for joint in Joint], axis=1)
    return captured(towards_viewer(joints, rate), rate)


def parse(text: str, field_path: str) -> Hierarchy:
    """Parse a whole file.

    Raises:
        ValueError, StopIteration: it breaks off, or holds what no number can be read from.
        IndexError: an end that belongs to no joint.
    """
    words = (match[0] for match in re.finditer(r"\S+", text))
    if next(words, "").upper() != "HIERARCHY":
        raise unreadable(field_path)
    nodes = parse_joints(words, field_path)
    if next(words).upper() != "FRAMES:":
        raise unreadable(field_path)
    count = int(next(words))
    if (next(words).upper(), next(words).upper()) != ("FRAME", "TIME:"):
        raise unreadable(field_path)
    frame_seconds = float(next(words))
    channels = sum(len(node.channels) for node in nodes)
    if not 1 <= count <= FRAMES_MAX or count * channels > VALUES_MAX:
        raise LimitError(
            Reason.FRAMES_TOO_MANY,
            f"a motion may have 1 to {FRAMES_MAX} frames, and {VALUES_MAX} values in all",
            field=field_path,
            metadata={"frames_max": str(FRAMES_MAX)},
        )
    if not (math.isfinite(frame_seconds) and 1 / RATE_MAX <= frame_seconds <= 1 / RATE_MIN):
        raise InvalidRequestError(
            Reason.MEDIA_UNREADABLE,
            f"a motion must have {RATE_MIN:g} to {RATE_MAX:g} frames a second",
            field=field_path,
        )
    values = np.array([number(word) for word in islice(words, count * channels)])
    if len(values) < count * channels:
        raise InvalidRequestError(
            Reason.MEDIA_TRUNCATED, "the motion ends before its last frame", field=field_path
        )
    frames = values.reshape(count, channels)
    return Hierarchy(nodes=nodes, frames=frames, frame_seconds=frame_seconds)


def parse_joints(  # noqa: C901  # a format of six words
    words: Iterator[str], field_path: str
) -> list[Node]:
    """Parse the tree of joints, up to the word MOTION."""
    nodes: list[Node] = []
    path: list[int] = []
    in_end = False
    for word in words:
        match word.upper():
            case "ROOT" | "JOINT":
                if len(nodes) >= JOINTS_MAX or len(path) >= DEPTH_MAX:
                    message = f"a motion may have {JOINTS_MAX} joints, {DEPTH_MAX} deep"
                    raise LimitError(Reason.MEDIA_UNREADABLE, message, field=field_path)
                nodes.append(Node(name=next(words), parent=path[-1] if path else -1))
            case "END":
                next(words)
                in_end = True
            case "{":
                path.append(path[-1] if in_end else len(nodes) - 1)
            case "}":
                path.pop() if path else None
                in_end = False
            case "OFFSET":
                offset = np.array([number(next(words)) for _ in range(3)])
                if nodes and not in_end:
                    nodes[-1].offset = offset
            case "CHANNELS":
                # Beyond its limit a count is not believed: the next word is none of the format's.
                names = tuple(islice(words, min(int(next(words)), CHANNELS_MAX)))
                if not nodes or set(names) - set(CHANNEL_NAMES):
                    raise unreadable(field_path)
                nodes[-1].channels = names
            case "MOTION":
                return nodes
            case _:
                raise unreadable(field_path)
    raise unreadable(field_path)


def number(word: str) -> float:
    """Read a number.

    Raises:
        ValueError: it is none, or none that a body could move by.
    """
    value = float(word)
    if not abs(value) <= VALUE_MAX:
        raise ValueError
    return value


def choose_joints(nodes: list[Node], field_path: str) -> dict[Joint, int]:
    """Find the joints that a dance needs.

    Raises:
        InvalidRequestError: some are missing; says which, and which joints of the file nobody
            knows, by their number: names are the caller's own.
    """
    plain = [re.sub(r"[^a-z]", "", node.name.rpartition(":")[2].lower()) for node in nodes]
    found: dict[Joint, int] = {}
    for joint, names in NAMES.items():
        for name in names:
            if name in plain:
                found[joint] = plain.index(name)
                break
    missing = [joint.name.lower() for joint in Joint if joint not in found]
    if missing:
        known = {name for names in NAMES.values() for name in names}
        strange = [str(place) for place, name in enumerate(plain) if name not in known]
        raise InvalidRequestError(
            Reason.MEDIA_UNREADABLE,
            f"the motion has no joint that is known as {', '.join(missing)}",
            field=field_path,
            metadata={"missing": ", ".join(missing), "unknown_joints": ", ".join(strange[:64])},
        )
    return found


def positions(nodes: list[Node], frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where joints are, JxTx3, in the file's own axes: y up."""
    count = len(frames)
    turns, places = np.empty((len(nodes), count, 3, 3)), np.empty((len(nodes), count, 3))
    column = 0
    for number, node in enumerate(nodes):
        own = np.tile(np.eye(3), (count, 1, 1))
        offset = np.tile(node.offset, (count, 1))
        for name in node.channels:
            axis, values = "XYZ".index(name[0]), frames[:, column]
            column += 1
            if name.endswith("position"):
                # A position stands for the offset along its axis.
                offset[:, axis] = values
            else:
                own = own @ about(axis, np.radians(values))
        if node.parent < 0:
            turns[number], places[number] = own, offset
        else:
            above = turns[node.parent]
            turns[number] = above @ own
            places[number] = places[node.parent] + (above @ offset[:, :, None])[:, :, 0]
    return places


def about(axis: int, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrices that turn about an axis, Tx3x3."""
    cosine, sine = np.cos(angles), np.sin(angles)
    matrices = np.zeros((len(angles), 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrices[:, axis, axis] = 1.0
    matrices[:, first, first] = matrices[:, second, second] = cosine
    matrices[:, first, second], matrices[:, second, first] = -sine, sine
    return matrices


def towards_viewer(joints: Joints, frames_per_second: float) -> Joints:
    """Turn a captured person so that they face the viewer, whichever way they walk.

    Args:
        joints: TxJx3 with y up.

    Returns:
        The same with y down, and left on the right.
    """
    across = joints[:, [Joint.LEFT_HIP, Joint.LEFT_SHOULDER]].mean(axis=1)
    across = across - joints[:, [Joint.RIGHT_HIP, Joint.RIGHT_SHOULDER]].mean(axis=1)
    angles = np.unwrap(np.arctan2(across[:, 2], across[:, 0]))
    angles = smoothed(angles, FACING_SECONDS * frames_per_second)
    centre = joints[:, [Joint.LEFT_HIP, Joint.RIGHT_HIP]].mean(axis=1)
    base = centre * [1.0, 0.0, 1.0]
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    away = joints - base[:, None]
    turned = np.empty_like(joints)
    turned[..., 0] = away[..., 0] * cosine + away[..., 2] * sine
    turned[..., 2] = away[..., 2] * cosine - away[..., 0] * sine
    turned[..., 1] = -joints[..., 1]
    return turned


def unreadable(field_path: str) -> InvalidRequestError:
    """Refuse a file that is no motion."""
    return InvalidRequestError(
        Reason.MEDIA_UNREADABLE, "the motion is no readable BVH file", field=field_path
    )
