"""LitServe: a worker process for each share of the processor, its faster queue, files as forms."""

import litserve
from fastapi import Response
from painting import Layout, PaintingWork


class Painter(litserve.LitAPI):
    """Paints one picture a call; every stage runs in the worker."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # as LitServe calls it
        """Load the network; `device` is "cpu"."""
        self.work = PaintingWork(threads=Layout.from_env().threads)

    def decode_request(self, request):  # the annotation would be taken for a schema
        """Take the file out of the form."""
        return request["picture"].file.read()

    def predict(self, jpeg: bytes) -> bytes:
        """Decode, paint and encode."""
        return self.work.paint(jpeg)

    def encode_response(self, painted: bytes) -> Response:
        """Answer with the bytes as they are."""
        return Response(painted, media_type="image/jpeg")


def main() -> None:
    """Serve until the process is ended."""
    layout = Layout.from_env()
    server = litserve.LitServer(
        Painter(),
        accelerator="cpu",
        workers_per_device=layout.workers,
        timeout=120,
        fast_queue=True,
    )
    server.run(
        host="127.0.0.1",
        port=layout.port,
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )


if __name__ == "__main__":
    main()
