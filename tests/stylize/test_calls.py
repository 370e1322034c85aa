"""Good calls: what comes back, to whom, and what is left of it afterwards."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TypeAlias

import grpc
import numpy as np
import pytest
from PIL import Image

from batchpix.media.v1 import media_pb2
from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from gateway.certs import CertificatePaths
from services.chassis.receipts import verify
from tests.house import House, channel_to
from tests.pictures import encoded, gradient, noise, turned, with_metadata
from tests.stylize.conversation import Request, converse, hold, medium, options, refusal_of

Stub: TypeAlias = stylize_pb2_grpc.StylizeServiceStub
AwaitingStub: TypeAlias = "stylize_pb2_grpc.StylizeServiceAsyncStub"
PNG_FORMAT = media_pb2.PictureFormat(media_type="image/png")


def pixels_of(data: bytes) -> np.ndarray:
    """Decode a result."""
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


async def test_a_picture_comes_back_painted_in_its_own_size(stub: Stub) -> None:
    """The negative of the photo comes back, exactly, in the photo's own type."""
    photo = noise(37, 53, 1)
    answer = await converse(stub, [options(), *medium(0, encoded(photo, "PNG"))])

    assert np.array_equal(pixels_of(answer.pictures[0]), 255 - photo)
    assert answer.types[0] == "image/png"


async def test_a_result_carries_nothing_of_the_photos_metadata(stub: Stub) -> None:
    """Camera, place and thumbnail stay behind, and the picture stands upright."""
    canary = "canary-of-a-place"
    data = with_metadata(gradient(48, 64), "JPEG", canary)
    upright = turned(gradient(48, 64), 6, "JPEG")
    answer = await converse(
        stub,
        [options(strength=0.0), *medium(0, data, "image/jpeg"), *medium(1, upright, "image/jpeg")],
    )

    assert canary.encode() not in answer.pictures[0]
    assert not Image.open(BytesIO(answer.pictures[0])).getexif()
    assert pixels_of(answer.pictures[1]).shape == (48, 64, 3)


async def test_strength_zero_gives_the_picture_back_bit_for_bit(stub: Stub) -> None:
    """Nothing is changed after decoding."""
    photo = noise(40, 40, 2)
    answer = await converse(stub, [options(strength=0.0), *medium(0, encoded(photo, "PNG"))])

    assert np.array_equal(pixels_of(answer.pictures[0]), photo)


async def test_outside_a_mask_not_one_pixel_changes(stub: Stub) -> None:
    """Where the mask is black the photo stays, where it is white the painting is."""
    photo, mask = noise(32, 32, 3), np.zeros((32, 32), np.uint8)
    mask[:, 20:] = 255
    answer = await converse(
        stub,
        [
            options(),
            *medium(0, encoded(mask, "PNG"), kind=media_pb2.MEDIA_KIND_MASK, belongs_to=1),
            *medium(1, encoded(photo, "PNG")),
        ],
    )
    result = pixels_of(answer.pictures[1])

    assert np.array_equal(result[:, :20], photo[:, :20])
    assert np.array_equal(result[:, 20:], 255 - photo[:, 20:])


@pytest.mark.parametrize(
    ("region", "painted"),
    [
        (stylize_pb2.REGION_SUBJECT, slice(0, 16)),
        (stylize_pb2.REGION_BACKGROUND, slice(16, 32)),
    ],
)
async def test_only_the_region_asked_for_is_painted(
    stub: Stub, region: stylize_pb2.Region.ValueType, painted: slice
) -> None:
    """People, who stand in the left half here, or everything but them."""
    photo = noise(32, 32, 4)
    answer = await converse(stub, [options(region=region), *medium(0, encoded(photo, "PNG"))])
    expected = photo.copy()
    expected[:, painted] = 255 - photo[:, painted]

    assert np.array_equal(pixels_of(answer.pictures[0]), expected)


async def test_styles_mix_by_their_shares(stub: Stub) -> None:
    """A quarter of the style that is 40 brighter makes the painting 10 brighter."""
    photo = np.full((16, 16, 3), 200, np.uint8)
    mix = [
        stylize_pb2.StyleWeight(name="light", weight=1.0),
        stylize_pb2.StyleWeight(name="plain", weight=3.0),
    ]
    answer = await converse(stub, [options(styles=mix), *medium(0, encoded(photo, "PNG"))])

    assert np.all(pixels_of(answer.pictures[0]) == 55 + 10)


async def test_a_style_picture_can_be_sent_along(stub: Stub) -> None:
    """The code that is read from the picture is what the painting follows."""
    photo, white = np.full((16, 16, 3), 200, np.uint8), np.full((20, 30, 3), 255, np.uint8)
    messages = [
        options(styles=[]),
        *medium(0, encoded(white, "PNG"), kind=media_pb2.MEDIA_KIND_STYLE),
        *medium(1, encoded(photo, "PNG")),
    ]
    answer = await converse(stub, messages)

    assert np.all(pixels_of(answer.pictures[1]) == 55 + 1)


async def test_results_can_be_asked_for_smaller_and_in_another_type(stub: Stub) -> None:
    """The longer side is held to the limit and the type is the one asked for."""
    form = media_pb2.PictureFormat(media_type="image/webp", quality=80, long_side_pixels_max=40)
    answer = await converse(
        stub, [options(format=form), *medium(0, encoded(gradient(60, 80), "PNG"))]
    )

    assert pixels_of(answer.pictures[0]).shape == (30, 40, 3)
    assert answer.types[0] == "image/webp"


async def test_transparency_stays(stub: Stub) -> None:
    """A cut-out is painted and keeps its outline."""
    picture = Image.fromarray(noise(24, 24, 5)).convert("RGBA")
    picture.putalpha(Image.fromarray(np.tile(np.arange(24, dtype=np.uint8) * 10, (24, 1))))
    answer = await converse(stub, [options(), *medium(0, encoded(picture, "PNG"))])
    result = Image.open(BytesIO(answer.pictures[0]))

    assert np.array_equal(np.asarray(result)[:, :, 3], np.asarray(picture)[:, :, 3])


async def test_the_same_call_twice_gives_the_same_bytes(stub: Stub) -> None:
    """Nothing is left to chance."""
    messages = [options(seed=7), *medium(0, encoded(noise(50, 70, 6), "JPEG"), "image/jpeg")]
    first, second = [await converse(stub, messages) for _ in range(2)]

    assert first.pictures == second.pictures


async def test_sixteen_callers_get_their_own_pictures(house: House, stub: Stub) -> None:
    """Each of sixteen calls at once gets back what it would have got alone."""
    photos = [noise(40 + number, 60, number) for number in range(16)]
    calls = [[options(), *medium(0, encoded(each, "PNG"))] for each in photos]
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(len(calls)) as callers:
        answers = await asyncio.gather(
            *[loop.run_in_executor(callers, hold, stub, each, 20.0) for each in calls]
        )

    for photo, answer in zip(photos, answers, strict=True):
        assert np.array_equal(pixels_of(answer.pictures[0]), 255 - photo)
    assert len({answer.accepted.call_id for answer in answers if answer.accepted}) == 16
    assert house.desk.leased_bytes == 0


async def test_every_call_ends_with_a_receipt_that_the_policy_s_key_verifies(
    house: House, stub: Stub, certificates: CertificatePaths
) -> None:
    """The receipt tells what was measured and can't have been made by anybody else."""
    answer = await converse(stub, [options(), *medium(0, encoded(gradient(64, 64), "PNG"))])
    assert answer.receipt is not None
    assert answer.accepted is not None
    async with channel_to(house.address, certificates, "gateway") as channel:
        policy = await policy_pb2_grpc.PolicyServiceStub(channel).GetPolicy(
            policy_pb2.GetPolicyRequest(), timeout=5.0
        )
    key = policy.receipt_keys[0]
    statement = media_pb2.ErasureStatement.FromString(answer.receipt.statement)

    assert verify(answer.receipt.statement, answer.receipt.signature, key.public_key_pem.encode())
    assert key.key_id == answer.receipt.key_id
    assert statement.call_id == answer.accepted.call_id
    assert statement.policy_version == policy.version == answer.accepted.policy_version
    assert (statement.outcome, statement.feature) == ("OK", "stylize")
    assert 64 * 64 * 3 * 2 < statement.host_bytes_wiped <= statement.host_bytes_leased
    assert not statement.guard.missing


async def test_a_refused_call_gets_its_receipt_too(stub: Stub) -> None:
    """The receipt of a call that failed travels beside the status and names its outcome."""
    with pytest.raises(grpc.RpcError) as caught:
        await converse(stub, [options(strength=2.0)])
    trailers = dict(caught.value.trailing_metadata() or ())
    receipt = media_pb2.ErasureReceipt.FromString(trailers["batchpix-receipt-bin"])

    assert media_pb2.ErasureStatement.FromString(receipt.statement).outcome == "INVALID_ARGUMENT"
    assert refusal_of(caught.value).field == "options.strength"


async def test_a_cancel_takes_effect_at_once_and_gives_the_memory_back(
    house: House, awaiting_stub: AwaitingStub
) -> None:
    """A caller that goes away in mid-upload leaves nothing leased."""
    let_in = asyncio.Event()

    async def requests() -> AsyncIterator[Request]:
        yield options()
        yield next(medium(0, b"", size_bytes=900_000))
        await asyncio.Event().wait()

    call = awaiting_stub.Stylize(requests(), timeout=20.0)
    async for response in call:
        if response.WhichOneof("message") == "accepted":
            let_in.set()
            break
    await leased(house)
    call.cancel()
    async with asyncio.timeout(5.0):
        while house.desk.leased_bytes:
            await asyncio.sleep(0.001)

    assert house.desk.leased_bytes == 0


async def leased(house: House) -> None:
    """Wait until the service has taken memory for the call."""
    async with asyncio.timeout(5.0):
        while not house.desk.leased_bytes:
            await asyncio.sleep(0.001)


async def test_what_a_service_logs_holds_nothing_of_a_call(house: House, stub: Stub) -> None:
    """Names and numbers of the caller's own choice do not reach the log."""
    with pytest.raises(grpc.RpcError):
        await converse(stub, [options(styles=[stylize_pb2.StyleWeight(name="canary-31")])])
    await converse(stub, [options(seed=987654321), *medium(0, encoded(gradient(8, 8), "PNG"))])

    assert "canary" not in house.log.getvalue()
    assert "987654321" not in house.log.getvalue()
    assert house.log.getvalue().count("call_ended") == 2
