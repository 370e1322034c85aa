"""Holding a caller's numbers to their ranges."""

import math

from services.chassis.errors import InvalidRequestError, Reason


def require_between(value: float, least: float, most: float, field: str) -> None:
    """Refuse a number out of its range, or none at all.

    Raises:
        InvalidRequestError: the message tells the range.
    """
    if not math.isfinite(value) or not least <= value <= most:
        raise InvalidRequestError(
            Reason.OPTION_INVALID, f"must be from {least:g} to {most:g}", field=field
        )
