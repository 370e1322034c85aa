"""A driving video: the pose of its person in every frame."""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import InvalidRequestError, Reason, Stopped
from services.chassis.media.reel import ReelLimits, read_reel
from services.chassis.memory.arena import Arena
from services.dance.capture import Capture, Joint, captured
from services.vision.person import PersonFinder
from services.vision.tracking import tracking

SECONDS_MAX = 60.0
FRAMES_PER_SECOND = 15.0
LONG_SIDE_PIXELS = 480
# A person must be seen in this share of the frames; where nobody is, the pose goes on.
SEEN_SHARE_MIN = 0.5
# After so many searches, over about four seconds from the start, nobody is looked for any longer.
SEARCHES_MAX = 6
# Depth that landmarks tell is noisy: it counts less than what is seen.
DEPTH_SHARE = 0.6
LANDMARKS = {
    Joint.HEAD: (7, 8),
    Joint.LEFT_SHOULDER: (11,),
    Joint.RIGHT_SHOULDER: (12,),
    Joint.LEFT_ELBOW: (13,),
    Joint.RIGHT_ELBOW: (14,),
    Joint.LEFT_WRIST: (15,),
    Joint.RIGHT_WRIST: (16,),
    Joint.LEFT_HIP: (23,),
    Joint.RIGHT_HIP: (24,),
    Joint.LEFT_KNEE: (25,),
    Joint.RIGHT_KNEE: (26,),
    Joint.LEFT_ANKLE: (27,),
    Joint.RIGHT_ANKLE: (28,),
}


def read_driving(
    data: memoryview,
    media_type: str,
    seconds: float,
    finder: PersonFinder,
    arena: Arena,
    cancelled: threading.Event,
) -> Capture:
    """Read how the person of a film moves.

    Args:
        seconds: no more of the film is needed; one over `SECONDS_MAX` is refused.
        cancelled: watched at every frame.

    Raises:
        InvalidRequestError: no film, or nobody in it.
        LimitError: too long, or frames too large.
        Stopped: `cancelled` was set.
    """
    limits = ReelLimits(
        seconds_max=SECONDS_MAX,
        frames_per_second=FRAMES_PER_SECOND,
        long_side_pixels=LONG_SIDE_PIXELS,
    )
    seen: list[NDArray[np.float64] | None] = []
    found = 0
    # Frames are taken inside a scope of their own each; the film's one frame lies outside of it.
    with arena.scope(), tracking(finder) as tracker:
        for frame in read_reel(data, media_type, limits, arena):
            if cancelled.is_set():
                raise Stopped
            with arena.scope():
                landmarks = tracker.landmarks(frame, arena)
                seen.append(None if landmarks is None else joints_of(landmarks))
            found += seen[-1] is not None
            if len(seen) > seconds * FRAMES_PER_SECOND:
                break
            if not found and tracker.in_vain == SEARCHES_MAX:
                break
    if found < max(2, SEEN_SHARE_MIN * len(seen)):
        raise InvalidRequestError(
            Reason.PERSON_NOT_FOUND, "no person moves in the driving video", field=""
        )
    return captured(whole(seen), FRAMES_PER_SECOND)


def joints_of(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Take 13 joints out of 33 landmarks; z grows towards the viewer here."""
    places = landmarks[:, :3].astype(np.float64) * [1.0, 1.0, -DEPTH_SHARE]
    return np.stack([places[list(LANDMARKS[joint])].mean(axis=0) for joint in Joint])


def whole(seen: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64]:
    """Fill in frames in which nobody was seen from those around, TxJx3.

    A person seen from behind is taken as a mirror image, so that left is on the right.
    """
    known = [place for place, joints in enumerate(seen) if joints is not None]
    values = np.stack([joints for joints in seen if joints is not None])
    flat = values.reshape(len(values), -1)
    every = np.arange(len(seen))
    filled = np.stack([np.interp(every, known, column) for column in flat.T], axis=1)
    joints = filled.reshape(len(seen), len(Joint), 3)
    across = joints[:, Joint.LEFT_SHOULDER, 0] - joints[:, Joint.RIGHT_SHOULDER, 0]
    if float(np.median(across)) < 0:
        joints = joints * [-1.0, 1.0, -1.0]
    return joints
