"""A caller that measures: one connection, one token, and the moment of the first byte."""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

import google_crc32c
import grpc
import numpy as np
from PIL import Image

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from batchpix_client.statuses import translated
from loadtest.target import Target

CHUNK_BYTES = 1 << 20
MESSAGE_BYTES_MAX = 2 * CHUNK_BYTES
DEADLINE_SECONDS = 60.0
OK = "OK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one call ended.

    Attributes:
        code: "OK", or the error's code and reason.
        first_byte: moment of the first byte of a result on the clock of `time.monotonic`, None
            if none came.
        end: moment of the end, on the same clock.
        received_bytes: bytes of all results.
    """

    code: str
    first_byte: float | None
    end: float
    received_bytes: int


class Caller:
    """One caller of the mesh; a context manager that disconnects."""

    def __init__(self, target: Target, number: int) -> None:
        self._metadata = (("authorization", f"Bearer {target.tokens[number]}"),)
        self._channel = grpc.secure_channel(
            target.address,
            grpc.ssl_channel_credentials(target.authority),
            [
                # Otherwise all callers of this process would share one connection.
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.enable_retries", 0),
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ],
        )
        self._stub = stylize_pb2_grpc.StylizeServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._channel.close()

    def styles(self) -> list[str]:
        """Name the styles that the service knows.

        Raises:
            grpc.RpcError: the call failed.
        """
        answer = self._stub.ListStyles(
            stylize_pb2.ListStylesRequest(), timeout=DEADLINE_SECONDS, metadata=self._metadata
        )
        return [style.name for style in answer.styles]

    def stylize(self, pictures: Sequence[bytes], style: str) -> Ending:
        """Make one call and see it through; a failure is an ending like any other."""
        first_byte, received_bytes, code = None, 0, OK
        answers = self._stub.Stylize(
            requests(pictures, style), timeout=DEADLINE_SECONDS, metadata=self._metadata
        )
        try:
            for answer in answers:
                if answer.WhichOneof("message") == "chunk":
                    first_byte = first_byte or time.monotonic()
                    received_bytes += len(answer.chunk.data)
        except grpc.RpcError as error:
            failure = translated(error)
            code = f"{failure.code} {failure.reason}".strip()
        return Ending(
            code=code,
            first_byte=first_byte,
            end=time.monotonic(),
            received_bytes=received_bytes,
        )


def requests(pictures: Sequence[bytes], style: str) -> Iterator[stylize_pb2.StylizeRequest]:
    """Write all that is sent in a call."""
    weight = stylize_pb2.StyleWeight(name=style)
    yield stylize_pb2.StylizeRequest(options=stylize_pb2.StylizeOptions(styles=[weight]))
    for index, data in enumerate(pictures):
        start = media_pb2.MediaStart(
            index=index, kind=media_pb2.MEDIA_KIND_IMAGE, size_bytes=len(data)
        )
        yield stylize_pb2.StylizeRequest(media_start=start)
        for place in range(0, len(data), CHUNK_BYTES):
            piece = data[place : place + CHUNK_BYTES]
            chunk = media_pb2.Chunk(data=piece, crc32c=google_crc32c.value(piece))
            yield stylize_pb2.StylizeRequest(chunk=chunk)


@cache
def photo(width_pixels: int, height_pixels: int) -> bytes:
    """Draw a JPEG that is as hard to encode as a photo: soft shapes with grain.

    Returns:
        An RGB JPEG of that size, the same each time.
    """
    source = np.random.default_rng(0)
    shapes = Image.fromarray(source.integers(0, 256, (6, 8, 3), np.uint8))
    smooth = np.asarray(shapes.resize((width_pixels, height_pixels), Image.Resampling.BICUBIC))
    grain = source.normal(0, 6, smooth.shape)
    file = io.BytesIO()
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(file, "JPEG")
    return file.getvalue()
