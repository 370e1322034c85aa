"""`envoy-config-lint FILE...`: 0 nothing found, 1 something found, 2 a file can't be read."""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.lint.document import BYTES_MAX, START, DocumentError
from gateway.lint.linter import lint
from gateway.lint.protos import BOOTSTRAP, find_type
from gateway.lint.report import TOOL, as_json, as_sarif, as_text, rule_list
from gateway.lint.rule import Finding, Rule
from gateway.lint.rules import RULES

NOTHING, FOUND, UNREADABLE = 0, 1, 2
STANDARD_INPUT = "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Lint the files named on the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character gets its number instead.
            stream.reconfigure(errors="backslashreplace")
    if options.rules:
        sys.stdout.write(rule_list(RULES))
        return NOTHING
    if not options.files:
        sys.stderr.write(f"{TOOL}: name a file, or - for standard input\n")
        return UNREADABLE
    try:
        rules = choose(RULES, _ids(options.select), _ids(options.ignore))
    except ValueError as error:
        sys.stderr.write(f"{TOOL}: {error}\n")
        return UNREADABLE
    if find_type(BOOTSTRAP) is None:
        sys.stderr.write(f"{TOOL}: Envoy's protos are missing: install xds-protos\n")
        return UNREADABLE
    findings: list[Finding] = []
    unreadable = 0
    for file in options.files:
        try:
            findings += lint(_read(file), file, rules)
        except DocumentError as error:
            place = f"{file}:{error.position.line}:{error.position.column}"
            sys.stderr.write(f"{place}: {error.message}\n")
            unreadable += 1
    sys.stdout.write(_report(options.format, findings, rules))
    return UNREADABLE if unreadable else FOUND if findings else NOTHING


def choose(rules: Sequence[Rule], select: Sequence[str], ignore: Sequence[str]) -> list[Rule]:
    """Keep the rules whose id begins with a selected text, less those ignored.

    Raises:
        ValueError: a text that no rule begins with.
    """
    for prefix in (*select, *ignore):
        if not any(rule.id.startswith(prefix) for rule in rules):
            raise ValueError(f"no rule begins with {prefix!r}")
    return [
        rule
        for rule in rules
        if (not select or rule.id.startswith(tuple(select)))
        and not rule.id.startswith(tuple(ignore))
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=TOOL, description="Check Envoy v3 bootstraps.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="YAML or JSON; - reads stdin")
    parser.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    parser.add_argument("--select", default="", help="only these rules, like E0,E13")
    parser.add_argument("--ignore", default="", help="not these rules")
    parser.add_argument("--rules", action="store_true", help="list the rules and end")
    return parser


def _ids(text: str) -> list[str]:
    return [part.strip().upper() for part in text.split(",") if part.strip()]


def _read(file: str) -> str:
    """Read a file as text.

    Raises:
        DocumentError: it can't be opened or is no UTF-8.
    """
    # One byte more than is taken tells a file that is too long, even one without an end.
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.buffer.read(BYTES_MAX + 1).decode("utf-8-sig")
        with Path(file).open("rb") as stream:
            return stream.read(BYTES_MAX + 1).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentError("not UTF-8", START) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise DocumentError(f"can't be read: {reason}", START) from None


def _report(kind: str, findings: Sequence[Finding], rules: Sequence[Rule]) -> str:
    match kind:
        case "json":
            return as_json(findings)
        case "sarif":
            return as_sarif(findings, rules)
    return as_text(findings)


if __name__ == "__main__":
    sys.exit(main())
