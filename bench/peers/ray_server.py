"""Ray Serve: a replica for each share of the processor, its throughput mode, plain HTTP bodies."""

import asyncio
import os
import signal

# As the guide to high throughput says; read when Ray is imported.
os.environ["RAY_SERVE_THROUGHPUT_OPTIMIZED"] = "1"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from painting import Layout, PaintingWork
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

LAYOUT = Layout.from_env()


@serve.deployment(
    num_replicas=LAYOUT.workers,
    max_ongoing_requests=2,  # one that is painted, and one that is read or written meanwhile
    ray_actor_options={"num_cpus": 0.5},
)
class Painter:
    """Paints one picture a call."""

    def __init__(self) -> None:
        """Load the network."""
        self.work = PaintingWork(threads=LAYOUT.threads)

    async def __call__(self, request: Request) -> Response:
        """Decode, paint and encode, while the loop goes on."""
        painted = await asyncio.to_thread(self.work.paint, await request.body())
        return Response(painted, media_type="image/jpeg")


def main() -> None:
    """Serve until a signal; then Ray ends its own processes."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    ray.init(include_dashboard=False, num_cpus=os.cpu_count(), object_store_memory=256 << 20)
    serve.start(http_options={"host": "127.0.0.1", "port": LAYOUT.port})
    serve.run(Painter.bind(), route_prefix="/paint")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
