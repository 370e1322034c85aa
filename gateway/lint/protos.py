"""Envoy's own message types, loaded one package at a time as a configuration names them."""

import importlib
import pkgutil
import re
from functools import cache

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor

BOOTSTRAP = "envoy.config.bootstrap.v3.Bootstrap"

# Roots of the packages that configurations may name; no other package is ever imported.
_ROOTS = ("envoy", "google", "opentelemetry", "udpa", "xds")
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+(\.[A-Z][A-Za-z0-9]*)+")


@cache
def find_type(name: str) -> Descriptor | None:
    """Find a message type by its full name; None if Envoy's API has none of that name."""
    if not _TYPE.fullmatch(name) or name.partition(".")[0] not in _ROOTS:
        return None
    package = ".".join(part for part in name.split(".") if part.islower())
    _load(package)
    try:
        return descriptor_pool.Default().FindMessageTypeByName(name)
    except KeyError:
        return None


@cache
def _load(package: str) -> None:
    """Import every generated module of a package, which registers its types."""
    try:
        found = importlib.import_module(package)
    except ImportError:
        return
    for module in pkgutil.iter_modules(getattr(found, "__path__", [])):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"{package}.{module.name}")
