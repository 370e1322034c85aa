"""Whom the load is put on, and as whom."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from batchpix_client.channels import configuration_error
from batchpix_client.mesh import LocalMesh
from batchpix_client.profile import Profile, load_profile
from gateway.settings import SERVICES
from gateway.tokens import load_or_make_key, make_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A mesh under load.

    Attributes:
        address: host and port of its gateway.
        authority: what signed the gateway's certificate, PEM.
        tokens: one for each caller; callers of one token share its rate.
        features: what is called there.
    """

    address: str
    authority: bytes
    tokens: tuple[str, ...]
    features: tuple[str, ...]


@contextmanager
def open_target(home: Path, callers: int, features: Sequence[str] = ()) -> Iterator[Target]:
    """Take the mesh that is up in a home, or bring one up around the block.

    Args:
        home: of the mesh, as of the command `batchpix`.
        callers: how many tokens are needed.
        features: what is called; none = all that run there.

    Raises:
        BatchpixError: the mesh can't be started or its profile is damaged.
        OSError: the profile names a file that can't be read.
    """
    profile = load_profile(home)
    if profile is not None:
        yield target_of(profile, callers, features)
        return
    with tempfile.TemporaryDirectory() as folder, LocalMesh(Path(folder)) as mesh:
        yield target_of(mesh.profile, callers, features)


def target_of(profile: Profile, callers: int, features: Sequence[str]) -> Target:
    """Read what a profile names; a mesh of this machine signs a token for each caller.

    Raises:
        BatchpixError: the profile names no authority or no token.
        OSError: a file that it names can't be read.
    """
    if profile.ca is None or profile.token_file is None:
        raise configuration_error("the profile must name an authority and a token", "profile")
    tokens = [profile.token_file.read_text(encoding="utf-8").strip()] * callers
    key_folder = profile.token_file.parent / "tokens"
    if key_folder.is_dir():
        key = load_or_make_key(key_folder)
        tokens = [make_token(key, f"load-{number}", list(SERVICES)) for number in range(callers)]
    # A profile that was written by hand may not tell what runs: then only stylize is known to.
    running = tuple(features or profile.internal or ["stylize"])
    if unknown := sorted(set(running) - set(SERVICES)):
        raise configuration_error(f"unknown {', '.join(unknown)}", "feature")
    return Target(
        address=profile.address,
        authority=profile.ca.read_bytes(),
        tokens=tuple(tokens),
        features=running,
    )
