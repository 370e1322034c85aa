"""The command `tryon` against the fake mesh."""

import json
from pathlib import Path

import pytest

from batchpix.tryon.v1 import tryon_pb2
from tests.client import fakes
from tests.client.conftest import Batchpix
from tests.client.fakes import FakeMesh


@pytest.fixture
def mesh() -> FakeMesh:
    """Make a fake that dresses people."""
    return FakeMesh(script=fakes.dressing)


def test_picture_and_mask_go_to_their_files(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """The result has the format that its name says, and the mask comes where it is wanted."""
    out, mask = tmp_path / "new" / "dressed.png", tmp_path / "masks" / "mask.png"
    result = batchpix("tryon", photo, photo, "-o", out, "--mask-out", mask)

    assert result.exit_code == 0, result.stderr
    assert out.read_bytes() == mask.read_bytes() == b"eno"
    assert mesh.options.format.media_type == "image/png"
    assert "trousers" in result.stderr


def test_scripts_get_one_document(batchpix: Batchpix, photo: Path, tmp_path: Path) -> None:
    """JSON tells what each garment was taken for."""
    out, receipt = tmp_path / "out", tmp_path / "r.json"
    result = batchpix("tryon", photo, photo, photo, "-o", out, "--json", "--receipt", receipt)
    document = json.loads(result.stdout)

    assert document["garments"] == ["trousers", "trousers"]
    assert document["output"] == str(out / "photo.png")
    assert batchpix("verify-receipt", receipt).exit_code == 0


def test_what_is_known_of_garments_reaches_the_service(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """Categories belong to the garments at the same place; auto says nothing."""
    batchpix(
        "tryon", photo, photo, photo, photo, "-o", tmp_path / "d.webp", "--category", "auto",
        "--category", "skirt", "--person", "0.5,0.25", "--seed", 5, "--long-side", 640,
    )  # fmt: skip

    options = mesh.options
    assert list(options.garments) == [
        tryon_pb2.GarmentHint(garment_index=1, category=tryon_pb2.GARMENT_CATEGORY_SKIRT)
    ]
    assert (options.person.x, options.person.y, options.seed) == (0.5, 0.25, 5)
    assert (options.format.media_type, options.format.long_side_pixels_max) == ("image/webp", 640)
    assert not options.mask_wanted


@pytest.mark.parametrize(
    "arguments",
    [
        ["--category", "shoes"],
        ["--category", "skirt", "--category", "skirt"],
        ["--tuck", "half"],
        ["--person", "left"],
    ],
)
def test_wrong_usage_ends_with_status_2(
    batchpix: Batchpix, photo: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """Usage errors are told apart from failures."""
    assert batchpix("tryon", photo, photo, "-o", tmp_path / "d.png", *arguments).exit_code == 2
