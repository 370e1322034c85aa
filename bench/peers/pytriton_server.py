"""PyTriton: Triton in front, a worker process for each share of the processor, bytes as tensors."""

import numpy as np
from painting import Layout, PaintingWork
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


class Painter:
    """Paints one picture a call."""

    def __init__(self) -> None:
        """Load the network."""
        self.work = PaintingWork(threads=Layout.from_env().threads)

    def __call__(self, requests) -> list[dict[str, np.ndarray]]:
        """Decode, paint and encode each request's picture, a run of uint8."""
        return [
            {"painted": np.frombuffer(self.work.paint(request["picture"].tobytes()), np.uint8)}
            for request in requests
        ]


def main() -> None:
    """Serve until the process is ended."""
    layout = Layout.from_env()
    config = TritonConfig(
        http_address="127.0.0.1", http_port=layout.port, allow_grpc=False, allow_metrics=False
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name="painter",
            infer_func=[Painter() for _ in range(layout.workers)],
            inputs=[Tensor(name="picture", dtype=np.uint8, shape=(-1,))],
            outputs=[Tensor(name="painted", dtype=np.uint8, shape=(-1,))],
            config=ModelConfig(batching=False),
        )
        triton.serve()


if __name__ == "__main__":
    main()
