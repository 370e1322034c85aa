"""`python -m services.dance`: serve AI dance."""

from typing import TYPE_CHECKING

from services.chassis.launch import launch
from services.chassis.settings import Settings

if TYPE_CHECKING:
    from services.chassis.server import Feature


def load(settings: Settings) -> "Feature":
    """Import and build the feature, under the seal that `launch` has put on."""
    from services.dance.assembly import assemble  # noqa: PLC0415

    return assemble(settings)


if __name__ == "__main__":
    launch(load)
