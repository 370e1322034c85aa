"""Frames: the first is the photo, loops close, no hole, no stretched border."""

import threading
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest

from services.chassis.errors import Stopped
from services.chassis.media.clip import ClipFormat
from services.chassis.memory.arena import Arena
from services.video.camera import CameraPath, KeyFrame, Pose
from services.video.fields import Pixels
from services.video.pipeline import VideoPipeline
from services.video.shot import LivingRegion, Shot
from tests.video.scenes import SIZE, SUBJECT, scene, texture

SECOND = ClipFormat(seconds=1.0, frames_per_second=12.0)
KEY_FRAMES = (
    KeyFrame(time=0.0, pose=Pose()),
    KeyFrame(time=0.5, pose=Pose(x=0.1, yaw_degrees=4.0, roll_degrees=5.0)),
    KeyFrame(time=1.0, pose=Pose(y=-0.05, z=0.2, zoom=0.9)),
)
PATHS = sorted(CameraPath, key=str)


def shot_of(path: CameraPath, **options: object) -> Shot:
    """Describe a clip."""
    key_frames = KEY_FRAMES if path is CameraPath.KEY_FRAMES else ()
    return Shot(path=path, key_frames=key_frames, **options)  # type: ignore[arg-type]


def clip(
    pipeline: VideoPipeline,
    shot: Shot,
    arena: Arena,
    picture: Pixels | None = None,
    masks: tuple[Pixels, ...] = (),
    wanted: ClipFormat = SECOND,
) -> list[np.ndarray]:
    """Render all frames."""
    with arena.scope():
        photo = arena.array((scene() if picture is None else picture).shape, np.uint8)
        photo[:] = scene() if picture is None else picture
        film = pipeline.prepare(photo, None, masks, shot, wanted, arena, threading.Event())
        return [frame.astype(int) for frame in film.frames()]


@pytest.mark.parametrize("path", PATHS)
def test_the_first_frame_is_the_photo(
    path: CameraPath, pipeline: VideoPipeline, arena: Arena
) -> None:
    """Within one level, whatever the path."""
    frames = clip(pipeline, shot_of(path), arena)

    assert len(frames) == 12
    assert np.abs(frames[0] - scene()).max() <= 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("loop", [False, True])
def test_no_frame_has_a_hole_or_a_stretched_border(
    path: CameraPath, pipeline: VideoPipeline, arena: Arena, *, loop: bool
) -> None:
    """At twice the intensity nothing is dark, as no pixel would be, and borders stay lively."""
    photo = scene()
    darkest = photo.min()
    for frame in clip(pipeline, shot_of(path, loop=loop, intensity=2.0, seed=4), arena):
        assert frame.min() > darkest / 2
        for axis in (0, 1):
            across = np.abs(np.diff(frame, axis=axis)).mean(axis=(1 - axis, 2))
            usual = np.abs(np.diff(photo.astype(int), axis=axis)).mean()
            # A mirrored border is even just where it is mirrored, a stretched one all over.
            assert min(across[:6].mean(), across[-6:].mean()) > 0.4 * usual


@pytest.mark.parametrize("path", PATHS)
def test_a_loop_closes(path: CameraPath, pipeline: VideoPipeline, arena: Arena) -> None:
    """The last frame is as near to the first as neighbours are to each other."""
    wanted = ClipFormat(seconds=2.0, frames_per_second=15.0)
    frames = clip(pipeline, shot_of(path, loop=True, seed=4), arena, wanted=wanted)
    steps = [np.abs(a - b).mean() for a, b in pairwise(frames)]

    assert np.abs(frames[-1] - frames[0]).mean() <= 1.05 * max(steps)


@pytest.mark.parametrize("path", sorted(set(PATHS) - {CameraPath.STILL}, key=str))
def test_more_intensity_moves_more(path: CameraPath, pipeline: VideoPipeline, arena: Arena) -> None:
    """None is the photo all along; each step of intensity leads farther from it."""
    away = [
        max(
            np.abs(frame - scene()).mean()
            for frame in clip(pipeline, shot_of(path, intensity=intensity, seed=4), arena)
        )
        for intensity in (0.0, 0.5, 1.0, 1.5)
    ]

    assert away[0] < 0.5
    assert away == sorted(away)
    assert away[1] > 0.5


def test_the_same_call_gives_the_same_frames(pipeline: VideoPipeline, arena: Arena) -> None:
    """Nothing is left to chance; another seed sways another way."""
    first, again, other = (
        np.array(clip(pipeline, shot_of(CameraPath.HANDHELD, seed=seed), arena))
        for seed in (1, 1, 2)
    )

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_subject_moves_over_the_background(pipeline: VideoPipeline, arena: Arena) -> None:
    """In a pan what is near goes farther than what is far, and what it hid appears."""
    frames = clip(pipeline, shot_of(CameraPath.PAN_LEFT, intensity=2.0), arena)
    red = frames[-1][:, :, 0] - frames[-1][:, :, 1] > 40
    columns = np.flatnonzero(red[24:44].mean(axis=0) > 0.5)
    uncovered = frames[-1][24:44, columns[0] - 3 : columns[0] - 1]

    assert columns[0] > SUBJECT[1].start + 2
    assert (uncovered[:, :, 0] - uncovered[:, :, 1]).max() < 40


def test_a_flat_picture_is_a_clean_clip(pipeline: VideoPipeline, arena: Arena) -> None:
    """Without any depth the picture moves as a whole, and stays even."""
    grey = np.full((40, 60, 3), 128, np.uint8)
    for path in PATHS:
        assert {int(value) for value in np.unique(clip(pipeline, shot_of(path), arena, grey))} == {
            128
        }


@pytest.mark.parametrize("size", [(16, 16), (16, 400), (400, 16), (18, 90)])
def test_tiny_and_narrow_clips_can_be_made(
    size: tuple[int, int], pipeline: VideoPipeline, arena: Arena
) -> None:
    """Any size of a clip works for any path."""
    picture = texture(*size)
    for path in (CameraPath.ORBIT, CameraPath.DOLLY_ZOOM):
        frames = clip(pipeline, shot_of(path), arena, picture)
        assert np.abs(frames[0] - picture).max() <= 1
        assert frames[-1].min() >= picture.min() - 2


def test_depth_of_field_blurs_what_is_far(pipeline: VideoPipeline, arena: Arena) -> None:
    """The background loses its detail and the subject keeps it."""
    (sharp, *_), (blurred, *_) = (
        clip(pipeline, shot_of(CameraPath.STILL, depth_of_field=amount), arena)
        for amount in (0.0, 1.0)
    )
    far, near = (slice(0, 16), slice(0, 96)), (slice(26, 50), slice(42, 54))

    def detail(frame: np.ndarray, part: tuple[slice, slice]) -> float:
        return float(np.abs(np.diff(frame[part], axis=1)).mean())

    assert detail(blurred, far) < 0.85 * detail(sharp, far)
    assert detail(blurred, near) > 0.97 * detail(sharp, near)


def test_living_regions_move_under_a_still_camera(pipeline: VideoPipeline, arena: Arena) -> None:
    """The region flows and loops; outside of it every frame is the photo."""
    mask = np.zeros(SIZE, np.uint8)
    mask[4:24] = 255
    shot = shot_of(
        CameraPath.STILL,
        loop=True,
        living_regions=(LivingRegion(mask_index=0, direction_degrees=0.0, speed=0.1),),
    )
    frames = clip(pipeline, shot, arena, masks=(mask,))
    steps = [np.abs(a - b).mean() for a, b in pairwise(frames)]

    assert all(np.abs(frame[30:] - scene()[30:]).max() <= 1 for frame in frames)
    assert min(steps) > 0.05
    assert np.abs(frames[-1] - frames[0]).mean() <= 1.05 * max(steps)


@pytest.mark.parametrize(
    ("shot", "photo_first"),
    [
        (Shot(), True),
        (Shot(path=CameraPath.KEY_FRAMES, key_frames=KEY_FRAMES), True),
        (Shot(path=CameraPath.KEY_FRAMES, key_frames=KEY_FRAMES[1:]), False),
        (Shot(depth_of_field=0.5), False),
    ],
)
def test_the_photo_leaves_before_it_is_looked_at(
    shot: Shot, pipeline: VideoPipeline, arena: Arena, *, photo_first: bool
) -> None:
    """What is the photo needs no depth; the other frames are those of the prepared clip."""
    photo, nobody = scene(), threading.Event()
    taken = (photo, None, (), shot, SECOND, arena, nobody)
    with mock.patch.object(pipeline, "prepare", wraps=pipeline.prepare) as prepare:
        frames = pipeline.frames(*taken)
        first = next(frames).copy()
        early = not prepare.called
        seen = [first, *(frame.copy() for frame in frames)]
    prepared = [frame.copy() for frame in pipeline.prepare(*taken).frames()]

    assert early == photo_first
    assert len(seen) == len(prepared) == 12
    assert np.abs(np.array(seen, int) - prepared).max() <= 1
    assert np.array_equal(seen[1:], prepared[1:])


def test_a_call_that_nobody_waits_for_is_not_prepared(
    pipeline: VideoPipeline, arena: Arena
) -> None:
    """Work stops at the next step."""
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Stopped):
        pipeline.prepare(scene(), None, (), Shot(), SECOND, arena, cancelled)


def test_frames_take_no_more_memory(pipeline: VideoPipeline, arena: Arena) -> None:
    """However long the clip, its frames share what was carved before the first."""
    long = ClipFormat(seconds=60.0, frames_per_second=12.0)
    film = pipeline.prepare(scene(), None, (), Shot(), long, arena, threading.Event())
    carved = arena.used_bytes
    for _ in zip(range(20), film.frames(), strict=False):
        assert arena.used_bytes == carved
