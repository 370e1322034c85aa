"""A service without work, to measure its transport: `python -m bench.sink`.

It reads uploads into call memory and answers with as many bytes as the options' seed says in MiB,
by the chassis' own means: `Upload`, `CallDesk` and `Outlet`, in a server with the chassis' options.
What it can do that no service of the mesh may is to listen without TLS and to run without the
guard, so that the price of both can be seen.
"""

import argparse
import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from services.chassis.calls import CallDesk, Provenance
from services.chassis.chunks import Upload
from services.chassis.limits import CallLimits
from services.chassis.memory.arena import Budget
from services.chassis.memory.garbage import collect_garbage, freeze_warm_heap
from services.chassis.memory.guard import Retention, ensure_guard
from services.chassis.places import Places
from services.chassis.receipts import ReceiptSigner
from services.chassis.server import server_options
from services.chassis.settings import MEBIBYTE, Settings
from services.chassis.telemetry import Telemetry
from services.chassis.tls import CertificateFolder
from services.chassis.workers import working


class SinkServicer(stylize_pb2_grpc.StylizeServiceServicer):
    """Takes media and gives noughts."""

    def __init__(self, desk: CallDesk) -> None:
        self._desk = desk

    async def Stylize(  # type: ignore[override]  # a coroutine that writes, as in the services
        self,
        request_iterator: AsyncIterator[stylize_pb2.StylizeRequest],
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> None:
        """Read all media, each into a scope of its own; then send."""
        async with self._desk.open(context, stylize_pb2.StylizeResponse) as call:
            upload = Upload(request_iterator, call.limits, call.patience)
            mebibytes = (await upload.first()).options.seed
            while (header := await upload.next_medium()) is not None:
                with call.arena.scope():
                    await upload.read(header, call.arena)
            if mebibytes:
                data = call.arena.take(MEBIBYTE)
                kind = media_pb2.MEDIA_KIND_CLIP
                outlet = await call.open_result(media_pb2.MediaStart(kind=kind))
                for _ in range(mebibytes):
                    await outlet.send(data)
                await outlet.close()

    async def ListStyles(
        self,
        request: stylize_pb2.ListStylesRequest,  # noqa: ARG002  # gRPC's signature
        context: "grpc.aio.ServicerContext[Any, Any]",  # noqa: ARG002
    ) -> stylize_pb2.ListStylesResponse:
        """Name none."""
        return stylize_pb2.ListStylesResponse()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m bench.sink", description=main.__doc__)
    parser.add_argument("--listen", required=True, help="host and port")
    parser.add_argument("--certificates", type=Path, required=True, help="of a service")
    parser.add_argument("--plaintext", action="store_true", help="without TLS")
    parser.add_argument("--guard", action="store_true", help="zero what is freed")
    options = parser.parse_args()
    if options.guard:
        ensure_guard(os.environ, Retention.STRICT)
    asyncio.run(serve(options.listen, options.certificates, plaintext=options.plaintext))


async def serve(listen: str, certificates: Path, *, plaintext: bool) -> None:
    """Listen and answer."""
    settings = Settings(certificates=certificates, receipt_key=certificates / "receipt.key")
    provenance = Provenance(
        feature="stylize", policy_version="bench", build_digest="", guard=media_pb2.Guard()
    )
    server = grpc.aio.server(options=server_options(settings))
    if plaintext:
        server.add_insecure_port(listen)
    else:
        server.add_secure_port(listen, CertificateFolder(certificates).credentials())
    with working(settings.threads) as workers:
        desk = CallDesk(
            places=Places(settings.calls_in_flight_max),
            budget=Budget(settings.call_memory_bytes, settings.call_memory_bytes_max),
            limits=CallLimits.from_settings(settings),
            workers=workers,
            signer=ReceiptSigner(settings.receipt_key.read_bytes()),
            provenance=provenance,
            telemetry=Telemetry("stylize"),
            collect=collect_garbage,
        )
        stylize_pb2_grpc.add_StylizeServiceServicer_to_server(SinkServicer(desk), server)
        health_pb2_grpc.add_HealthServicer_to_server(await healthy(), server)
        freeze_warm_heap()
        await server.start()
        await server.wait_for_termination()


async def healthy() -> health.aio.HealthServicer:
    """Tell the gateway that calls are taken."""
    state = health.aio.HealthServicer()
    name = stylize_pb2.DESCRIPTOR.services_by_name["StylizeService"].full_name
    for each in ("", name):
        await state.set(each, health_pb2.HealthCheckResponse.SERVING)
    return state


if __name__ == "__main__":
    main()
