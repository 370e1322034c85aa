"""`python -m services.tryon`: serve clothing replacement."""

from typing import TYPE_CHECKING

from services.chassis.launch import launch
from services.chassis.settings import Settings

if TYPE_CHECKING:
    from services.chassis.server import Feature


def main() -> None:
    """Serve."""
    launch(load)


def load(settings: Settings) -> "Feature":
    """Import and build the feature, under the seal that `launch` has put on."""
    from services.tryon.assembly import assemble  # noqa: PLC0415

    return assemble(settings)


if __name__ == "__main__":
    main()
