"""An outfit: which garments go together, and in which order they are put on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from services.chassis.errors import InvalidRequestError, Reason
from services.tryon.cloth import Cloth
from services.tryon.fit import BOTTOMS
from services.tryon.garment import GarmentCategory

GARMENTS_MAX = 4


class Tuck(Enum):
    """How a top meets what is worn below."""

    OVER = auto()
    IN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What the caller knows of a garment.

    Attributes:
        category: None to find it in the picture.
        tuck: how it meets what is worn below.
    """

    category: GarmentCategory | None = None
    tuck: Tuck = Tuck.OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Worn:
    """A garment of an outfit.

    Attributes:
        cloth: cut out of its picture.
        tuck: how it meets what is worn below.
        field: path of its medium in error details.
    """

    cloth: Cloth
    tuck: Tuck
    field: str

    @property
    def tucked(self) -> bool:
        """Whether it goes under what is worn below."""
        return self.tuck is Tuck.IN and self.layer is Layer.TOP

    @property
    def layer(self) -> "Layer":
        """Which place of the body it takes."""
        return layer_of(self.cloth.category)


class Layer(Enum):
    """Places of an outfit, each taken once; over a dress goes outerwear alone."""

    BOTTOM = auto()
    DRESS = auto()
    TOP = auto()
    OUTER = auto()


def layer_of(category: GarmentCategory) -> Layer:
    """Tell which place of an outfit a garment takes."""
    if category in BOTTOMS:
        return Layer.BOTTOM
    if category is GarmentCategory.DRESS:
        return Layer.DRESS
    return Layer.OUTER if category is GarmentCategory.OUTERWEAR else Layer.TOP


def in_order(outfit: Sequence[Worn]) -> list[Worn]:
    """Return the garments as they are put on: what is worn below, tops, outerwear.

    Raises:
        InvalidRequestError: two garments would take one place.
    """
    taken: set[Layer] = set()
    for worn in outfit:
        clash = {worn.layer}
        if worn.layer is Layer.DRESS:
            clash |= {Layer.TOP, Layer.BOTTOM}
        elif worn.layer in (Layer.TOP, Layer.BOTTOM):
            clash |= {Layer.DRESS}
        if taken & clash:
            raise InvalidRequestError(
                Reason.OPTION_INVALID,
                "an outfit holds one dress, or a top and what is worn below; and one outerwear",
                field=worn.field,
            )
        taken.add(worn.layer)
    places = list(Layer)
    return sorted(outfit, key=lambda worn: places.index(worn.layer))
