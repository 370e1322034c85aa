"""The command against the fake mesh: output, files, errors and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from batchpix_client.profile import Profile, load_profile
from gateway.certs import CertificatePaths
from tests.client import fakes
from tests.client.conftest import Batchpix
from tests.client.fakes import FakeMesh, serve, service_credentials


def test_styles_in_a_pipe_are_cells_between_tabs(batchpix: Batchpix) -> None:
    """Without a terminal the table is plain text for other programs."""
    result = batchpix("styles")

    expected = (
        "name\ttitle\tpainter\tyear\nstarry_night\tThe Starry Night\tVincent van Gogh\t1889\n"
    )
    assert (0, expected) == (result.exit_code, result.stdout)


def test_styles_as_json_are_one_document_a_line(batchpix: Batchpix) -> None:
    """Scripts get every field under its name."""
    (line,) = batchpix("styles", "--json").stdout.splitlines()

    assert json.loads(line) == {
        "name": "starry_night",
        "title": "The Starry Night",
        "painter": "Vincent van Gogh",
        "year": 1889,
    }


def test_one_picture_goes_to_the_file_that_is_named(
    batchpix: Batchpix, photo: Path, tmp_path: Path
) -> None:
    """An output with a picture's suffix is a file; nothing is written to standard output."""
    target = tmp_path / "art.png"
    result = batchpix("stylize", photo, "--style", "starry_night", "-o", target)

    assert (result.exit_code, result.stdout) == (0, "")
    assert target.read_bytes() == b"eno"


def test_pictures_keep_their_names_in_a_folder(
    batchpix: Batchpix, photo: Path, tmp_path: Path
) -> None:
    """Results get the suffix of their type; two inputs of one name do not overwrite each other."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "photo.jpg").write_bytes(b"two")
    out = tmp_path / "out"
    result = batchpix("stylize", photo, other / "photo.jpg", "--style", "starry_night", "-o", out)

    assert result.exit_code == 0
    assert {file.name: file.read_bytes() for file in out.iterdir()} == {
        "photo.png": b"eno",
        "photo-2.png": b"owt",
    }


def test_options_reach_the_service(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """Every option of the command is one of the call."""
    batchpix(
        "stylize", photo, "-o", tmp_path / "out", "--style", "a:0.75", "--style", "b",
        "--style-picture", photo, "--mask", photo, "--strength", 0.5, "--preserve-colour",
        "--region", "background", "--style-scale", 2, "--seed", 3, "--format", "webp",
        "--quality", 70, "--long-side", 640,
    )  # fmt: skip

    options = mesh.options
    assert options is not None
    assert [(part.name, part.weight) for part in options.styles] == [
        ("a", 0.75),
        ("b", 1.0),
        ("", 1.0),
    ]
    assert (
        options.strength,
        options.preserve_colour,
        options.region,
        options.style_scale,
        options.seed,
    ) == (0.5, True, 3, 2.0, 3)
    assert (
        options.format.media_type,
        options.format.quality,
        options.format.long_side_pixels_max,
    ) == ("image/webp", 70, 640)
    assert [medium.start.kind for medium in mesh.media] == [3, 4, 1]


def test_a_bad_picture_is_named_and_the_others_are_written(
    batchpix: Batchpix, photo: Path, tmp_path: Path
) -> None:
    """A partial failure writes what succeeded, tells what did not and exits with 1."""
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"bad")
    result = batchpix(
        "stylize", bad, photo, "--style", "starry_night", "-o", tmp_path / "out", "--json"
    )

    failed, done = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert ("failed", "MEDIA_UNREADABLE", str(bad)) == (
        failed["status"],
        failed["reason"],
        failed["input"],
    )
    assert ("ok", 3, str(tmp_path / "out" / "photo.png")) == (
        done["status"],
        done["bytes"],
        done["output"],
    )


def test_a_receipt_is_kept_and_verified(batchpix: Batchpix, photo: Path, tmp_path: Path) -> None:
    """What `--receipt` writes is what `verify-receipt` accepts, under the profile's key."""
    receipt = tmp_path / "r.json"
    batchpix("stylize", photo, "--style", "a", "-o", tmp_path / "out", "--receipt", receipt)

    result = batchpix("verify-receipt", receipt, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["verified"] is True
    assert document["statement"]["host_bytes_wiped"] == "4096"
    assert "The receipt holds." in batchpix("verify-receipt", receipt).stdout


def test_a_forged_receipt_is_refused(batchpix: Batchpix, photo: Path, tmp_path: Path) -> None:
    """A receipt whose statement was changed ends in one line and status 1."""
    receipt = tmp_path / "r.json"
    batchpix("stylize", photo, "--style", "a", "-o", tmp_path / "out", "--receipt", receipt)
    document = json.loads(receipt.read_text())
    document["statement"] = "AAAA"
    receipt.write_text(json.dumps(document))

    result = batchpix("verify-receipt", receipt)

    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert "RECEIPT_SIGNATURE_INVALID" in result.stderr


def test_a_service_that_signs_with_a_strange_key_is_found_out(
    batchpix: Batchpix, home: Path, photo: Path, tmp_path: Path
) -> None:
    """`stylize` checks each receipt against the profile's keys without being asked."""
    key = Ed25519PrivateKey.generate().public_key()
    (home / "receipt.pub").write_bytes(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    result = batchpix("stylize", photo, "--style", "a", "-o", tmp_path / "out")

    assert result.exit_code == 1
    assert "RECEIPT_KEY_UNKNOWN" in result.stderr


def test_an_error_is_one_line_on_standard_error(
    batchpix: Batchpix, mesh: FakeMesh, photo: Path, tmp_path: Path
) -> None:
    """What the service refuses is told with its reason; status 1."""
    mesh.refusals = [fakes.status(grpc.StatusCode.UNAUTHENTICATED, "token\nexpired")]
    result = batchpix("stylize", photo, "--style", "a", "-o", tmp_path / "out")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "batchpix: UNAUTHENTICATED: token expired\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["stylize"],
        ["stylize", "none.jpg", "--style", "a", "-o", "out"],
        ["stylize", __file__, "-o", "out"],
        ["stylize", __file__, "--style", "a:much", "-o", "out"],
        ["stylize", __file__, "--style", "a", "--region", "sky", "-o", "out"],
        ["nonsense"],
    ],
)
def test_wrong_usage_ends_with_status_2(batchpix: Batchpix, arguments: list[str]) -> None:
    """Usage errors are told apart from failures."""
    assert batchpix(*arguments).exit_code == 2


def test_several_pictures_do_not_fit_into_one_file(
    batchpix: Batchpix, photo: Path, tmp_path: Path
) -> None:
    """A batch that is to go to a file is refused before anything is sent."""
    result = batchpix("stylize", photo, photo, "--style", "a", "-o", tmp_path / "art.png")

    assert result.exit_code == 1
    assert "several pictures need a folder" in result.stderr


def test_variables_override_the_profile(batchpix: Batchpix, mesh: FakeMesh, photo: Path) -> None:
    """A token from the environment goes before the profile's; a flag goes before both."""
    batchpix("styles", env={"BATCHPIX_TOKEN": "from-env"})
    assert mesh.metadata["authorization"] == "Bearer from-env"

    batchpix("--token", "from-flag", "styles", env={"BATCHPIX_TOKEN": "from-env"})
    assert mesh.metadata["authorization"] == "Bearer from-flag"


def test_the_profiles_token_stays_with_its_address(
    batchpix: Batchpix, certificates: CertificatePaths
) -> None:
    """An address that is given is called without the token that was made for another."""
    mesh = FakeMesh(script=fakes.backwards)
    with serve(mesh, fakes.gateway_credentials(certificates)) as elsewhere:
        result = batchpix("--address", elsewhere, "--ca", certificates.authority, "styles")

    assert result.exit_code == 0
    assert "authorization" not in mesh.metadata


def test_an_internal_caller_needs_no_token(
    batchpix: Batchpix, certificates: CertificatePaths
) -> None:
    """With a certificate the command calls a service directly."""
    folder = certificates.clients["developer"]
    with serve(FakeMesh(script=fakes.backwards), service_credentials(certificates)) as service:
        result = batchpix(
            "--address", service, "--ca", folder / "ca.crt",
            "--certificate", folder / "tls.crt", "--key", folder / "tls.key", "styles",
        )  # fmt: skip

    assert result.exit_code == 0


def test_the_policy_is_printed(batchpix: Batchpix) -> None:
    """People get version and text, scripts the whole record."""
    assert "Version 2026-11-23" in batchpix("policy").stdout
    assert json.loads(batchpix("policy", "--json").stdout)["text"] == "# Policy"


def test_without_a_mesh_the_command_says_what_to_do(batchpix: Batchpix, home: Path) -> None:
    """No profile and no address is one line that names both ways out."""
    (home / "profile.toml").unlink()
    result = batchpix("styles")

    assert result.exit_code == 1
    assert "run `batchpix up`, or give --address" in result.stderr


@pytest.mark.parametrize("text", ["address = 1", "ca = 'x'", "}", "address = 'a'\nsurprise = 1"])
def test_a_damaged_profile_is_one_line(batchpix: Batchpix, home: Path, text: str) -> None:
    """A profile that cannot be used names its file."""
    (home / "profile.toml").write_text(text)
    result = batchpix("styles")

    assert result.exit_code == 1
    assert "profile.toml" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_profile_survives_its_file(tmp_path: Path) -> None:
    """What is saved is what is loaded, and only the user can read it."""
    profile = Profile(
        address="localhost:8443",
        ca=tmp_path / "ca.crt",
        receipt_keys=(tmp_path / "a.pub", tmp_path / "b.pub"),
        health={"stylize": "127.0.0.1:1"},
    )
    profile.save(tmp_path)

    assert profile == load_profile(tmp_path)
    assert (tmp_path / "profile.toml").stat().st_mode & 0o777 == 0o600


def test_a_token_is_minted(batchpix: Batchpix) -> None:
    """`token` prints a token of three parts and refuses scopes that nobody knows."""
    assert len(batchpix("token", "--scope", "stylize").stdout.strip().split(".")) == 3
    assert batchpix("token", "--scope", "nonsense").exit_code == 1


def test_status_without_a_mesh_fails(batchpix: Batchpix) -> None:
    """Scripts learn from the exit status and from the document that nothing is up."""
    result = batchpix("status", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["up"] is False


def test_down_without_a_mesh_does_nothing(batchpix: Batchpix) -> None:
    """Stopping what is not up is no failure."""
    result = batchpix("down")

    assert (result.exit_code, result.stderr) == (0, "no mesh is up\n")


def test_the_version_is_that_of_the_distribution(batchpix: Batchpix) -> None:
    """The command tells the version of the installed package."""
    assert batchpix("version").stdout.startswith("batchpix 0.")


def test_on_a_terminal_there_is_a_progress_bar(home: Path, photo: Path, tmp_path: Path) -> None:
    """The bar is drawn on standard error, and results still go to standard output alone."""
    terminal, slave = os.openpty()
    line = [sys.executable, "-m", "batchpix_client.cli", "--home", str(home), "stylize"]
    options = [str(photo), "--style", "starry_night", "-o", str(tmp_path / "art.png"), "--json"]
    done = subprocess.run(
        [*line, *options], stdout=subprocess.PIPE, stderr=slave, text=True, check=True
    )
    os.close(slave)
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        drawn = screen.read(65536)

    assert json.loads(done.stdout)["status"] == "ok"
    assert b"stylising" in drawn
    assert b"\x1b[" in drawn


def test_in_a_pipe_there_is_no_progress_bar(home: Path, photo: Path, tmp_path: Path) -> None:
    """A real process whose output is piped writes no control characters."""
    done = subprocess.run(
        [sys.executable, "-m", "batchpix_client.cli", "--home", str(home), "stylize", str(photo),
         "--style", "starry_night", "-o", str(tmp_path / "art.png")],
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip

    assert done.stdout == ""
    assert [f"{tmp_path / 'art.png'}  3 x 2"] == [
        line.rpartition("  ")[0] for line in done.stderr.splitlines()
    ]
    assert "\x1b" not in done.stderr
