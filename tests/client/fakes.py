"""Services without networks: they keep to the protocol, or break it where they are told."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import duration_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from batchpix.dance.v1 import dance_pb2, dance_pb2_grpc
from batchpix.media.v1 import media_pb2
from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix.tryon.v1 import tryon_pb2, tryon_pb2_grpc
from batchpix.video.v1 import video_pb2, video_pb2_grpc
from batchpix_client.receipts import key_id
from gateway.certs import CertificatePaths

Request = stylize_pb2.StylizeRequest
Response = stylize_pb2.StylizeResponse
Context = grpc.ServicerContext
# Requests and answers of any feature; each fake answers in the messages of its own.
Script = Callable[["FakeMesh", Iterator[Any], grpc.ServicerContext], Iterator[Any]]

BEARER = "secret"
CALL_ID = "call-1"
POLICY_VERSION = "2026-11-23"
RESULT_CHUNK_BYTES_MIN = 5  # small, so that short results come in several chunks too
RECEIPT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RECEIPT_KEY_PEM = RECEIPT_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@dataclass
class Medium:
    """One uploaded medium, as it came."""

    start: media_pb2.MediaStart
    data: bytes = b""
    chunk_sizes: list[int] = field(default_factory=list)


@dataclass
class FakeMesh:
    """What the fake was asked, and what it does.

    Attributes:
        script: answers a call of any feature.
        refusals: statuses that the next calls end with before they are let in.
        options: of the last call.
        media: uploaded media of the last call.
        metadata: headers of the last call of any kind.
        attempts: calls of any kind that came.
        ended: set when a call is over for the service, however it ended.
    """

    script: Script
    refusals: list[status_pb2.Status] = field(default_factory=list)
    options: Any = None
    media: list[Medium] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    attempts: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    chunk_bytes_max: int = 0

    def run(self, requests: Iterator[Any], context: Context) -> Iterator[Any]:
        """Note a call and run the script."""
        context.add_callback(self.ended.set)
        self.enter(context)
        yield from self.script(self, requests, context)

    def enter(self, context: Context) -> None:
        """Note a call, and refuse it if it is to be refused."""
        self.attempts += 1
        self.metadata = {name: str(value) for name, value in context.invocation_metadata()}
        if self.refusals:
            context.abort_with_status(rpc_status.to_status(self.refusals.pop(0)))

    def accepted(self, response: type[Any] = Response) -> Any:  # noqa: ANN401  # of any feature
        """Let the call in."""
        limits = media_pb2.Limits(chunk_bytes_max=self.chunk_bytes_max)
        return response(
            accepted=media_pb2.Accepted(
                call_id=CALL_ID, limits=limits, policy_version=POLICY_VERSION
            )
        )


class FakeStylize(stylize_pb2_grpc.StylizeServiceServicer):
    """Runs the script."""

    def __init__(self, mesh: FakeMesh) -> None:
        self._mesh = mesh

    def Stylize(self, request_iterator: Iterator[Request], context: Context) -> Iterator[Response]:
        """Run the script."""
        yield from self._mesh.run(request_iterator, context)

    def ListStyles(
        self,
        request: stylize_pb2.ListStylesRequest,  # noqa: ARG002  # gRPC's signature
        context: Context,
    ) -> stylize_pb2.ListStylesResponse:
        """Name one style."""
        self._mesh.enter(context)
        style = stylize_pb2.Style(
            name="starry_night", title="The Starry Night", painter="Vincent van Gogh", year=1889
        )
        return stylize_pb2.ListStylesResponse(styles=[style])


class FakeVideo(video_pb2_grpc.VideoServiceServicer):
    """Runs the script."""

    def __init__(self, mesh: FakeMesh) -> None:
        self._mesh = mesh

    def Animate(
        self, request_iterator: Iterator[video_pb2.AnimateRequest], context: Context
    ) -> Iterator[video_pb2.AnimateResponse]:
        """Run the script."""
        yield from self._mesh.run(request_iterator, context)


class FakeDance(dance_pb2_grpc.DanceServiceServicer):
    """Runs the script, and knows one move."""

    def __init__(self, mesh: FakeMesh) -> None:
        self._mesh = mesh

    def Dance(
        self, request_iterator: Iterator[dance_pb2.DanceRequest], context: Context
    ) -> Iterator[dance_pb2.DanceResponse]:
        """Run the script."""
        yield from self._mesh.run(request_iterator, context)

    def ListMoves(
        self,
        request: dance_pb2.ListMovesRequest,  # noqa: ARG002  # gRPC's signature
        context: Context,
    ) -> dance_pb2.ListMovesResponse:
        """Name one move."""
        self._mesh.enter(context)
        return dance_pb2.ListMovesResponse(
            moves=[dance_pb2.Move(name="floss", title="Floss", beats=4)]
        )


class FakeTryon(tryon_pb2_grpc.TryonServiceServicer):
    """Runs the script."""

    def __init__(self, mesh: FakeMesh) -> None:
        self._mesh = mesh

    def TryOn(
        self, request_iterator: Iterator[tryon_pb2.TryOnRequest], context: Context
    ) -> Iterator[tryon_pb2.TryOnResponse]:
        """Run the script."""
        yield from self._mesh.run(request_iterator, context)


class FakePolicy(policy_pb2_grpc.PolicyServiceServicer):
    """Knows one policy and one key."""

    def __init__(self, mesh: FakeMesh) -> None:
        self._mesh = mesh

    def GetPolicy(
        self,
        request: policy_pb2.GetPolicyRequest,  # noqa: ARG002  # gRPC's signature
        context: Context,
    ) -> policy_pb2.GetPolicyResponse:
        """Tell the policy."""
        self._mesh.enter(context)
        key = policy_pb2.ReceiptKey(
            key_id=key_id(RECEIPT_KEY.public_key()), public_key_pem=RECEIPT_KEY_PEM.decode()
        )
        answer = policy_pb2.GetPolicyResponse(
            version=POLICY_VERSION, text="# Policy", feedback_address="x@y.z", receipt_keys=[key]
        )
        answer.effective.FromJsonString("2026-11-23T00:00:00Z")
        return answer


@contextmanager
def serve(mesh: FakeMesh, credentials: grpc.ServerCredentials) -> Iterator[str]:
    """Run the fake on a free loopback port; yield its address."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    stylize_pb2_grpc.add_StylizeServiceServicer_to_server(FakeStylize(mesh), server)
    video_pb2_grpc.add_VideoServiceServicer_to_server(FakeVideo(mesh), server)
    dance_pb2_grpc.add_DanceServiceServicer_to_server(FakeDance(mesh), server)
    tryon_pb2_grpc.add_TryonServiceServicer_to_server(FakeTryon(mesh), server)
    policy_pb2_grpc.add_PolicyServiceServicer_to_server(FakePolicy(mesh), server)
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        yield f"localhost:{port}"
    finally:
        server.stop(grace=None).wait()


def gateway_credentials(paths: CertificatePaths) -> grpc.ServerCredentials:
    """Credentials of a server that asks for no client certificate."""
    pair = ((paths.gateway / "tls.key").read_bytes(), (paths.gateway / "tls.crt").read_bytes())
    return grpc.ssl_server_credentials([pair])


def service_credentials(paths: CertificatePaths) -> grpc.ServerCredentials:
    """Credentials of a server that demands a client certificate."""
    folder = paths.services["stylize"]
    pair = ((folder / "tls.key").read_bytes(), (folder / "tls.crt").read_bytes())
    return grpc.ssl_server_credentials(
        [pair], (folder / "ca.crt").read_bytes(), require_client_auth=True
    )


def backwards(mesh: FakeMesh, requests: Iterator[Request], _: Context) -> Iterator[Response]:
    """Answer each picture by its own bytes, last one first; refuse those that begin with "bad"."""
    mesh.options = next(requests).options
    yield mesh.accepted()
    yield Response(progress=media_pb2.Progress(stage=media_pb2.STAGE_UPLOAD, done=0, total=0))
    for medium in received(mesh, requests):
        index = medium.start.index
        if medium.start.kind != media_pb2.MEDIA_KIND_IMAGE:
            continue
        if medium.data.startswith(b"bad"):
            yield failure(index)
        else:
            yield from result(index, medium.data[::-1])
    yield receipt()


PIECES = (b"ftyp and moov", b"moof 1", b"moof 2")
CLIP = media_pb2.MediaStart(
    kind=media_pb2.MEDIA_KIND_CLIP,
    media_type="video/mp4",
    width_pixels=64,
    height_pixels=48,
    frames_per_second=30,
    frame_count=120,
)
FRAMES = (b"frame one", b"frame two")


def filming(mesh: FakeMesh, requests: Iterator[Any], _: Context) -> Iterator[Any]:
    """Answer a photo with a clip or with frames, as video does."""
    yield from clip_answers(mesh, requests, video_pb2.AnimateResponse)


def dancing(mesh: FakeMesh, requests: Iterator[Any], _: Context) -> Iterator[Any]:
    """The same as dance does it, which tells of the person first."""
    figure = dance_pb2.Figure(missing_limbs=[dance_pb2.LIMB_LEFT_ARM], beats_per_minute=96)
    found = dance_pb2.DanceResponse(figure=figure)
    yield from clip_answers(mesh, requests, dance_pb2.DanceResponse, found)


def clip_answers(
    mesh: FakeMesh, requests: Iterator[Any], response: type[Any], *findings: Message
) -> Iterator[Any]:
    """Make the answers of a call that makes a clip."""
    mesh.options = next(requests).options
    yield mesh.accepted(response)
    photo = list(received(mesh, requests))[-1].start.index
    yield from findings
    if mesh.options.format.container == media_pb2.ClipFormat.CONTAINER_FRAMES:
        for place, data in enumerate(FRAMES):
            start = media_pb2.MediaStart(
                index=place,
                kind=media_pb2.MEDIA_KIND_FRAME,
                media_type="image/png",
                belongs_to=photo,
                frames_per_second=30,
            )
            yield from whole(response, start, [data])
    else:
        progress = media_pb2.Progress(stage=media_pb2.STAGE_RENDER, done=30, total=120)
        start, *rest = whole(response, clip_start(photo), PIECES)
        yield from (start, response(progress=progress), *rest)
    yield response(receipt=signed(erasure()))


def dressing(mesh: FakeMesh, requests: Iterator[Any], _: Context) -> Iterator[Any]:
    """Answer a photo backwards, and with a mask where it is wanted, as tryon does."""
    response = tryon_pb2.TryOnResponse
    mesh.options = next(requests).options
    yield mesh.accepted(response)
    *garments, photo = received(mesh, requests)
    for medium in garments:
        found = tryon_pb2.GarmentFound(
            garment_index=medium.start.index, category=tryon_pb2.GARMENT_CATEGORY_TROUSERS
        )
        yield response(garment=found)
    kinds = [media_pb2.MEDIA_KIND_IMAGE, media_pb2.MEDIA_KIND_MASK]
    for kind in kinds if mesh.options.mask_wanted else kinds[:1]:
        start = media_pb2.MediaStart(
            kind=kind, media_type="image/png", belongs_to=photo.start.index
        )
        yield from whole(response, start, [photo.data[::-1]])
    yield response(receipt=signed(erasure()))


def clip_start(photo: int) -> media_pb2.MediaStart:
    """Open a clip of a photo."""
    start = media_pb2.MediaStart(belongs_to=photo)
    start.MergeFrom(CLIP)
    return start


def whole(
    response: type[Any], start: media_pb2.MediaStart, parts: Sequence[bytes]
) -> Iterator[Any]:
    """Make the messages of a whole result."""
    yield response(media_start=start)
    for part in parts:
        yield response(chunk=media_pb2.Chunk(data=part, crc32c=google_crc32c.value(part)))
    data = b"".join(parts)
    end = media_pb2.MediaEnd(size_bytes=len(data), crc32c=google_crc32c.value(data))
    yield response(media_end=end)


def received(mesh: FakeMesh, requests: Iterator[Request]) -> Iterator[Medium]:
    """Put the upload together; each medium comes when the next one starts or the upload ends."""
    for request in requests:
        if request.HasField("media_start"):
            if mesh.media:
                yield mesh.media[-1]
            mesh.media.append(Medium(request.media_start))
        else:
            assert google_crc32c.value(request.chunk.data) == request.chunk.crc32c
            mesh.media[-1].data += request.chunk.data
            mesh.media[-1].chunk_sizes.append(len(request.chunk.data))
    if mesh.media:
        yield mesh.media[-1]


def result(index: int, data: bytes) -> Iterator[Response]:
    """Make the messages of a whole stylized picture."""
    start = media_pb2.MediaStart(
        kind=media_pb2.MEDIA_KIND_IMAGE,
        media_type="image/png",
        belongs_to=index,
        width_pixels=3,
        height_pixels=2,
    )
    size = max(len(data) // 4, RESULT_CHUNK_BYTES_MIN)
    parts = [data[place : place + size] for place in range(0, len(data), size)]
    yield from whole(Response, start, parts)


def failure(index: int) -> Response:
    """Refuse one picture."""
    return Response(
        failure=media_pb2.Failure(
            index=index,
            reason=media_pb2.ERROR_REASON_MEDIA_UNREADABLE,
            message="the bytes are no readable picture",
            field=f"media[{index}]",
        )
    )


def receipt(statement: media_pb2.ErasureStatement | None = None) -> Response:
    """End a call with a signed statement."""
    return Response(receipt=signed(statement or erasure()))


def erasure() -> media_pb2.ErasureStatement:
    """State that 4,096 bytes were leased and wiped."""
    return media_pb2.ErasureStatement(
        call_id=CALL_ID,
        feature="stylize",
        policy_version=POLICY_VERSION,
        outcome="OK",
        host_bytes_leased=4096,
        host_bytes_wiped=4096,
    )


def signed(statement: media_pb2.ErasureStatement) -> media_pb2.ErasureReceipt:
    """Sign a statement with the fake's key."""
    data = statement.SerializeToString()
    return media_pb2.ErasureReceipt(
        statement=data,
        signature=RECEIPT_KEY.sign(data),
        key_id=key_id(RECEIPT_KEY.public_key()),
    )


def status(
    code: grpc.StatusCode, message: str = "no", details: Sequence[Message] = ()
) -> status_pb2.Status:
    """Make a status with details."""
    packed = []
    for detail in details:
        packed.append(AnyMessage())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code.value[0], message=message, details=packed)


def busy(delay_seconds: float = 0.001) -> status_pb2.Status:
    """Make the status of a service that has no room for a moment."""
    delay = duration_pb2.Duration(nanos=int(delay_seconds * 1e9))
    info = error_details_pb2.ErrorInfo(reason="SERVICE_BUSY", domain="batchpix")
    retry = error_details_pb2.RetryInfo(retry_delay=delay)
    return status(grpc.StatusCode.RESOURCE_EXHAUSTED, "no room now", [info, retry])
