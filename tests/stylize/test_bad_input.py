"""Bad input gets a clear error, the call's memory is given back, and the service goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeAlias

import google_crc32c
import grpc
import pytest

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from tests.house import House
from tests.pictures import animated, bomb, encoded, gradient, noise
from tests.stylize.conversation import (
    Refusal,
    Request,
    converse,
    medium,
    options,
    refusal_of,
)

Stub: TypeAlias = stylize_pb2_grpc.StylizeServiceStub
AwaitingStub: TypeAlias = "stylize_pb2_grpc.StylizeServiceAsyncStub"
PHOTO = bytes(encoded(gradient(48, 64), "PNG"))
JPEG = bytes(encoded(gradient(48, 64), "JPEG"))


async def refused(stub: Stub, messages: Iterable[Request], seconds: float | None = 20.0) -> Refusal:
    """Hold a call that must be refused, and show that the next one is served."""
    with pytest.raises(grpc.RpcError) as caught:
        await converse(stub, messages, seconds)
    good = await converse(stub, [options(), *medium(0, PHOTO)])
    assert list(good.pictures) == [0]
    return refusal_of(caught.value)


BAD_UPLOADS = {
    "nothing at all": ([], "INVALID_ARGUMENT", "OPTIONS_MISSING", "options"),
    "no picture": ([options()], "INVALID_ARGUMENT", "UPLOAD_EMPTY", "media"),
    "an empty picture": (
        [options(), *medium(0, b"")],
        "INVALID_ARGUMENT",
        "UPLOAD_EMPTY",
        "media[0]",
    ),
    "not an image": (
        [options(), *medium(0, b"What I did on my holidays")],
        "INVALID_ARGUMENT",
        "MEDIA_UNREADABLE",
        "media[0]",
    ),
    "a truncated file": (
        [options(), *medium(0, JPEG[:-64], "image/jpeg")],
        "INVALID_ARGUMENT",
        "MEDIA_TRUNCATED",
        "media[0]",
    ),
    "another type than declared": (
        [options(), *medium(0, PHOTO, "image/jpeg")],
        "INVALID_ARGUMENT",
        "MEDIA_TYPE_MISMATCH",
        "media[0]",
    ),
    "a type that is not read": (
        [options(), *medium(0, animated("GIF"), "image/gif")],
        "INVALID_ARGUMENT",
        "MEDIA_TYPE_UNSUPPORTED",
        "media[0]",
    ),
    "an animated file": (
        [options(), *medium(0, animated("WEBP"), "image/webp")],
        "INVALID_ARGUMENT",
        "MEDIA_ANIMATED",
        "media[0]",
    ),
    "a bomb": (
        [options(), *medium(0, bomb("PNG", 60_000, 60_000))],
        "RESOURCE_EXHAUSTED",
        "PIXELS_TOO_MANY",
        "media[0]",
    ),
    "more pixels than allowed": (
        [options(), *medium(0, encoded(gradient(1001, 1000), "JPEG"), "image/jpeg")],
        "RESOURCE_EXHAUSTED",
        "PIXELS_TOO_MANY",
        "media[0]",
    ),
    "an upload over its limit": (
        [options(), next(medium(0, b"", size_bytes=(1 << 20) + 1))],
        "RESOURCE_EXHAUSTED",
        "UPLOAD_TOO_LARGE",
        "media[0].size_bytes",
    ),
    "a chunk before the options": (
        [Request(chunk=media_pb2.Chunk(data=b"x"))],
        "INVALID_ARGUMENT",
        "OPTIONS_MISSING",
        "options",
    ),
    "two sets of options": (
        [options(), options()],
        "INVALID_ARGUMENT",
        "OPTIONS_REPEATED",
        "options",
    ),
    "a bad checksum": (
        [
            options(),
            next(medium(0, PHOTO)),
            Request(chunk=media_pb2.Chunk(data=PHOTO, crc32c=1)),
        ],
        "INVALID_ARGUMENT",
        "CHUNK_CORRUPT",
        "media[0].chunk.crc32c",
    ),
    "a medium of no use": (
        [options(), *medium(0, b"x", "audio/ogg", media_pb2.MEDIA_KIND_MUSIC)],
        "INVALID_ARGUMENT",
        "MEDIA_KIND_INVALID",
        "media[0].kind",
    ),
    "an unknown style": (
        [options(styles=[stylize_pb2.StyleWeight(name="canary-style")])],
        "INVALID_ARGUMENT",
        "STYLE_UNKNOWN",
        "options.styles[0].name",
    ),
    "no style at all": (
        [options(styles=[]), *medium(0, PHOTO)],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.styles",
    ),
    "too many styles": (
        [options(styles=[stylize_pb2.StyleWeight(name="plain")] * 9)],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.styles",
    ),
    "a style picture that never came": (
        [options(styles=[stylize_pb2.StyleWeight(style_index=3)]), *medium(0, PHOTO)],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.styles[0].style_index",
    ),
    "a strength out of range": (
        [options(strength=1.5)],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.strength",
    ),
    "a strength that is no number": (
        [options(strength=float("nan"))],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.strength",
    ),
    "a style scale out of range": (
        [options(style_scale=9.0)],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.style_scale",
    ),
    "a region that there is not": (
        [options(region=77)],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.region",
    ),
    "an output type that there is not": (
        [options(format=media_pb2.PictureFormat(media_type="image/tiff"))],
        "INVALID_ARGUMENT",
        "MEDIA_TYPE_UNSUPPORTED",
        "options.format.media_type",
    ),
    "a quality out of range": (
        [options(format=media_pb2.PictureFormat(quality=101))],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "options.format.quality",
    ),
    "a mask of other proportions": (
        [
            options(),
            *medium(
                0,
                encoded(gradient(48, 48), "PNG"),
                kind=media_pb2.MEDIA_KIND_MASK,
                belongs_to=1,
            ),
            *medium(1, PHOTO),
        ],
        "INVALID_ARGUMENT",
        "OPTION_INVALID",
        "media[0]",
    ),
    "a mask for nothing": (
        [options(), *medium(0, PHOTO, kind=media_pb2.MEDIA_KIND_MASK)],
        "INVALID_ARGUMENT",
        "UPLOAD_OUT_OF_ORDER",
        "media[0].belongs_to",
    ),
}


@pytest.mark.parametrize("name", BAD_UPLOADS)
async def test_a_bad_upload_is_refused_by_name(house: House, stub: Stub, name: str) -> None:
    """Code, reason and field tell what is wrong, and the memory of the call is given back."""
    messages, code, reason, field = BAD_UPLOADS[name]
    refusal = await refused(stub, messages)

    assert (code, reason, field) == (refusal.code, refusal.reason, refusal.field)
    assert refusal.has_receipt
    assert house.desk.leased_bytes == 0


async def test_an_unknown_style_is_answered_with_the_known_ones(stub: Stub) -> None:
    """The refusal names what can be asked for, and does not repeat what was."""
    messages, *_ = BAD_UPLOADS["an unknown style"]
    refusal = await refused(stub, messages)

    assert refusal.metadata == {"known": "light, plain"}
    assert "canary" not in refusal.message


async def test_a_chunk_over_one_mebibyte_is_refused(stub: Stub) -> None:
    """The limit on a chunk holds although the transport would let a larger message pass."""
    data = bytes((1 << 20) + 1)
    big = Request(chunk=media_pb2.Chunk(data=data, crc32c=google_crc32c.value(data)))
    refusal = await refused(stub, [options(), next(medium(0, b"", size_bytes=0)), big])

    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "CHUNK_TOO_LARGE")


async def test_one_bad_picture_of_a_batch_fails_alone(stub: Stub) -> None:
    """The pictures before and after it come back, and it is named by its index."""
    answer = await converse(
        stub,
        [
            options(),
            *medium(0, PHOTO),
            *medium(1, b"no picture"),
            *medium(2, encoded(noise(16, 16, 1), "PNG")),
        ],
    )

    assert list(answer.pictures) == [0, 2]
    assert answer.failures[1].reason == media_pb2.ERROR_REASON_MEDIA_UNREADABLE
    assert answer.failures[1].field == "media[1]"


async def test_a_call_without_a_deadline_is_refused(stub: Stub) -> None:
    """Nothing may hold memory for ever."""
    refusal = await refused(stub, [options(), *medium(0, PHOTO)], seconds=None)

    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "DEADLINE_MISSING")


async def test_a_deadline_too_far_ahead_is_refused(stub: Stub) -> None:
    """The limit on deadlines is told."""
    refusal = await refused(stub, [options(), *medium(0, PHOTO)], seconds=3600.0)

    assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "DEADLINE_TOO_LONG")
    assert refusal.metadata == {"limit_seconds": "60"}


async def test_a_caller_that_stops_sending_is_given_up_on(
    house: House, awaiting_stub: AwaitingStub
) -> None:
    """Silence in mid-upload ends the call long before its deadline."""

    async def stalling() -> AsyncIterator[Request]:
        yield options()
        yield next(medium(0, PHOTO))
        await awaiting_stub.ListStyles(stylize_pb2.ListStylesRequest(), timeout=20.0)
        await never.wait()

    never = asyncio.Event()
    with pytest.raises(grpc.RpcError) as caught:
        async for _ in awaiting_stub.Stylize(stalling(), timeout=20.0):
            pass

    refusal = refusal_of(caught.value)
    assert (refusal.code, refusal.reason) == ("DEADLINE_EXCEEDED", "UPLOAD_STALLED")
    assert house.desk.leased_bytes == 0


async def test_a_certificate_off_the_list_is_refused(stranger: grpc.Channel) -> None:
    """Being signed by the right authority is not enough."""
    with pytest.raises(grpc.RpcError) as caught:
        await converse(
            stylize_pb2_grpc.StylizeServiceStub(stranger), [options(), *medium(0, PHOTO)]
        )

    refusal = refusal_of(caught.value)
    assert (refusal.code, refusal.reason) == ("PERMISSION_DENIED", "CALLER_UNKNOWN")


async def test_a_plaintext_caller_gets_nowhere(house: House) -> None:
    """The port for calls speaks TLS only."""
    async with grpc.aio.insecure_channel(house.address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            await stylize_pb2_grpc.StylizeServiceStub(channel).ListStyles(
                stylize_pb2.ListStylesRequest(), timeout=5.0
            )

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_caller_that_stops_reading_is_given_up_on(
    house: House, awaiting_stub: AwaitingStub
) -> None:
    """A result that nobody fetches does not hold its memory until the deadline."""
    let_in = asyncio.Event()

    async def requests() -> AsyncIterator[Request]:
        await let_in.wait()
        yield options(format=media_pb2.PictureFormat(media_type="image/png"))
        photo = encoded(noise(900, 1000, 1), "JPEG", quality=20)
        # More than what the transport takes over at once.
        for index in range(4):
            for message in medium(index, photo, "image/jpeg"):
                yield message

    call = awaiting_stub.Stylize(requests(), timeout=50.0)
    await call.read()
    let_in.set()
    async with asyncio.timeout(40.0):
        while "DEADLINE_EXCEEDED" not in house.log.getvalue():
            await asyncio.sleep(0.01)

    assert house.desk.leased_bytes == 0
    call.cancel()
