"""Frames out of a finished clip, to show on paper; the one place of the client that reads film."""

import io

import av
from PIL import Image


def strip(data: bytes, count: int) -> list[Image.Image]:
    """Take frames of a film, evenly spread from its first to its last.

    Args:
        data: a film that a service has made.
        count: how many.

    Returns:
        RGB pictures, fewer than `count` of a film that has fewer frames.
    """
    with av.open(io.BytesIO(data), "r") as film:
        frames = [
            Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)
        ]
    count = min(count, len(frames))
    return [frames[round(place * (len(frames) - 1) / max(count - 1, 1))] for place in range(count)]
