"""What a load test found, as a table to read and as JSON to keep."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from loadtest.loads import OK
from loadtest.open_loop import Sample

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one run.

    Attributes:
        feature: what was called.
        calls: how many were due.
        rate_per_second: calls that ended well, per second of the run.
        latency_ms: percentile -> milliseconds to the end, of calls that ended well.
        first_frame_ms: the same to the first byte of a result; of a clip it brings the first
            frame.
        codes: how calls ended, by code and reason.
    """

    feature: str
    calls: int
    rate_per_second: float
    latency_ms: dict[str, float]
    first_frame_ms: dict[str, float]
    codes: dict[str, int]

    def text(self) -> str:
        """Write the figures as a table."""
        head = "".join(f"{name:>10}" for name in self.latency_ms)
        rate = f"{self.rate_per_second:.1f} a second ended well"
        lines = [
            f"{self.feature}: {self.calls} calls due, {rate}",
            f"{'ms':12}{head}",
            f"{'first frame':12}{row(self.first_frame_ms)}",
            f"{'end':12}{row(self.latency_ms)}",
            *(f"{count:6} {code}" for code, count in self.codes.items()),
        ]
        return "\n".join(lines) + "\n"

    def document(self) -> dict[str, object]:
        """Return the figures as plain values."""
        return asdict(self)


def report_of(feature: str, samples: Sequence[Sample], seconds: float) -> Report:
    """Sum up the samples of a run of so many seconds."""
    good = [sample for sample in samples if sample.code == OK]
    firsts = [each.first_byte_seconds for each in good if each.first_byte_seconds is not None]
    return Report(
        feature=feature,
        calls=len(samples),
        rate_per_second=len(good) / seconds,
        latency_ms=percentiles_ms([sample.seconds for sample in good]),
        first_frame_ms=percentiles_ms(firsts),
        codes=dict(Counter(sample.code for sample in samples).most_common()),
    )


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Find the smallest value that so many percent do not exceed; NaN where there is none."""
    ordered = sorted(seconds)
    found = {}
    for percent in PERCENTILES:
        rank = -(-len(ordered) * percent // 100)
        value = ordered[max(int(rank), 1) - 1] if ordered else float("nan")
        found[f"p{percent:g}"] = value * 1000
    return found


def row(values: dict[str, float]) -> str:
    """Write a line of the table."""
    return "".join(f"{value:10.1f}" for value in values.values())
