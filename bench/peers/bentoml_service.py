"""BentoML: a worker process for each share of the processor, the picture as the whole body."""

import os
from pathlib import Path
from typing import Annotated

import bentoml
from bentoml.validators import ContentType
from painting import Layout, PaintingWork

layout = Layout.from_env()


@bentoml.service(
    workers=layout.workers, traffic={"timeout": 120}, logging={"access": {"enabled": False}}
)
class Painter:
    """Paints one picture a call."""

    def __init__(self) -> None:
        """Load the network."""
        self.work = PaintingWork(threads=layout.threads)

    @bentoml.api(route="/paint")
    def paint(
        self, picture: Annotated[Path, ContentType("image/jpeg")], /
    ) -> Annotated[bytes, ContentType("image/jpeg")]:
        """Decode, paint and encode."""
        return self.work.paint(picture.read_bytes())


def main() -> None:
    """Become BentoML's own command."""
    command = [
        "bentoml",
        "serve",
        "bentoml_service:Painter",
        "--host",
        "127.0.0.1",
        "--port",
        str(layout.port),
    ]
    os.execvp(command[0], command)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()
