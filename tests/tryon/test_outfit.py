"""Which garments go together, in which order, and who can be dressed."""

from dataclasses import replace

import numpy as np
import pytest

from services.chassis.errors import InvalidRequestError, Reason
from services.tryon import figure
from services.tryon.cloth import cut_out
from services.tryon.garment import GarmentCategory
from services.tryon.outfit import Tuck, Worn, in_order
from services.tryon.stance import check_stance

SIZE = (960, 640)


def worn(category: GarmentCategory, tuck: Tuck = Tuck.OVER) -> Worn:
    """Make one garment of an outfit."""
    return Worn(cloth=cut_out(*figure.garment(category)), tuck=tuck, field="media[0]")


def test_an_outfit_is_put_on_from_below() -> None:
    """Trousers, then the top, then what goes over it, in whatever order they come."""
    wanted = [
        GarmentCategory.TROUSERS,
        GarmentCategory.TOP_LONG_SLEEVE,
        GarmentCategory.OUTERWEAR,
    ]
    order = in_order([worn(category) for category in reversed(wanted)])

    assert [each.cloth.category for each in order] == wanted


@pytest.mark.parametrize(
    "pair",
    [
        (GarmentCategory.TOP_SHORT_SLEEVE, GarmentCategory.TOP_LONG_SLEEVE),
        (GarmentCategory.SKIRT, GarmentCategory.TROUSERS),
        (GarmentCategory.DRESS, GarmentCategory.TROUSERS),
        (GarmentCategory.TOP_SHORT_SLEEVE, GarmentCategory.DRESS),
    ],
)
def test_two_garments_for_one_place_are_refused(pair: tuple[GarmentCategory, ...]) -> None:
    """A body wears one top, one thing below, or one dress."""
    with pytest.raises(InvalidRequestError, match="an outfit holds"):
        in_order([worn(category) for category in pair])


def test_only_tops_are_tucked_in() -> None:
    """A coat hangs over whatever was asked."""
    assert worn(GarmentCategory.TOP_LONG_SLEEVE, Tuck.IN).tucked
    assert not worn(GarmentCategory.OUTERWEAR, Tuck.IN).tucked


def test_a_person_who_faces_the_camera_can_be_dressed() -> None:
    """The figure stands as it should, for any garment."""
    check_stance(figure.person(), SIZE, [worn(GarmentCategory.DRESS)])


def test_a_back_is_refused() -> None:
    """Left and right shoulder change places on someone seen from the back."""
    landmarks = figure.landmarks()
    landmarks[[11, 12, 23, 24]] = landmarks[[12, 11, 24, 23]]
    with pytest.raises(InvalidRequestError, match="face the camera") as caught:
        check_stance(
            replace(figure.person(), landmarks=landmarks),
            SIZE,
            [worn(GarmentCategory.TOP_LONG_SLEEVE)],
        )

    assert caught.value.reason is Reason.PERSON_NOT_FOUND


@pytest.mark.parametrize("number", [11, 23])
def test_a_hidden_trunk_is_refused(number: int) -> None:
    """Shoulders, and for what is worn below the hips, must be in sight."""
    landmarks = figure.landmarks()
    landmarks[[number, number + 1], 3] = 0.1
    with pytest.raises(InvalidRequestError, match="in sight"):
        check_stance(
            replace(figure.person(), landmarks=landmarks),
            SIZE,
            [worn(GarmentCategory.TROUSERS)],
        )


def test_legs_out_of_the_picture_matter_to_trousers_alone() -> None:
    """A photo down to the waist takes a top and no trousers."""
    landmarks = figure.landmarks()
    landmarks[25:29, 1] += 900
    cut = replace(figure.person(), landmarks=np.array(landmarks))
    check_stance(cut, SIZE, [worn(GarmentCategory.TOP_SHORT_SLEEVE)])
    with pytest.raises(InvalidRequestError, match="in sight"):
        check_stance(cut, SIZE, [worn(GarmentCategory.SHORTS)])
