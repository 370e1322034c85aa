"""Engines that were built ahead, on disk: found by what they were built for, held to a digest.

A plan only runs on the GPU and the TensorRT that it was built with, and only stands for the model
that it was built from: all of that is in its name, so a plan for anything else is never found. The
digest beside it tells a damaged file; who may write the folder may replace both.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from services.chassis.engine.networks import Network
from services.chassis.errors import InternalError, Reason

FOLDER = "engines"
KEY_DIGITS = 16
TIMING_CACHE = "timing.cache"
KERNELS = "kernels.fatbin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What a plan is bound to beside its model.

    Attributes:
        gpu: the device's name, as its maker has it.
        architecture: for example "sm_90".
        processors: multiprocessors: a slice of a device has fewer, under the same name perhaps.
        tensorrt: full version.
    """

    gpu: str
    architecture: str
    processors: int
    tensorrt: str


class PlanFolder:
    """Plans of one machine, kernels and timing cache beside them."""

    def __init__(self, root: Path) -> None:
        """Name the folder; it need not exist yet."""
        self._root = root

    def read(self, name: str) -> bytes:
        """Read a file and hold it to its digest.

        Raises:
            InternalError: not there, or not as it was written.
        """
        try:
            data = (self._root / name).read_bytes()
            digest = (self._root / f"{name}.sha256").read_text().strip()
        except OSError:
            message = f"{FOLDER}/{name} is missing: run build-engines on this machine"
            raise InternalError(Reason.MODEL_MISMATCH, message) from None
        if hashlib.sha256(data).hexdigest() != digest:
            message = f"{FOLDER}/{name} differs from its digest"
            raise InternalError(Reason.MODEL_MISMATCH, message)
        return data

    def has(self, name: str) -> bool:
        """Tell whether a file is there and whole."""
        try:
            self.read(name)
        except InternalError:
            return False
        return True

    def write(self, name: str, data: bytes) -> None:
        """Write a file and its digest, the digest last."""
        self._root.mkdir(parents=True, exist_ok=True)
        (self._root / name).write_bytes(data)
        (self._root / f"{name}.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}\n")

    def timing_cache(self) -> bytes:
        """Read what earlier builds measured; empty if there were none."""
        return self.read(TIMING_CACHE) if self.has(TIMING_CACHE) else b""


def plan_name(network: Network, model: bytes, platform: Platform) -> str:
    """Name the plan of a network: other models, sizes, devices and versions have other names."""
    facts = {
        "model": hashlib.sha256(model).hexdigest(),
        "network": asdict(network),
        "platform": asdict(platform),
    }
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{network.name}-{key[:KEY_DIGITS]}.plan"
