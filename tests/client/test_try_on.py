"""Try-on calls against a scripted service."""

from pathlib import Path

import pytest

from batchpix.media.v1 import media_pb2
from batchpix.tryon.v1 import tryon_pb2
from batchpix_client import (
    BatchpixError,
    Category,
    Client,
    DressedPicture,
    EditMask,
    Garment,
    GarmentFound,
)
from tests.client import fakes
from tests.client.fakes import FakeMesh


@pytest.fixture
def mesh() -> FakeMesh:
    """Make a fake that dresses people."""
    return FakeMesh(script=fakes.dressing)


def test_a_dressed_picture_comes_back(client: Client) -> None:
    """One photo and one garment make one picture, and the receipt holds."""
    call = client.try_on(b"photo", [b"jeans"])
    (result,) = call

    assert isinstance(result, DressedPicture)
    assert result.data == b"otohp"
    assert call.receipt is not None
    assert call.receipt.verify(fakes.RECEIPT_KEY_PEM).call_id == fakes.CALL_ID


def test_the_edit_mask_comes_where_it_is_wanted(client: Client) -> None:
    """The mask is told apart from the picture."""
    results = list(client.try_on(b"photo", [b"jeans"], mask_wanted=True))

    assert [type(result) for result in results] == [DressedPicture, EditMask]


def test_what_garments_were_taken_for_is_told(client: Client) -> None:
    """Each garment's category is known by the time of the picture."""
    call = client.try_on(b"photo", [b"jeans", b"shirt"])
    next(call)

    assert call.found == (
        GarmentFound(index=0, category="trousers"),
        GarmentFound(index=1, category="trousers"),
    )


def test_options_arrive_as_they_were_given(client: Client, mesh: FakeMesh, tmp_path: Path) -> None:
    """Every argument reaches its field; garments go ahead of the photo, hints name their place."""
    shirt = tmp_path / "shirt.png"
    shirt.write_bytes(b"\x89PNG\r\n\x1a\n")
    call = client.try_on(
        b"photo",
        [b"jeans", Garment(picture=shirt, category="top-long-sleeve", tuck="in")],
        person=(0.5, 0.5),
        seed=9,
        format="png",
        long_side_pixels_max=640,
    )
    list(call)

    expected = tryon_pb2.TryOnOptions(
        garments=[
            tryon_pb2.GarmentHint(
                garment_index=1,
                category=tryon_pb2.GARMENT_CATEGORY_TOP_LONG_SLEEVE,
                tuck=tryon_pb2.TUCK_IN,
            )
        ],
        person=media_pb2.Point(x=0.5, y=0.5),
        seed=9,
        format=media_pb2.PictureFormat(media_type="image/png", long_side_pixels_max=640),
    )
    assert expected == mesh.options
    assert [medium.start.kind for medium in mesh.media] == [
        media_pb2.MEDIA_KIND_GARMENT,
        media_pb2.MEDIA_KIND_GARMENT,
        media_pb2.MEDIA_KIND_IMAGE,
    ]


def test_every_category_of_the_protocol_can_be_named() -> None:
    """No category of the contract is left out of the SDK."""
    known = tryon_pb2.GarmentCategory.keys()[1:]

    assert [f"GARMENT_CATEGORY_{each.name}" for each in Category] == known


def test_a_category_that_nobody_knows_is_refused_here(client: Client, mesh: FakeMesh) -> None:
    """What the protocol cannot express never reaches the service."""
    with pytest.raises(BatchpixError) as caught:
        list(client.try_on(b"photo", [Garment(picture=b"shoes", category="shoes")]))

    assert (caught.value.reason, mesh.attempts) == ("OPTION_INVALID", 0)
