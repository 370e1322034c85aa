"""Paths of dance calls: to a clip, with music, motion and film, to refusals and to a break."""

from collections.abc import Mapping
from functools import partial

from batchpix_client.audit.canaries import garbled
from batchpix_client.audit.plans import Maker, Path, Plan, as_sent
from batchpix_client.audit.refusals import REFUSED
from batchpix_client.jobs.dance import DanceJob

SECONDS, RATE = 1.0, 12.0
BREAK_SECONDS_MAX = 1.5
make_job = partial(DanceJob, seconds=SECONDS, frames_per_second=RATE)


def dance(make: Maker) -> Plan:
    """Take a dance as a film."""
    return make.job(make_job(moves=[make.move]), make.keep(make.aviary.person(make.call)))


def frames(make: Maker) -> Plan:
    """Take frames without loss: around the dancer they hold the photo itself."""
    job = make_job(moves=[make.move], container="frames", frame_format="png")
    return make.job(job, make.keep(make.aviary.person(make.call)))


def to_music(make: Maker) -> Plan:
    """Send music, which becomes the clip's sound."""
    music = make.keep(make.aviary.music(make.call))
    job = make_job(moves=[make.move], music=as_sent(music))
    return make.job(job, make.keep(make.aviary.person(make.call)))


def after_motion(make: Maker) -> Plan:
    """Send a motion file."""
    motion = make.keep(make.aviary.motion(make.call))
    job = make_job(motion=as_sent(motion))
    return make.job(job, make.keep(make.aviary.person(make.call)))


def after_film(make: Maker) -> Plan:
    """Send a film of somebody who leads the movement."""
    film = make.keep(make.aviary.film(make.call))
    job = make_job(driving_video=as_sent(film))
    return make.job(job, make.keep(make.aviary.person(make.call)))


def broken_film(make: Maker) -> Plan:
    """Send a driving video that can't be read."""
    noise = b"\0\0\0\x18ftypmp42" + make.aviary.random.bytes(100_000)
    film = make.keep(garbled(noise, "video/mp4", make.call))
    job = make_job(driving_video=as_sent(film))
    return make.job(job, make.keep(make.aviary.person(make.call)), outcomes=REFUSED)


def broken_motion(make: Maker) -> Plan:
    """Send half a motion file."""
    whole = make.aviary.motion(make.call)
    half = garbled(whole.content[: len(whole.content) // 3], whole.media_type, make.call)
    job = make_job(motion=as_sent(make.keep(half)))
    return make.job(job, make.keep(make.aviary.person(make.call)), outcomes=REFUSED)


def broken_music(make: Maker) -> Plan:
    """Send noise that is no music."""
    noise = make.keep(garbled(make.aviary.random.bytes(100_000), "audio/wav", make.call))
    job = make_job(moves=[make.move], music=as_sent(noise))
    return make.job(job, make.keep(make.aviary.person(make.call)), outcomes=REFUSED)


def unknown_move(make: Maker) -> Plan:
    """Ask for a move that is a canary itself."""
    job = make_job(moves=[make.word("move name")])
    return make.job(job, make.keep(make.aviary.person(make.call)), outcomes=REFUSED)


def nobody(make: Maker) -> Plan:
    """Send a photo that shows no person."""
    return make.job(make_job(moves=[make.move]), make.picture(), outcomes=REFUSED)


def cancelled(make: Maker) -> Plan:
    """Cancel at any moment."""
    person = make.keep(make.aviary.person(make.call))
    plan = make.job(make_job(moves=[make.move]), person, outcomes=("CANCELLED", "OK"))
    plan.cancel_seconds = float(make.aviary.random.uniform(0.0, BREAK_SECONDS_MAX))
    return plan


def long_dance(make: Maker) -> Plan:
    """Ask for so much that whoever does not read it keeps the service waiting."""
    job = DanceJob(moves=[make.move], seconds=60.0, quality=100)
    return make.job(job, make.keep(make.aviary.person(make.call)))


PATHS: Mapping[str, Path] = {
    "dance": dance,
    "dance as frames": frames,
    "dance to music": to_music,
    "dance after motion": after_motion,
    "dance after a film": after_film,
    "dance after a broken film": broken_film,
    "dance after broken motion": broken_motion,
    "dance to broken music": broken_music,
    "unknown move": unknown_move,
    "dance of nobody": nobody,
    "cancelled dance": cancelled,
}
