"""The paths of all features, and walking them."""

from collections.abc import Collection, Mapping

from batchpix_client.audit import dancing, dressing, filming, stylizing
from batchpix_client.audit.canaries import needles_of_result
from batchpix_client.audit.conversation import Caller, Reply
from batchpix_client.audit.needles import Needle
from batchpix_client.audit.plans import Path, Plan

PATHS: Mapping[str, Mapping[str, Path]] = {
    "stylize": stylizing.PATHS,
    "video": filming.PATHS,
    "dance": dancing.PATHS,
    "tryon": dressing.PATHS,
}
"""Feature -> its paths by name; no two paths have one name."""
# Broken off at random moments, so more than once in each round.
REPEATED = {"stylize": ("cancel", "cancel"), "video": ("cancelled clip",)}


def paths_of(features: Collection[str]) -> list[tuple[str, Path]]:
    """List the paths of some features, those that are broken off more than once."""
    return [
        (name, PATHS[feature][name])
        for feature in PATHS
        if feature in features
        for name in (*PATHS[feature], *REPEATED.get(feature, ()))
    ]


def walk(caller: Caller, plan: Plan, call: str) -> tuple[Reply, list[Needle]]:
    """Make the call of a plan; return how it went and all needles, those of the results too.

    A call that is to be broken off is made in full before, since the same call has the same
    results: so they are known although the broken one never delivers them.
    """
    needles = list(plan.needles)
    if plan.is_broken_off:
        needles += needles_of(caller.converse(plan.requests, wire=plan.wire), call)
    reply = caller.converse(
        plan.requests,
        wire=plan.wire,
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
