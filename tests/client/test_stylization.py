"""The blocking call against a scripted service."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client import (
    BatchpixError,
    Client,
    FailedPicture,
    Medium,
    Progress,
    Result,
    StylizedPicture,
    WeightedStyle,
)
from batchpix_client.statuses import translated
from gateway.certs import CertificatePaths
from tests.client import fakes
from tests.client.fakes import Context, FakeMesh, Request, Response

JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
WEBP = b"RIFF\x00\x00\x00\x00WEBP"


def pictures_of(results: list[Result]) -> dict[int, bytes]:
    """Map positions to results; a failed picture fails the test."""
    found = {}
    for result in results:
        assert isinstance(result, StylizedPicture)
        found[result.index] = result.data
    return found


def test_every_picture_comes_back_as_its_own_result(client: Client) -> None:
    """A batch of bytes yields one result per picture, each under its picture's position."""
    results = list(client.stylize([b"one", b"three", b"five"], "starry_night"))

    assert pictures_of(results) == {0: b"eno", 1: b"eerht", 2: b"evif"}


def test_a_result_tells_type_size_and_time(client: Client) -> None:
    """A result carries what its MediaStart said, and how long it took."""
    (result,) = client.stylize([b"one"], "starry_night")

    assert isinstance(result, StylizedPicture)
    assert (result.media_type, result.width_pixels, result.height_pixels) == ("image/png", 3, 2)
    assert 0 < result.elapsed_seconds < 60


def test_one_bad_picture_fails_alone(client: Client) -> None:
    """A refused picture is yielded as such, with its reason, between the others."""
    first, second, third = client.stylize([b"one", b"bad", b"two"], "starry_night")

    assert isinstance(first, StylizedPicture)
    assert isinstance(third, StylizedPicture)
    message = "the bytes are no readable picture"
    expected = FailedPicture(index=1, reason="MEDIA_UNREADABLE", message=message, field="media[1]")
    assert expected == second


def test_files_go_up_in_chunks_of_one_mebibyte(
    client: Client, mesh: FakeMesh, tmp_path: Path
) -> None:
    """A file arrives whole, cut at 1 MiB, with its size and the type that its bytes show."""
    file = tmp_path / "photo.bin"
    file.write_bytes(JPEG + bytes(5 << 19))

    list(client.stylize([file], "starry_night"))

    (medium,) = mesh.media
    assert file.read_bytes() == medium.data
    assert [1 << 20, 1 << 20, len(medium.data) - (2 << 20)] == medium.chunk_sizes
    assert (len(medium.data), "image/jpeg") == (medium.start.size_bytes, medium.start.media_type)


def test_a_smaller_chunk_limit_of_the_service_is_kept(client: Client, mesh: FakeMesh) -> None:
    """Chunks are no larger than what Accepted publishes."""
    mesh.chunk_bytes_max = 4

    list(client.stylize([b"0123456789"], "starry_night"))

    assert mesh.media[0].chunk_sizes == [4, 4, 2]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (WEBP, "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"text", "application/octet-stream"),
    ],
)
def test_the_media_type_is_told_by_the_bytes(
    client: Client, mesh: FakeMesh, data: bytes, expected: str
) -> None:
    """A picture without a declared type is declared as what it begins like."""
    list(client.stylize([data], "starry_night"))

    assert expected == mesh.media[0].start.media_type


def test_a_declared_media_type_is_left_alone(client: Client, mesh: FakeMesh) -> None:
    """What the caller declares is what the service is told, right or wrong."""
    list(client.stylize([Medium(source=PNG, media_type="image/jpeg")], "starry_night"))

    assert mesh.media[0].start.media_type == "image/jpeg"


def test_options_arrive_as_they_were_given(client: Client, mesh: FakeMesh) -> None:
    """Every argument reaches its field of the protocol."""
    call = client.stylize(
        [b"one"],
        {"starry_night": 0.75, "great_wave": 0.25},
        strength=0.5,
        preserve_colour=True,
        region="subject",
        style_scale=2.0,
        seed=7,
        format="webp",
        quality=80,
        long_side_pixels_max=512,
    )
    list(call)

    expected = stylize_pb2.StylizeOptions(
        styles=[
            stylize_pb2.StyleWeight(name="starry_night", weight=0.75),
            stylize_pb2.StyleWeight(name="great_wave", weight=0.25),
        ],
        strength=0.5,
        preserve_colour=True,
        region=stylize_pb2.REGION_SUBJECT,
        style_scale=2.0,
        seed=7,
        format=media_pb2.PictureFormat(
            media_type="image/webp", quality=80, long_side_pixels_max=512
        ),
    )
    assert expected == mesh.options


def test_options_left_out_stay_unset(client: Client, mesh: FakeMesh) -> None:
    """The service's own defaults hold where the caller says nothing."""
    list(client.stylize([b"one"], "starry_night"))

    assert mesh.options is not None
    assert not mesh.options.HasField("strength")
    assert not mesh.options.HasField("style_scale")


def test_style_pictures_come_first_and_masks_before_their_pictures(
    client: Client, mesh: FakeMesh
) -> None:
    """The order and the indices on the wire are those that the protocol asks for."""
    style: list[str | bytes | WeightedStyle] = [
        "starry_night",
        WeightedStyle(source=b"painting", weight=2.0),
        PNG,
    ]
    list(client.stylize([b"one", b"two"], style, masks=[None, b"mask"]))

    kinds = [medium.start.kind for medium in mesh.media]
    assert kinds == [
        media_pb2.MEDIA_KIND_STYLE,
        media_pb2.MEDIA_KIND_STYLE,
        media_pb2.MEDIA_KIND_IMAGE,
        media_pb2.MEDIA_KIND_MASK,
        media_pb2.MEDIA_KIND_IMAGE,
    ]
    assert [medium.start.index for medium in mesh.media] == [0, 1, 2, 3, 4]
    assert mesh.media[3].start.belongs_to == 4
    assert mesh.options is not None
    assert [part.weight for part in mesh.options.styles] == [1, 2, 1]
    assert [part.style_index for part in mesh.options.styles[1:]] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"style": {"starry_night": 0.0}}, "options.styles.weight"),
        ({"style": "starry_night", "quality": -1}, "options"),
        ({"style": "starry_night", "region": "sky"}, "options"),
        ({"style": "starry_night", "masks": [b"m", b"m"]}, "masks"),
    ],
)
def test_options_that_cannot_be_sent_are_refused_here(
    client: Client, arguments: dict[str, Any], field: str
) -> None:
    """What the protocol cannot express ends in an error that names the option."""
    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([b"one"], **arguments))

    assert ("OPTION_INVALID", field) == (caught.value.reason, caught.value.field)


def test_results_arrive_while_pictures_are_still_to_be_sent(client: Client, mesh: FakeMesh) -> None:
    """The second picture is taken only after the first result is in the caller's hands."""

    def prompt(fake: FakeMesh, requests: Iterator[Request], _: Context) -> Iterator[Response]:
        next(requests)
        yield fake.accepted()
        for request in requests:
            if request.HasField("chunk"):
                yield from fakes.result(len(fake.media), request.chunk.data)
                fake.media.append(fakes.Medium(media_pb2.MediaStart()))
        yield fakes.receipt()

    mesh.script = prompt
    in_hand = threading.Event()

    def photos() -> Iterator[bytes]:
        yield b"one"
        assert in_hand.wait(5)
        yield b"two"

    call = client.stylize(photos(), "starry_night")
    first = next(call)
    in_hand.set()

    assert pictures_of([first, *call]) == {0: b"one", 1: b"two"}


def test_progress_receipt_and_names_are_told(client: Client) -> None:
    """A finished call knows its name, its last progress and a receipt that holds."""
    call = client.stylize([b"one"], "starry_night")
    list(call)

    assert call.call_id == fakes.CALL_ID
    assert Progress(stage="upload", done=0, total=0) == call.progress
    assert call.receipt is not None
    assert call.receipt.verify(fakes.RECEIPT_KEY_PEM).call_id == fakes.CALL_ID


def test_token_and_device_go_along(
    address: str, certificates: CertificatePaths, mesh: FakeMesh
) -> None:
    """The bearer token is fetched for each call, and the device model is told."""
    tokens = iter(["first", "second\n"])
    with Client(
        address, ca=certificates.authority, token=lambda: next(tokens), device="iphone"
    ) as client:
        client.styles()
        client.styles()

    assert mesh.metadata["authorization"] == "Bearer second"
    assert mesh.metadata["x-batchpix-device"] == "iphone"


def test_a_call_carries_its_deadline(client: Client, mesh: FakeMesh) -> None:
    """A service that does not answer in time ends in DEADLINE_EXCEEDED."""

    def silent(fake: FakeMesh, requests: Iterator[Request], context: Context) -> Iterator[Response]:
        fake.ended.wait()
        yield from ()

    mesh.script = silent

    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([b"one"], "starry_night", deadline_seconds=0.05))

    assert caught.value.code == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize(
    "refusal", [fakes.busy(), fakes.status(grpc.StatusCode.UNAVAILABLE)], ids=["busy", "away"]
)
def test_a_call_that_was_not_let_in_is_tried_again(
    client: Client, mesh: FakeMesh, refusal: status_pb2.Status
) -> None:
    """A refusal that may pass costs the caller nothing, and no picture is lost by it."""
    mesh.refusals = [refusal]

    results = list(client.stylize(iter([b"one"]), "starry_night"))

    assert pictures_of(results) == {0: b"eno"}
    assert mesh.attempts == 2


def test_attempts_are_few(client: Client, mesh: FakeMesh) -> None:
    """A service that stays busy ends in its own error, with the delay that it named."""
    mesh.refusals = [fakes.busy() for _ in range(9)]

    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([b"one"], "starry_night"))

    assert mesh.attempts == 3
    assert caught.value.reason == "SERVICE_BUSY"
    assert caught.value.retry_after_seconds == 0.001


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT]
)
def test_a_refusal_for_good_is_not_tried_again(
    client: Client, mesh: FakeMesh, code: grpc.StatusCode
) -> None:
    """Without a delay to wait there is nothing to be gained from another attempt."""
    mesh.refusals = [fakes.status(code)]

    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([b"one"], "starry_night"))

    assert (code.name, 1) == (caught.value.code, mesh.attempts)


def test_nothing_is_tried_again_once_the_call_was_let_in(client: Client, mesh: FakeMesh) -> None:
    """A service lost in mid-call is an error at once: pictures may have been worked on."""

    def lost(fake: FakeMesh, requests: Iterator[Request], context: Context) -> Iterator[Response]:
        yield fake.accepted()
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    mesh.script = lost

    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([b"one"], "starry_night"))

    assert (caught.value.code, mesh.attempts) == ("UNAVAILABLE", 1)


def test_a_stream_that_is_reset_tells_of_a_lost_service() -> None:
    """What a gateway can only reset is told as unavailable, with a time to come back after."""

    class Reset(grpc.RpcError):
        """What gRPC raises for a stream that was reset."""

        def code(self) -> grpc.StatusCode:
            """Tell gRPC's own code."""
            return grpc.StatusCode.INTERNAL

        def details(self) -> str:
            """Tell gRPC's own words."""
            return "Received RST_STREAM with error code 2"

        def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
            """Carry nothing."""
            return ()

    error = translated(Reset())

    assert (error.code, error.reason) == ("UNAVAILABLE", "SERVICE_UNREACHABLE")
    assert error.retry_after_seconds == 1.0


def test_an_error_carries_every_detail(client: Client, mesh: FakeMesh) -> None:
    """Reason, field, metadata and message of the service's status reach the caller."""
    info = error_details_pb2.ErrorInfo(
        reason="STYLE_UNKNOWN", domain="batchpix", metadata={"styles": "starry_night"}
    )
    request = error_details_pb2.BadRequest(
        field_violations=[error_details_pb2.BadRequest.FieldViolation(field="options.styles[0]")]
    )
    mesh.refusals = [
        fakes.status(grpc.StatusCode.INVALID_ARGUMENT, "no such\nstyle", [info, request])
    ]

    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([b"one"], "nothing"))

    error = caught.value
    assert str(error) == "INVALID_ARGUMENT STYLE_UNKNOWN: no such style (options.styles[0])"
    assert error.metadata == {"styles": "starry_night"}


def test_a_failed_call_still_has_its_receipt(client: Client, mesh: FakeMesh) -> None:
    """The receipt in the trailing metadata of an error is kept and holds."""

    def fail(fake: FakeMesh, requests: Iterator[Request], context: Context) -> Iterator[Response]:
        yield fake.accepted()
        data = fakes.signed(fakes.erasure()).SerializeToString()
        context.set_trailing_metadata((("batchpix-receipt-bin", data),))
        context.abort(grpc.StatusCode.INTERNAL, "fault")

    mesh.script = fail
    call = client.stylize([b"one"], "starry_night")

    with pytest.raises(BatchpixError):
        list(call)
    assert call.receipt is not None
    assert call.receipt.verify(fakes.RECEIPT_KEY_PEM).host_bytes_wiped == 4096


def test_a_missing_file_ends_the_call(client: Client, mesh: FakeMesh, tmp_path: Path) -> None:
    """The caller gets its own file's error, and the service sees the call cancelled."""
    with pytest.raises(FileNotFoundError):
        list(client.stylize([b"one", tmp_path / "none.jpg"], "starry_night"))

    assert mesh.ended.wait(5)


def test_an_error_of_the_pictures_iterable_reaches_the_caller(client: Client) -> None:
    """What the caller's own generator raises is raised to the caller."""

    def photos() -> Iterator[bytes]:
        yield b"one"
        raise LookupError("no more film")

    with pytest.raises(LookupError, match="no more film"):
        list(client.stylize(photos(), "starry_night"))


def test_leaving_early_cancels_the_call(client: Client, mesh: FakeMesh) -> None:
    """A caller that leaves the context has its call ended on the service at once."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"one"

    with client.stylize(endless(), "starry_night") as call:
        next(call)

    assert mesh.ended.wait(5)
    assert list(call) == []


def broken(*responses: Response) -> fakes.Script:
    """Make a script that lets the call in, takes the upload and then sends these."""

    def script(fake: FakeMesh, requests: Iterator[Request], _: Context) -> Iterator[Response]:
        next(requests)
        yield fake.accepted()
        for _medium in fakes.received(fake, requests):
            pass
        yield from responses

    return script


WHOLE = tuple(fakes.result(0, b"0123456"))
BAD_CHUNK = Response(chunk=media_pb2.Chunk(data=b"x", crc32c=1))
BAD_END = Response(media_end=media_pb2.MediaEnd(size_bytes=7, crc32c=1))


@pytest.mark.parametrize(
    ("responses", "reason"),
    [
        ((WHOLE[0], BAD_CHUNK), "RESULT_CORRUPT"),
        ((*WHOLE[:-1], BAD_END), "RESULT_CORRUPT"),
        ((WHOLE[0], WHOLE[1], WHOLE[3], fakes.receipt()), "RESULT_CORRUPT"),
        ((WHOLE[0], WHOLE[0]), "PROTOCOL_BROKEN"),
        ((WHOLE[1],), "PROTOCOL_BROKEN"),
        ((WHOLE[3],), "PROTOCOL_BROKEN"),
        ((Response(),), "PROTOCOL_BROKEN"),
        (tuple(fakes.result(5, b"other")), "PROTOCOL_BROKEN"),
        ((fakes.failure(5),), "PROTOCOL_BROKEN"),
        ((fakes.receipt(),), "PROTOCOL_BROKEN"),
        (WHOLE, "PROTOCOL_BROKEN"),
    ],
)
def test_a_service_that_breaks_the_protocol_is_found_out(
    client: Client, mesh: FakeMesh, responses: tuple[Response, ...], reason: str
) -> None:
    """Damaged bytes, messages out of order and missing ends are errors, never results."""
    mesh.script = broken(*responses)

    with pytest.raises(BatchpixError) as caught:
        list(client.stylize([b"one"], "starry_night"))

    assert reason == caught.value.reason


def test_a_service_must_let_the_call_in_first(client: Client, mesh: FakeMesh) -> None:
    """A stream that begins with anything but Accepted gets no picture."""

    def rude(fake: FakeMesh, requests: Iterator[Request], _: Context) -> Iterator[Response]:
        yield fakes.receipt()

    mesh.script = rude

    with pytest.raises(BatchpixError, match="did not begin with Accepted"):
        list(client.stylize([b"one"], "starry_night"))
    assert mesh.media == []
