"""Rounds of calls: every path once, a crowd of callers at one time, a caller that is killed."""

import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import cycle, pairwise

from batchpix_client.audit import dancing, dressing, filming, victim
from batchpix_client.audit.conversation import (
    Reply,
    medium,
    options,
    receipt_keys,
    straight,
    style,
    through_gateway,
)
from batchpix_client.audit.evidence import Evidence
from batchpix_client.audit.needles import Needle
from batchpix_client.audit.paths import needles_of, paths_of, walk
from batchpix_client.audit.plans import Maker, Path, Plan
from batchpix_client.mesh import LocalMesh

CROWD = 32
CROWD_SIDE_PIXELS = 256
VICTIM_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Calls that were made, and what to look for now.

    Attributes:
        name: what they were.
        needles: pieces of all that went in and came out.
    """

    name: str
    needles: list[Needle]


class Rounds:
    """Makes the calls of an audit, group after group."""

    def __init__(self, mesh: LocalMesh, token: str, maker: Maker, evidence: Evidence) -> None:
        self._profile = mesh.profile
        self._token = token
        self._maker = maker
        self._evidence = evidence
        self._keys = receipt_keys(mesh.profile)
        # It keeps its connection from round to round, so what a service keeps with it shows.
        self._inside = straight(mesh.profile)

    def close(self) -> None:
        """Disconnect."""
        self._inside.close()

    def run(self, calls: int) -> Iterator[Group]:
        """Make at least so many calls, in whole rounds; between groups nothing runs.

        Paths go through the gateway and straight to the service in turn.
        """
        turn = 0
        while self._evidence.calls < calls:
            yield self._paths(turn)
            yield self._crowd(turn)
            yield self._killed(turn)
            turn += 1

    def _paths(self, turn: int) -> Group:
        needles: list[Needle] = []
        outside = through_gateway(self._profile, self._token)
        for place, (name, path) in enumerate(paths_of(self._profile.internal)):
            call = f"{name} {turn}.{place}"
            plan = path(self._make(call))
            reply, found = walk((outside, self._inside)[(place + turn) % 2], plan, call)
            self._note(name, plan, reply)
            needles += found
        outside.close()
        return Group(name=f"paths, round {turn}", needles=needles)

    def _crowd(self, turn: int) -> Group:
        callers = [through_gateway(self._profile, self._token) for _ in range(4)]
        plans: list[tuple[str, Plan]] = []
        kinds = cycle(crowd_of(self._profile.internal))
        for place in range(0, CROWD, 2):
            call = f"crowd {turn}.{place}"
            plan = next(kinds)(self._make(call))
            # Each call is made twice, at the same time as all others: the answers must be equal.
            plans += [(call, plan)] * 2
        with ThreadPoolExecutor(CROWD) as pool:
            replies = list(
                pool.map(
                    lambda each: callers[each[0] % 4].converse(
                        each[1][1].requests, wire=each[1][1].wire
                    ),
                    enumerate(plans),
                )
            )
        needles: list[Needle] = []
        for (call, plan), reply in zip(plans, replies, strict=True):
            self._note("crowd", plan, reply)
            needles += [*plan.needles, *needles_of(reply, call)]
        pairs = list(pairwise(replies))[::2]
        equal = sum(one.results == other.results for one, other in pairs)
        self._evidence.answers_equal += equal
        self._evidence.answers_mixed += len(pairs) - equal
        for caller in callers:
            caller.close()
        return Group(name=f"{CROWD} callers at once, round {turn}", needles=needles)

    def _killed(self, turn: int) -> Group:
        """Kill a caller in the middle of its upload."""
        call = f"killed caller {turn}"
        canary = self._maker.aviary.picture(call)
        assert self._profile.ca is not None
        authority = self._profile.ca.read_bytes()
        head = "\n".join(
            (self._profile.address, self._token, self._maker.style, str(len(authority)))
        )
        with subprocess.Popen(
            [sys.executable, "-m", victim.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(head.encode() + b"\n" + authority + canary.content)
            process.stdin.close()
            uploaded = process.stdout.readline().decode().strip() == victim.UPLOADED
            process.kill()
        self._evidence.note_broken("killed caller", "KILLED" if uploaded else "NOT_LET_IN")
        return Group(name=f"a caller that is killed, round {turn}", needles=list(canary.needles))

    def _make(self, call: str) -> Maker:
        """Make a maker for one call."""
        return replace(self._maker, call=call, needles=[])

    def _note(self, name: str, plan: Plan, reply: Reply) -> None:
        self._evidence.note(name, tuple(plan.outcomes), reply, self._keys)


def painted(make: Maker) -> Plan:
    """Have a small picture painted."""
    picture = make.picture("image/jpeg", CROWD_SIDE_PIXELS)
    return make.plan(options(styles=style(make.style)), medium(0, picture))


# What a crowd does: mostly small pictures, and some of everything else that runs.
CROWD_PATHS: Mapping[str, Sequence[Path]] = {
    "stylize": (painted,) * 5,
    "video": (filming.clip,),
    "dance": (dancing.dance,),
    "tryon": (dressing.scaled,),
}


def crowd_of(features: Collection[str]) -> list[Path]:
    """List what a crowd does with the features that run."""
    return [path for feature, paths in CROWD_PATHS.items() if feature in features for path in paths]
