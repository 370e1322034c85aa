"""Rules on memory: what a flood may take before Envoy defends itself."""

from collections.abc import Iterator

from gateway.lint.edge import LISTENER, clusters, edge_listeners, edge_managers
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

MEBIBYTE = 1024 * 1024
BUFFER_BYTES_MAX = MEBIBYTE

# Envoy's own defaults.
STREAMS_DEFAULT = 1024
STREAM_WINDOW_DEFAULT = 16 * MEBIBYTE
CONNECTION_WINDOW_DEFAULT = 24 * MEBIBYTE
BUFFER_DEFAULT = MEBIBYTE

MONITORS = "envoy.extensions.resource_monitors"
HEAP_MONITORS = {
    f"{MONITORS}.fixed_heap.v3.FixedHeapConfig": "max_heap_size_bytes",
    f"{MONITORS}.cgroup_memory.v3.CgroupMemoryConfig": "max_memory_bytes",
}
CONNECTION_MONITOR = f"{MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig"
ACTIONS = (
    "shrink_heap",
    "reduce_timeouts",
    "reset_high_memory_stream",
    "stop_accepting_requests",
    "reject_incoming_connections",
)


def check_overload(reading: Reading) -> Iterator[Problem]:
    """E01: a memory monitor, and actions that it sets off."""
    bootstrap = reading.bootstrap
    manager = bootstrap.message("overload_manager")
    if manager is None:
        yield Problem(position=bootstrap.position, message="there is no overload_manager")
        return
    if not any(monitor.type in HEAP_MONITORS for monitor in manager.walk()):
        message = "no fixed_heap or cgroup_memory monitor watches the memory"
        yield Problem(position=manager.position, message=message)
    actions = {action.text("name"): action for action in manager.messages("actions")}
    for name in ACTIONS:
        if f"envoy.overload_actions.{name}" not in actions:
            yield Problem(position=manager.position, message=f"the action {name} is missing")
    monitors = {monitor.text("name") for monitor in manager.messages("resource_monitors")}
    for action in actions.values():
        for trigger in action.messages("triggers"):
            if trigger.text("name") not in monitors:
                message = "the trigger names a monitor that does not exist"
                yield Problem(position=trigger.position, message=message)
    tracked = manager.get("buffer_factory_config.minimum_account_to_track_power_of_two")
    if "envoy.overload_actions.reset_high_memory_stream" in actions and tracked is None:
        message = "reset_high_memory_stream does nothing without buffer_factory_config"
        yield Problem(position=manager.position, message=message)


def check_connection_limit(reading: Reading) -> Iterator[Problem]:
    """E02: a bound on all connections from outside."""
    bootstrap = reading.bootstrap
    monitors = list(bootstrap.within(CONNECTION_MONITOR))
    for layer in bootstrap.messages("layered_runtime.layers"):
        static = layer.message("static_layer")
        if static and "overload.global_downstream_max_connections" in static.fields:
            message = "the runtime key for connections is the old form"
            yield Problem(position=static.position, message=message)
    if not monitors:
        yield Problem(position=bootstrap.position, message="connections are not limited")
    for monitor in monitors:
        if not (monitor.number("max_active_downstream_connections") or 0) > 0:
            message = "max_active_downstream_connections must be more than 0"
            yield Problem(position=monitor.position, message=message)


def check_buffers(reading: Reading) -> Iterator[Problem]:
    """E03: bounded buffers on both sides."""
    sides = [*edge_listeners(reading.bootstrap), *clusters(reading.bootstrap)]
    name = "per_connection_buffer_limit_bytes"
    for side in sides:
        limit = side.number(name)
        kind = "listener" if side.type == LISTENER else "cluster"
        if limit is None:
            yield Problem(position=side.position, message=f"the {kind} sets no {name}")
        elif not 0 < limit <= BUFFER_BYTES_MAX:
            message = f"{name} must be 1 to {BUFFER_BYTES_MAX}"
            yield Problem(position=side.place(name), message=message)


def check_bypass(reading: Reading) -> Iterator[Problem]:
    """E04: no edge listener that the limits don't hold for."""
    for listener in edge_listeners(reading.bootstrap):
        for name in ("ignore_global_conn_limit", "bypass_overload_manager"):
            if listener.truth(name):
                message = f"{name} lifts the limits from this listener"
                yield Problem(position=listener.place(name), message=message)


def check_arithmetic(reading: Reading) -> Iterator[Problem]:
    """E30: the windows of all admitted connections fit into the memory."""
    bootstrap = reading.bootstrap
    heap = memory_bytes(bootstrap)
    connections = next(
        (
            monitor.number("max_active_downstream_connections")
            for monitor in bootstrap.within(CONNECTION_MONITOR)
        ),
        None,
    )
    if not heap or not connections:
        return
    for manager in edge_managers(bootstrap):
        need = connections * connection_bytes(manager)
        if need >= heap:
            message = (
                f"{connections:.0f} connections may hold {need / MEBIBYTE:.0f} MiB, "
                f"the limit is {heap / MEBIBYTE:.0f} MiB"
            )
            place = manager.place("http2_protocol_options")
            yield Problem(position=place, message=message)


def memory_bytes(bootstrap: Message) -> float | None:
    """Find the memory limit, None if there is none."""
    for monitor in bootstrap.walk():
        if monitor.type in HEAP_MONITORS:
            return monitor.number(HEAP_MONITORS[monitor.type])
    return None


def connection_bytes(manager: Message) -> float:
    """Bound what one connection may make Envoy hold: its window, and the listener's buffer.

    All streams of a connection share its window, whatever their own allow.
    """
    http2 = "http2_protocol_options."
    streams = manager.number(http2 + "max_concurrent_streams") or STREAMS_DEFAULT
    stream = manager.number(http2 + "initial_stream_window_size") or STREAM_WINDOW_DEFAULT
    shared = manager.number(http2 + "initial_connection_window_size") or CONNECTION_WINDOW_DEFAULT
    listener = manager.around(LISTENER)
    buffer = listener.number("per_connection_buffer_limit_bytes") if listener else None
    return min(streams * stream, shared) + (buffer or BUFFER_DEFAULT)


RULES = (
    Rule(
        id="E01",
        title="Overload manager watches memory and acts",
        severity=Severity.ERROR,
        why="Without it a flood of requests ends with the kernel killing Envoy.",
        mend="Add overload_manager with a fixed_heap or cgroup_memory monitor and the actions "
        + ", ".join(ACTIONS)
        + "; set buffer_factory_config.minimum_account_to_track_power_of_two.",
        check=check_overload,
    ),
    Rule(
        id="E02",
        title="Connections from outside are limited",
        severity=Severity.ERROR,
        why="Each open connection costs memory and a descriptor, even when idle.",
        mend="Add the monitor envoy.resource_monitors.global_downstream_max_connections with "
        "max_active_downstream_connections.",
        check=check_connection_limit,
    ),
    Rule(
        id="E03",
        title="Connection buffers are bounded",
        severity=Severity.WARNING,
        why="A slow reader makes Envoy hold as much as the buffer allows, per connection.",
        mend="Set per_connection_buffer_limit_bytes on listener and cluster, 32 KiB to 1 MiB.",
        check=check_buffers,
    ),
    Rule(
        id="E04",
        title="No edge listener evades the limits",
        severity=Severity.ERROR,
        why="A listener that is exempt is the one that will be flooded.",
        mend="Remove ignore_global_conn_limit and bypass_overload_manager.",
        check=check_bypass,
    ),
    Rule(
        id="E30",
        title="Windows and buffers fit into the memory",
        severity=Severity.ERROR,
        why="Callers may fill every window they are offered; the sum must stay below the limit.",
        mend="Lower max_active_downstream_connections, initial_connection_window_size or "
        "per_connection_buffer_limit_bytes, or raise the memory.",
        check=check_arithmetic,
    ),
)
