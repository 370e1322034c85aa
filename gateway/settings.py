"""Settings of the gateway: what differs between a laptop, a test and a cluster."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

PREFIX = "BATCHPIX_GATEWAY_"

# The gRPC service of each feature, the last part of `batchpix.<feature>.v1.<service>`.
SERVICES: Mapping[str, str] = {
    "stylize": "StylizeService",
    "video": "VideoService",
    "dance": "DanceService",
    "tryon": "TryonService",
}

# Coarse enough that none points at a person; the services count these and no others.
DEVICE_MODELS = ("iphone", "ipad", "android-phone", "android-tablet", "web", "server", "other")

MEBIBYTE = 1024 * 1024
PORTS = 65_536

Parsed = TypeVar("Parsed")


class SettingError(ValueError):
    """A setting is missing, unknown or outside its range; the message names the variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Where the replicas of one feature are found."""

    host: str
    """Name or address; every address behind a name is a replica."""
    port: int
    """Port of the service's mTLS listener."""
    more_hosts: tuple[str, ...] = ()
    """Further names or addresses of replicas, all on the same port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """A bound on everything that a stranger can make the gateway hold or do."""

    heap_bytes_max: int = 1024 * MEBIBYTE
    """Heap at which every overload action is in force."""
    connections_max: int = 256
    """Open connections from outside."""
    streams_per_connection_max: int = 100
    """Calls at a time on one connection."""
    stream_window_bytes: int = MEBIBYTE
    """Bytes of one call in flight, each way."""
    connection_window_bytes: int = 2 * MEBIBYTE
    """Bytes of all calls of one outside connection in flight, each way."""
    upstream_connection_window_bytes: int = 16 * MEBIBYTE
    """Bytes of all calls of one connection to a service in flight, each way."""
    buffer_bytes_max: int = 256 * 1024
    """Bytes that may wait in a connection's buffer before reading pauses."""
    header_kibibytes_max: int = 16
    """Size of one request's headers."""
    greeting_seconds_max: int = 5
    """Longest TLS handshake."""
    header_seconds_max: int = 10
    """Longest wait for the headers of a request that has begun."""
    call_seconds_max: int = 600
    """Longest call."""
    idle_seconds_max: int = 60
    """Longest silence within a call."""
    connection_idle_seconds_max: int = 60
    """Longest time that a connection stays open without a call."""
    connection_seconds_max: int = 3600
    """Age at which a connection is drained and renewed."""
    token_seconds_max: int = 86_400
    """Longest life that a token may claim."""
    calls_max: int = 256
    """Calls of one feature in flight; more than its replicas take, so that they choose."""
    route_calls_per_second: int = 2000
    """Calls of one route whose tokens are looked at, sustained; strangers count too."""
    route_calls_burst: int = 4000
    """Calls of one route whose tokens are looked at at once."""
    caller_calls_per_second: int = 50
    """Calls of one token subject that are admitted, sustained."""
    caller_calls_burst: int = 100
    """Calls of one token subject that are admitted at once."""
    early_resets_max: int = 500
    """Streams that a connection may reset young before it is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Everything that rendering needs to know."""

    upstreams: Mapping[str, Upstream]
    """The features that run, and where."""
    certificate_folder: Path
    """Holds tls.crt and tls.key, which the gateway shows to the outside."""
    client_certificate_folder: Path
    """Holds tls.crt and tls.key, which services see, and ca.crt, which signs theirs."""
    watched_folder: Path
    """Where the files stand that Envoy watches: paths of certificates, public keys of tokens."""
    key_set_file: Path
    """JSON Web Key Set that tokens are checked against."""
    listen_address: str = "127.0.0.1"
    listen_port: int = 8443
    admin_port: int = 9901
    """Loopback only."""
    server_names: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    """Names that callers may address; any other host is unknown."""
    issuer: str = "https://batchpix.example/dev"
    audience: str = "batchpix"
    web_origins: tuple[str, ...] = ()
    """Web pages that may call with gRPC-Web, each scheme://host[:port]."""
    device_models: tuple[str, ...] = DEVICE_MODELS
    """Values of x-batchpix-device that reach a service."""
    concurrency: int = 2
    """Worker threads."""
    drain_seconds: int = 10
    """How long running calls may go on after a request to stop."""
    limits: GatewayLimits = field(default_factory=GatewayLimits)

    def __post_init__(self) -> None:
        """Refuse what Envoy would take but could not serve."""
        if not self.upstreams:
            raise SettingError(f"{PREFIX}UPSTREAMS names no feature")
        unknown = sorted(set(self.upstreams) - set(SERVICES))
        if unknown:
            raise SettingError(f"{PREFIX}UPSTREAMS names {unknown}; known are {sorted(SERVICES)}")
        if not self.server_names or any("*" in name for name in self.server_names):
            raise SettingError(f"{PREFIX}SERVER_NAMES must name each host")
        for name in ("listen_port", "admin_port"):
            if not 0 < getattr(self, name) < PORTS:
                raise SettingError(f"{PREFIX}{name.upper()} must be a port")
        for limit in fields(self.limits):
            if getattr(self.limits, limit.name) < 1:
                raise SettingError(f"{PREFIX}{limit.name.upper()} must be more than 0")
        if "*" in self.web_origins:
            raise SettingError(f"{PREFIX}WEB_ORIGINS must name each origin, '*' is refused")


def from_environment() -> GatewaySettings:
    """Read settings from this process's environment."""
    return from_mapping(os.environ)


def from_mapping(environment: Mapping[str, str]) -> GatewaySettings:
    """Read settings from BATCHPIX_GATEWAY_* variables; each field and each limit has one.

    Raises:
        SettingError: a variable is missing, unknown or not readable.
    """
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }
    limits = {
        limit.name: _parse(limit.name, given.pop(limit.name), int)
        for limit in fields(GatewayLimits)
        if limit.name in given
    }
    unknown = sorted(set(given) - set(_PARSERS))
    if unknown:
        raise SettingError(f"unknown variables: {[PREFIX + name.upper() for name in unknown]}")
    values = {name: _parse(name, text, _PARSERS[name]) for name, text in given.items()}
    missing = sorted(_REQUIRED - set(values))
    if missing:
        raise SettingError(f"missing variables: {[PREFIX + name.upper() for name in missing]}")
    return GatewaySettings(limits=GatewayLimits(**limits), **values)  # type: ignore[arg-type]


def to_mapping(settings: GatewaySettings) -> dict[str, str]:
    """Write settings as the variables that `from_mapping` reads back."""
    upstreams = ",".join(
        f"{name}={'+'.join((up.host, *up.more_hosts))}:{up.port}"
        for name, up in settings.upstreams.items()
    )
    texts = {"upstreams": upstreams}
    for name in _PARSERS.keys() - {"upstreams"}:
        value = getattr(settings, name)
        texts[name] = ",".join(value) if isinstance(value, tuple) else str(value)
    for limit in fields(GatewayLimits):
        texts[limit.name] = str(getattr(settings.limits, limit.name))
    return {PREFIX + name.upper(): text for name, text in texts.items()}


def _parse(name: str, text: str, parser: Callable[[str], Parsed]) -> Parsed:
    try:
        return parser(text)
    except ValueError:
        raise SettingError(f"{PREFIX}{name.upper()} can't be read") from None


def _upstreams(text: str) -> dict[str, Upstream]:
    """Read `feature=host+host...:port,...`; an IPv6 address stands in brackets."""
    upstreams = {}
    for entry in _words(text):
        feature, _, address = entry.partition("=")
        hosts, _, port = address.rpartition(":")
        host, *more_hosts = (each.strip("[]") for each in hosts.split("+"))
        if not all((host, *more_hosts)):
            raise ValueError(entry)
        upstreams[feature] = Upstream(host=host, port=int(port), more_hosts=tuple(more_hosts))
    return upstreams


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _folder(text: str) -> Path:
    """Make a path absolute: Envoy's own working directory must not matter."""
    return Path(text).absolute()


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "upstreams": _upstreams,
    "certificate_folder": _folder,
    "client_certificate_folder": _folder,
    "watched_folder": _folder,
    "key_set_file": _folder,
    "listen_address": str,
    "listen_port": int,
    "admin_port": int,
    "server_names": _words,
    "issuer": str,
    "audience": str,
    "web_origins": _words,
    "device_models": _words,
    "concurrency": int,
    "drain_seconds": int,
}
_REQUIRED = {
    "upstreams",
    "certificate_folder",
    "client_certificate_folder",
    "watched_folder",
    "key_set_file",
}
