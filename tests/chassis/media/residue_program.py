"""Makes a film of each picture that comes in, with its noise as sound, reads it back, says so."""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import numpy as np
from numpy.typing import NDArray

from services.chassis.media.movie import MovieFormat, Studio, open_movie, warm_up
from services.chassis.media.reel import ReelLimits, read_reel
from services.chassis.media.sound import Sound, decode_sound
from services.chassis.memory.arena import Arena, Budget
from services.chassis.memory.garbage import collect_garbage
from services.chassis.raster.cpu import CpuRaster

FRAMES = 12
LIMITS = ReelLimits(seconds_max=5.0, frames_per_second=30.0, long_side_pixels=256)


def main(keeps: str, side: int) -> None:
    """Answer each picture with a dot; `kept` holds on to what was read of the last film."""
    studio = Studio(raster=CpuRaster(2), threads=2)
    # Stays where it is, so that what is kept in it lies in the same place each time.
    held = np.zeros((FRAMES, side, side, 3), np.uint8)
    warm_up(studio)
    while pixels := sys.stdin.buffer.read(side * side * 3):
        with Budget(1 << 27).lease(0) as arena:
            film = make(np.frombuffer(pixels, np.uint8).reshape(side, side, 3), studio, arena)
            view = memoryview(film)
            for place, frame in enumerate(read_reel(view, "video/mp4", LIMITS, arena)):
                if keeps == "kept":
                    held[place] = frame
            decode_sound(view, "video/mp4", 5.0, arena)
            view.release()
        del pixels, film
        collect_garbage()
        sys.stdout.write(".")
        sys.stdout.flush()


def make(picture: NDArray[np.uint8], studio: Studio, arena: Arena) -> bytes:
    """Make a film in which the picture moves."""
    side = picture.shape[0]
    sound = Sound(samples=arena.array((2, 24_000), np.float32))
    sound.samples[:] = picture.ravel()[:48_000].reshape(2, -1) / np.float32(512)
    made = MovieFormat(height=side, width=side, frames_per_second=30, quality=90)
    pieces = []
    with open_movie(made, studio, arena, sound) as writer:
        for frame in moved(picture, arena):
            writer.frame(frame)
            pieces.append(writer.take())
        writer.finish()
        pieces.append(writer.take())
    return b"".join(pieces)


def moved(picture: NDArray[np.uint8], arena: Arena) -> Iterator[NDArray[np.uint8]]:
    """Roll the picture on in call memory."""
    frame = arena.array(picture.shape, np.uint8)
    for place in range(FRAMES):
        frame[:] = np.roll(picture, place, axis=1)
        yield frame


main(sys.argv[1], int(sys.argv[2]))
