"""How fast clips are made, and how clean: `python -m bench.video`.

Times are taken in one process and through a mesh of its own; what counts are ratios: to the clip's
own length, and between a long clip and a short one. On a machine that does other work too, they are
bounds.
"""

import argparse
import io
import multiprocessing
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

from batchpix_client.mesh import LocalMesh
from services.chassis.media import movie
from services.chassis.media.clip import ClipFormat
from services.chassis.media.image import Picture
from services.chassis.media.likeness import liken
from services.chassis.media.movie import MovieFormat, Studio, open_movie
from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.settings import Settings
from services.video.assembly import make_pipeline
from services.video.camera import CameraPath
from services.video.photo import Cut, fit_photo
from services.video.pipeline import VideoPipeline
from services.video.shot import Shot

Pixels: TypeAlias = NDArray[np.uint8]

SIZE = (720, 1280)
PHOTO = Path("samples/scenes/street.jpg")
PEOPLE = Path("samples/people/diego_red_tee_shorts_beach.jpg")
SHORT_SECONDS, LONG_SECONDS = 4.0, 60.0
ROUNDS = 7
# A fifth of a second: what a player may want before it starts.
PLAYING_FRAMES = 6
DECIBELS_ASKED = 40.0
ARENA_BYTES = 1 << 31


def main() -> None:
    """Measure speed, memory, and every path."""
    parser = argparse.ArgumentParser(prog="python -m bench.video", description=main.__doc__)
    parser.add_argument("--photo", type=Path, default=PHOTO, help="photo for speed and memory")
    parser.add_argument("--data", type=Path, help="folder with photos/, for first frames")
    parser.add_argument(
        "--part",
        choices=("speed", "first", "memory", "likeness", "paths"),
        help="measure this alone",
    )
    options = parser.parse_args()
    parts = {
        "speed": lambda: print_speed(options.photo),
        "first": lambda: print_first(options.photo),
        "memory": lambda: print_memory(options.photo),
        "likeness": lambda: print_likeness(options.data),
        "paths": print_paths,
    }
    for name, measure in parts.items():
        if options.part in (None, name):
            measure()


def print_speed(photo: Path) -> None:
    """Time whole clips of 1280x720 at 30 frames a second, H.264 included."""
    pipeline, studio = workshop()
    wanted = ClipFormat(width_pixels=SIZE[1], height_pixels=SIZE[0])
    for path in (CameraPath.ORBIT, CameraPath.PAN_LEFT, CameraPath.DOLLY_ZOOM):
        wall, processor = [], []
        for _ in range(ROUNDS):
            with Budget(ARENA_BYTES).lease(0) as arena:
                started, worked = time.perf_counter(), time.process_time()
                for _ in film(photo, Shot(path=path), wanted, pipeline, studio, arena):
                    pass
                wall.append(time.perf_counter() - started)
                processor.append(time.process_time() - worked)
        print(
            f"{path.name.lower():12} {wanted.seconds / statistics.median(wall):5.2f} times as fast "
            f"as playback (best {wanted.seconds / min(wall):.2f}); "
            f"{statistics.median(processor) / wanted.seconds:.2f} processor seconds a second"
        )


def print_first(photo: Path) -> None:
    """Time the first fragment of a call through the gateway, from the end of the upload."""
    data = jpeg_of(photo)
    first, playing = [], []
    with (
        tempfile.TemporaryDirectory() as home,
        LocalMesh(Path(home)) as mesh,
        mesh.client() as client,
    ):
        for _ in range(ROUNDS + 1):
            started = time.perf_counter()
            fragments = 0
            with client.video(data, seconds=1.0) as call:
                for piece in call:
                    if not fragments:
                        first.append(time.perf_counter() - started)
                    fragments += piece.data.count(b"moof")
                    if fragments >= PLAYING_FRAMES:
                        playing.append(time.perf_counter() - started)
                        break
                for _ in call:
                    pass
    for what, times in (("first fragment", first), (f"{PLAYING_FRAMES} frames", playing)):
        print(
            f"{what} after {1000 * statistics.median(times[1:]):.0f} ms "
            f"(best {1000 * min(times):.0f}), the upload of {len(data) >> 10} KiB included"
        )


def print_memory(photo: Path) -> None:
    """Compare the memory of a long clip with that of a short one, each in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=1) as pool:
        short, long = (
            pool.apply(footprint, (photo, seconds)) for seconds in (SHORT_SECONDS, LONG_SECONDS)
        )
    for name, few, many in zip(("call memory", "whole process"), short, long, strict=True):
        print(
            f"{name:14} {few / 2**20:7.1f} MiB for {SHORT_SECONDS:g} s, {many / 2**20:7.1f} MiB "
            f"for {LONG_SECONDS:g} s: {many / few:.3f} times as much"
        )


def footprint(photo: Path, seconds: float) -> tuple[int, int]:
    """Make a clip; return the most bytes of call memory and of the process."""
    pipeline, studio = workshop()
    wanted = ClipFormat(width_pixels=SIZE[1], height_pixels=SIZE[0], seconds=seconds)
    with Budget(ARENA_BYTES).lease(0) as arena:
        for _ in film(photo, Shot(loop=True), wanted, pipeline, studio, arena):
            pass
        erasure = arena.release()
    return erasure.leased_bytes_peak, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def print_likeness(data: Path | None) -> None:
    """Show how like the photo the first frame of a film is, decoded plainly and with care.

    What is left without H.264 is the most that any encoder reaches: a colour for 2x2 pixels alone.
    """
    studio = Studio(raster=CpuRaster(threads()), threads=threads())
    print(f"{'first frame, dB':40}{'plain':>8}{'with care':>11}{'no H.264, plain':>17}{'KiB':>7}")
    photos = sorted((*PHOTO.parent.glob("*.jpg"), *PEOPLE.parent.glob("*.jpg")))
    if data is not None:
        photos = sorted(data.glob("photos/*/*.jpg"))
    rows = []
    for photo in photos:
        with Budget(ARENA_BYTES).lease(0) as arena:
            pixels = fitted(photo, ClipFormat(), arena)
            shown, size_bytes = opening(pixels, studio, arena)
            plain = shown.to_ndarray(format="rgb24").astype(np.float32)
            planes = np.empty((pixels.shape[0] * 3 // 2, pixels.shape[1]), np.uint8)
            studio.raster.to_nv12(pixels, planes)
            liken(pixels, planes)
            uncoded = av.VideoFrame.from_ndarray(planes, format="nv12").reformat(format="yuv420p")
            uncoded.colorspace, uncoded.color_range = Colorspace.ITU709, ColorRange.MPEG
            most = uncoded.to_ndarray(format="rgb24").astype(np.float32)
            values = [decibels(each, pixels) for each in (plain, as_players_show(shown), most)]
        rows.append(values)
        print(
            f"{photo.stem[:39]:40}{values[0]:8.2f}{values[1]:11.2f}{values[2]:17.2f}"
            f"{size_bytes / 1024:7.0f}"
        )
    reach = (np.array(rows) >= DECIBELS_ASKED).sum(axis=0)
    print(
        f"{f'of {len(rows)} reach {DECIBELS_ASKED:g} dB':40}{reach[0]:8}{reach[1]:11}{reach[2]:17}"
    )


def opening(pixels: Pixels, studio: Studio, arena: Arena) -> tuple[av.VideoFrame, int]:
    """Make a film of one photo; return its first frame and that one's size in bytes."""
    height, width = pixels.shape[:2]
    wanted = ClipFormat()
    made = MovieFormat(
        height=height,
        width=width,
        frames_per_second=wanted.frames_per_second,
        quality=wanted.quality,
    )
    with open_movie(made, studio, arena) as writer:
        writer.frame(pixels)
        writer.finish()
        data = writer.take()
    with av.open(io.BytesIO(data), "r") as container:
        return next(container.decode(video=0)), len(data)


def decibels(shown: NDArray[np.float32], pixels: Pixels) -> float:
    """Measure how like two pictures are: peak signal to noise ratio."""
    return float(10 * np.log10(255**2 / np.mean((shown - pixels) ** 2)))


def print_paths() -> None:
    """Show how near each path's first frame is to the photo, and whether its loop closes."""
    pipeline, studio = workshop()
    print(f"{'path':12}{'first frame, dB':>18}{'loop: last to first':>22}{'neighbours':>12}")
    for path in CameraPath:
        if path is CameraPath.KEY_FRAMES:
            continue
        rows = [closeness(photo, path, pipeline, studio) for photo in (PHOTO, PEOPLE)]
        for photo, (first, closing, neighbours) in zip((PHOTO, PEOPLE), rows, strict=True):
            print(
                f"{path.name.lower():12}{first:18.2f}{closing:22.3f}{neighbours:12.3f}"
                f"   {photo.stem}"
            )


def closeness(
    photo: Path, path: CameraPath, pipeline: VideoPipeline, studio: Studio
) -> tuple[float, float, float]:
    """Measure one looping clip after H.264.

    Returns:
        PSNR of the first frame, difference of the last to the first before H.264, and the
        largest difference of neighbours.
    """
    wanted = ClipFormat()
    shot = Shot(path=path, loop=True, seed=1)
    with Budget(ARENA_BYTES).lease(0) as arena:
        data = b"".join(film(photo, shot, wanted, pipeline, studio, arena))
        with av.open(io.BytesIO(data), "r") as container:
            shown = as_players_show(next(container.decode(video=0)))
        pixels = fitted(photo, wanted, arena)
        first = decibels(shown, pixels)
        frames = pipeline.prepare(pixels, None, (), shot, wanted, arena, threading.Event()).frames()
        closing, neighbours = steps(frames)
    return first, closing, neighbours


def as_players_show(frame: av.VideoFrame) -> NDArray[np.float32]:
    """Turn a frame into HxWx3 with its halved colours interpolated, as players do (BT.709)."""
    height, width = frame.height, frame.width
    planes = frame.to_ndarray(format="yuv420p").astype(np.float32)
    luma = (planes[:height] - 16) * (255 / 219)
    halves = planes[height:].reshape(2, height // 2, width // 2)
    blue, red = (
        (cv2.resize(half, (width, height), interpolation=cv2.INTER_CUBIC) - 128) * (255 / 224)
        for half in halves
    )
    r, b = luma + 1.5748 * red, luma + 1.8556 * blue
    g = (luma - 0.2126 * r - 0.0722 * b) / 0.7152
    return np.asarray(np.clip(np.rint(np.dstack([r, g, b])), 0, 255), np.float32)


def steps(frames: Iterator[Pixels]) -> tuple[float, float]:
    """Measure the mean difference of last and first frame, and the largest of neighbours."""
    kept = [frame.copy() for frame in frames]
    neighbours = max(difference(first, second) for first, second in pairwise(kept))
    return difference(kept[-1], kept[0]), neighbours


def difference(first: Pixels, second: Pixels) -> float:
    """Measure the mean difference, in levels of 255."""
    return float(np.abs(first.astype(np.int16) - second).mean())


def film(
    photo: Path,
    shot: Shot,
    wanted: ClipFormat,
    pipeline: VideoPipeline,
    studio: Studio,
    arena: Arena,
) -> Iterator[bytes]:
    """Make a whole clip, piece by piece."""
    pixels = fitted(photo, wanted, arena)
    made = MovieFormat(
        height=pixels.shape[0],
        width=pixels.shape[1],
        frames_per_second=wanted.frames_per_second,
        quality=wanted.quality,
    )
    ready = pipeline.prepare(pixels, None, (), shot, wanted, arena, threading.Event())
    with open_movie(made, studio, arena) as writer:
        for frame in ready.frames():
            writer.frame(frame)
            yield writer.take()
        writer.finish()
        yield writer.take()


def fitted(photo: Path, wanted: ClipFormat, arena: Arena) -> Pixels:
    """Read a photo at the clip's size."""
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    cut = Cut.of(pixels.shape[0], pixels.shape[1], wanted)
    target = arena.array((*cut.size, 3), np.uint8)
    fit_photo(Picture(pixels=pixels, alpha=None), cut, target, CpuRaster(threads()), arena)
    return target


def jpeg_of(photo: Path) -> bytes:
    """Encode a photo at 1280x720."""
    target = io.BytesIO()
    Image.open(photo).convert("RGB").resize(SIZE[::-1], Image.Resampling.LANCZOS).save(
        target, "JPEG", quality=92
    )
    return target.getvalue()


def workshop() -> tuple[VideoPipeline, Studio]:
    """Load what makes clips, and warm it up."""
    studio = Studio(raster=CpuRaster(threads()), threads=threads())
    movie.warm_up(studio)
    pipeline = make_pipeline(Settings.from_env(os.environ))
    with Budget(ARENA_BYTES).lease(0) as arena:
        for _ in film(PHOTO, Shot(), ClipFormat(seconds=1.0), pipeline, studio, arena):
            pass
    return pipeline, studio


def threads() -> int:
    """Count the processors."""
    return os.cpu_count() or 1


if __name__ == "__main__":
    main()
