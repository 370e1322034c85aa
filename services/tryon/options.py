"""The caller's options as the protocol has them, turned into the feature's own words."""

from batchpix.tryon.v1 import tryon_pb2
from services.chassis.errors import InvalidRequestError, Reason
from services.tryon.garment import GarmentCategory
from services.tryon.manner import QUALITY_DEFAULT, Manner
from services.tryon.outfit import GARMENTS_MAX, Hint, Tuck

CATEGORIES = {
    tryon_pb2.GarmentCategory.Value(f"GARMENT_CATEGORY_{category.name}"): category
    for category in GarmentCategory
}
NUMBERS = {category: number for number, category in CATEGORIES.items()}
TUCKS = {
    tryon_pb2.TUCK_UNSPECIFIED: Tuck.OVER,
    tryon_pb2.TUCK_OVER: Tuck.OVER,
    tryon_pb2.TUCK_IN: Tuck.IN,
}


def read_manner(options: tryon_pb2.TryOnOptions) -> Manner:
    """Take over the options, with their defaults.

    Raises:
        InvalidRequestError: a number that an enumeration does not have, or a garment named twice.
    """
    hints: dict[int, Hint] = {}
    for place, hint in enumerate(options.garments):
        field = f"options.garments[{place}]"
        if hint.garment_index in hints or hint.garment_index >= GARMENTS_MAX:
            raise InvalidRequestError(
                Reason.OPTION_INVALID,
                f"each of the {GARMENTS_MAX} garments is named once at most",
                field=f"{field}.garment_index",
            )
        hints[hint.garment_index] = read_hint(hint, field)
    point = (options.person.x, options.person.y) if options.HasField("person") else None
    return Manner(
        hints=hints,
        person=point,
        mask_wanted=options.mask_wanted,
        seed=options.seed,
        media_type=options.format.media_type,
        quality=options.format.quality or QUALITY_DEFAULT,
        long_side_pixels_max=options.format.long_side_pixels_max,
    )


def read_hint(hint: tryon_pb2.GarmentHint, field: str) -> Hint:
    """Take over what is known of one garment.

    Raises:
        InvalidRequestError: a number that an enumeration does not have.
    """
    if hint.category and hint.category not in CATEGORIES:
        raise InvalidRequestError(
            Reason.OPTION_INVALID, "no such category", field=f"{field}.category"
        )
    if hint.tuck not in TUCKS:
        raise InvalidRequestError(Reason.OPTION_INVALID, "no such tuck", field=f"{field}.tuck")
    return Hint(category=CATEGORIES.get(hint.category), tuck=TUCKS[hint.tuck])
