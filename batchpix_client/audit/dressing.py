"""Paths of try-on calls: to a picture, with a mask, to refusals and to a break."""

from collections.abc import Mapping

from batchpix_client.audit.canaries import garbled
from batchpix_client.audit.plans import Maker, Path, Plan, as_sent
from batchpix_client.audit.refusals import REFUSED
from batchpix_client.jobs.tryon import TryOnJob

BREAK_SECONDS_MAX = 1.0
HELD_SCALE = 4  # of the sample's size: more bytes than all transports hold together


def dressed(make: Maker) -> Plan:
    """Put a garment on a person and take the picture without loss, and the mask."""
    garment = make.keep(make.aviary.garment(make.call))
    job = TryOnJob([as_sent(garment)], mask_wanted=True, format="png")
    return make.job(job, make.keep(make.aviary.person(make.call)))


def scaled(make: Maker) -> Plan:
    """Take the result smaller, as JPEG."""
    garment = make.keep(make.aviary.garment(make.call))
    job = TryOnJob([as_sent(garment)], long_side_pixels_max=300, format="jpeg")
    return make.job(job, make.keep(make.aviary.person(make.call)))


def nobody(make: Maker) -> Plan:
    """Send a photo that shows no person."""
    garment = make.keep(make.aviary.garment(make.call))
    return make.job(TryOnJob([as_sent(garment)]), make.picture(), outcomes=REFUSED)


def no_garment(make: Maker) -> Plan:
    """Send noise as the garment's picture, which shows none."""
    job = TryOnJob([as_sent(make.picture())])
    return make.job(job, make.keep(make.aviary.person(make.call)), outcomes=REFUSED)


def broken_garment(make: Maker) -> Plan:
    """Send half a garment's picture."""
    whole = make.aviary.garment(make.call)
    half = garbled(whole.content[: len(whole.content) // 2], whole.media_type, make.call)
    job = TryOnJob([as_sent(make.keep(half))])
    return make.job(job, make.keep(make.aviary.person(make.call)), outcomes=REFUSED)


def cancelled(make: Maker) -> Plan:
    """Cancel at any moment."""
    garment = make.keep(make.aviary.garment(make.call))
    person = make.keep(make.aviary.person(make.call))
    plan = make.job(TryOnJob([as_sent(garment)]), person, outcomes=("CANCELLED", "OK"))
    plan.cancel_seconds = float(make.aviary.random.uniform(0.0, BREAK_SECONDS_MAX))
    return plan


def long_garment(make: Maker) -> Plan:
    """Ask for a large picture without loss, which fits into no transport's room."""
    garment = make.keep(make.aviary.garment(make.call))
    person = make.keep(make.aviary.person(make.call, HELD_SCALE))
    return make.job(TryOnJob([as_sent(garment)], format="png"), person)


PATHS: Mapping[str, Path] = {
    "garment on a person": dressed,
    "garment, scaled": scaled,
    "garment on nobody": nobody,
    "no garment": no_garment,
    "broken garment": broken_garment,
    "cancelled garment": cancelled,
}
