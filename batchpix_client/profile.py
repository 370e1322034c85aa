"""The profile: how to reach a running mesh, in a TOML file that `batchpix up` writes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from batchpix_client.channels import configuration_error

PROFILE_FILE = "profile.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How to reach a mesh.

    Attributes:
        address: host and port of the gateway.
        ca: authority that signed its certificate.
        token_file: holds a bearer token; read for each call, since it is renewed.
        receipt_keys: public keys that receipts are verified with.
        admin_address: Envoy's own pages, on loopback.
        internal: mTLS address of each service.
        health: address of each service's plaintext health check.
        metrics: address of each service's metrics page.
        client_certificates: folder with tls.crt, tls.key and ca.crt of an internal caller.
    """

    address: str
    ca: Path | None = None
    token_file: Path | None = None
    receipt_keys: tuple[Path, ...] = ()
    admin_address: str = ""
    internal: Mapping[str, str] = field(default_factory=dict)
    health: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    client_certificates: Path | None = None

    def save(self, home: Path) -> None:
        """Write it under `home`, readable by the user alone."""
        path = home / PROFILE_FILE
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        document = {name: plain(value) for name, value in values.items() if value}
        path.touch(mode=0o600)
        path.write_text(tomli_w.dumps(document), encoding="utf-8")


def load_profile(home: Path) -> Profile | None:
    """Read the profile under `home`, None if there is none.

    Raises:
        BatchpixError: the file is damaged.
    """
    path = home / PROFILE_FILE
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise configuration_error(f"cannot read {path}: {error}", "profile") from None
    known = {entry.name for entry in fields(Profile)}
    unknown = sorted(document.keys() - known)
    if unknown or not isinstance(document.get("address"), str):
        what = f"unknown entries {', '.join(unknown)}" if unknown else "no address"
        raise configuration_error(f"{path} has {what}", "profile")
    for name in ("ca", "token_file", "client_certificates"):
        if name in document:
            document[name] = Path(document[name])
    document["receipt_keys"] = tuple(Path(key) for key in document.get("receipt_keys", ()))
    return Profile(**document)


def plain(value: object) -> object:
    """Turn a value into what TOML has."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value
