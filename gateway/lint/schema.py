"""Read a tree as Envoy's protos would, noting all that they don't allow."""

import re
from dataclasses import dataclass
from types import UnionType

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.lint.document import Entry, Mapping, Position, Scalar, Sequence, Tree
from gateway.lint.model import Message, Value
from gateway.lint.protos import BOOTSTRAP, find_type
from gateway.lint.values import enum_name, scalar_problem

ANY = "google.protobuf.Any"
DURATION = "google.protobuf.Duration"
TYPE_KEY = "@type"
# Configurations of a type that whoever wrote them had no protos of: its name and free-form values,
# which Envoy reads as that type.
TYPED_STRUCTS = ("xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct")

_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_VERSION_2 = re.compile(r"envoy\.api\.v2\b|\.v2(alpha\d*|beta\d*)?\.")

# Messages that JSON writes as something else than an object.
_FORMS: dict[str, type | UnionType] = {
    "google.protobuf.Struct": Mapping,
    "google.protobuf.ListValue": Sequence,
    "google.protobuf.Value": Mapping | Sequence | Scalar,
    DURATION: Scalar,
    "google.protobuf.Timestamp": Scalar,
    "google.protobuf.FieldMask": Scalar,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that the protos don't allow, or no longer."""

    position: Position
    message: str
    is_deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A configuration as far as it could be read, and what was wrong."""

    bootstrap: Message
    faults: tuple[Fault, ...]


def read(tree: Tree) -> Reading:
    """Read a tree as a bootstrap."""
    reader = _Reader()
    descriptor = find_type(BOOTSTRAP)
    assert descriptor is not None
    message = Message(type=BOOTSTRAP, position=tree.position)
    reader.fill(message, descriptor, tree)
    return Reading(bootstrap=message, faults=tuple(reader.faults))


class _Reader:
    """Walks tree and descriptors side by side."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fill(self, message: Message, descriptor: Descriptor, tree: Tree) -> None:
        """Read a mapping into a message of a known type."""
        if not isinstance(tree, Mapping):
            return self._fault(tree.position, f"{descriptor.name} must be a mapping")
        for entry in self._once(tree):
            field = _field(descriptor, entry.key)
            if entry.key == TYPE_KEY:
                continue
            if field is None:
                self._fault(entry.position, f"{descriptor.name} has no field {_short(entry.key)}")
                continue
            if field.name in message.fields:
                self._fault(entry.position, f"{field.name} is set twice")
            if field.GetOptions().deprecated:
                self._fault(entry.position, f"{field.name} is deprecated", is_deprecated=True)
            if isinstance(entry.value, Scalar) and entry.value.value is None:
                continue
            value = self._field_value(message, field, entry.value)
            if value is not None:
                message.fields[field.name] = value
        return self._check_choices(message, descriptor)

    def _once(self, tree: Mapping) -> list[Entry]:
        """Drop repeated keys: of two, a reader may take either."""
        entries: dict[str, Entry] = {}
        for entry in tree.entries:
            if entry.key in entries:
                self._fault(entry.position, f"the key {_short(entry.key)} occurs twice")
            entries[entry.key] = entry
        return list(entries.values())

    def _check_choices(self, message: Message, descriptor: Descriptor) -> None:
        for choice in descriptor.oneofs:
            chosen = [field.name for field in choice.fields if field.name in message.fields]
            if len(chosen) > 1:
                self._fault(message.position, f"only one of {', '.join(chosen)} may be set")

    def _field_value(self, owner: Message, field: FieldDescriptor, tree: Tree) -> Value | None:
        if _is_map(field):
            return self._map(owner, field, tree)
        if field.is_repeated:
            # Envoy takes a single value for a list of one.
            trees = tree.items if isinstance(tree, Sequence) else (tree,)
            items = (
                self._single(owner, field, item, f"{field.name}[{number}]")
                for number, item in enumerate(trees)
            )
            return [item for item in items if item is not None]
        return self._single(owner, field, tree, field.name)

    def _map(self, owner: Message, field: FieldDescriptor, tree: Tree) -> Value | None:
        if not isinstance(tree, Mapping):
            self._fault(tree.position, f"{field.name} must be a mapping")
            return None
        entry_type = field.message_type
        assert entry_type is not None
        item = entry_type.fields_by_name["value"]
        values = {
            entry.key: self._single(owner, item, entry.value, f"{field.name}[{entry.key}]")
            for entry in self._once(tree)
        }
        return {key: value for key, value in values.items() if value is not None}

    def _single(
        self, owner: Message, field: FieldDescriptor, tree: Tree, label: str
    ) -> Value | None:
        kind = field.message_type
        if kind is None:
            return self._scalar(field, tree)
        if _is_wrapper(kind):
            return self._scalar(kind.fields_by_name["value"], tree, field.name)
        if kind.full_name in _FORMS:
            return self._well_known(owner, field, tree, label)
        message = Message(type=kind.full_name, position=tree.position, parent=owner, label=label)
        if kind.full_name == ANY:
            self._fill_any(message, field, tree)
        else:
            self.fill(message, kind, tree)
        return message

    def _well_known(
        self, owner: Message, field: FieldDescriptor, tree: Tree, label: str
    ) -> Value | None:
        """Read a message that JSON writes in a form of its own."""
        assert field.message_type is not None
        name = field.message_type.full_name
        is_duration = name == DURATION
        if not isinstance(tree, _FORMS[name]):
            self._fault(tree.position, f"{field.name} has the wrong form")
            return None
        if not isinstance(tree, Scalar) or name == "google.protobuf.Value":
            return self._struct(owner, tree, label)
        if is_duration and not _DURATION.fullmatch(str(tree.value)):
            self._fault(tree.position, f"{field.name} must be a duration in seconds, like 1.5s")
            return None
        return tree

    def _fill_any(self, message: Message, field: FieldDescriptor, tree: Tree) -> None:
        """Read a typed_config: @type says what the other keys are."""
        if not isinstance(tree, Mapping):
            return self._fault(tree.position, f"{field.name} must be a mapping")
        types = [entry for entry in tree.entries if entry.key == TYPE_KEY]
        if not types or not isinstance(types[0].value, Scalar):
            return self._fault(tree.position, f"{field.name} needs {TYPE_KEY}")
        kind = self._named_type(types[0].value)
        if kind is None:
            return None
        message.type = kind.full_name
        if kind.full_name in TYPED_STRUCTS:
            return self._fill_typed_struct(message, kind, tree)
        if _is_wrapper(kind) or kind.full_name in _FORMS:
            return None
        return self.fill(message, kind, tree)

    def _named_type(self, url: Scalar) -> Descriptor | None:
        """Find the type that a type URL names."""
        text = str(url.value)
        name = text.rpartition("/")[2]
        if _VERSION_2.search(name):
            self._fault(url.position, f"{_short(name)} is of the retired version 2 of the API")
            return None
        kind = find_type(name)
        if kind is None or "/" not in text:
            self._fault(url.position, f"there is no type {_short(text)}")
            return None
        return kind

    def _fill_typed_struct(self, message: Message, kind: Descriptor, tree: Mapping) -> None:
        """Read free-form values as the type that stands beside them."""
        self.fill(message, kind, tree)
        entries = {entry.key: entry.value for entry in tree.entries}
        url, values = entries.get("type_url", entries.get("typeUrl")), entries.get("value")
        named = self._named_type(url) if isinstance(url, Scalar) else None
        if named is None:
            return
        message.type, message.fields = named.full_name, {}
        if values is not None and named.full_name not in (*TYPED_STRUCTS, *_FORMS, ANY):
            self.fill(message, named, values)

    def _struct(self, owner: Message, tree: Tree, label: str) -> Value:
        """Keep free-form values as they are."""
        match tree:
            case Mapping():
                message = Message(
                    type="google.protobuf.Struct",
                    position=tree.position,
                    parent=owner,
                    label=label,
                )
                for entry in self._once(tree):
                    message.fields[entry.key] = self._struct(message, entry.value, entry.key)
                return message
            case Sequence():
                return [self._struct(owner, item, label) for item in tree.items]
            case Scalar():
                return tree

    def _scalar(self, field: FieldDescriptor, tree: Tree, name: str = "") -> Value | None:
        problem = (
            "must be a single value"
            if not isinstance(tree, Scalar)
            else scalar_problem(field, tree.value)
        )
        if problem:
            self._fault(tree.position, f"{name or field.name} {problem}")
            return None
        assert isinstance(tree, Scalar)
        if field.enum_type is not None:
            return Scalar(value=enum_name(field.enum_type, tree.value), position=tree.position)
        return tree

    def _fault(self, position: Position, message: str, *, is_deprecated: bool = False) -> None:
        self.faults.append(Fault(position=position, message=message, is_deprecated=is_deprecated))


def _field(descriptor: Descriptor, key: str) -> FieldDescriptor | None:
    """Find a field by its proto name or its JSON name."""
    return descriptor.fields_by_name.get(key) or descriptor.fields_by_camelcase_name.get(key)


def _is_map(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return field.is_repeated and kind is not None and kind.GetOptions().map_entry


def _is_wrapper(kind: Descriptor) -> bool:
    return kind.file.name == "google/protobuf/wrappers.proto"


def _short(text: str) -> str:
    """Quote a name from the file, however long it is there."""
    length_max = 120
    return ascii(text if len(text) <= length_max else text[:length_max] + "...")
