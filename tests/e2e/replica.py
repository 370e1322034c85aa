"""`python -m tests.e2e.replica`: a replica of the stand-in, sealed as the real one."""

from typing import TYPE_CHECKING

from services.chassis.launch import launch
from services.chassis.settings import Settings

if TYPE_CHECKING:
    from services.chassis.server import Feature


def load(settings: Settings) -> "Feature":
    """Import and build the feature, under the seal that `launch` has put on."""
    from tests.e2e.stand_in import assemble  # noqa: PLC0415

    return assemble(settings.threads)


if __name__ == "__main__":
    launch(load)
