"""Whole calls: garments and a photo in, the dressed person and the mask out."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from batchpix.media.v1 import media_pb2
from batchpix.tryon.v1 import tryon_pb2, tryon_pb2_grpc
from services.tryon import figure
from services.tryon.garment import GarmentCategory
from tests.pictures import encoded
from tests.tryon.conversation import GARMENT, Request, converse, garment, medium, options, photo

Stub = tryon_pb2_grpc.TryonServiceStub
TEE = GarmentCategory.TOP_SHORT_SLEEVE
TROUSERS = GarmentCategory.TROUSERS


def decoded(data: bytes) -> NDArray[np.uint8]:
    """Decode a result."""
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


async def test_a_top_is_put_on_and_nothing_else_changes(stub: Stub) -> None:
    """Where the mask is 0 the picture is the photo bit for bit; inside it a lot has changed."""
    answer = await converse(
        stub,
        [options(mask_wanted=True), *medium(0, garment(TEE), GARMENT), *medium(1, photo())],
    )
    (start, picture), (mask_start, mask) = answer.media
    before, after, changed = figure.wearer().pixels, decoded(picture), decoded(mask)[:, :, 0]

    assert answer.error is None
    assert answer.receipt is not None
    assert [start.kind, mask_start.kind] == [
        media_pb2.MEDIA_KIND_IMAGE,
        media_pb2.MEDIA_KIND_MASK,
    ]
    assert [start.belongs_to, mask_start.belongs_to] == [1, 1]
    assert (start.width_pixels, start.height_pixels) == (before.shape[1], before.shape[0])
    assert np.array_equal(after[changed == 0], before[changed == 0])
    assert (after[changed > 0] != before[changed > 0]).any(axis=1).mean() > 0.7


async def test_each_garment_is_told(stub: Stub) -> None:
    """An outfit's garments are named in the order of the upload."""
    answer = await converse(
        stub,
        [
            options(),
            *medium(0, garment(TEE), GARMENT),
            *medium(1, garment(TROUSERS), GARMENT),
            *medium(2, photo()),
        ],
    )

    assert [(found.garment_index, found.category) for found in answer.garments] == [
        (0, tryon_pb2.GARMENT_CATEGORY_TOP_SHORT_SLEEVE),
        (1, tryon_pb2.GARMENT_CATEGORY_TROUSERS),
    ]
    assert len(answer.media) == 1


async def test_a_category_can_be_given(stub: Stub) -> None:
    """What the caller knows of a garment goes before what is found."""
    hint = tryon_pb2.GarmentHint(
        garment_index=0, category=tryon_pb2.GARMENT_CATEGORY_TOP_LONG_SLEEVE
    )
    answer = await converse(
        stub,
        [options(garments=[hint]), *medium(0, garment(TEE), GARMENT), *medium(1, photo())],
    )

    assert answer.garments[0].category == tryon_pb2.GARMENT_CATEGORY_TOP_LONG_SLEEVE


async def test_the_result_leaves_as_asked(stub: Stub) -> None:
    """The encoding follows the options."""
    wanted = media_pb2.PictureFormat(media_type="image/webp", quality=50)
    answer = await converse(
        stub,
        [options(format=wanted), *medium(0, garment(TEE), GARMENT), *medium(1, photo())],
    )
    start, data = answer.media[0]

    assert start.media_type == "image/webp"
    assert Image.open(BytesIO(data)).format == "WEBP"


async def test_the_same_seed_gives_the_same_bytes(stub: Stub) -> None:
    """Two calls alike are answered alike."""
    messages = [
        options(seed=7),
        *medium(0, garment(GarmentCategory.DRESS), GARMENT),
        *medium(1, photo()),
    ]
    first, second = await converse(stub, messages), await converse(stub, messages)

    assert first.media[0][1] == second.media[0][1]


TEE_PNG = garment(TEE)
PHOTO_PNG = photo()
BAD_CALLS: dict[str, tuple[list[Request], str, str]] = {
    "no garment before the photo": (
        [options(), *medium(0, PHOTO_PNG)],
        "UPLOAD_OUT_OF_ORDER",
        "media[0]",
    ),
    "no photo": ([options(), *medium(0, TEE_PNG, GARMENT)], "UPLOAD_EMPTY", "media"),
    "two photos": (
        [
            options(),
            *medium(0, TEE_PNG, GARMENT),
            *medium(1, PHOTO_PNG),
            *medium(2, PHOTO_PNG),
        ],
        "UPLOAD_OUT_OF_ORDER",
        "media[2]",
    ),
    "five garments": (
        [options(), *(part for index in range(5) for part in medium(index, TEE_PNG, GARMENT))],
        "UPLOAD_TOO_MANY",
        "media[4]",
    ),
    "two tops": (
        [
            options(),
            *medium(0, TEE_PNG, GARMENT),
            *medium(1, TEE_PNG, GARMENT),
            *medium(2, PHOTO_PNG),
        ],
        "OPTION_INVALID",
        "media[1]",
    ),
    "no garment in the picture": (
        [options(), *medium(0, bytes(encoded(np.zeros((64, 64, 3), np.uint8), "PNG")), GARMENT)],
        "GARMENT_NOT_FOUND",
        "media[0]",
    ),
    "nobody in the photo": (
        [
            options(),
            *medium(0, TEE_PNG, GARMENT),
            *medium(1, bytes(encoded(np.zeros((64, 64, 3), np.uint8), "PNG"))),
        ],
        "PERSON_NOT_FOUND",
        "media[1]",
    ),
    "nobody at the point": (
        [
            options(person=media_pb2.Point(x=0.01, y=0.01)),
            *medium(0, TEE_PNG, GARMENT),
            *medium(1, PHOTO_PNG),
        ],
        "PERSON_NOT_FOUND",
        "media[1]",
    ),
    "a point beside the photo": (
        [options(person=media_pb2.Point(x=1.5, y=0.5)), *medium(0, TEE_PNG, GARMENT)],
        "OPTION_INVALID",
        "options.person",
    ),
    "a garment larger than is taken": (
        [
            options(),
            *medium(0, bytes(encoded(np.zeros((1001, 1000, 3), np.uint8), "PNG")), GARMENT),
        ],
        "PIXELS_TOO_MANY",
        "media[0]",
    ),
    "a broken garment": (
        [options(), *medium(0, TEE_PNG[:200], GARMENT)],
        "MEDIA_TRUNCATED",
        "media[0]",
    ),
    "a medium of no use": (
        [options(), *medium(0, b"x", media_pb2.MEDIA_KIND_MUSIC, "audio/ogg")],
        "MEDIA_KIND_INVALID",
        "media[0].kind",
    ),
    "a garment named twice": (
        [options(garments=[tryon_pb2.GarmentHint(), tryon_pb2.GarmentHint()])],
        "OPTION_INVALID",
        "options.garments[1].garment_index",
    ),
    "an encoding that is not made": (
        [options(format=media_pb2.PictureFormat(media_type="image/gif"))],
        "MEDIA_TYPE_UNSUPPORTED",
        "options.format.media_type",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
async def test_bad_input_is_refused(stub: Stub, case: str) -> None:
    """The caller is told what is wrong and where."""
    messages, reason, field = BAD_CALLS[case]
    answer = await converse(stub, messages)

    assert answer.error is not None
    assert (answer.error.reason, answer.error.field) == (reason, field)


async def test_the_service_goes_on_after_a_refusal(stub: Stub) -> None:
    """The next call after a refused one is served."""
    messages, _, _ = BAD_CALLS["nobody in the photo"]
    refused = await converse(stub, messages)
    good = await converse(stub, [options(), *medium(0, TEE_PNG, GARMENT), *medium(1, PHOTO_PNG)])

    assert refused.error is not None
    assert len(good.media) == 1


async def test_a_medium_at_fault_is_told_as_its_failure(stub: Stub) -> None:
    """Besides the status, the stream says which medium the call failed on."""
    messages, reason, _ = BAD_CALLS["nobody in the photo"]
    answer = await converse(stub, messages)

    (failure,) = answer.failures

    assert failure.index == 1
    assert media_pb2.ErrorReason.Name(failure.reason) == f"ERROR_REASON_{reason}"
