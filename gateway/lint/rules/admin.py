"""Rules on operation: the admin page, and the end of a process."""

from collections.abc import Iterator

from gateway.lint.edge import edge_managers, is_local
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

DRAIN_PATH = "/drain_listeners?graceful"


def check_admin(reading: Reading) -> Iterator[Problem]:
    """E05: the admin page is for this machine, and shows only what it must."""
    admin = reading.bootstrap.message("admin")
    if admin is None:
        return
    if admin.get("address") and not is_local(admin.message("address")):
        message = "other machines can reach the admin page"
        yield Problem(position=admin.place("address.socket_address.address"), message=message)
    if not admin.get("allow_paths"):
        message = "allow_paths is not set, so every page answers"
        yield Problem(position=admin.position, message=message)


def check_drain(reading: Reading) -> Iterator[Problem]:
    """E29: connections are told to go before they are closed."""
    for manager in edge_managers(reading.bootstrap):
        if not (manager.number("drain_timeout") or 0) > 0:
            message = "drain_timeout is not set"
            yield Problem(position=manager.place("drain_timeout"), message=message)
    admin = reading.bootstrap.message("admin")
    if admin is None:
        message = "without an admin page nothing can ask Envoy to drain"
        yield Problem(position=reading.bootstrap.position, message=message)
    elif admin.get("allow_paths") and not any(map(_admits_drain, admin.messages("allow_paths"))):
        message = f"allow_paths does not admit {DRAIN_PATH}"
        yield Problem(position=admin.position, message=message)


def _admits_drain(matcher: Message) -> bool:
    prefix = matcher.text("prefix")
    return (
        matcher.text("exact") == DRAIN_PATH
        or (bool(prefix) and DRAIN_PATH.startswith(prefix))
        or "drain_listeners" in matcher.text("safe_regex.regex")
        or (bool(matcher.text("contains")) and matcher.text("contains") in DRAIN_PATH)
    )


RULES = (
    Rule(
        id="E05",
        title="Admin page is local and small",
        severity=Severity.ERROR,
        why="The admin page can end the process, and shows certificates and configuration.",
        mend="Bind admin.address to 127.0.0.1 or a pipe, and list the pages in use in allow_paths.",
        check=check_admin,
    ),
    Rule(
        id="E29",
        title="Connections drain before they close",
        severity=Severity.WARNING,
        why="On a stop Envoy closes its listeners at once, and running calls break.",
        mend=f"Set drain_timeout, let the stop hook POST {DRAIN_PATH}, and start Envoy with "
        "--drain-time-s shorter than the time that it is given to end.",
        check=check_drain,
    ),
)
