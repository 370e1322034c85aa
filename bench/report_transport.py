"""The page's part on transport."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.plots import draw_bars
from bench.tables import table, verdict

DIRECT, GUARDED = "TLS", " + guard"
ENVOY_GOAL = 0.6
ORDER = (
    "socket",
    "socket TLS",
    "plaintext",
    "TLS",
    "Envoy",
    "plaintext + guard",
    "TLS + guard",
    "Envoy + guard",
)
INTRODUCTION = """\
Chunks of 1 MiB by the chunk protocol, checksums, call memory and receipts included, to a service that does nothing with them: directly without TLS, directly with mutual TLS, and through Envoy (TLS outside, mTLS inside).
*Guard* is the heap that zeroes whatever is freed. *Socket* is what two bare processes move over loopback without any protocol: the limit of this machine."""


def transport_section(result: dict[str, Any], pictures: Path) -> Iterator[str]:
    """Write the part, and draw its picture."""
    rows = {(row["way"], row["direction"], row["streams"]): row for row in result["rows"]}
    kinds = sorted({key[1:] for key in rows}, key=lambda kind: (kind[0] != "upload", kind[1]))
    yield "## Transport\n"
    yield INTRODUCTION + "\n"
    panels = []
    for direction, streams in kinds:
        bars = {
            way: middle(rows[way, direction, streams])
            for way in ORDER
            if (way, direction, streams) in rows
        }
        panels.append((f"{direction}, {counted(streams)}", bars))
    draw_bars(panels, "MB/s", pictures / "transport.png", hero="Envoy")
    yield "![Megabytes a second of each way](benchmarks/transport.png)\n"
    for direction, streams in kinds:
        envoy, direct = (rows.get((way, direction, streams)) for way in ("Envoy", DIRECT))
        if envoy and direct and streams == 1:
            name = f"{direction} through Envoy over direct TLS, one stream"
            yield verdict(name, share(envoy, direct), ENVOY_GOAL)
    yield ""
    head = [
        "way",
        *[f"{direction}, {counted(streams)}: MB/s (of direct TLS)" for direction, streams in kinds],
    ]
    body = []
    for way in ORDER:
        cells = []
        for kind in kinds:
            row, direct = rows.get((way, *kind)), rows[DIRECT, *kind]
            cells.append(f"{middle(row):.0f} ({share(row, direct):.2f})" if row else "")
        body.append([way, *cells])
    yield from table(head, body)
    yield from guard_price(rows, kinds)


def guard_price(
    rows: dict[tuple[str, str, int], dict[str, Any]], kinds: list[tuple[str, int]]
) -> Iterator[str]:
    """Tell what the guard costs on the way."""
    told = []
    for direction, streams in kinds:
        bare, guarded = (
            rows[DIRECT, direction, streams],
            rows.get((DIRECT + GUARDED, direction, streams)),
        )
        if guarded:
            told.append(f"{direction}, {counted(streams)}: {share(guarded, bare):.2f}")
    yield f"Direct TLS with the guard over direct TLS without it: {'; '.join(told)}.\n"


def middle(row: dict[str, Any]) -> float:
    """Take the median of a row's blocks."""
    return float(statistics.median(row["megabytes_per_second"]))


def share(row: dict[str, Any], direct: dict[str, Any]) -> float:
    """Compare two rows block by block."""
    pairs = zip(row["megabytes_per_second"], direct["megabytes_per_second"], strict=True)
    return float(statistics.median(one / other for one, other in pairs))


def counted(streams: int) -> str:
    """Say how many streams."""
    return "1 stream" if streams == 1 else f"{streams} streams"
