"""Calls through the running mesh, as callers make them."""

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from batchpix_client import (
    AsyncClient,
    BatchpixError,
    Client,
    FailedPicture,
    Result,
    StylizedPicture,
)
from tests.e2e.conftest import RunningMesh

CALLERS = 16


def picture(seed: int, size: tuple[int, int] = (96, 64)) -> bytes:
    """Draw a picture that differs from that of any other seed.

    Returns:
        PNG, RGB, `size` as width and height.
    """
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def pixels(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture to HxWx3 uint8 RGB."""
    with Image.open(io.BytesIO(data)) as opened:
        return np.asarray(opened.convert("RGB"))


def done(results: Sequence[Result]) -> list[StylizedPicture]:
    """Take the results of a call in the order of their pictures; a failure fails the test."""
    found = [result for result in results if isinstance(result, StylizedPicture)]
    assert len(results) == len(found)
    return sorted(found, key=lambda result: result.index)


def test_a_photo_comes_back_in_its_own_size_and_type(client: Client, samples: Path) -> None:
    """A JPEG becomes a JPEG of the same size that is another picture."""
    photo = samples / "scenes" / "lake.jpg"
    (result,) = done(list(client.stylize([photo], client.styles()[0].name)))

    before, after = pixels(photo.read_bytes()), pixels(result.data)
    assert result.media_type == "image/jpeg"
    assert before.shape == after.shape == (result.height_pixels, result.width_pixels, 3)
    assert np.abs(before.astype(int) - after.astype(int)).mean() > 5


def test_every_style_differs_from_the_others(client: Client) -> None:
    """No two named styles make the same of one picture."""
    results = {
        style.name: done(list(client.stylize([picture(1)], style.name)))[0].data
        for style in client.styles()
    }

    assert len(results) >= 4
    assert len(results) == len(set(results.values()))


def test_the_same_seed_gives_the_same_bytes(client: Client) -> None:
    """A call can be repeated."""
    style = client.styles()[0].name
    first, second = (
        done(list(client.stylize([picture(2)], style, seed=5)))[0].data for _ in range(2)
    )

    assert first == second


def test_the_receipt_of_a_call_holds(client: Client, running_mesh: RunningMesh) -> None:
    """The service signs what it wiped, with the key that the mesh publishes."""
    call = client.stylize([picture(3)], client.styles()[0].name)
    list(call)

    assert call.receipt is not None
    statement = call.receipt.verify(*running_mesh.receipt_keys())
    assert (call.call_id, "stylize", "OK") == (
        statement.call_id,
        statement.feature,
        statement.outcome,
    )
    assert statement.host_bytes_wiped > 0
    assert client.policy().version == statement.policy_version


def test_the_policy_publishes_the_receipt_keys(client: Client, running_mesh: RunningMesh) -> None:
    """A caller without files gets the keys from the policy service."""
    published = [key.encode() for key in client.policy().receipt_keys_pem]

    assert running_mesh.receipt_keys() == published


def test_one_bad_picture_fails_alone(client: Client) -> None:
    """A file that is no picture is refused by itself, between two that are made."""
    results = list(client.stylize([picture(4), b"no picture", picture(5)], client.styles()[0].name))

    failed = [result for result in results if isinstance(result, FailedPicture)]
    assert [failure.index for failure in failed] == [1]
    assert failed[0].reason == "MEDIA_UNREADABLE"
    assert [result.index for result in results if isinstance(result, StylizedPicture)] == [0, 2]


def test_an_unknown_style_names_the_known_ones(client: Client) -> None:
    """The refusal tells field and choices."""
    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([picture(6)], "nothing_like_it"))

    error = caught.value
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "STYLE_UNKNOWN")
    assert error.field == "options.styles[0].name"
    assert client.styles()[0].name in str(error.metadata)


def test_an_internal_caller_reaches_the_service_itself(running_mesh: RunningMesh) -> None:
    """A client with a certificate needs neither gateway nor token."""
    profile = running_mesh.profile
    folder = profile.client_certificates
    assert folder is not None
    with Client(
        profile.internal["stylize"],
        ca=folder / "ca.crt",
        certificate=folder / "tls.crt",
        key=folder / "tls.key",
    ) as client:
        assert len(client.styles()) >= 4


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_nobody_gets_in_without_a_token(running_mesh: RunningMesh, token: str | None) -> None:
    """No token and a wrong one are turned away by the gateway."""
    profile = running_mesh.profile
    with (
        Client(profile.address, ca=profile.ca, token=token) as client,
        pytest.raises(BatchpixError) as caught,
    ):
        list(client.stylize([picture(7)], "any"))

    assert caught.value.code == "UNAUTHENTICATED"


async def test_parallel_callers_get_their_own_pictures(running_mesh: RunningMesh) -> None:
    """Many callers at once get what each of them would have got alone."""
    profile = running_mesh.profile
    with running_mesh.mesh.client() as client:
        style = client.styles()[0].name
        alone = [
            done(list(client.stylize([picture(seed)], style)))[0].data for seed in range(CALLERS)
        ]
    assert profile.token_file is not None
    token = profile.token_file.read_text()

    async with AsyncClient(profile.address, ca=profile.ca, token=token) as awaiting:

        async def ask(seed: int) -> bytes:
            call = awaiting.stylize([picture(seed)], style)
            return done([result async for result in call])[0].data

        together = await asyncio.gather(*(ask(seed) for seed in range(CALLERS)))

    assert alone == together
