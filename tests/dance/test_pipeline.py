"""Whole dances of small photos: what changes, what must not, and who is danced with."""

from threading import Event

import numpy as np
import pytest
from PIL import Image

from services.chassis.errors import InvalidRequestError, LimitError, Stopped
from services.chassis.media.clip import ClipFormat
from services.chassis.media.movie import MP4, MovieFormat, open_movie
from services.chassis.memory.arena import Arena
from services.dance.pipeline import DancePipeline, Dancer
from services.dance.rig import cell_of, neck_place, turn_about
from services.dance.skeleton import Limb
from services.dance.stage import Background
from services.dance.stance import Stance
from services.dance.wish import Wish
from tests.dance.conftest import Draw, Pixels, photo

STILL = ("two_step",)
GREY = np.full((120, 96, 3), 90, np.uint8)


def film(
    pipeline: DancePipeline, frames: list[Pixels], arena: Arena, rate: float = 12.0
) -> memoryview:
    """Write frames as a film."""
    height, width = frames[0].shape[:2]
    made = MovieFormat(height=height, width=width, frames_per_second=rate, quality=90)
    with open_movie(made, pipeline.studio, arena) as writer:
        for frame in frames:
            writer.frame(np.ascontiguousarray(frame[:, :, :3]))
        writer.finish()
        return memoryview(writer.take())


def moved_pixels(frames: list[Pixels], still: Pixels) -> np.ndarray:
    """Return which pixels differ from a picture in any frame."""
    return np.any([np.any(frame[..., :3] != still, axis=2) for frame in frames], axis=0)


def test_the_background_is_bit_exact_outside_of_figure_and_shadow(draw: Draw, anna: Dancer) -> None:
    """What no figure and no shadow comes near equals the photo in every frame."""
    frames = draw(anna, moves=STILL)
    opaque = draw(anna, moves=STILL, background=Background.TRANSPARENT)
    covered = np.any([frame[:, :, 3] > 0 for frame in opaque], axis=0)
    assert anna.filled is not None
    untouched = ~covered

    assert untouched.mean() > 0.4
    for frame in frames:
        assert np.array_equal(frame[untouched], anna.filled[untouched])


def test_beside_the_person_the_plate_is_the_photo(anna: Dancer) -> None:
    """Only the hole behind the person was filled."""
    pixels = photo("anna_teal")
    size = ClipFormat().size_for(*pixels.shape[:2])
    assert anna.filled is not None
    same = np.all(anna.filled == pixels[: size[0], : size[1]], axis=2)

    assert same.mean() > 0.6
    assert same[:, :40].all()


def test_a_clip_begins_as_the_photo(draw: Draw, anna: Dancer) -> None:
    """The first frame shows the person as the photo does."""
    first = draw(anna, moves=STILL, shadow=False)[0].astype(int)
    pixels = photo("anna_teal")[: first.shape[0], : first.shape[1]].astype(int)

    assert np.abs(first - pixels).mean() < 2.0


def test_the_person_moves(draw: Draw, anna: Dancer) -> None:
    """A clip is no still."""
    frames = draw(anna, moves=("disco_point",), seconds=2.0)

    assert moved_pixels(frames, frames[0]).mean() > 0.1


def test_the_same_seed_gives_the_same_frames(draw: Draw, anna: Dancer) -> None:
    """Bit for bit; another seed gives others."""
    first, again, other = (draw(anna, moves=STILL, seed=seed) for seed in (3, 3, 4))

    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_the_face_stays_itself(pipeline: DancePipeline, anna: Dancer, arena: Arena) -> None:
    """Turned back about the neck, the head of each frame is the photo's."""
    wish, clip = Wish(moves=("hip_sway",)), ClipFormat(seconds=2.0, frames_per_second=12.0)
    music = pipeline.accompaniment(None, wish, clip, "")
    stances = [now for now, _ in pipeline.stances(anna, music, None, wish, clip)]
    x, y = anna.rig.skeleton.head
    radius = 0.7 * anna.rig.skeleton.head_radius
    box = tuple(round(place) for place in (x - radius, y - radius, x + radius, y + radius))
    face = np.asarray(Image.fromarray(photo("anna_teal")).crop(box).convert("L"), float)
    drawn = pipeline.frames(anna, music, None, wish, clip, arena)
    for frame, stance in zip(drawn, stances, strict=True):
        back = Image.fromarray(frame).transform(
            (frame.shape[1], frame.shape[0]),
            Image.Transform.AFFINE,
            head_map(anna, stance),
            Image.Resampling.BICUBIC,
        )
        shown = np.asarray(back.crop(box).convert("L"), float)

        assert np.corrcoef(shown.ravel(), face.ravel())[0, 1] > 0.95


def head_map(dancer: Dancer, stance: Stance) -> tuple[float, ...]:
    """Return the affine map from places of the photo's head to those of a frame's."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    centre = neck_place(dancer.rig, stance)
    origin, right, down = turn_about(corners, dancer.rig.neck, np.array(stance.head_turn), centre)
    (a, d), (b, e) = right - origin, down - origin
    return (a, b, origin[0], d, e, origin[1])


@pytest.mark.parametrize("background", [Background.COLOUR, Background.BLUR])
def test_another_background_leaves_the_figure_as_it_is(
    draw: Draw, anna: Dancer, background: Background
) -> None:
    """A plain colour stands behind, or the blurred photo; the dancer is the same."""
    kept = draw(anna, moves=STILL)[0]
    other = draw(anna, moves=STILL, background=background, colour=0x102030)[0]
    alpha = draw(anna, moves=STILL, background=Background.TRANSPARENT)[0][:, :, 3]
    x, y = anna.rig.skeleton.neck.round().astype(int)

    assert np.array_equal(kept[y + 20, x], other[y + 20, x])
    if background is Background.COLOUR:
        assert (other[alpha == 0] == (0x10, 0x20, 0x30)).all()


def test_transparent_frames_hold_the_figure_alone(draw: Draw, anna: Dancer) -> None:
    """Opaque where the trunk is, clear in the corners."""
    frame = draw(anna, moves=STILL, background=Background.TRANSPARENT)[0]
    x, y = anna.rig.skeleton.pelvis.round().astype(int)

    assert frame.shape[2] == 4
    assert frame[y - 20, x, 3] == 255
    assert (frame[0, [0, -1], 3] == 0).all()


def test_the_shadow_can_be_left_out(draw: Draw, anna: Dancer) -> None:
    """It darkens the ground by the feet and nothing else."""
    with_shadow, without = draw(anna, moves=STILL)[0], draw(anna, moves=STILL, shadow=False)[0]
    rows = np.flatnonzero(np.any(with_shadow != without, axis=(1, 2)))

    assert with_shadow.sum() < without.sum()
    assert rows.min() > anna.rig.skeleton.pelvis[1]


def test_the_camera_moves_in(draw: Draw, anna: Dancer) -> None:
    """The border of the picture goes out of it."""
    frames = draw(anna, moves=STILL, camera_push=0.3)

    assert not np.array_equal(frames[0][:, :20], frames[-1][:, :20])


def test_nobody_in_the_photo_is_told(pipeline: DancePipeline, arena: Arena) -> None:
    """A grey wall does not dance."""
    wall = np.full((240, 160, 3), 128, np.uint8)
    with pytest.raises(InvalidRequestError) as caught:
        pipeline.dancer(wall, Wish(), (240, 160), "media[0]", arena)

    assert (caught.value.reason, caught.value.field) == ("PERSON_NOT_FOUND", "media[0]")


def test_nobody_at_the_point_is_told(pipeline: DancePipeline, arena: Arena) -> None:
    """A corner of the photo chooses nobody; the middle chooses the person."""
    pixels, size = photo("kofi"), (320, 214)
    with pytest.raises(InvalidRequestError):
        pipeline.dancer(pixels, Wish(person=(0.02, 0.02)), size, "media[0]", arena)

    assert pipeline.dancer(pixels, Wish(person=(0.5, 0.5)), size, "media[0]", arena)


def test_half_a_body_dances_with_what_is_seen(
    draw: Draw, pipeline: DancePipeline, arena: Arena
) -> None:
    """A photo that ends above the knees: legs are told as missing, arms move."""
    half = photo("lars", 480)[:280]
    size = ClipFormat().size_for(*half.shape[:2])
    dancer = pipeline.dancer(half, Wish(), size, "media[0]", arena)
    frames = draw(dancer, moves=("clap",), seconds=2.0)

    assert {Limb.LEFT_LEG, Limb.RIGHT_LEG} <= dancer.missing
    assert Limb.LEFT_ARM not in dancer.missing
    assert moved_pixels(frames, frames[0]).mean() > 0.05


def test_a_portrait_that_sways_shows_no_end_of_its_trunk(
    draw: Draw, pipeline: DancePipeline, arena: Arena
) -> None:
    """Where the photo cuts a person off, the figure goes on to the border in every frame."""
    portrait = np.ascontiguousarray(photo("anna_striped", 640)[10:190, 120:310])
    size = ClipFormat().size_for(*portrait.shape[:2])
    dancer = pipeline.dancer(portrait, Wish(), size, "media[0]", arena)
    frames = draw(
        dancer, moves=("hip_sway",), seconds=3.0, background=Background.TRANSPARENT, shadow=False
    )
    x = round(dancer.rig.skeleton.neck[0])

    assert {Limb.LEFT_LEG, Limb.RIGHT_LEG} <= dancer.missing
    for frame in frames:
        assert (frame[-1, x - 30 : x + 30, 3] == 255).all()


def test_a_person_cut_by_the_side_of_the_photo_dances(draw: Draw) -> None:
    """An arm beyond the border does not end the call."""
    assert draw(np.ascontiguousarray(photo("priya")[:, 90:]), moves=("twist",))


def test_another_size_shows_the_person_in_its_middle(pipeline: DancePipeline, arena: Arena) -> None:
    """A wide clip of a tall photo is cut around the person."""
    dancer = pipeline.dancer(photo("amara"), Wish(), (180, 320), "media[0]", arena)

    assert dancer.size == (180, 320)
    assert abs(dancer.rig.skeleton.pelvis[0] - 160) < 60


def test_a_film_leads_the_movement(
    draw: Draw, pipeline: DancePipeline, anna: Dancer, arena: Arena
) -> None:
    """Arms that go up in the driving film go up in the pose."""
    leader = draw(photo("kofi"), seconds=1.25, moves=("clap",))
    capture = pipeline.driving(film(pipeline, leader, arena), MP4, 1.25, arena, Event())
    elbows = capture.poses[:, [9, 13]]

    assert np.ptp(elbows, axis=0).min() > 15.0
    assert 1.0 < capture.seconds < 1.5


def test_a_film_without_a_person_is_told(pipeline: DancePipeline, arena: Arena) -> None:
    """Grey frames lead nobody."""
    grey = [np.full((120, 96, 3), 90, np.uint8)] * 3
    with pytest.raises(InvalidRequestError) as caught:
        pipeline.driving(film(pipeline, grey, arena), MP4, 4.0, arena, Event())

    assert caught.value.reason == "PERSON_NOT_FOUND"


def test_a_film_of_ten_minutes_is_refused_by_its_length(
    pipeline: DancePipeline, arena: Arena
) -> None:
    """The limit is told; none of its frames is looked at."""
    grey = [np.full((32, 32, 3), 90, np.uint8)] * 600
    with pytest.raises(LimitError) as caught:
        pipeline.driving(film(pipeline, grey, arena, rate=1.0), MP4, 4.0, arena, Event())

    assert (caught.value.reason, caught.value.metadata) == (
        "FRAMES_TOO_MANY",
        {"seconds_max": "60"},
    )


def test_a_cancelled_call_stops_reading_its_film(pipeline: DancePipeline, arena: Arena) -> None:
    """No further frame is looked at."""
    cancelled = Event()
    cancelled.set()
    grey = [np.full((120, 96, 3), 90, np.uint8)] * 3
    with pytest.raises(Stopped):
        pipeline.driving(film(pipeline, grey, arena), MP4, 4.0, arena, cancelled)


def test_meshes_go_on_beyond_what_they_show(anna: Dancer) -> None:
    """Where a piece touches the edge of its texture the mesh does not cut its soft edge off."""
    room = 0.3 * cell_of(anna.rig.skeleton)
    for piece in anna.rig.pieces:
        height, width = piece.texture.shape[:2]
        corners = piece.corners - piece.origin

        assert (corners.min(axis=0) <= -room).all()
        assert (corners.max(axis=0) >= np.array([width, height]) - 1 + room).all()


def test_a_film_that_begins_with_nobody_is_given_up_soon(
    pipeline: DancePipeline, arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a minute without a person a few seconds are read."""
    read = []
    monkeypatch.setattr(
        "services.dance.driving.read_reel",
        lambda *_: (read.append(frame) or frame for frame in [GREY] * 900),
    )
    with pytest.raises(InvalidRequestError) as caught:
        pipeline.driving(memoryview(b""), MP4, 60.0, arena, Event())

    assert caught.value.reason == "PERSON_NOT_FOUND"
    assert len(read) < 75
