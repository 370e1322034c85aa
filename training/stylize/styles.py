"""The named styles: paintings in the public domain, and mediums that are no single painting."""

from dataclasses import dataclass
from pathlib import Path

from training.stylize.data import Picture, picture, read

MARGIN = 0.04
"""Share of a reproduction cut off at each side: frames, edges of canvas, marks of the scan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """A painting and the file that reproduces it.

    Attributes:
        name: the style's name in a call.
        title: the painting's title.
        painter: who painted it.
        year: when, if known here.
        file: name of the reproduction under `paintings/` in the data root.
    """

    name: str
    title: str
    painter: str
    year: int | None
    file: str


PAINTINGS = (
    Painting(
        name="starry_night",
        title="The Starry Night",
        painter="Vincent van Gogh",
        year=1889,
        file="van_gogh_starry_night.jpg",
    ),
    Painting(
        name="great_wave",
        title="The Great Wave off Kanagawa",
        painter="Katsushika Hokusai",
        year=1831,
        file="hokusai_great_wave.jpg",
    ),
    Painting(
        name="scream",
        title="The Scream",
        painter="Edvard Munch",
        year=1893,
        file="munch_the_scream.jpg",
    ),
    Painting(
        name="composition_vii",
        title="Composition VII",
        painter="Wassily Kandinsky",
        year=1913,
        file="kandinsky_composition_vii.jpg",
    ),
    Painting(
        name="udnie",
        title="Udnie",
        painter="Francis Picabia",
        year=1913,
        file="picabia_udnie.jpg",
    ),
    # The reproduction shows the billiard room of The Night Café, whatever its file is called.
    Painting(
        name="night_cafe",
        title="The Night Café",
        painter="Vincent van Gogh",
        year=1888,
        file="van_gogh_cafe_terrace.jpg",
    ),
    Painting(
        name="straw_hat",
        title="Self-Portrait with a Straw Hat",
        painter="Vincent van Gogh",
        year=1887,
        file="van_gogh_self_portrait.jpg",
    ),
    Painting(
        name="wheat_field",
        title="Wheat Field with Cypresses",
        painter="Vincent van Gogh",
        year=1889,
        file="van_gogh_wheat_field.jpg",
    ),
)
"""The paintings that train."""

UNSEEN = (
    Painting(
        name="houses",
        title="Houses with thatched roofs",
        painter="Vincent van Gogh",
        year=None,
        file="van_gogh_houses.jpg",
    ),
    Painting(
        name="tahiti",
        title="Women in Tahiti",
        painter="Paul Gauguin",
        year=None,
        file="gauguin_tahiti.jpg",
    ),
)
"""The paintings that only judge how a style picture never seen is followed."""


def load_painting(data: Path, painting: Painting) -> Picture:
    """Read a painting's reproduction without its margin."""
    pixels = read(data / "paintings" / painting.file)
    rows, columns = (round(side * MARGIN) for side in pixels.shape[:2])
    return picture(pixels[rows : pixels.shape[0] - rows, columns : pixels.shape[1] - columns])
