"""Callers that mean ill: sockets and frames without a gRPC library's good manners."""

import socket
import ssl
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from tests.e2e.fleet import Fleet

STYLIZE = "/batchpix.stylize.v1.StylizeService/Stylize"
CONNECT_SECONDS_MAX = 5.0
RECEIVE_BYTES = 1 << 16
STREAMS_OF_A_CONNECTION = 100
FRAMES_AT_ONCE = 100
SETTINGS_SECONDS = 0.2
FLAGS_AT = 4  # in a frame: after three bytes of length and one of type
END_HEADERS = 0x04
CONTINUATION = bytes([9, 0])  # type and flags


class Attacker:
    """One HTTP/2 connection over TLS, driven frame by frame; a context manager.

    Attributes:
        ends: how its streams ended, by gRPC status, "reset" or "ended".
        answered: streams that something came back on.
        closed: whether the other side has closed the connection.
    """

    def __init__(self, fleet: Fleet, token: str, *, window_bytes: int | None = None) -> None:
        """Connect.

        Args:
            window_bytes: what it is ready to read of each stream, None for the usual.
        """
        self._socket = dial(fleet.gateway_port, fleet.authority)
        # As it comes, not as it should be: oversized headers are sent too.
        self._h2 = H2Connection(H2Configuration(validate_outbound_headers=False))
        self._token = token
        self._stream: int | None = None
        self._open: set[int] = set()
        self.ends: Counter[str] = Counter()
        self.answered: set[int] = set()
        self.closed = False
        self._h2.initiate_connection()
        if window_bytes is not None:
            self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window_bytes})
        self._flush()

    def __enter__(self) -> Self:
        """Attack."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up without a word."""
        self._socket.close()

    @property
    def open_streams(self) -> int:
        """Streams that neither side has ended."""
        return len(self._open)

    @property
    def admitted_streams(self) -> int:
        """Streams that the service has let in and not ended."""
        return len(self._open & self.answered)

    def begin(self, *extra: tuple[str, str], at_once: bool = False) -> int | None:
        """Send the headers of a call; None where the connection takes no more.

        Args:
            extra: further headers.
            at_once: leave it to the next sending, so that both go together.
        """
        if self.closed or len(self._open) >= STREAMS_OF_A_CONNECTION:
            return None
        headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":path", STYLIZE),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-timeout", "60S"),
            ("authorization", f"Bearer {self._token}"),
            *extra,
        ]
        try:
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, headers)
        except ProtocolError:
            self.closed = self._h2.state_machine.state is ConnectionState.CLOSED
            return None
        self._open.add(stream)
        if not at_once:
            self._flush()
        return stream

    def begin_without_end(self) -> None:
        """Send headers that say that more of them follow (RFC 9113, 6.2)."""
        # Settings first: nothing may come between a block of headers and its continuation.
        self.listen(SETTINGS_SECONDS)
        self._stream = self.begin(at_once=True)
        frame = bytearray(self._h2.data_to_send())
        frame[FLAGS_AT] &= ~END_HEADERS
        self._socket.sendall(frame)

    def continue_headers(self, block: bytes) -> None:
        """Send a piece of the headers that go on."""
        stream = (self._stream or 0).to_bytes(4)
        with suppress(OSError):
            self._socket.sendall(len(block).to_bytes(3) + CONTINUATION + stream + block)

    def begin_and_take_back(self) -> bool:
        """Send the headers of a call and its reset in one go; False once the connection is over."""
        stream = self.begin(at_once=True)
        if stream is None:
            return False
        self._h2.reset_stream(stream, ErrorCodes.CANCEL)
        self._open.discard(stream)
        self._flush()
        return not self.closed

    def flood(self, frame: bytes, count: int) -> None:
        """Send one and the same frame many times; stop once the connection is closed."""
        for _ in range(0, count, FRAMES_AT_ONCE):
            if not self.listen():
                return
            with suppress(OSError):
                self._socket.settimeout(CONNECT_SECONDS_MAX)
                self._socket.sendall(frame * FRAMES_AT_ONCE)

    def send(self, stream: int, data: bytes, *, end: bool = False) -> bool:
        """Send a piece of a call's body; False once the call is over."""
        for start in range(0, len(data), self._h2.max_outbound_frame_size):
            piece = data[start : start + self._h2.max_outbound_frame_size]
            while stream in self._open and not self._fits(stream, len(piece)):
                if not self.listen(0.05):
                    return False
            if stream not in self._open:
                return False
            last = start + len(piece) == len(data)
            self._h2.send_data(stream, piece, end_stream=end and last)
            self._flush()
        return True

    def listen(self, seconds_max: float = 0.0) -> bool:
        """Take in what has come; False once the connection is closed."""
        self._socket.settimeout(max(seconds_max, 0.001))
        try:
            while data := self._socket.recv(RECEIVE_BYTES):
                for event in self._h2.receive_data(data):
                    self._note(event)
                self._flush()
                self._socket.settimeout(0.001)
            self.closed = True
        except TimeoutError:
            pass
        except (OSError, ProtocolError):
            self.closed = True
        return not self.closed

    def _fits(self, stream: int, size_bytes: int) -> bool:
        with suppress(ProtocolError):
            return self._h2.local_flow_control_window(stream) >= size_bytes
        self._open.discard(stream)
        return False

    def _note(self, event: Event) -> None:
        match event:
            case ConnectionTerminated():
                self.closed = True
            case StreamReset():
                self._end(event.stream_id, "reset")
            case ResponseReceived() | TrailersReceived():
                status = dict(event.headers).get(b"grpc-status")
                if status is not None:
                    self._end(event.stream_id, f"grpc-status {status.decode()}")
            case StreamEnded():
                self._end(event.stream_id, "ended")
            case DataReceived():
                self.answered.add(event.stream_id or 0)
                with suppress(ProtocolError):
                    self._h2.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
            case _:
                pass

    def _end(self, stream: int | None, how: str) -> None:
        if stream in self._open:
            self._open.discard(stream)
            self.ends[how] += 1

    def _flush(self) -> None:
        self._socket.settimeout(CONNECT_SECONDS_MAX)
        try:
            self._socket.sendall(self._h2.data_to_send())
        except OSError:
            self.closed = True


def dial(port: int, authority: Path, protocol: str = "h2") -> ssl.SSLSocket:
    """Open a TLS connection that speaks one protocol."""
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols([protocol])
    raw = socket.create_connection(("127.0.0.1", port), timeout=CONNECT_SECONDS_MAX)
    return context.wrap_socket(raw, server_hostname="localhost")
