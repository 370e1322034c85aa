"""Kubernetes' way to write amounts."""

from decimal import Decimal

# Longest first: `Mi` ends with no shorter unit, `M` would match inside it.
UNITS: dict[str, int | Decimal] = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "m": Decimal("0.001"),
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
}


def amount(text: str | int) -> Decimal:
    """Read `4`, `500m` or `6Gi` as a number."""
    written = str(text)
    for unit, factor in UNITS.items():
        if written.endswith(unit):
            return Decimal(written.removesuffix(unit)) * factor
    return Decimal(written)
