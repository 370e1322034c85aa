"""Frames out of films, and films out of frames; the one place of the client that codes film."""

import io
from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def strip(data: bytes, count: int) -> list[Image.Image]:
    """Take frames of a film, evenly spread from its first to its last.

    Args:
        data: a film that a service, or this module, has made.
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


def make_film(pictures: Sequence[NDArray[np.uint8]], frames_per_second: int) -> bytes:
    """Write pictures as a film, H.264 in MP4.

    Args:
        pictures: one or more HxWx3 uint8, RGB, of one size, even numbers of rows and columns.
        frames_per_second: pace.
    """
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=frames_per_second)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return target.getvalue()
