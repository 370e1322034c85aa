"""A Dockerfile read into its instructions, and rules that hadolint does not have."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CONTINUED = re.compile(r"\\\n")
PACKAGE_TOOLS = re.compile(r"\b(apt|apt-get|dpkg|pip|curl|wget|gcc|cc)\b")
SECRET_NAMES = re.compile(r"SECRET|TOKEN|PASSWORD|KEY", re.IGNORECASE)
# Where the images are started from: these stages become images, all others are thrown away.
FINAL_STAGES = ("service", "gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction, with the stage that it stands in; empty before the first stage."""

    stage: str
    word: str
    rest: str


def instructions(text: str) -> list[Instruction]:
    """Read a Dockerfile that uses neither heredocs nor parser directives."""
    found: list[Instruction] = []
    stage = ""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in CONTINUED.sub(" ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word:
            continue
        if word.upper() == "FROM":
            stage = rest.split()[-1]
        found.append(Instruction(stage=stage, word=word.upper(), rest=rest.strip()))
    return found


def faults(text: str) -> Iterator[str]:
    """Find what would make an image that is not reproducible, not small, or not confined."""
    found = instructions(text)
    yield from _unpinned_bases(found)
    yield from _secrets(found)
    for name in FINAL_STAGES:
        stage = [each for each in found if each.stage == name]
        yield from (f"{name}: {fault}" for fault in _final_faults(stage))


def _unpinned_bases(found: Sequence[Instruction]) -> Iterator[str]:
    """Every base is an argument, and what is given for it is looked at for a digest."""
    checks = " ".join(
        each.rest for each in found if each.word == "RUN" and "*@sha256:*" in each.rest
    )
    stages = {each.stage for each in found}
    for each in found:
        base = each.rest.split()[0] if each.word == "FROM" else ""
        variable = base.removeprefix("${").removesuffix("}")
        if base and base not in stages and (base == variable or f'"{base}"' not in checks):
            yield f"{base} is a base that need not have a digest"
        if each.word == "ARG" and each.rest.partition("=")[2] not in ("", "scratch", "cpu"):
            yield f"{each.rest} has a default"


def _secrets(found: Sequence[Instruction]) -> Iterator[str]:
    for each in found:
        if each.word in ("ARG", "ENV") and SECRET_NAMES.search(each.rest):
            yield f"{each.word} holds a secret, which every layer would keep"
        if each.word == "ADD":
            yield "ADD fetches and unpacks what nobody looked at"


def _final_faults(stage: Sequence[Instruction]) -> Iterator[str]:
    users = [each.rest for each in stage if each.word == "USER"]
    if not users or not all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users):
        yield "does not run as a numbered user that is not root"
    for each in stage:
        if each.word == "RUN":
            yield "runs a program while it is built, and so keeps what that leaves"
        if each.word == "COPY" and not each.rest.startswith("--from="):
            yield "holds files that no build stage made"
        if each.word == "VOLUME":
            yield "has a place that can be written to"
    entries = [each.rest for each in stage if each.word in ("ENTRYPOINT", "CMD")]
    if len(entries) != 2 or not all(_is_list(entry) for entry in entries):
        yield "is started through a shell"
    if not any("PYTHONSAFEPATH=1" in each.rest for each in stage if each.word == "ENV"):
        yield "finds modules where it stands"


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except json.JSONDecodeError:
        return False
