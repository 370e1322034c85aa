"""The demonstration's plans, its programme and what it draws."""

import io
import wave
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from batchpix_client import BatchpixError, Client, DanceJob, StylizeJob, TryOnJob, VideoJob
from batchpix_client.demo.dance import plan_dance, plan_driven
from batchpix_client.demo.gallery import write_gallery
from batchpix_client.demo.music import SAMPLES_PER_SECOND, make_music
from batchpix_client.demo.plan import Plan, Shown, find_samples
from batchpix_client.demo.programme import Programme
from batchpix_client.demo.sheet import (
    CAPTION_PIXELS,
    GAP_PIXELS,
    HEADING_PIXELS,
    MARGIN_PIXELS,
    PAPER,
    PICTURE_PIXELS,
    WIDTH_PIXELS,
    flow,
)
from batchpix_client.demo.stylize import plan_stylize
from batchpix_client.demo.tryon import plan_tryon
from batchpix_client.demo.video import plan_video
from batchpix_client.films import make_film, strip
from tests.client import fakes
from tests.client.fakes import FakeMesh

SAMPLES = find_samples(Path(__file__).parents[2] / "samples")


def test_samples_of_all_kinds_are_found_the_richest_first() -> None:
    """Scenes come before people, people before garments."""
    kinds = [path.parent.name for path in SAMPLES.pictures]

    assert list(dict.fromkeys(kinds)) == ["scenes", "people", "garments"]


def test_a_folder_without_samples_is_named(tmp_path: Path) -> None:
    """Nothing to show is an error, not an empty sheet."""
    with pytest.raises(BatchpixError, match="no sample pictures"):
        find_samples(tmp_path)


def jobs_of(plans: list[Plan], kind: type[Any]) -> list[Any]:
    """List the jobs, all of one kind."""
    jobs = [plan.job for plan in plans]
    assert all(isinstance(job, kind) for job in jobs)
    return jobs


@pytest.mark.parametrize("count", [1, 4, 40])
def test_every_style_and_every_sample_is_shown(count: int) -> None:
    """However many styles there are, each is used, and each sample is sent."""
    styles = [f"style_{number}" for number in range(count)]
    plans = plan_stylize(SAMPLES, styles)

    used = {plan.job.style for plan in plans if plan.photos and isinstance(plan.job.style, str)}
    assert set(styles) == used
    assert set(SAMPLES.pictures) <= {photo for plan in plans for photo in plan.photos}


def test_the_options_of_stylize_are_shown_too() -> None:
    """A mix, kept colours, a style picture, a mask and a region each have their call."""
    jobs: list[StylizeJob] = jobs_of(plan_stylize(SAMPLES, ["a", "b"]), StylizeJob)

    assert any(isinstance(job.style, list) for job in jobs)
    assert any(isinstance(job.style, Path) for job in jobs)
    assert any(job.masks for job in jobs)
    assert any(job.preserve_colour for job in jobs)
    assert {job.region for job in jobs} == {"whole", "background"}
    assert len({(job.strength, job.style_scale) for job in jobs}) == 3


def test_three_clips_have_three_cameras() -> None:
    """Each scene has a camera of its own, and one clip is a loop."""
    plans = plan_video(SAMPLES)
    jobs: list[VideoJob] = jobs_of(plans, VideoJob)

    assert len({job.camera for job in jobs}) == len({plan.photos for plan in plans}) == 3
    assert any(job.loop for job in jobs)


def test_three_people_have_three_moves() -> None:
    """Music leads one of the dances; another is led by the film of a dance."""
    plans = plan_dance(SAMPLES, ["bow", "disco_point", "floss", "running_man"])
    jobs: list[DanceJob] = jobs_of(plans, DanceJob)
    driven = plan_driven(SAMPLES, b"film")

    assert len({tuple(job.moves) for job in jobs}) == len({plan.photos for plan in plans}) == 3
    assert [bool(job.music) for job in jobs] == [True, False, False]
    assert isinstance(driven.job, DanceJob)
    assert (driven.job.driving_video, driven.job.moves) == (b"film", ())


def test_a_service_with_other_moves_is_shown_all_the_same() -> None:
    """The plan takes what moves there are."""
    jobs: list[DanceJob] = jobs_of(plan_dance(SAMPLES, ["waltz"]), DanceJob)

    assert [job.moves for job in jobs] == [["waltz"]] * 3


def test_three_people_wear_three_garments_each() -> None:
    """Trousers and a dress are among them, and somebody wears an outfit."""
    plans = plan_tryon(SAMPLES)
    jobs: list[TryOnJob] = jobs_of(plans, TryOnJob)
    pairs = {(plan.photos[0], *plan.beside) for plan in plans}

    assert len(pairs) == len(plans) == 10
    assert len({plan.photos for plan in plans}) == 3
    worn = {Path(str(garment)).stem.partition("_")[0] for job in jobs for garment in job.garments}
    assert worn == {"upper", "lower", "dress"}
    assert max(len(job.garments) for job in jobs) == 2


def test_samples_of_other_names_are_worn_too(tmp_path: Path) -> None:
    """A folder of one's own needs no naming."""
    for name in ("people/ann.jpg", "garments/a.jpg", "garments/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    plans = plan_tryon(find_samples(tmp_path))

    assert [plan.caption for plan in plans] == ["a", "b", "a and b"]


def test_the_music_has_its_drum_on_the_beat() -> None:
    """What is loud at low pitch begins where the beats are."""
    with wave.open(io.BytesIO(make_music(120.0, 2.0))) as reader:
        assert reader.getframerate() == SAMPLES_PER_SECOND
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
    loud = np.flatnonzero(np.abs(samples) > 12_000) / SAMPLES_PER_SECOND
    starts = loud[np.diff(loud, prepend=-1.0) > 0.2]

    np.testing.assert_allclose(starts, [0.0, 0.5, 1.0, 1.5], atol=0.01)


def film(count: int) -> bytes:
    """Make a film whose frames grow brighter."""
    greys = [20 + 200 * place // max(count - 1, 1) for place in range(count)]
    return make_film([np.full((96, 64, 3), grey, np.uint8) for grey in greys], 30)


@pytest.mark.parametrize(("count", "expected"), [(31, 6), (6, 6), (3, 3), (1, 1)])
def test_a_strip_runs_from_the_first_frame_to_the_last(count: int, expected: int) -> None:
    """Frames are spread evenly, and a short film shows all that it has."""
    greys = [np.asarray(frame).mean() for frame in strip(film(count), 6)]

    assert len(greys) == expected
    np.testing.assert_allclose(greys[0], 20, atol=3)
    np.testing.assert_allclose(greys, np.linspace(greys[0], greys[-1], expected), atol=3)


def all_features(fake: FakeMesh, requests: Iterator[Any], context: fakes.Context) -> Iterator[Any]:
    """Answer each feature's calls as that feature does."""
    first = next(requests)
    scripts = {
        "StylizeRequest": fakes.backwards,
        "AnimateRequest": fakes.filming,
        "DanceRequest": fakes.dancing,
        "TryOnRequest": fakes.dressing,
    }
    # Each call's media are its own.
    fake.media.clear()

    def again() -> Iterator[Any]:
        yield first
        yield from requests

    yield from scripts[type(first).__name__](fake, again(), context)


@pytest.mark.parametrize(
    "features", [("stylize",), ("stylize", "video", "dance", "tryon"), ("dance",)]
)
def test_the_programme_shows_whatever_runs(
    client: Client, mesh: FakeMesh, features: tuple[str, ...]
) -> None:
    """Features come in order, each result is counted, and each receipt is verified."""
    mesh.script = all_features
    programme = Programme(client, SAMPLES, features, [fakes.RECEIPT_KEY_PEM.decode()])
    heard: list[str] = []
    shown = list(programme.run(heard.append))

    assert tuple(dict.fromkeys(each.feature for each in shown)) == features
    assert len(shown) == len(heard) == programme.count
    if "dance" in features:
        (last,) = [each for each in shown if each.feature == "dance"][3:]
        assert last.caption == "after the film of the first dance"


def test_a_receipt_of_a_strange_key_ends_the_programme(client: Client) -> None:
    """A demonstration that cannot be trusted is none."""
    programme = Programme(client, SAMPLES, ("stylize",), [])

    with pytest.raises(BatchpixError, match="none of the trusted keys"):
        list(programme.run(lambda _caption: None))


def shown_picture(folder: Path, name: str, colour: tuple[int, int, int]) -> Shown:
    """Make a grey input and a result of one colour."""
    source = folder / f"{name}.jpg"
    Image.new("RGB", (64, 96), (128, 128, 128)).save(source)
    data = io.BytesIO()
    Image.new("RGB", (64, 96), colour).save(data, "PNG")
    return shown(source, data.getvalue(), "image/png")


def shown(source: Path, data: bytes, media_type: str) -> Shown:
    """Show an input and its result."""
    return Shown(
        feature="stylize" if media_type == "image/png" else "video",
        inputs=(source,),
        caption="a <bold> style",
        data=data,
        media_type=media_type,
        width_pixels=64,
        height_pixels=96,
        first_seconds=0.125,
        elapsed_seconds=0.25,
    )


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


def test_a_clip_is_played_on_the_page_and_laid_out_on_the_sheet(tmp_path: Path) -> None:
    """The page has a player, the sheet the input and six frames from dark to bright."""
    source = tmp_path / "one.jpg"
    Image.new("RGB", (64, 96), (128, 128, 128)).save(source)
    out = tmp_path / "out"
    write_gallery([shown(source, film(30), "video/mp4")], out)
    step = PICTURE_PIXELS * 64 // 96 + GAP_PIXELS
    top = 2 * MARGIN_PIXELS + HEADING_PIXELS + PICTURE_PIXELS // 2

    assert '<video src="results/01_one_a__bold__style.mp4"' in (out / "index.html").read_text()
    with Image.open(out / "contact-sheet.jpg") as sheet:
        places = [(MARGIN_PIXELS + place * step + step // 2, top) for place in range(7)]
        greys = [int(np.mean(sheet.getpixel(place))) for place in places]
    assert abs(greys[0] - 128) < 12
    assert greys[1:] == sorted(greys[1:])
    assert greys[1] < 40
    assert greys[-1] > 200


def test_the_sheet_shows_each_input_beside_its_result(tmp_path: Path) -> None:
    """Blocks fill rows from the left: grey input, coloured result, paper where nothing is."""
    out = tmp_path / "out"
    reds = [(40 * place, 0, 0) for place in range(6)]
    write_gallery([shown_picture(tmp_path, str(place), red) for place, red in enumerate(reds)], out)
    width = PICTURE_PIXELS * 64 // 96  # of one of the pictures
    block = (2 * width + GAP_PIXELS, PICTURE_PIXELS + CAPTION_PIXELS)
    (_, *corners), _ = flow([(WIDTH_PIXELS, HEADING_PIXELS), *[block] * len(reds)])

    with Image.open(out / "contact-sheet.jpg") as sheet:
        for (left, top), red in zip(corners, reds, strict=True):
            middle = top + PICTURE_PIXELS // 2
            assert is_near(sheet, (left + width // 2, middle), (128, 128, 128))
            assert is_near(sheet, (left + width + width // 2, middle), red)
        assert is_near(sheet, (MARGIN_PIXELS // 2, sheet.height // 2), PAPER)


def test_blocks_go_to_the_next_row_where_they_do_not_fit() -> None:
    """Rows are filled as far as the sheet is wide, and are as high as their highest block."""
    half = (WIDTH_PIXELS - 3 * MARGIN_PIXELS) // 2
    corners, height = flow([(half, 10), (half, 30), (1, 10), (WIDTH_PIXELS, 10), (1, 10)])
    tops = [MARGIN_PIXELS, MARGIN_PIXELS]
    for row in (30, 10, 10):
        tops.append(tops[-1] + row + MARGIN_PIXELS)

    assert tops == [top for _, top in corners]
    assert [MARGIN_PIXELS, 2 * MARGIN_PIXELS + half] == [left for left, _ in corners[:2]]
    assert height == tops[-1] + 10 + MARGIN_PIXELS


def is_near(sheet: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    """Tell whether a pixel has a colour, but for what JPEG does to it."""
    found = sheet.getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 12 for a, b in zip(found, colour, strict=True))
