"""Thousands of everything: who means ill is refused, and others are served meanwhile."""

import ssl
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress

import google_crc32c
import pytest
from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from gateway.settings import GatewayLimits
from tests.e2e.attackers import Attacker, dial
from tests.e2e.fleet import Fleet, until
from tests.e2e.load import small_picture
from tests.e2e.stand_in import STYLE
from tests.e2e.watch import MEBIBYTE, Record, Watch

IDLE_STREAMS = 10_000
RAPID_RESETS = 10_000
CONNECTIONS = 100
SLOW_CALLERS = 50
OVERSIZED = 40
LISTEN_EVERY = 50
# Shorter than in production, so that a test can wait for them.
LIMITS = GatewayLimits(header_seconds_max=2, greeting_seconds_max=2, idle_seconds_max=4)
STALL_SECONDS_MAX = "2"
END_SECONDS_MAX = 60.0
TRICKLE_SECONDS = 0.1
# A header `x: y` as HPACK writes it out (RFC 7541, 6.2.2).
HEADER_BLOCK = b"\x00\x01x\x01y"
MESSAGE_BYTES_OVER_LIMIT = 3 << 20
HEADER_BYTES_OVER_LIMIT = 20_000
GZIP_WINDOW_BITS = 31

# Zeros in a packed message, which takes a thousandth of them.
PACKED_BYTES = 1 << 25
FLOODERS = 10
FLOOD_FRAMES = 5_000
# Length, type, flags, stream, payload (RFC 9113, 6.1, 6.3 and 6.9).
FLOODS: Mapping[str, Callable[[int], bytes]] = {
    "empty pieces": lambda stream: bytes([0, 0, 0, 0, 0]) + stream.to_bytes(4),
    "priorities": lambda stream: bytes([0, 0, 5, 2, 0]) + stream.to_bytes(4) + bytes(4) + b"\x01",
    "windows": lambda stream: bytes([0, 0, 4, 8, 0]) + stream.to_bytes(4) + bytes(3) + b"\x01",
}
DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED = "grpc-status 4", "grpc-status 8"
UNIMPLEMENTED = "grpc-status 12"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Run a fleet with the limits of production, but for its patience."""
    home = tmp_path_factory.mktemp("fleet")
    with Fleet(home, LIMITS, BATCHPIX_STALL_SECONDS_MAX=STALL_SECONDS_MAX) as running:
        yield running


@pytest.fixture
def crowd(fleet: Fleet) -> Iterator[Callable[..., list[Attacker]]]:
    """Make attackers, each with a token of its own, that hang up after the test."""
    with ExitStack() as stack:

        def gather(count: int, **options: int) -> list[Attacker]:
            return [
                stack.enter_context(Attacker(fleet, fleet.token(f"one-of-{number}"), **options))
                for number in range(count)
            ]

        yield gather


@pytest.mark.parametrize("is_known", [False, True], ids=["strangers", "with a token"])
def test_idle_streams(fleet: Fleet, record_property: Record, is_known: bool) -> None:
    """10,000 calls that are begun and left alone end soon, refused or given up on."""
    token = fleet.token("idler") if is_known else "rubbish"
    begun = 0
    with ExitStack() as stack, Watch(fleet, record_property):
        idlers = [stack.enter_context(Attacker(fleet, token)) for _ in range(CONNECTIONS)]
        while begun < IDLE_STREAMS and not all(idler.closed for idler in idlers):
            started = sum(idler.begin() is not None for idler in idlers)
            begun += started
            if not started or begun % (LISTEN_EVERY * CONNECTIONS) == 0:
                for idler in idlers:
                    idler.listen()
        ends = ends_of(idlers)

    record_property("figure", f"{begun} streams begun: {dict(ends)}")
    assert begun == ends.total() == IDLE_STREAMS
    assert set(ends) <= {"grpc-status 16", DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED}


def test_rapid_resets(fleet: Fleet, record_property: Record) -> None:
    """10,000 calls that are taken back at once cost the attacker its connections, no one else."""
    taken_back = connections = 0
    with Watch(fleet, record_property):
        while taken_back < RAPID_RESETS:
            connections += 1
            with Attacker(fleet, fleet.token("resetter")) as attacker:
                while taken_back < RAPID_RESETS and attacker.begin_and_take_back():
                    taken_back += 1
                    if taken_back % LISTEN_EVERY == 0:
                        attacker.listen()

    record_property("figure", f"{taken_back} resets took {connections} connections")
    assert connections > 1


def test_slow_headers(
    fleet: Fleet, record_property: Record, crowd: Callable[..., list[Attacker]]
) -> None:
    """Who sends headers byte by byte and never ends them is refused within seconds."""
    with Watch(fleet, record_property):
        slow = crowd(SLOW_CALLERS)
        for attacker in slow:
            attacker.begin_without_end()
        for place in range(int(END_SECONDS_MAX / TRICKLE_SECONDS)):
            still = [attacker for attacker in slow if not is_over(attacker)]
            if not still:
                break
            still[0].listen(TRICKLE_SECONDS)
            for attacker in still:
                attacker.continue_headers(HEADER_BLOCK[place % len(HEADER_BLOCK) :][:1])

    record_property("figure", f"slow headers: {dict(ends_of(slow))}")
    assert all(is_over(attacker) for attacker in slow)


def test_slow_headers_of_web_pages(fleet: Fleet, record_property: Record) -> None:
    """The same over HTTP/1.1, where the connection is closed."""
    with Watch(fleet, record_property), ExitStack() as stack:
        slow = [
            stack.enter_context(dial(fleet.gateway_port, fleet.authority, "http/1.1"))
            for _ in range(SLOW_CALLERS)
        ]
        for each in slow:
            each.sendall(b"POST /x HTTP/1.1\r\nhost: localhost\r\nx-slow: ")
        until(lambda: all(trickle(each) for each in slow), END_SECONDS_MAX)


def test_slow_bodies(
    fleet: Fleet, record_property: Record, crowd: Callable[..., list[Attacker]]
) -> None:
    """Who sends a message byte by byte is given up on, although it is never silent."""
    endless = framed(options()) * 1000
    with Watch(fleet, record_property):
        slow = crowd(SLOW_CALLERS)
        streams = {attacker: attacker.begin() for attacker in slow}
        first, *others = endless[:5], *(endless[place : place + 1] for place in range(5, 300))
        for piece in (first, *others):
            running = [attacker for attacker in slow if not is_over(attacker)]
            if not running:
                break
            running[0].listen(TRICKLE_SECONDS)
            for attacker in running:
                attacker.send(streams[attacker] or 0, piece)
        ends = ends_of(slow)

    record_property("figure", f"slow bodies: {dict(ends)}")
    assert ends == Counter({DEADLINE_EXCEEDED: SLOW_CALLERS})


def test_slow_readers(
    fleet: Fleet, record_property: Record, crowd: Callable[..., list[Attacker]]
) -> None:
    """Who asks for pictures and never reads them is cut off."""
    with Watch(fleet, record_property):
        slow = crowd(SLOW_CALLERS, window_bytes=0)
        for attacker in slow:
            stream = attacker.begin()
            assert stream is not None
            attacker.send(stream, whole_call(), end=True)
        ends = ends_of(slow)

    record_property("figure", f"slow readers: {dict(ends)}")
    assert "grpc-status 0" not in ends


@pytest.mark.parametrize("part", ["headers", "message", "announced message", "packed message"])
def test_oversized(
    fleet: Fleet, record_property: Record, crowd: Callable[..., list[Attacker]], part: str
) -> None:
    """Headers and messages over their limits are refused, sent whole or announced only."""
    message = b"\x00" + MESSAGE_BYTES_OVER_LIMIT.to_bytes(4) + bytes(MESSAGE_BYTES_OVER_LIMIT)
    bodies = {
        "headers": b"",
        "message": message,
        "announced message": b"\x00\xff\xff\xff\xff",
        "packed message": packed_message(),
    }
    extra = {
        "headers": (("x-large", "x" * HEADER_BYTES_OVER_LIMIT),),
        "packed message": (("grpc-encoding", "gzip"),),
    }.get(part, ())
    with Watch(fleet, record_property):
        greedy = crowd(OVERSIZED)
        for attacker in greedy:
            stream = attacker.begin(*extra)
            if stream is not None and bodies[part]:
                attacker.send(stream, bodies[part])
        ends = ends_of(greedy)

    record_property("figure", f"oversized {part}: {dict(ends)}")
    assert set(ends) <= {"reset", "closed", RESOURCE_EXHAUSTED, UNIMPLEMENTED}
    assert ends.total() == OVERSIZED


@pytest.mark.parametrize("kind", FLOODS)
def test_frame_floods(
    fleet: Fleet, record_property: Record, crowd: Callable[..., list[Attacker]], kind: str
) -> None:
    """Frames that cost their sender nothing and their reader time end the connection."""
    with Watch(fleet, record_property):
        flooders = crowd(FLOODERS)
        for flooder in flooders:
            stream = flooder.begin() or 0
            flooder.flood(FLOODS[kind](stream), FLOOD_FRAMES)
        until(lambda: all(not flooder.listen() for flooder in flooders), END_SECONDS_MAX)

    assert all(flooder.closed for flooder in flooders)


def ends_of(attackers: list[Attacker]) -> Counter[str]:
    """Wait until nothing of the attackers is left inside; tell how their calls ended."""
    until(lambda: all(is_over(attacker) for attacker in attackers), END_SECONDS_MAX)
    ends = sum((attacker.ends for attacker in attackers), Counter[str]())
    ends["closed"] = sum(attacker.open_streams for attacker in attackers)
    return +ends


def is_over(attacker: Attacker) -> bool:
    """Tell whether nothing of an attacker is left inside."""
    return not attacker.listen() or attacker.open_streams == 0


def trickle(connection: ssl.SSLSocket) -> bool:
    """Send one byte more; tell whether the other side has answered or closed."""
    connection.settimeout(0.001)
    with suppress(TimeoutError):
        try:
            connection.sendall(b"x")
            connection.recv(1)
        except (OSError, ssl.SSLError) as error:
            if isinstance(error, TimeoutError):
                raise
        return True
    return False


def options() -> stylize_pb2.StylizeRequest:
    """Make the first message of a call."""
    style = stylize_pb2.StyleWeight(name=STYLE)
    return stylize_pb2.StylizeRequest(options=stylize_pb2.StylizeOptions(styles=[style]))


def framed(message: Message) -> bytes:
    """Write a message as gRPC frames it: no compression, its length, its bytes."""
    data = message.SerializeToString()
    return b"\x00" + len(data).to_bytes(4) + data


def packed_message() -> bytes:
    """Write a message that is within every limit until it is unpacked."""
    packer = zlib.compressobj(wbits=GZIP_WINDOW_BITS)
    zeros = bytes(MEBIBYTE)
    data = b"".join(packer.compress(zeros) for _ in range(PACKED_BYTES // MEBIBYTE))
    data += packer.flush()
    assert len(data) < MEBIBYTE
    return b"\x01" + len(data).to_bytes(4) + data


def whole_call() -> bytes:
    """Write all that a caller sends in a call of one picture."""
    data = small_picture()
    start = media_pb2.MediaStart(kind=media_pb2.MEDIA_KIND_IMAGE, size_bytes=len(data))
    chunk = media_pb2.Chunk(data=data, crc32c=google_crc32c.value(data))
    messages = (
        options(),
        stylize_pb2.StylizeRequest(media_start=start),
        stylize_pb2.StylizeRequest(chunk=chunk),
    )
    return b"".join(framed(message) for message in messages)
