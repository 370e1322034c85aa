"""Calls that must be refused: each kind of error, with canaries in what is at fault."""

from batchpix.media.v1 import media_pb2
from batchpix_client.audit.canaries import garbled
from batchpix_client.audit.conversation import chunk, medium, options, style
from batchpix_client.audit.plans import JPEG_TYPE, Maker, Plan

REFUSED = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "NOT_FOUND", "FAILED_PRECONDITION")


def unknown_style(make: Maker) -> Plan:
    """Ask for a style that is a canary itself."""
    parts = options(styles=style(make.word("style name"))), medium(0, make.picture())
    return make.plan(*parts, outcomes=REFUSED)


def unknown_type(make: Maker) -> Plan:
    """Declare a media type that is a canary itself."""
    claimed = medium(0, make.picture(), media_type=make.word("media type"))
    return make.plan(options(styles=style(make.style)), claimed, outcomes=REFUSED)


def unknown_format(make: Maker) -> Plan:
    """Ask for a format that is a canary itself."""
    wanted = media_pb2.PictureFormat(media_type=make.word("result format"))
    parts = options(styles=style(make.style), format=wanted), medium(0, make.picture())
    return make.plan(*parts, outcomes=REFUSED)


def wrong_type(make: Maker) -> Plan:
    """Declare another type than the bytes are of."""
    claimed = medium(0, make.picture(), media_type="image/png")
    return make.plan(options(styles=style(make.style)), claimed, outcomes=REFUSED)


def cut_short(make: Maker) -> Plan:
    """Send the first half of a picture."""
    whole = make.picture()
    half = garbled(whole.content[: len(whole.content) // 2], whole.media_type, make.call)
    return make.plan(options(styles=style(make.style)), medium(0, half), outcomes=REFUSED)


def no_picture(make: Maker) -> Plan:
    """Send noise that is no picture at all."""
    noise = make.keep(garbled(make.aviary.random.bytes(300_000), JPEG_TYPE, make.call))
    return make.plan(options(styles=style(make.style)), medium(0, noise), outcomes=REFUSED)


def damaged(make: Maker) -> Plan:
    """Send a chunk whose checksum does not fit."""
    canary = make.picture()
    start, *_ = medium(0, canary)
    bad = chunk(canary.content, crc32c=1)
    return make.plan(options(styles=style(make.style)), start, bad, outcomes=REFUSED)


def longer_than_declared(make: Maker) -> Plan:
    """Send more bytes than were declared."""
    claimed = medium(0, make.picture(), size_bytes=1000)
    return make.plan(options(styles=style(make.style)), claimed, outcomes=REFUSED)


def without_options(make: Maker) -> Plan:
    """Begin with a picture."""
    return make.plan(medium(0, make.picture()), outcomes=REFUSED)


def too_many_pixels(make: Maker) -> Plan:
    """Claim more pixels than a service takes."""
    canary = make.keep(make.aviary.giant(make.call))
    return make.plan(options(styles=style(make.style)), medium(0, canary), outcomes=REFUSED)


def too_many_bytes(make: Maker) -> Plan:
    """Declare more bytes than a service takes, and begin to send them."""
    claimed = medium(0, make.picture(), size_bytes=1 << 40)
    return make.plan(options(styles=style(make.style)), claimed, outcomes=REFUSED)


def mask_of_other_size(make: Maker) -> Plan:
    """Send a mask that does not fit its picture."""
    mask = make.keep(make.aviary.mask(make.call, width=300))
    return make.plan(
        options(styles=style(make.style)),
        medium(0, mask, media_pb2.MEDIA_KIND_MASK, belongs_to=1),
        medium(1, make.picture()),
        outcomes=REFUSED,
    )
