"""Damage a configuration in the ways that files get damaged, and in ways that break readers."""

import random
from collections.abc import Callable
from pathlib import Path

FIXTURES = Path(__file__).with_name("fixtures")
UNUSUAL = Path(__file__).with_name("unusual")

PIECES = (
    "\x00", "\ufeff", "\u2028", "\t", "{", "}", "[", "]", ": ", "- ", "? ", "| ", "> ", "&a ",
    "*a ", "!!python/object:os.system ", "!ignore ", "<<: ", "%TAG ! x\n", "---\n", "...\n", "'",
    '"', "#", ",", "~", "1e999", "-1", "0x", "0o7", ".nan", "9" * 400, "@type: a/b.C\n",
    "type.googleapis.com/envoy.config.bootstrap.v3.Bootstrap", "type.googleapis.com/os.path.Join",
    "2001-01-01", "1:30:20", "\\u0000", "\ud800", "😀",
)  # fmt: skip


def mutated(text: str, source: random.Random) -> str:
    """Apply a few random changes, most often one."""
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        text = source.choice(MUTATIONS)(text, source)
    return text


def _insert(text: str, source: random.Random) -> str:
    place = source.randrange(len(text) + 1)
    return text[:place] + source.choice(PIECES) + text[place:]


def _cut(text: str, source: random.Random) -> str:
    place = source.randrange(len(text) + 1)
    return text[:place] + text[place + source.randint(1, 40) :]


def _truncate(text: str, source: random.Random) -> str:
    return text[: source.randrange(len(text) + 1)]


def _swap_lines(text: str, source: random.Random) -> str:
    lines = text.split("\n")
    first, second = source.randrange(len(lines)), source.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return "\n".join(lines)


def _repeat_line(text: str, source: random.Random) -> str:
    lines = text.split("\n")
    place = source.randrange(len(lines))
    return "\n".join(lines[:place] + [lines[place]] * source.randint(2, 5) + lines[place + 1 :])


def _indent_line(text: str, source: random.Random) -> str:
    lines = text.split("\n")
    place = source.randrange(len(lines))
    lines[place] = " " * source.randint(1, 8) + lines[place].lstrip()
    return "\n".join(lines)


def _replace_value(text: str, source: random.Random) -> str:
    """Give a key a value of another form."""
    lines = text.split("\n")
    place = source.randrange(len(lines))
    key, colon, _ = lines[place].partition(":")
    values = ("[]", "{}", "null", "true", "-5", "3.7", "text", "[[1]]", "{a: {b: [c]}}", "5s", "''")
    lines[place] = f"{key}{colon} {source.choice(values)}"
    return "\n".join(lines)


def _splice(text: str, source: random.Random) -> str:
    """Put a part of the file into another place."""
    lines = text.split("\n")
    start = source.randrange(len(lines))
    part = lines[start : start + source.randint(1, 12)]
    place = source.randrange(len(lines))
    return "\n".join(lines[:place] + part + lines[place:])


def _nest(text: str, source: random.Random) -> str:
    depth = source.choice((5, 90, 150, 3000))
    place = source.randrange(len(text) + 1)
    return text[:place] + source.choice(("[", "{a: ", "- ")) * depth + text[place:]


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    _insert,
    _cut,
    _truncate,
    _swap_lines,
    _repeat_line,
    _indent_line,
    _replace_value,
    _splice,
    _nest,
)
