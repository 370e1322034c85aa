"""What the command learns from a service's metrics page."""

import io

import pytest
from prometheus_client import start_http_server

from batchpix_client.metrics import engine_of
from batchpix_client.ports import free_ports
from services.chassis.telemetry import Telemetry

ENGINE = "cuda tensorrt 10.16.1.11 fp16 5 graphs NVIDIA H100 80GB HBM3"


@pytest.mark.parametrize("engine", [ENGINE, "cpu openvino bf16 2 threads"])
def test_the_engine_is_read_as_the_service_told_it(engine: str) -> None:
    """Device, versions and precision arrive as they stand in the start line."""
    telemetry, (port,) = Telemetry("stylize", stream=io.StringIO()), free_ports(1)
    telemetry.started(engine)
    page, thread = start_http_server(port, "127.0.0.1", telemetry.registry)
    try:
        assert engine_of(f"127.0.0.1:{port}") == engine
    finally:
        page.shutdown()
        page.server_close()
        thread.join()


def test_a_page_that_is_not_there_tells_nothing() -> None:
    """A service that is down makes no error of the question."""
    assert engine_of(f"127.0.0.1:{free_ports(1)[0]}") == ""
