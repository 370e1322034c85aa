"""A rule over rendered manifests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.k8s.manifests import Cluster

Check = Callable[[Cluster], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One demand on the manifests.

    Attributes:
        id: K and two digits; names its fixture too.
        reason: why it is demanded, in one sentence.
        check: yields a finding for each breach, beginning with the object at fault.
    """

    id: str
    reason: str
    check: Check
