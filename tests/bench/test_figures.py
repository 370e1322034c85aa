"""What is made of raw figures."""

import math

import pytest

from bench.figures import growth, percentile

SIZES = (1.0, 2.0, 4.0, 8.0, 16.0)


@pytest.mark.parametrize(("fixed", "exponent"), [(0.0, 1.0), (2.0, 1.0), (0.5, 1.5), (3.0, 0.5)])
def test_growth_is_found_again(fixed: float, exponent: float) -> None:
    """A fit of exact costs gives their fixed part and exponent back."""
    found = growth(SIZES, [fixed + 0.3 * size**exponent for size in SIZES])

    assert found is not None
    assert found.fixed == pytest.approx(fixed, abs=0.02)
    assert found.exponent == pytest.approx(exponent, abs=0.011)
    assert found.error < 0.01


def test_costs_that_stay_do_not_grow() -> None:
    """Costs within a few percent of each other have exponent 0."""
    found = growth(SIZES, [4.0, 4.05, 3.98, 4.0, 4.02])

    assert found is not None
    assert (found.exponent, found.fixed) == (0.0, 4.0)


def test_three_points_fit_anything() -> None:
    """Of fewer than four sizes nothing is claimed."""
    assert growth(SIZES[:3], [1.0, 2.0, 4.0]) is None


def test_percentiles_are_values_that_were_seen() -> None:
    """A percentile is the smallest value that so many percent do not exceed."""
    values = [float(value) for value in range(1, 101)]

    assert [percentile(values, percent) for percent in (50, 99, 100)] == [50.0, 99.0, 100.0]
    assert percentile([7.0], 99) == 7.0
    assert math.isnan(percentile([], 50))
