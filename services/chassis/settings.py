"""What an operator can set: one frozen record, read from the environment once, in `__main__`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import get_type_hints

from services.chassis.memory.guard import Retention

PREFIX = "BATCHPIX_"
# Set by the build of an image or by a release; names what runs, so a receipt can be held to it.
BUILD_DIGEST_UNKNOWN = "sha256:" + "0" * 64
MEBIBYTE = 1 << 20


class SettingsError(ValueError):
    """A variable is unknown or its value is outside its range; the message names the variable."""


class Device(StrEnum):
    """Which engine runs the networks."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Staging(StrEnum):
    """How copies between host and device travel."""

    PINNED = "pinned"
    """The device reads and writes host memory itself."""
    PAGEABLE = "pageable"
    """The driver copies; the only way in confidential-computing mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one service process; each field is the variable BATCHPIX_<FIELD>."""

    listen: str = "127.0.0.1:50051"
    """Address of the mTLS port that calls come in on."""

    health_listen: str = "127.0.0.1:50061"
    """Address of the plaintext port that answers grpc.health.v1 and nothing else."""

    metrics_listen: str = "127.0.0.1:50071"
    """Address of the Prometheus page; empty turns it off."""

    certificates: Path = Path("certificates")
    """Folder with tls.crt, tls.key and ca.crt; read again when they change."""

    receipt_key: Path = Path("certificates/receipt.key")
    """Ed25519 private key (PEM) that erasure receipts are signed with."""

    models: Path = Path(__file__).resolve().parents[2] / "models"
    """Folder with lock.toml and the weights that it names."""

    allowed_callers: tuple[str, ...] = ("spiffe://batchpix/gateway",)
    """Subject alternative names that may call; comma-separated."""

    retention: Retention = Retention.STRICT
    """`strict` refuses to start without the whole guard; `best-effort` starts and says so."""

    device: Device = Device.AUTO
    """`cpu` is OpenVINO, `cuda` is TensorRT, `auto` takes CUDA where it is, and says so."""

    device_memory_bytes: int = 8192 * MEBIBYTE
    """Memory of the GPU that all runs together may hold; less if less is free at the start."""

    device_staging: Staging = Staging.PINNED
    """`pageable` is for GPUs in confidential-computing mode."""

    threads: int = os.cpu_count() or 1
    """Processor threads for inference and for decoding, at least 1."""

    calls_in_flight_max: int = 64
    """Calls that may run or wait for a compute slot at one time."""

    call_memory_bytes: int = 4096 * MEBIBYTE
    """Memory that all calls together may lease."""

    call_memory_bytes_max: int = 2048 * MEBIBYTE
    """Memory that one call may lease."""

    chunk_bytes_max: int = MEBIBYTE
    """Bytes of data in one chunk."""

    medium_bytes_max: int = 64 * MEBIBYTE
    """Bytes of one uploaded medium."""

    call_bytes_max: int = 512 * MEBIBYTE
    """Bytes of all uploaded media of one call."""

    media_max: int = 64
    """Uploaded media of one call."""

    pixels_max: int = 40_000_000
    """Pixels of one picture."""

    deadline_seconds_max: float = 600.0
    """Longest deadline that a caller may set."""

    stall_seconds_max: float = 30.0
    """Longest silence of a caller, in sending or in reading, before its call is ended."""

    notice_seconds: float = 0.0
    """Time between telling health checks that the service goes and refusing new calls."""

    drain_seconds: float = 25.0
    """Time that running calls have to end after SIGTERM."""

    build_digest: str = BUILD_DIGEST_UNKNOWN
    """Digest of the running build, named in receipts."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read all BATCHPIX_* variables.

        Raises:
            SettingsError: unknown variable (BATCHPIX_GATEWAY_* belong to the gateway's process), or
                a value that cannot be read or is out of range.
        """
        names = {field.name: PREFIX + field.name.upper() for field in fields(cls)}
        hints = get_type_hints(cls)
        known = set(names.values())
        for variable in environ:
            if variable.startswith(PREFIX) and variable not in known:
                raise SettingsError(f"unknown setting {variable}")
        values: dict[str, object] = {
            name: parse(variable, environ[variable], hints[name])
            for name, variable in names.items()
            if variable in environ
        }
        settings = cls(**values)  # type: ignore[arg-type]  # parse() made each of its field's type
        settings.check()
        return settings

    def check(self) -> None:
        """Hold every number to its range.

        Raises:
            SettingsError: a number is not more than zero, or a part is larger than its whole.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            least_is_zero = field.name == "notice_seconds"
            if isinstance(value, int | float) and (value < 0 or (value == 0 and not least_is_zero)):
                raise SettingsError(f"{PREFIX}{field.name.upper()} must be more than 0")
        if self.call_memory_bytes_max > self.call_memory_bytes:
            raise SettingsError("BATCHPIX_CALL_MEMORY_BYTES_MAX is over BATCHPIX_CALL_MEMORY_BYTES")
        if self.medium_bytes_max > self.call_bytes_max:
            raise SettingsError("BATCHPIX_MEDIUM_BYTES_MAX is over BATCHPIX_CALL_BYTES_MAX")


def parse(variable: str, text: str, kind: object) -> object:
    """Read one variable as its field's type.

    Raises:
        SettingsError: the text is no such value; enumerations name their choices.
    """
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if not isinstance(kind, type):
        raise SettingsError(f"{variable} has no readable type")
    try:
        return kind(text)
    except ValueError:
        choices = f": one of {', '.join(kind)}" if issubclass(kind, StrEnum) else ""
        raise SettingsError(f"{variable} is no valid {kind.__name__}{choices}") from None
