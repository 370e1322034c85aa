"""The awaiting client against the same fake: what the transport adds to the shared core."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import pytest

from batchpix_client import AsyncClient, BatchpixError, Result, StylizedPicture
from gateway.certs import CertificatePaths
from tests.client import fakes
from tests.client.fakes import Context, FakeMesh, Request, Response


@pytest.fixture
async def client(address: str, certificates: CertificatePaths) -> AsyncIterator[AsyncClient]:
    """Connect to the fake."""
    async with AsyncClient(address, ca=certificates.authority, token=fakes.BEARER) as connected:
        yield connected


def data_of(results: list[Result]) -> list[bytes]:
    """List the pictures in the order in which they came."""
    return [result.data for result in results if isinstance(result, StylizedPicture)]


async def test_every_picture_comes_back(client: AsyncClient, mesh: FakeMesh) -> None:
    """A batch yields its results, and a receipt that holds."""
    call = client.stylize([b"one", b"two"], "starry_night")
    results = [result async for result in call]

    assert data_of(results) == [b"eno", b"owt"]
    assert call.receipt is not None
    assert call.receipt.verify(fakes.RECEIPT_KEY_PEM).call_id == fakes.CALL_ID
    assert mesh.metadata["authorization"] == "Bearer secret"


async def test_pictures_may_come_from_an_async_iterable(client: AsyncClient) -> None:
    """Pictures that are awaited one by one are sent as they come."""

    async def photos() -> AsyncIterator[bytes]:
        for photo in (b"one", b"two"):
            await asyncio.sleep(0)
            yield photo

    results = [result async for result in client.stylize(photos(), "starry_night")]

    assert data_of(results) == [b"eno", b"owt"]


async def test_styles_and_policy_are_told(client: AsyncClient) -> None:
    """The small calls answer with the SDK's own records."""
    (style,) = await client.styles()
    policy = await client.policy()

    assert (style.name, style.year) == ("starry_night", 1889)
    assert policy.version == fakes.POLICY_VERSION


async def test_a_busy_service_is_tried_again(client: AsyncClient, mesh: FakeMesh) -> None:
    """Both kinds of call wait as they are told and go through."""
    mesh.refusals = [fakes.busy()]
    await client.styles()
    mesh.refusals = [fakes.busy()]
    results = [result async for result in client.stylize([b"one"], "starry_night")]

    assert data_of(results) == [b"eno"]
    assert mesh.attempts == 4


async def test_a_missing_file_ends_the_call(
    client: AsyncClient, mesh: FakeMesh, tmp_path: Path
) -> None:
    """The caller gets its own file's error, and the service sees the call cancelled."""
    call = client.stylize([b"one", tmp_path / "none.jpg"], "starry_night")

    with pytest.raises(FileNotFoundError):
        async for _ in call:
            pass
    assert await asyncio.to_thread(mesh.ended.wait, 5)


async def test_a_refused_call_is_an_error_with_its_reason(
    client: AsyncClient, mesh: FakeMesh
) -> None:
    """What the service says of a call that it refuses reaches the caller."""
    mesh.refusals = [fakes.busy() for _ in range(3)]

    with pytest.raises(BatchpixError) as caught:
        await anext(client.stylize([b"one"], "starry_night"))

    assert str(caught.value) == "RESOURCE_EXHAUSTED SERVICE_BUSY: no room now"


def unanswered(fake: FakeMesh, requests: Iterator[Request], _: Context) -> Iterator[Response]:
    """Let the call in and then say nothing until it ends."""
    next(requests)
    yield fake.accepted()
    fake.ended.wait()


async def test_a_cancelled_task_cancels_its_call(client: AsyncClient, mesh: FakeMesh) -> None:
    """Cancelling the awaiting task ends the call on the service."""
    mesh.script = unanswered
    let_in = asyncio.Event()

    async def photos() -> AsyncIterator[bytes]:
        let_in.set()
        yield b"one"

    async def consume() -> None:
        async for _ in client.stylize(photos(), "starry_night"):
            pass

    task = asyncio.create_task(consume())
    await let_in.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(mesh.ended.wait, 5)


async def test_closing_a_call_from_elsewhere_ends_its_reader(
    client: AsyncClient, mesh: FakeMesh
) -> None:
    """A reader whose call is closed by another task gets an error, not a cancellation."""
    mesh.script = unanswered
    let_in = asyncio.Event()

    async def photos() -> AsyncIterator[bytes]:
        let_in.set()
        yield b"one"

    call = client.stylize(photos(), "starry_night")
    reader = asyncio.ensure_future(anext(call))
    await let_in.wait()
    call.close()

    with pytest.raises(BatchpixError, match="CANCELLED"):
        await reader


async def test_clips_are_awaited_in_pieces_whole_and_as_a_file(
    client: AsyncClient, mesh: FakeMesh, tmp_path: Path
) -> None:
    """The three ways to take a clip give the same bytes."""
    mesh.script = fakes.dancing
    pieces = [piece.data async for piece in client.dance(b"photo", moves=["floss"])]
    clip = await client.dance(b"photo", moves=["floss"]).collect()
    call = client.dance(b"photo", moves=["floss"])
    saved = await call.save(tmp_path / "clip.mp4")

    assert pieces == list(fakes.PIECES)
    assert b"".join(pieces) == clip.data == saved.path.read_bytes()
    assert call.found[0].beats_per_minute == 96
    assert [move.name for move in await client.moves()] == ["floss"]


async def test_a_cancelled_save_leaves_no_file(
    client: AsyncClient, mesh: FakeMesh, tmp_path: Path
) -> None:
    """Cancelling the awaiting task ends the call, and half a clip goes with it."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stuck(fake: FakeMesh, requests: Iterator[Request], context: Context) -> Iterator[Response]:
        yield from islice(fakes.filming(fake, requests, context), 4)
        loop.call_soon_threadsafe(begun.set)
        fake.ended.wait()

    mesh.script = stuck
    call = client.video(b"photo")
    task = asyncio.create_task(call.save(tmp_path / "clip.mp4"))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(mesh.ended.wait, 5)
    await asyncio.to_thread(call._thread.shutdown)
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []
