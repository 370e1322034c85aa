"""Paths of video calls: to a clip, to frames, to refusals and to breaks."""

from collections.abc import Mapping
from functools import partial

from batchpix_client.audit.canaries import garbled
from batchpix_client.audit.plans import Maker, Path, Plan, as_sent
from batchpix_client.audit.refusals import REFUSED
from batchpix_client.jobs.video import Camera, LivingRegion, VideoJob

# Long enough for several fragments, short enough for many calls.
SECONDS, RATE = 1.0, 12.0
BREAK_SECONDS_MAX = 1.5  # analysis and clip together take about as long
make_job = partial(VideoJob, seconds=SECONDS, frames_per_second=RATE)


def clip(make: Maker) -> Plan:
    """Take a clip as a film."""
    return make.job(make_job(camera=Camera.ORBIT, loop=True), make.picture())


def still_frames(make: Maker) -> Plan:
    """Take frames without loss from a camera that stands still: they hold the photo itself."""
    job = make_job(camera=Camera.STILL, container="frames", frame_format="png")
    return make.job(job, make.picture("image/png", 256))


def own_depth(make: Maker) -> Plan:
    """Send a depth map, and blur what is out of focus."""
    depth = make.keep(make.aviary.mask(make.call, what="depth map"))
    job = make_job(camera=Camera.DOLLY_IN, depth_map=as_sent(depth), depth_of_field=0.5)
    return make.job(job, make.picture())


def living(make: Maker) -> Plan:
    """Send a mask of what flows."""
    mask = make.keep(make.aviary.mask(make.call))
    region = LivingRegion(mask=as_sent(mask), direction_degrees=30.0, speed=0.1)
    return make.job(make_job(camera=Camera.STILL, living=[region]), make.picture())


def resized(make: Maker) -> Plan:
    """Ask for another size and shape than the photo's."""
    job = make_job(camera=Camera.PAN_LEFT, width_pixels=320, height_pixels=180)
    return make.job(job, make.picture("image/webp"))


def no_photo(make: Maker) -> Plan:
    """Send noise that is no picture at all."""
    noise = make.keep(garbled(make.aviary.random.bytes(100_000), "image/jpeg", make.call))
    return make.job(make_job(), noise, outcomes=REFUSED)


def too_long(make: Maker) -> Plan:
    """Ask for a longer clip than there may be."""
    return make.job(make_job(seconds=9999.0), make.picture(), outcomes=REFUSED)


def broken_depth(make: Maker) -> Plan:
    """Send a depth map that can't be read."""
    whole = make.aviary.mask(make.call, what="depth map")
    half = garbled(whole.content[: len(whole.content) // 2], whole.media_type, make.call)
    job = make_job(depth_map=as_sent(make.keep(half)))
    return make.job(job, make.picture(), outcomes=REFUSED)


def cancelled(make: Maker) -> Plan:
    """Cancel at any moment."""
    plan = make.job(make_job(camera=Camera.ORBIT), make.picture(), outcomes=("CANCELLED", "OK"))
    plan.cancel_seconds = float(make.aviary.random.uniform(0.0, BREAK_SECONDS_MAX))
    return plan


def long_clip(make: Maker) -> Plan:
    """Ask for so much that whoever does not read it keeps the service waiting."""
    job = VideoJob(camera=Camera.ORBIT, seconds=60.0, quality=100)
    return make.job(job, make.picture())


PATHS: Mapping[str, Path] = {
    "clip": clip,
    "clip as frames": still_frames,
    "clip with a depth map": own_depth,
    "clip with what flows": living,
    "clip of another size": resized,
    "clip of no picture": no_photo,
    "clip too long": too_long,
    "clip with a broken depth map": broken_depth,
    "cancelled clip": cancelled,
}
