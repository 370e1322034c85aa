"""What engines have to know of a network beyond its file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Heights and widths, in pixels, that a network's free sides may have.

    Attributes:
        least: the shortest side.
        usual: height and width that speed matters most for.
        most: the longest side.
        recorded: heights and widths that many runs have: devices prepare for them ahead.
    """

    least: int
    usual: tuple[int, int]
    most: int
    recorded: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network of a feature.

    Attributes:
        name: in the model lock.
        picture_inputs: float inputs [N,3,H,W] in 0..1 that are given as uint8 [N,H,W,3].
        picture_outputs: float outputs [N,3,H,W] in 0..1 that are written as uint8 [N,H,W,3].
        sides: of its pictures, None if the network fixes them.
        answer_step: pixels of a picture, each way, for one value of an answer whose sides are free
            and that is no picture itself.
        exact: compute in float32 everywhere, for networks whose answers are coordinates and
            likelihoods with narrow limits: bfloat16 rounds 200.5 to 200.
        mean_error_max: how far a device's answers may lie from those of the CPU in full precision,
            averaged: in levels of 255 for pictures, in the answer's own unit for others.
    """

    name: str
    picture_inputs: tuple[str, ...] = ()
    picture_outputs: tuple[str, ...] = ()
    sides: Sides | None = None
    answer_step: int = 1
    exact: bool = False
    mean_error_max: float = 0.5
