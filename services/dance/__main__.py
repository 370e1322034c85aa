"""`python -m services.dance`: serve AI dance; with `build-engines`, get a GPU ready."""

import sys
from typing import TYPE_CHECKING

from services.chassis.launch import launch
from services.chassis.settings import Settings

if TYPE_CHECKING:
    from services.chassis.server import Feature


def main() -> None:
    """Serve, or build what serving on this machine's GPU needs."""
    if sys.argv[1:] == ["build-engines"]:
        from services.chassis.build import build  # noqa: PLC0415  # not needed for serving
        from services.dance.networks import NETWORKS  # noqa: PLC0415

        build(NETWORKS)
    else:
        launch(load)


def load(settings: Settings) -> "Feature":
    """Import and build the feature, under the seal that `launch` has put on."""
    from services.dance.assembly import assemble  # noqa: PLC0415

    return assemble(settings)


if __name__ == "__main__":
    main()
