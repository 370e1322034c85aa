"""Rules on HTTP filters: their order, and what each must and must not do."""

from collections.abc import Iterator

from gateway.lint.edge import GRPC_WEB, HTTP, edge_managers
from gateway.lint.model import Message
from gateway.lint.rule import Problem, Rule, Severity
from gateway.lint.schema import Reading

ROUTER = f"{HTTP}.router.v3.Router"
LOCAL_LIMIT = f"{HTTP}.local_ratelimit.v3.LocalRateLimit"
GLOBAL_LIMIT = f"{HTTP}.ratelimit.v3.RateLimit"
EXT_AUTHZ = f"{HTTP}.ext_authz.v3.ExtAuthz"
EXT_PROC = f"{HTTP}.ext_proc.v3.ExternalProcessor"
GRPC_STATS = f"{HTTP}.grpc_stats.v3.FilterConfig"
CORS_POLICIES = (f"{HTTP}.cors.v3.CorsPolicy", "envoy.config.route.v3.CorsPolicy")

# Kinds of filters by the stage they belong to; a name may stand for a type that comes later.
STAGES = (
    ("cors", "grpc_web"),
    ("health_check", "local_ratelimit"),
    ("ext_authz", "jwt_authn"),
    ("rbac",),
    ("ratelimit", "local_ratelimit"),
    ("grpc_stats",),
    ("router",),
)
AUTHENTICATORS = ("ext_authz", "jwt_authn")

# Filters that hold or hand on the bodies of requests or answers.
BODY_FILTERS = (
    "buffer",
    "cache",
    "cache_v2",
    "compressor",
    "decompressor",
    "file_system_buffer",
    "lua",
    "tap",
    "wasm",
)
BODY_BYTES_MAX = 1 << 20
BODY_MODES = ("request_body_mode", "response_body_mode")

EXPOSED = ("grpc-status", "grpc-message", "grpc-status-details-bin")


def kind_of(item: Message) -> str:
    """Name a filter's kind: the package of its type, or the end of its name."""
    config = item.message("typed_config")
    if config and config.type.startswith(HTTP + "."):
        return config.type.removeprefix(HTTP + ".").partition(".")[0]
    for url in item.texts("config_discovery.type_urls"):
        name = url.rpartition("/")[2]
        if name.startswith(HTTP + "."):
            return name.removeprefix(HTTP + ".").partition(".")[0]
    return item.text("name").rpartition(".")[2]


def check_order(reading: Reading) -> Iterator[Problem]:
    """E17: cheap refusals first, identity before rights, the router last."""
    for manager in edge_managers(reading.bootstrap):
        filters = manager.messages("http_filters")
        kinds = [kind_of(item) for item in filters]
        if "router" not in kinds:
            yield Problem(position=manager.position, message="there is no router filter")
        elif kinds[-1] != "router":
            message = "filters after the router are never asked"
            yield Problem(position=filters[-1].position, message=message)
        stage = 0
        for item, kind in zip(filters, kinds, strict=True):
            stages = [number for number, names in enumerate(STAGES) if kind in names]
            later = [number for number in stages if number >= stage]
            if stages and not later:
                message = f"{kind} stands after {'/'.join(STAGES[stage])}, it belongs before"
                yield Problem(position=item.position, message=message)
            stage = min(later, default=stage)
        yield from _check_first_limit(filters, kinds)


def _check_first_limit(filters: list[Message], kinds: list[str]) -> Iterator[Problem]:
    first = next((n for n, kind in enumerate(kinds) if kind in AUTHENTICATORS), None)
    if first is not None and "local_ratelimit" not in kinds[:first]:
        message = f"no local_ratelimit protects {kinds[first]}"
        yield Problem(position=filters[first].position, message=message)


def check_ext_authz(reading: Reading) -> Iterator[Problem]:
    """E18: the authority that is asked fails closed and sees little."""
    for config in reading.bootstrap.within(EXT_AUTHZ):
        if config.truth("failure_mode_allow"):
            message = "failure_mode_allow lets everybody in while the authority is down"
            yield Problem(position=config.place("failure_mode_allow"), message=message)
        if config.get("with_request_body"):
            message = "with_request_body hands a caller's data to the authority"
            yield Problem(position=config.place("with_request_body"), message=message)
        if config.get("grpc_service") and not (config.number("grpc_service.timeout") or 0) > 0:
            message = "grpc_service has no timeout"
            yield Problem(position=config.place("grpc_service"), message=message)
        if config.text("transport_api_version") != "V3":
            place = config.place("transport_api_version")
            yield Problem(position=place, message="transport_api_version must be V3")
        for name in ("allowed_headers", "validate_mutations", "status_on_error"):
            if not config.get(name):
                yield Problem(position=config.position, message=f"{name} is not set")


def check_limits(reading: Reading) -> Iterator[Problem]:
    """E19: rate limits are in force, and say so in gRPC's words."""
    for config in reading.bootstrap.walk():
        if config.type not in (LOCAL_LIMIT, GLOBAL_LIMIT):
            continue
        if not config.truth("rate_limited_as_resource_exhausted"):
            message = "rate_limited_as_resource_exhausted must be true"
            place = config.place("rate_limited_as_resource_exhausted")
            yield Problem(position=place, message=message)
        if config.type == LOCAL_LIMIT:
            yield from _check_local(config)
            continue
        for name in ("domain", "timeout", "failure_mode_deny"):
            if not config.get(name):
                yield Problem(position=config.position, message=f"{name} is not set")


def _check_local(config: Message) -> Iterator[Problem]:
    if not config.get("token_bucket") and not config.get("descriptors"):
        yield Problem(position=config.position, message="there is no token_bucket")
    for name in ("filter_enabled", "filter_enforced"):
        value = config.message(f"{name}.default_value")
        share = value.number("numerator") if value else None
        scale = {"": 100, "HUNDRED": 100, "TEN_THOUSAND": 10**4, "MILLION": 10**6}
        whole = scale.get(value.text("denominator") if value else "", 100)
        if share is None or share < whole:
            message = f"{name} is below 100 %"
            yield Problem(position=config.place(name), message=message)


def check_bodies(reading: Reading) -> Iterator[Problem]:
    """E21: nothing on the way keeps or copies what a caller sends."""
    for manager in edge_managers(reading.bootstrap):
        for item in manager.messages("http_filters"):
            kind = kind_of(item)
            if kind in BODY_FILTERS:
                message = f"{kind} holds or reads bodies"
                yield Problem(position=item.position, message=message)
        for part in manager.walk():
            yield from _check_body_limit(part)
            if part.type == EXT_PROC:
                yield from _check_processor(part)


def _check_body_limit(message: Message) -> Iterator[Problem]:
    name = "request_body_buffer_limit"
    limit = message.number(name)
    if limit is not None and limit > BODY_BYTES_MAX:
        said = f"{name} is over {BODY_BYTES_MAX}"
        yield Problem(position=message.place(name), message=said)


def _check_processor(config: Message) -> Iterator[Problem]:
    for name in BODY_MODES:
        mode = config.text(f"processing_mode.{name}")
        if mode not in ("", "NONE"):
            message = f"{name} hands bodies to another process"
            yield Problem(position=config.place("processing_mode"), message=message)


def check_cors(reading: Reading) -> Iterator[Problem]:
    """E25: only named web pages may call, and they can read how a call ended."""
    for manager in edge_managers(reading.bootstrap):
        has_web = any(True for _ in manager.within(GRPC_WEB))
        for policy in manager.walk():
            if policy.type not in CORS_POLICIES:
                continue
            for origin in policy.messages("allow_origin_string_match"):
                if _is_any(origin):
                    message = "any web page may call"
                    yield Problem(position=origin.position, message=message)
            exposed = {name.strip() for name in policy.text("expose_headers").split(",")}
            lacking = [name for name in EXPOSED if name not in exposed]
            if has_web and lacking:
                message = f"expose_headers lacks {', '.join(lacking)}"
                yield Problem(position=policy.place("expose_headers"), message=message)


def _is_any(origin: Message) -> bool:
    """Tell whether a matcher takes origins that nobody named."""
    pattern = origin.text("safe_regex.regex")
    return (
        origin.text("exact") == "*"
        or pattern.strip("^$()") in (".*", ".+")
        or (bool(origin.text("prefix")) and "://" not in origin.text("prefix").rstrip("/:"))
        or bool(origin.text("suffix") or origin.text("contains"))
    )


def check_grpc_stats(reading: Reading) -> Iterator[Problem]:
    """E26: callers can't invent metric names."""
    for config in reading.bootstrap.within(GRPC_STATS):
        if config.truth("stats_for_all_methods"):
            message = "every method name that a caller invents becomes a metric"
            yield Problem(position=config.place("stats_for_all_methods"), message=message)
        elif not config.get("individual_method_stats_allowlist"):
            message = "individual_method_stats_allowlist is not set"
            yield Problem(position=config.position, message=message)


RULES = (
    Rule(
        id="E17",
        title="Filters stand in a safe order",
        severity=Severity.ERROR,
        why="A filter that comes too late has let the costly or the forbidden happen.",
        mend="Order: cors, grpc_web; health_check, local_ratelimit; ext_authz or jwt_authn; rbac; "
        "ratelimit; grpc_stats; router last. A local_ratelimit goes before authentication.",
        check=check_order,
    ),
    Rule(
        id="E18",
        title="External authorization fails closed",
        severity=Severity.ERROR,
        why="An authority that is down, or that sees bodies, protects nothing.",
        mend="Set a timeout, failure_mode_allow: false, transport_api_version: V3, "
        "validate_mutations, allowed_headers, status_on_error; no with_request_body.",
        check=check_ext_authz,
    ),
    Rule(
        id="E19",
        title="Rate limits are in force",
        severity=Severity.ERROR,
        why="A filter that is not enabled and enforced for all only counts.",
        mend="Set token_bucket, filter_enabled and filter_enforced to 100 %, and "
        "rate_limited_as_resource_exhausted; for a global limit domain, timeout and "
        "failure_mode_deny.",
        check=check_limits,
    ),
    Rule(
        id="E21",
        title="Nothing keeps or reads bodies",
        severity=Severity.ERROR,
        why="What buffers, caches, taps or scripts bodies keeps a caller's data longer.",
        mend="Remove " + ", ".join(BODY_FILTERS) + " and body modes of ext_proc from the edge; "
        f"keep request_body_buffer_limit at or below {BODY_BYTES_MAX}.",
        check=check_bodies,
    ),
    Rule(
        id="E25",
        title="Web pages are named",
        severity=Severity.ERROR,
        why="A page of any origin could call with its visitor's token.",
        mend="List origins with exact; expose " + ", ".join(EXPOSED) + ".",
        check=check_cors,
    ),
    Rule(
        id="E26",
        title="Method metrics are an allow-list",
        severity=Severity.WARNING,
        why="Invented method names fill memory and carry text into metrics.",
        mend="Set individual_method_stats_allowlist instead of stats_for_all_methods.",
        check=check_grpc_stats,
    ),
)
