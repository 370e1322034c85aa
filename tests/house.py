"""One whole service in the test's own process: real TLS, real chunks, a network that is a fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import grpc

from batchpix_client.ports import LOOPBACK, free_ports
from gateway.certs import CertificatePaths
from services.chassis.calls import CallDesk
from services.chassis.memory.report import GuardReport
from services.chassis.server import Feature, serving
from services.chassis.settings import Settings
from services.chassis.telemetry import Telemetry

CALLER = "spiffe://batchpix/gateway"
WHOLE_GUARD = GuardReport(
    wipe_on_free=True,
    python_malloc=True,
    writes_denied=True,
    reads_narrowed=True,
    connects_denied=True,
    datagrams_denied=True,
    dumpable_off=True,
    core_limit_zero=True,
    privileges_fixed=True,
    memory_locked_or_no_swap=True,
    landlock_abi=7,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A running service.

    Attributes:
        address: host and port of the mTLS listener.
        health_address: host and port of the plaintext probe listener.
        log: what the service logged.
        desk: the desk that lets its calls in.
        telemetry: its counters.
    """

    address: str
    health_address: str
    log: StringIO
    desk: CallDesk
    telemetry: Telemetry


def house_settings(certificates: Path, **changes: object) -> Settings:
    """Settings of a service on free ports."""
    port, health_port = free_ports(2)
    settings = Settings(
        listen=f"{LOOPBACK}:{port}",
        health_listen=f"{LOOPBACK}:{health_port}",
        metrics_listen="",
        certificates=certificates,
        receipt_key=certificates / "receipt.key",
        allowed_callers=(CALLER,),
    )
    return replace(settings, **changes)  # type: ignore[arg-type]  # named by the test


@asynccontextmanager
async def open_house(
    settings: Settings, feature: Feature, report: GuardReport = WHOLE_GUARD
) -> AsyncIterator[House]:
    """Run the service of a feature around the block."""
    log = StringIO()
    telemetry = Telemetry(feature.name, stream=log)
    async with serving(settings, feature, lambda: report, telemetry) as desk:
        yield House(
            address=settings.listen,
            health_address=settings.health_listen,
            log=log,
            desk=desk,
            telemetry=telemetry,
        )


def channel_to(address: str, certificates: CertificatePaths, client: str) -> grpc.aio.Channel:
    """Open an mTLS channel as one of the internal callers, for awaiting."""
    return grpc.aio.secure_channel(address, credentials_of(certificates, client))


def credentials_of(certificates: CertificatePaths, client: str) -> grpc.ChannelCredentials:
    """Read the credentials of one of the internal callers."""
    folder = certificates.clients[client]
    return grpc.ssl_channel_credentials(
        (folder / "ca.crt").read_bytes(),
        (folder / "tls.key").read_bytes(),
        (folder / "tls.crt").read_bytes(),
    )
