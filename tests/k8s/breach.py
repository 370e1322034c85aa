"""Faults put into good manifests: each fixture holds some that one rule has to find."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

FIXTURES = Path(__file__).with_name("fixtures")

# A part of an object as it was read, and what its parts are called: names or places.
Node: TypeAlias = Any
Key: TypeAlias = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One fault, made from one object of a good overlay."""

    target: str
    """Kind and name of the object, or of a generated one without its hash."""
    overlay: str = "production"
    """The good overlay that it is put into."""
    change: Mapping[str, Any] = field(default_factory=dict)
    """Pointer into the object -> new value; a part `key=value` picks from a list."""
    remove: Sequence[str] = ()
    """Pointers into the object, to be taken away."""
    drop: bool = False
    """Whether the whole object goes."""
    add: Mapping[str, Any] | None = None
    """A further object, beside the target."""


def read_breaches(rule_id: str) -> list[Breach]:
    """Read the fixture of a rule."""
    entries = yaml.safe_load((FIXTURES / f"{rule_id}.yaml").read_text(encoding="utf-8"))
    return [Breach(**entry) for entry in entries]


def broken(objects: Sequence[Mapping[str, Any]], breach: Breach) -> list[dict[str, Any]]:
    """Return a copy of an overlay with one fault in it.

    Raises:
        LookupError: the overlay has no such object, or the object no such place.
    """
    copies = [copy.deepcopy(dict(item)) for item in objects]
    found = next(item for item in copies if _is_target(item, breach.target))
    for pointer, value in breach.change.items():
        parent, last = _parent(found, pointer)
        parent[last] = value
    for pointer in breach.remove:
        parent, last = _parent(found, pointer)
        del parent[last]
    if breach.drop:
        copies.remove(found)
    if breach.add:
        copies.append(dict(breach.add))
    return copies


def _is_target(item: Mapping[str, Any], target: str) -> bool:
    title = f"{item['kind']}/{item['metadata']['name']}"
    generated = title.rpartition("-")[0] if item["kind"] == "ConfigMap" else title
    return target in (title, generated)


def _parent(item: Node, pointer: str) -> tuple[Node, Key]:
    """Walk to the container of the last part of a pointer; `~1` stands for a slash in a name."""
    *parts, last = pointer.strip("/").split("/")
    for part in parts:
        item = item[_key(item, part)]
    return item, _key(item, last)


def _key(node: Node, part: str) -> Key:
    if not isinstance(node, list):
        return part.replace("~1", "/")
    name, _, value = part.partition("=")
    if not value:
        return int(part)
    return next(index for index, entry in enumerate(node) if entry.get(name) == value)
