"""Every path that a stylize call can take: to its result, to each kind of error, to a break."""

from collections.abc import Mapping

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client.audit import refusals
from batchpix_client.audit.canaries import STYLE_SIDE_PIXELS, garbled
from batchpix_client.audit.conversation import medium, options, style
from batchpix_client.audit.plans import JPEG_TYPE, PNG, Maker, Path, Plan

# A call of this audit takes about a tenth of a second: breaks fall anywhere in it, and behind it.
BREAK_SECONDS_MAX = 0.15
DEVICE_HEADER = "x-batchpix-device"
TRACE_HEADER = "x-canary"


def picture_in(media_type: str) -> Path:
    """Send a picture and take the result in the same format."""
    return lambda make: make.plan(
        options(styles=style(make.style)), medium(0, make.picture(media_type))
    )


def lossless(make: Maker) -> Plan:
    """Take the result as PNG, so that every pixel that was painted is known."""
    return make.plan(options(styles=style(make.style), format=PNG), medium(0, make.picture()))


def deep(make: Maker) -> Plan:
    """Send 16 bits a sample."""
    canary = make.keep(make.aviary.deep(make.call))
    return make.plan(options(styles=style(make.style), format=PNG), medium(0, canary))


def described(make: Maker) -> Plan:
    """Send metadata, which must not leave and not stay."""
    canary = make.keep(make.aviary.described(make.call))
    return make.plan(options(styles=style(make.style)), medium(0, canary))


def batch(make: Maker) -> Plan:
    """Send three pictures in one call, with a bad one among them."""
    bad = make.keep(garbled(make.aviary.random.bytes(100_000), JPEG_TYPE, make.call))
    good = [make.picture(JPEG_TYPE), make.picture("image/webp")]
    parts = (medium(place, canary) for place, canary in enumerate((good[0], bad, good[1])))
    return make.plan(options(styles=style(make.style), format=PNG), *parts)


def masked(make: Maker) -> Plan:
    """Paint where a mask says, in mixed strength, with the photo's colours."""
    mask = make.keep(make.aviary.mask(make.call))
    return make.plan(
        options(styles=style(make.style), strength=0.6, preserve_colour=True, format=PNG),
        medium(0, mask, media_pb2.MEDIA_KIND_MASK, belongs_to=1),
        medium(1, make.picture()),
    )


def own_style(make: Maker) -> Plan:
    """Take the style of a picture."""
    canvas = make.picture("image/png", STYLE_SIDE_PIXELS)
    return make.plan(
        options(styles=[stylize_pb2.StyleWeight(style_index=0)]),
        medium(0, canvas, media_pb2.MEDIA_KIND_STYLE),
        medium(1, make.picture()),
    )


def subject(make: Maker) -> Plan:
    """Paint the people only; noise shows none."""
    requests = options(styles=style(make.style), region=stylize_pb2.REGION_SUBJECT, format=PNG)
    return make.plan(requests, medium(0, make.picture()))


def scaled(make: Maker) -> Plan:
    """Change sizes on the way in and out."""
    smaller = media_pb2.PictureFormat(media_type="image/png", long_side_pixels_max=300)
    return make.plan(
        options(styles=style(make.style), style_scale=2.0, seed=7, format=smaller),
        medium(0, make.picture("image/webp")),
    )


def with_headers(make: Maker) -> Plan:
    """Send texts in headers."""
    plan = make.plan(options(styles=style(make.style)), medium(0, make.picture()))
    plan.metadata = (
        (DEVICE_HEADER, make.word("device header")),
        (TRACE_HEADER, make.word("header")),
    )
    return plan


def deadline(make: Maker) -> Plan:
    """Set a deadline that comes while the service works, as a rule."""
    plan = make.plan(
        options(styles=style(make.style), format=PNG),
        medium(0, make.picture(side=1024)),
        # The gateway counts the deadline too, and resets the stream when it is the first.
        outcomes=("DEADLINE_EXCEEDED", "UNAVAILABLE", "OK"),
    )
    plan.deadline_seconds = float(make.aviary.random.uniform(0.01, BREAK_SECONDS_MAX))
    return plan


def cancelled(make: Maker) -> Plan:
    """Cancel at any moment."""
    plan = make.plan(
        options(styles=style(make.style), format=PNG),
        medium(0, make.picture(side=1024)),
        medium(1, make.picture()),
        outcomes=("CANCELLED", "OK"),
    )
    plan.cancel_seconds = float(make.aviary.random.uniform(0.0, BREAK_SECONDS_MAX))
    return plan


PATHS: Mapping[str, Path] = {
    "jpeg": picture_in("image/jpeg"),
    "png": picture_in("image/png"),
    "webp": picture_in("image/webp"),
    "lossless result": lossless,
    "16-bit png": deep,
    "metadata": described,
    "batch with a bad picture": batch,
    "mask": masked,
    "own style": own_style,
    "subject": subject,
    "scaled": scaled,
    "headers": with_headers,
    "unknown style": refusals.unknown_style,
    "unknown media type": refusals.unknown_type,
    "unknown format": refusals.unknown_format,
    "wrong media type": refusals.wrong_type,
    "truncated": refusals.cut_short,
    "no picture": refusals.no_picture,
    "damaged chunk": refusals.damaged,
    "longer than declared": refusals.longer_than_declared,
    "no options": refusals.without_options,
    "too many pixels": refusals.too_many_pixels,
    "too many bytes": refusals.too_many_bytes,
    "mask of another size": refusals.mask_of_other_size,
    "deadline": deadline,
    "cancel": cancelled,
}
"""All of them by name; clients that die and crowds of callers are in `rounds`."""
