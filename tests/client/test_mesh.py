"""A local mesh before anything of it is started."""

from pathlib import Path

from batchpix_client.mesh import LocalMesh, replica_name


def test_chosen_features_only(tmp_path: Path) -> None:
    """A mesh of some features has addresses for these and no others."""
    mesh = LocalMesh(tmp_path, features=["stylize"])

    assert list(mesh.profile.internal) == ["stylize"]


def test_replicas_have_names_of_their_own() -> None:
    """The first replica is called as its feature is, the others by a number."""
    names = [replica_name("stylize", host) for host in ("127.0.0.1", "127.0.0.2")]

    assert names == ["stylize", "stylize-2"]


def test_the_gateway_shares_calls_out(tmp_path: Path) -> None:
    """Every replica is an upstream of the gateway's, on one port."""
    mesh = LocalMesh(tmp_path, features=["stylize"], replicas=3)
    upstream = mesh._gateway_settings(mesh._renew()).upstreams["stylize"]

    assert (upstream.host, upstream.more_hosts) == ("127.0.0.1", ("127.0.0.2", "127.0.0.3"))
