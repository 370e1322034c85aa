"""Clips through the running mesh, as callers make them."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from batchpix_client import AsyncClient, BatchpixError, Client, Frame
from batchpix_client.demo.music import make_music
from batchpix_client.films import strip
from tests.e2e.conftest import RunningMesh

SECONDS, RATE = 1.0, 12.0
FRAMES = 12


@pytest.fixture(scope="session")
def person(samples: Path) -> Path:
    """Find a person."""
    return samples / "people" / "kofi_white_tee_chinos_studio.jpg"


def test_a_clip_begins_as_its_photo(
    client: Client, samples: Path, running_mesh: RunningMesh
) -> None:
    """All frames are there, the first shows the photo, and the receipt holds."""
    photo = samples / "scenes" / "lake.jpg"
    call = client.video(
        photo, camera="dolly-in", seconds=SECONDS, frames_per_second=RATE, width_pixels=480
    )
    clip = call.collect()
    first, *rest = strip(clip.data, FRAMES)
    with Image.open(photo) as image:
        shown = np.asarray(image.convert("RGB").resize(first.size), int)
    error = np.abs(np.asarray(first, int) - shown).mean()

    assert (clip.facts.frame_count, len(rest)) == (FRAMES, FRAMES - 1)
    assert (clip.facts.width_pixels, clip.facts.height_pixels) == first.size == (480, 320)
    assert error < 4
    assert call.receipt is not None
    statement = call.receipt.verify(*running_mesh.receipt_keys())
    assert (statement.feature, statement.outcome) == ("video", "OK")


def test_pieces_come_before_the_clip_is_made(client: Client, samples: Path) -> None:
    """A clip that is left after its first piece is not made to its end."""
    with client.video(samples / "scenes" / "still.jpg", seconds=60, quality=100) as call:
        piece = next(call)

    assert b"moov" in piece.data
    assert piece.clip.frame_count == 1800
    assert call.receipt is None


def test_a_person_dances_to_music(client: Client, person: Path) -> None:
    """The clip has pictures and sound, and tells the tempo that it follows."""
    move = client.moves()[0].name
    call = client.dance(
        person,
        moves=[move],
        music=make_music(120.0, 4.0),
        beats_per_minute=120,
        seconds=SECONDS,
        frames_per_second=RATE,
        height_pixels=320,
    )
    clip = call.collect()

    with av.open(io.BytesIO(clip.data), "r") as film:
        assert {stream.type for stream in film.streams} == {"video", "audio"}
    assert len(strip(clip.data, FRAMES)) == FRAMES
    assert [round(figure.beats_per_minute) for figure in call.found] == [120]


async def test_a_dancer_without_a_background_comes_as_frames(
    running_mesh: RunningMesh, person: Path
) -> None:
    """Frames arrive one by one, see-through where nobody dances."""
    profile = running_mesh.profile
    assert profile.token_file is not None
    token = profile.token_file.read_text()
    async with AsyncClient(profile.address, ca=profile.ca, token=token) as client:
        call = client.dance(
            person,
            container="frames",
            frame_format="png",
            background="transparent",
            seconds=SECONDS,
            frames_per_second=RATE,
            height_pixels=160,
        )
        frames = [frame async for frame in call if isinstance(frame, Frame)]

    assert [frame.index for frame in frames] == list(range(FRAMES))
    with Image.open(io.BytesIO(frames[0].data)) as image:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    assert alpha[0].max() == 0
    assert alpha.max() == 255


def test_a_photo_of_nobody_is_told_as_such(client: Client) -> None:
    """The refusal names the reason and the medium at fault."""
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "PNG")
    with pytest.raises(BatchpixError) as caught:
        client.dance(file.getvalue(), seconds=SECONDS).collect()

    assert (caught.value.reason, caught.value.field) == ("PERSON_NOT_FOUND", "media[0]"), str(
        caught.value
    )
