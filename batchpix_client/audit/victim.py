"""A caller that is killed: `python -m batchpix_client.audit.victim`, with its orders on stdin.

It uploads the picture that it is given, all but the last piece, says so, and waits for its end.
"""

import sys
import threading
from collections.abc import Iterator

import grpc

from batchpix_client.audit.canaries import Canary
from batchpix_client.audit.conversation import Caller, Request, medium, options, style

UPLOADED = "uploaded"
PIECES = 4


def main() -> None:
    """Read address, authority, token, style and picture; upload; wait."""
    orders = sys.stdin.buffer
    address, token, name = (orders.readline().decode().strip() for _ in range(3))
    authority = orders.read(int(orders.readline()))
    canary = Canary(content=orders.read(), media_type="image/jpeg", needles=())
    channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(authority))
    caller = Caller({"stylize": channel}, (("authorization", f"Bearer {token}"),))
    for _ in caller.begin(endless(canary, name)):
        # The first answer says that the call was let in; the upload goes on by itself.
        sys.stdout.write(UPLOADED + "\n")
        sys.stdout.flush()


def endless(canary: Canary, name: str) -> Iterator[Request]:
    """Send a call that lacks its last bytes, and never half-close it."""
    yield options(styles=style(name))
    pieces = Canary(
        content=canary.content[: -len(canary.content) // PIECES],
        media_type=canary.media_type,
        needles=(),
    )
    yield from medium(0, pieces, size_bytes=len(canary.content))
    threading.Event().wait()


if __name__ == "__main__":
    main()
