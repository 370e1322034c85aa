"""Where the command calls: as options and variables say, else as the local mesh's profile does."""

from dataclasses import dataclass
from pathlib import Path

from batchpix_client.channels import configuration_error
from batchpix_client.client import Client
from batchpix_client.profile import Profile, load_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the options and variables of the command say; empty fields were not given.

    Attributes:
        home: folder of the local mesh and its profile.
        address: host and port.
        ca: authority of the server's certificate.
        token: bearer token.
        token_file: file that holds one.
        certificate: own certificate of an internal caller.
        key: its private key.
    """

    home: Path
    address: str = ""
    ca: Path | None = None
    token: str = ""
    token_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def profile(self) -> Profile | None:
        """Read the profile of the local mesh, None if no mesh is up.

        A profile belongs to its own address: an address that is given stands without it, so that
        a token never goes where it was not made for.

        Raises:
            BatchpixError: the profile is damaged.
        """
        found = load_profile(self.home)
        return found if found and self.address in {"", found.address} else None

    def client(self) -> Client:
        """Make a client.

        Raises:
            BatchpixError: neither an address nor a profile is there, or a file cannot be read.
        """
        profile = self.profile()
        address = self.address or (profile.address if profile else "")
        if not address:
            message = "no mesh is up: run `batchpix up`, or give --address"
            raise configuration_error(message, "address")
        token_file = self.token_file or (profile.token_file if profile else None)
        wants_token = not self.certificate
        return Client(
            address,
            ca=self.ca or (profile.ca if profile else None),
            token=self.token or (read_token(token_file) if token_file and wants_token else None),
            certificate=self.certificate,
            key=self.key,
        )

    def receipt_keys(self) -> list[bytes]:
        """Read the public keys that the profile trusts.

        Raises:
            OSError: a key file cannot be read.
            BatchpixError: the profile is damaged.
        """
        profile = self.profile()
        return [path.read_bytes() for path in profile.receipt_keys] if profile else []


def read_token(path: Path) -> str:
    """Read a token file.

    Raises:
        BatchpixError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise configuration_error(f"cannot read {path}: {error.strerror}", "token_file") from None
