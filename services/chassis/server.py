"""The one bootstrap of all services: ports, rules, health, metrics, drain."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from batchpix.media.v1 import media_pb2
from batchpix.policy.v1 import policy_pb2, policy_pb2_grpc
from services.chassis.calls import CallDesk, Provenance
from services.chassis.errors import InternalError, Reason, translate
from services.chassis.interceptors import Gate
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Budget
from services.chassis.memory.garbage import collect_garbage, freeze_warm_heap
from services.chassis.memory.report import GuardReport
from services.chassis.places import Places
from services.chassis.policy import PrivacyPolicy
from services.chassis.policy_servicer import PolicyServicer
from services.chassis.receipts import ReceiptSigner
from services.chassis.settings import Settings
from services.chassis.telemetry import Event, LogLine, Telemetry
from services.chassis.tls import CertificateFolder
from services.chassis.workers import Workers, working

# A message is one chunk and a few fields; twice the chunk leaves room to refuse politely.
MESSAGE_CHUNKS_MAX = 2
# The set of compressions with none in it: bit 0 stands for data as they are.
COMPRESSION_NONE = 1
# Health of the retention guard, beside the health of the service itself.
RETENTION_HEALTH = "batchpix.retention"
PORT_TAKEN = "can't listen: BATCHPIX_LISTEN or BATCHPIX_HEALTH_LISTEN is taken or no address"
KEEPALIVE_MS = 30_000
KEEPALIVE_TIMEOUT_MS = 10_000
# The TLS layer of an open connection keeps the last kilobytes that went through it, each way.
CONNECTION_IDLE_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What the bootstrap needs to know of a feature.

    Attributes:
        name: folder under services/, for example "stylize".
        service: full gRPC name, for example "batchpix.stylize.v1.StylizeService".
        engine: device and precision that its networks run on, for the start line.
        register: adds the feature's servicer to a server.
        warm_up: runs every path once, so that nothing has to be read from disk afterwards.
        frames_max: frames of one clip that the feature makes, 0 if it makes none.
    """

    name: str
    service: str
    engine: str
    register: Callable[[grpc.aio.Server, CallDesk], None]
    warm_up: Callable[[], None]
    frames_max: int = 0


def run(settings: Settings, feature: Feature, seal: Callable[[], GuardReport]) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Args:
        seal: gives up what only loading needed and measures the guard; called when everything is
            loaded and every port is bound, before the first call is let in.

    Raises:
        InternalError: the guard is incomplete and retention is strict.
    """
    asyncio.run(serve(settings, feature, seal))


async def serve(settings: Settings, feature: Feature, seal: Callable[[], GuardReport]) -> None:
    """Serve until a signal; see `run`."""
    stop = stop_on_signals()
    telemetry = Telemetry(feature.name)
    telemetry.started(feature.engine)
    feature.warm_up()
    freeze_warm_heap()
    async with serving(settings, feature, seal, telemetry):
        await stop.wait()
        telemetry.log(LogLine(event=Event.DRAINING, feature=feature.name))
    telemetry.log(LogLine(event=Event.STOPPED, feature=feature.name))


@contextlib.asynccontextmanager
async def serving(
    settings: Settings, feature: Feature, seal: Callable[[], GuardReport], telemetry: Telemetry
) -> AsyncIterator[CallDesk]:
    """Bind, seal and answer around the block; on leaving it drain.

    Yields:
        The desk that lets this process's calls in and sees them out.
    """
    signer = ReceiptSigner(settings.receipt_key.read_bytes())
    policy = PrivacyPolicy.load()
    with (
        working(settings.threads) as workers,
        metrics_page(settings.metrics_listen, telemetry),
    ):
        server, probes = bound_servers(settings, telemetry)
        report = seal()
        provenance = Provenance(
            feature=feature.name,
            policy_version=policy.version,
            build_digest=settings.build_digest,
            guard=guard_message(report),
        )
        limits = CallLimits.from_settings(settings, frames_max=feature.frames_max)
        desk = call_desk(settings, limits, provenance, signer, workers, telemetry)
        feature.register(server, desk)
        policy_pb2_grpc.add_PolicyServiceServicer_to_server(PolicyServicer(policy, signer), server)
        telemetry.guard_complete.set(int(report.complete))
        async with answering(server, probes, feature, report, settings):
            log_serving(telemetry, feature, report)
            yield desk


def bound_servers(
    settings: Settings, telemetry: Telemetry
) -> tuple[grpc.aio.Server, grpc.aio.Server]:
    """Bind the port for calls and the port for probes; neither answers yet.

    Raises:
        InternalError: a port is taken.
    """
    gate = Gate(
        telemetry=telemetry,
        allowed_callers=frozenset(settings.allowed_callers),
        deadline_seconds_max=settings.deadline_seconds_max,
    )
    server = grpc.aio.server(interceptors=[gate], options=server_options(settings))
    probes = grpc.aio.server(options=server_options(settings))
    certificates = CertificateFolder(settings.certificates)
    with translate({RuntimeError: (InternalError, Reason.INTERNAL, PORT_TAKEN)}):
        server.add_secure_port(settings.listen, certificates.credentials())
        probes.add_insecure_port(settings.health_listen)
    return server, probes


def call_desk(
    settings: Settings,
    limits: CallLimits,
    provenance: Provenance,
    signer: ReceiptSigner,
    workers: Workers,
    telemetry: Telemetry,
) -> CallDesk:
    """Build the desk from what the operator set."""
    return CallDesk(
        places=Places(settings.calls_in_flight_max),
        budget=Budget(settings.call_memory_bytes, settings.call_memory_bytes_max),
        limits=limits,
        workers=workers,
        signer=signer,
        provenance=provenance,
        telemetry=telemetry,
        collect=collect_garbage,
    )


@contextlib.asynccontextmanager
async def answering(
    server: grpc.aio.Server,
    probes: grpc.aio.Server,
    feature: Feature,
    report: GuardReport,
    settings: Settings,
) -> AsyncIterator[None]:
    """Answer calls and probes around the block; leaving it lets running calls end."""
    state = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    health_pb2_grpc.add_HealthServicer_to_server(state, probes)
    names = (feature.service, policy_name(), health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    await server.start()
    await probes.start()
    for name in ("", feature.service):
        await state.set(name, health_pb2.HealthCheckResponse.SERVING)
    guarded = health_pb2.HealthCheckResponse.ServingStatus.Value(
        "SERVING" if report.complete else "NOT_SERVING"
    )
    await state.set(RETENTION_HEALTH, guarded)
    try:
        yield
    finally:
        # Health first, so that balancers look away while running calls end.
        await state.enter_graceful_shutdown()
        await asyncio.sleep(settings.notice_seconds)
        await server.stop(settings.drain_seconds)
        await probes.stop(None)


def guard_message(report: GuardReport) -> media_pb2.Guard:
    """Tell the state of the guard as receipts tell it."""
    return media_pb2.Guard(
        wipe_on_free=report.wipe_on_free and report.python_malloc,
        writes_denied=report.writes_denied,
        connects_denied=report.connects_denied,
        dumps_denied=report.dumps_denied,
        swap_denied=report.memory_locked_or_no_swap,
        missing=report.missing,
    )


def log_serving(telemetry: Telemetry, feature: Feature, report: GuardReport) -> None:
    """Tell that calls are taken, and what the guard lacks, if anything."""
    telemetry.log(LogLine(event=Event.SERVING, feature=feature.name))
    if not report.complete:
        missing = ", ".join(report.missing)
        line = LogLine(event=Event.GUARD_INCOMPLETE, feature=feature.name, missing=missing)
        telemetry.log(line)


def policy_name() -> str:
    """Full gRPC name of the policy service."""
    return policy_pb2.DESCRIPTOR.services_by_name["PolicyService"].full_name


def server_options(settings: Settings) -> list[tuple[str, int]]:
    """Bound what one connection can take, and turn off what would keep traces of calls."""
    message_bytes_max = MESSAGE_CHUNKS_MAX * settings.chunk_bytes_max
    return [
        ("grpc.max_receive_message_length", message_bytes_max),
        ("grpc.max_send_message_length", message_bytes_max),
        ("grpc.max_concurrent_streams", settings.calls_in_flight_max),
        # gRPC unpacks a message before it holds it to its size, and a mebibyte can hold a gibibyte.
        # Media are packed already, so packed messages are refused.
        ("grpc.compression_enabled_algorithms_bitset", COMPRESSION_NONE),
        ("grpc.http2.max_frame_size", 1 << 20),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.max_connection_idle_ms", CONNECTION_IDLE_MS),
        # Headers of a call are not kept to shorten those of the next.
        ("grpc.http2.hpack_table_size.decoder", 0),
        ("grpc.so_reuseport", 0),
        ("grpc.enable_channelz", 0),
        ("grpc.max_channel_trace_event_memory_per_node", 0),
    ]


@contextlib.contextmanager
def metrics_page(address: str, telemetry: Telemetry) -> Iterator[None]:
    """Serve the Prometheus page around the block; an empty address serves none."""
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    page, thread = start_http_server(int(port), host, telemetry.registry)
    try:
        yield
    finally:
        page.shutdown()
        page.server_close()
        thread.join()


def stop_on_signals() -> asyncio.Event:
    """Make an event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
