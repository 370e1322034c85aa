"""The demonstration's plan and what it draws."""

import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from batchpix_client import BatchpixError, StylizedPicture
from batchpix_client.demo import Shown, find_samples, plan_demo
from batchpix_client.gallery import write_gallery
from batchpix_client.sheet import (
    GAP_PIXELS,
    MARGIN_PIXELS,
    PAPER,
    PICTURE_PIXELS,
    WIDTH_PIXELS,
    flow,
    row_pixels,
)

SAMPLES = Path(__file__).parents[2] / "samples"


def test_samples_of_all_kinds_are_found_the_richest_first() -> None:
    """Scenes come before people, people before garments."""
    kinds = [path.parent.name for path in find_samples(SAMPLES)]

    assert list(dict.fromkeys(kinds)) == ["scenes", "people", "garments"]
    assert kinds == sorted(kinds, key=["scenes", "people", "garments"].index)


def test_a_folder_without_samples_is_named(tmp_path: Path) -> None:
    """Nothing to show is an error, not an empty sheet."""
    with pytest.raises(BatchpixError, match="no sample pictures"):
        find_samples(tmp_path)


@pytest.mark.parametrize("count", [1, 4, 40])
def test_every_style_and_every_sample_is_shown(count: int) -> None:
    """However many styles there are, each is used, and each sample is sent."""
    samples = find_samples(SAMPLES)
    styles = [f"style_{number}" for number in range(count)]
    plans = plan_demo(samples, styles, SAMPLES / "truth")

    named = [plan for plan in plans if plan.options["style"] in styles]
    assert set(styles) == {plan.options["style"] for plan in named if plan.pictures}
    assert set(samples) <= {picture for plan in named for picture in plan.pictures}


def test_the_options_are_shown_too() -> None:
    """A mix, kept colours, a style picture, a mask and a region each have their call."""
    plans = plan_demo(find_samples(SAMPLES), ["a", "b"], SAMPLES / "truth")

    used = {name for plan in plans for name in plan.options}
    assert {"style", "preserve_colour", "strength", "style_scale", "masks", "region"} == used
    assert any(isinstance(plan.options["style"], list) for plan in plans)
    assert any(isinstance(plan.options["style"], Path) for plan in plans)


def shown_picture(folder: Path, name: str, colour: tuple[int, int, int]) -> Shown:
    """Make a grey input and a result of one colour."""
    source = folder / f"{name}.jpg"
    Image.new("RGB", (64, 96), (128, 128, 128)).save(source)
    data = io.BytesIO()
    Image.new("RGB", (64, 96), colour).save(data, "PNG")
    result = StylizedPicture(
        index=0,
        data=data.getvalue(),
        media_type="image/png",
        width_pixels=64,
        height_pixels=96,
        elapsed_seconds=0.25,
    )
    return Shown(source=source, caption="a <bold> style", result=result)


class Links(HTMLParser):
    """Gathers what a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # the base class's signature
        """Take in one tag."""
        self.targets |= {value for name, value in attrs if name in {"src", "href"} and value}


def test_the_gallery_links_only_to_what_it_holds(tmp_path: Path) -> None:
    """Every link of the page is a file beside it, and captions cannot break the page."""
    out = tmp_path / "out"
    write_gallery([shown_picture(tmp_path, name, (255, 0, 0)) for name in ("one", "two")], out)
    page = (out / "index.html").read_text()
    links = Links()
    links.feed(page)

    expected = {
        "contact-sheet.jpg",
        "inputs/one.jpg",
        "inputs/two.jpg",
        "results/01_one_a__bold__style.png",
        "results/02_two_a__bold__style.png",
    }
    assert expected == links.targets
    assert all((out / target).is_file() for target in expected)
    assert "a &lt;bold&gt; style" in page


def test_a_second_gallery_replaces_the_first(tmp_path: Path) -> None:
    """Results of an earlier run do not stay among those of a later one."""
    out = tmp_path / "out"
    write_gallery([shown_picture(tmp_path, name, (255, 0, 0)) for name in ("one", "two")], out)
    write_gallery([shown_picture(tmp_path, "one", (255, 0, 0))], out)

    assert [each.name for each in (out / "results").iterdir()] == ["01_one_a__bold__style.png"]


def test_the_sheet_shows_each_input_beside_its_result(tmp_path: Path) -> None:
    """Pairs fill rows from the left: grey input, coloured result, paper where nothing is."""
    out = tmp_path / "out"
    reds = [(40 * place, 0, 0) for place in range(6)]
    write_gallery([shown_picture(tmp_path, str(place), red) for place, red in enumerate(reds)], out)
    width = PICTURE_PIXELS * 64 // 96  # of one of the pictures
    corners = flow([2 * width + GAP_PIXELS] * len(reds))

    with Image.open(out / "contact-sheet.jpg") as sheet:
        for (left, top), red in zip(corners, reds, strict=True):
            middle = top + PICTURE_PIXELS // 2
            assert is_near(sheet, (left + width // 2, middle), (128, 128, 128))
            assert is_near(sheet, (left + width + width // 2, middle), red)
        assert is_near(sheet, (MARGIN_PIXELS // 2, sheet.height // 2), PAPER)


def test_pairs_go_to_the_next_row_where_they_do_not_fit() -> None:
    """Rows are filled as far as the sheet is wide, and a pair too wide has a row of its own."""
    half = (WIDTH_PIXELS - 3 * MARGIN_PIXELS) // 2
    corners = flow([half, half, 1, WIDTH_PIXELS, 1])

    rows = [(top - MARGIN_PIXELS) // row_pixels() for _, top in corners]
    assert rows == [0, 0, 1, 2, 3]
    assert [MARGIN_PIXELS, 2 * MARGIN_PIXELS + half] == [left for left, _ in corners[:2]]


def is_near(sheet: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    """Tell whether a pixel has a colour, but for what JPEG does to it."""
    found = sheet.getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 12 for a, b in zip(found, colour, strict=True))
