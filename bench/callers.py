"""Callers of the contenders: a JPEG out, the painted JPEG back, over one connection each."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import grpc

from batchpix_client import Client, StylizedPicture

SECONDS_MAX = 120.0
MESSAGE_BYTES_MAX = 64 << 20
JPEG = "image/jpeg"
BOUNDARY = "batchpix-bench"
LENGTH_OF_HEAD = "Inference-Header-Content-Length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A picture that has come back.

    Attributes:
        picture: the JPEG.
        first_byte: when its first byte could be used, on the clock of `time.perf_counter`.
    """

    picture: bytes
    first_byte: float


Call: TypeAlias = Callable[[bytes], Answer]
Connect: TypeAlias = Callable[[], AbstractContextManager[Call]]


class CallError(Exception):
    """A call ended without a picture; says how, in a word or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a server wants a picture in an HTTP request.

    Attributes:
        path: of the request.
        headers: for a picture.
        body: makes the request's body of a picture.
        picture: takes the picture out of the answer's body and headers.
    """

    path: str
    headers: Callable[[bytes], dict[str, str]]
    body: Callable[[bytes], bytes]
    picture: Callable[[bytes, http.client.HTTPResponse], bytes] = lambda body, _: body


def body_form(path: str) -> Form:
    """Send the picture as the whole body."""
    return Form(path=path, headers=lambda _: {"Content-Type": JPEG}, body=lambda jpeg: jpeg)


def multipart_form(path: str) -> Form:
    """Send the picture as the file of a form."""
    head = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=picture; filename=p.jpg\r\n"
        f"Content-Type: {JPEG}\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return Form(
        path=path, headers=lambda _: {"Content-Type": kind}, body=lambda jpeg: head + jpeg + tail
    )


def tensor_form(path: str) -> Form:
    """Send the picture as a tensor of bytes by the Open Inference Protocol's binary extension."""

    def head(jpeg: bytes) -> bytes:
        given: dict[str, object] = {"name": "picture", "shape": [len(jpeg)], "datatype": "UINT8"}
        given["parameters"] = {"binary_data_size": len(jpeg)}
        wanted = {"name": "painted", "parameters": {"binary_data": True}}
        return json.dumps({"inputs": [given], "outputs": [wanted]}).encode()

    return Form(
        path=path,
        headers=lambda jpeg: {LENGTH_OF_HEAD: str(len(head(jpeg)))},
        body=lambda jpeg: head(jpeg) + jpeg,
        picture=lambda body, reply: body[int(reply.getheader(LENGTH_OF_HEAD) or 0) :],
    )


def http_connect(port: int, form: Form) -> Connect:
    """Make callers that keep one HTTP/1.1 connection each."""

    @contextmanager
    def connect() -> Iterator[Call]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS_MAX)

        def call(jpeg: bytes) -> Answer:
            try:
                connection.request("POST", form.path, form.body(jpeg), form.headers(jpeg))
                reply = connection.getresponse()
                first_byte = time.perf_counter()
                body = reply.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                raise CallError(type(error).__name__) from None
            if reply.status != http.client.OK:
                raise CallError(f"HTTP {reply.status}")
            return Answer(picture=form.picture(body, reply), first_byte=first_byte)

        try:
            yield call
        finally:
            connection.close()

    return connect


def unary_connect(port: int, method: str) -> Connect:
    """Make callers of a unary gRPC method whose messages are bare bytes, without TLS."""

    @contextmanager
    def connect() -> Iterator[Call]:
        options = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        ]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)

            def call(jpeg: bytes) -> Answer:
                try:
                    picture = ask(jpeg, timeout=SECONDS_MAX)
                except grpc.RpcError as error:
                    raise CallError(error.code().name) from None
                return Answer(picture=picture, first_byte=time.perf_counter())

            yield call

    return connect


def mesh_connect(client: Callable[[], Client], style: str, quality: int) -> Connect:
    """Make callers through the SDK: chunks, checksums and receipt, as any user's call."""

    @contextmanager
    def connect() -> Iterator[Call]:
        with client() as mesh:

            def call(jpeg: bytes) -> Answer:
                picture, first_byte = b"", 0.0
                # Seen through to the receipt, which comes after the picture.
                for result in mesh.stylize([jpeg], style, quality=quality):
                    if not isinstance(result, StylizedPicture):
                        raise CallError(result.reason)
                    picture, first_byte = result.data, time.perf_counter()
                return Answer(picture=picture, first_byte=first_byte)

            yield call

    return connect
