"""Files as trees whose every node knows its line and column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

# A bootstrap is some hundred lines; what is larger than this is no bootstrap.
BYTES_MAX = 4_000_000
# Nodes after aliases are followed: a few lines of aliases of aliases can stand for billions.
NODES_MAX = 100_000
DEPTH_MAX = 100

_INTEGER = re.compile(r"[-+]?\d{1,19}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,16}")
_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
_WORDS = {
    **dict.fromkeys(("", "~", "null")),
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}


class DocumentError(ValueError):
    """The file can't be read as YAML or JSON."""

    def __init__(self, message: str, position: "Position") -> None:
        super().__init__(message)
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file, counted from 1."""

    line: int
    column: int


START = Position(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A single value; plain text is read the way Envoy's YAML reader does."""

    value: str | int | float | bool | None
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list."""

    items: "tuple[Tree, ...]"
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a mapping, with its value."""

    key: str
    position: Position
    value: "Tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A mapping in the order of the file; a repeated key occurs twice."""

    entries: tuple[Entry, ...]
    position: Position


Tree = Scalar | Sequence | Mapping


def parse(text: str) -> Tree:
    """Read the first document of a YAML or JSON text.

    Raises:
        DocumentError: the text is neither, or larger or deeper than any bootstrap.
    """
    if len(text) > BYTES_MAX:
        raise DocumentError(f"the file has more than {BYTES_MAX} bytes", START)
    try:
        node = _compose(text)
    except RecursionError:
        raise DocumentError("nested too deeply", START) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else START
        raise DocumentError(f"not YAML: {error.problem or error.context}", position) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise DocumentError(
            "a character that YAML does not allow", Position(line, column)
        ) from None
    except (yaml.YAMLError, ValueError):
        raise DocumentError("not YAML", START) from None
    if node is None:
        raise DocumentError("the file is empty", START)
    return _Builder().build(node, 0)


def _compose(text: str) -> Node | None:
    # JSON may be indented with tabs, YAML may not. A tab inside a JSON text is written \\t.
    loader = yaml.SafeLoader(text.replace("\t", " ") if text.lstrip()[:1] == "{" else text)
    try:
        loader.check_node()
        return loader.get_node() if loader.check_node() else None
    finally:
        loader.dispose()


class _Builder:
    """Turns nodes into trees, counting them."""

    def __init__(self) -> None:
        self._nodes_left = NODES_MAX

    def build(self, node: Node, depth: int) -> Tree:
        position = Position(node.start_mark.line + 1, node.start_mark.column + 1)
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise DocumentError(f"more than {NODES_MAX} values with aliases followed", position)
        if depth > DEPTH_MAX:
            raise DocumentError(f"nested deeper than {DEPTH_MAX}", position)
        build = partial(self.build, depth=depth + 1)
        match node:
            case MappingNode():
                entries = tuple(_entries(node, build))
                return Mapping(entries=entries, position=position)
            case SequenceNode():
                items = tuple(build(item) for item in node.value)
                return Sequence(items=items, position=position)
            case ScalarNode():
                return Scalar(value=_scalar(node), position=position)
        raise DocumentError("an unknown kind of value", position)


def _entries(node: MappingNode, build: "partial[Tree]") -> Iterator[Entry]:
    for key, value in node.value:
        # Envoy skips what is tagged so; it is where anchors for other parts are kept.
        if key.tag == "!ignore":
            continue
        position = Position(key.start_mark.line + 1, key.start_mark.column + 1)
        if not isinstance(key, ScalarNode):
            raise DocumentError("a key that is no text", position)
        yield Entry(key=key.value, position=position, value=build(value))


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    """Read plain text as number, truth value or nothing where it looks like one."""
    text: str = node.value
    if node.style is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 16)
    if _DECIMAL.fullmatch(text):
        return int(text) if _INTEGER.fullmatch(text) else float(text)
    return text
