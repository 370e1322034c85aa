"""What engines have to know of a network beyond its file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Heights and widths, in pixels, that a network's free sides may have.

    Attributes:
        least: the shortest side.
        usual: height and width that speed matters most for.
        most: the longest side.
    """

    least: int
    usual: tuple[int, int]
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network of a feature.

    Attributes:
        name: in the model lock.
        picture_inputs: float inputs [N,3,H,W] in 0..1 that are given as uint8 [N,H,W,3].
        picture_outputs: float outputs [N,3,H,W] in 0..1 that are written as uint8 [N,H,W,3].
        sides: of its pictures, None if the network fixes them.
        mean_error_max: how far half precision may lie from full precision, averaged over the
            answers: in levels of 255 for pictures, in the answer's own unit for others.
    """

    name: str
    picture_inputs: tuple[str, ...] = ()
    picture_outputs: tuple[str, ...] = ()
    sides: Sides | None = None
    mean_error_max: float = 0.5
