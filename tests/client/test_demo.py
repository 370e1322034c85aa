"""The demonstration's plan and what it draws."""

import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from batchpix_client import BatchpixError, StylizedPicture
from batchpix_client.demo import Shown, find_samples, plan_demo
from batchpix_client.gallery import write_gallery
from batchpix_client.sheet import CELL_PIXELS, COLUMNS, MARGIN_PIXELS, PAPER

SAMPLES = Path(__file__).parents[2] / "samples"


def test_samples_of_all_kinds_take_turns() -> None:
    """The first pictures are a person, a scene and a garment."""
    kinds = [path.parent.name for path in find_samples(SAMPLES)[:4]]

    assert kinds == ["people", "scenes", "garments", "people"]


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
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255)]
    write_gallery(
        [shown_picture(tmp_path, str(place), colour) for place, colour in enumerate(colours)], out
    )

    with Image.open(out / "contact-sheet.jpg") as sheet:
        pair = (sheet.width - MARGIN_PIXELS) / COLUMNS
        second_row = sheet.height // 2
        half = CELL_PIXELS // 2

        def near(place: tuple[float, float], colour: tuple[int, int, int]) -> bool:
            found = sheet.getpixel((round(place[0]), round(place[1])))
            assert isinstance(found, tuple)
            return all(abs(a - b) < 12 for a, b in zip(found, colour, strict=True))

        middle = MARGIN_PIXELS + half
        assert near((middle, middle), (128, 128, 128))
        assert near((middle + CELL_PIXELS, middle), colours[0])
        assert near((middle + pair + CELL_PIXELS, middle), colours[1])
        assert near((middle + CELL_PIXELS, second_row + half), colours[4])
        assert near((middle + pair, second_row + half), PAPER)
