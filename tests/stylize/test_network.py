"""The network that ships: what the service relies on, shown on its real weights."""

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.settings import Settings
from services.chassis.store import ModelStore
from services.stylize.painter import Painter, Reach
from services.stylize.styles import StyleBook

PHOTO = Path(__file__).parents[2] / "samples" / "scenes" / "street.jpg"
TILED = Reach(tile_side_max=384)


@pytest.fixture(scope="module")
def store() -> ModelStore:
    """Open the shipped models."""
    return ModelStore(Settings().models)


@pytest.fixture(scope="module")
def engine(store: ModelStore) -> OpenVinoEngine:
    """Open the painter in f32, where equal means equal."""
    return OpenVinoEngine(
        store.open("stylize"),
        threads=2,
        picture_inputs=("image", "thumbnail"),
        picture_outputs=("stylized",),
        exact=True,
    )


@pytest.fixture(scope="module")
def book(store: ModelStore) -> StyleBook:
    """Open the shipped styles."""
    return StyleBook.from_json(store.open("styles"))


def painted(
    engine: OpenVinoEngine, photo: np.ndarray, code: np.ndarray, reach: Reach
) -> np.ndarray:
    """Paint one photo."""
    with (
        Budget(1 << 30).lease(0) as arena,
        Painter(engine, CpuRaster(1), reach).sitting() as sitting,
    ):
        return sitting.paint(photo, code, (0, 0), arena, threading.Event()).copy()


def test_there_are_styles_enough(book: StyleBook) -> None:
    """At least twelve named styles ship, at least four of them no single painting."""
    mediums = [style for style in book.styles if not style.painter]

    assert len(book.styles) >= 12
    assert len(mediums) >= 4
    assert all(np.isfinite(style.code).all() for style in book.styles)


def test_tiles_have_no_seams(engine: OpenVinoEngine, book: StyleBook) -> None:
    """A picture painted in tiles equals the one painted in one piece to within one level."""
    photo = np.asarray(Image.open(PHOTO).convert("RGB"))[:448, :576]
    code = book.styles[0].code
    whole = painted(engine, photo, code, Reach())
    tiles = painted(engine, photo, code, TILED)

    assert np.abs(whole.astype(int) - tiles).max() <= 1


def test_every_style_looks_different(engine: OpenVinoEngine, book: StyleBook) -> None:
    """No two named styles give the same picture, and none gives the photo back."""
    photo = np.asarray(Image.open(PHOTO).convert("RGB").resize((192, 128)))
    pictures = [photo, *[painted(engine, photo, style.code, Reach()) for style in book.styles]]
    differences = [
        np.abs(one.astype(int) - other).mean()
        for place, one in enumerate(pictures)
        for other in pictures[:place]
    ]

    assert min(differences) > 3.0
