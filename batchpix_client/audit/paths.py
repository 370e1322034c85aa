"""Every path that a call can take: to its result, to each kind of error, to a break."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client.audit import forms
from batchpix_client.audit.canaries import (
    STYLE_SIDE_PIXELS,
    Aviary,
    Canary,
    garbled,
    needles_of_result,
)
from batchpix_client.audit.conversation import (
    DEADLINE_SECONDS,
    Caller,
    Metadata,
    Reply,
    Request,
    chunk,
    medium,
    options,
    style,
)
from batchpix_client.audit.needles import Needle

PNG = media_pb2.PictureFormat(media_type="image/png")
JPEG_TYPE = "image/jpeg"
# A call of this audit takes about a tenth of a second: breaks fall anywhere in it, and behind it.
BREAK_SECONDS_MAX = 0.15
DEVICE_HEADER = "x-batchpix-device"
TRACE_HEADER = "x-canary"


@dataclass(slots=True, kw_only=True)
class Plan:
    """What one call sends, and how it is broken off.

    Attributes:
        requests: the caller's half of the stream.
        needles: pieces of all that is sent.
        outcomes: status codes that the path may end with.
        deadline_seconds: of the call.
        cancel_seconds: when it is cancelled; None = never.
        metadata: headers beside the token.
    """

    requests: Sequence[Request]
    needles: Sequence[Needle]
    outcomes: Sequence[str] = ("OK",)
    deadline_seconds: float = DEADLINE_SECONDS
    cancel_seconds: float | None = None
    metadata: Metadata = ()

    @property
    def is_broken_off(self) -> bool:
        """Whether the call ends before its results are all there."""
        return self.cancel_seconds is not None or self.deadline_seconds < DEADLINE_SECONDS


@dataclass(slots=True, kw_only=True)
class Maker:
    """What plans are made of.

    Attributes:
        aviary: source of canaries.
        style: a style that the service knows.
        call: label of the call that is being planned.
    """

    aviary: Aviary
    style: str
    call: str = ""
    needles: list[Needle] = field(default_factory=list)

    def keep(self, canary: Canary) -> Canary:
        """Remember what to look for."""
        self.needles += canary.needles
        return canary

    def word(self, form: str) -> str:
        """Make a text and remember it."""
        text = self.aviary.text()
        self.needles += forms.of_text(text, form, self.call)
        return text

    def picture(self, media_type: str = JPEG_TYPE, side: int = 512) -> Canary:
        """Make a picture and remember it."""
        return self.keep(self.aviary.picture(self.call, media_type, side))

    def plan(self, *parts: Request | Iterator[Request], outcomes: Sequence[str] = ("OK",)) -> Plan:
        """Put messages together to a plan."""
        whole = chain.from_iterable([part] if isinstance(part, Request) else part for part in parts)
        return Plan(requests=list(whole), needles=self.needles, outcomes=outcomes)


Path = Callable[[Maker], Plan]


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


def deadline(make: Maker) -> Plan:
    """Set a deadline that comes while the service works, as a rule."""
    plan = make.plan(
        options(styles=style(make.style), format=PNG),
        medium(0, make.picture(side=1024)),
        outcomes=("DEADLINE_EXCEEDED", "OK"),
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


REFUSED = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "NOT_FOUND", "FAILED_PRECONDITION")

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
    "unknown style": unknown_style,
    "unknown media type": unknown_type,
    "unknown format": unknown_format,
    "wrong media type": wrong_type,
    "truncated": cut_short,
    "no picture": no_picture,
    "damaged chunk": damaged,
    "longer than declared": longer_than_declared,
    "no options": without_options,
    "too many pixels": too_many_pixels,
    "too many bytes": too_many_bytes,
    "mask of another size": mask_of_other_size,
    "deadline": deadline,
    "cancel": cancelled,
}
"""All paths by name; clients that die and crowds of callers are in `waves`."""


def walk(caller: Caller, plan: Plan, call: str) -> tuple[Reply, list[Needle]]:
    """Make the call of a plan; return how it went and all needles, those of the results too.

    A call that is to be broken off is made in full before, since the same call has the same
    results: so they are known although the broken one never delivers them.
    """
    needles = list(plan.needles)
    if plan.is_broken_off:
        needles += needles_of(caller.converse(plan.requests), call)
    reply = caller.converse(
        plan.requests,
        deadline_seconds=plan.deadline_seconds,
        cancel_seconds=plan.cancel_seconds,
        metadata=plan.metadata,
    )
    return reply, needles + needles_of(reply, call)


def needles_of(reply: Reply, call: str) -> list[Needle]:
    """Cut needles from all results of a call."""
    return [
        needle
        for media_type, content in reply.results
        for needle in needles_of_result(content, media_type, call)
    ]
