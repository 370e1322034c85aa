"""Pictures of results, drawn by matplotlib; nothing else of the project needs it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.stacks import Stack

mpl.use("Agg")

Series: TypeAlias = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Lines by name: places along x and y."""

DOTS_PER_INCH = 110
HERO = "#c2410c"
COLOURS = ("#1d4ed8", "#0f766e", "#7c3aed", "#a16207", "#be185d", "#475569", "#15803d")
FLAME_COLOURS = ("#fde68a", "#fdba74", "#fca5a5", "#f9a8d4", "#d8b4fe", "#a5b4fc")
FLAME_LEVELS = 14
SHARE_SHOWN_MIN = 0.004


def draw_lines(
    panels: Sequence[tuple[str, str, str, Series]],
    file: Path,
    *,
    hero: str = "",
    logarithmic: bool = False,
    columns: int = 2,
) -> None:
    """Draw panels of lines.

    Args:
        panels: title, name of x, name of y, and lines of each.
        file: PNG to write.
        hero: line that stands out.
        logarithmic: y too; x always is.
        columns: panels side by side.
    """
    figure, grid = panelled(len(panels), columns)
    for axes, (title, x_name, y_name, series) in zip(grid, panels, strict=True):
        colours = iter(COLOURS * 2)
        for name, (places, values) in series.items():
            is_hero = name == hero
            axes.plot(
                places,
                values,
                "o-",
                label=name,
                color=HERO if is_hero else next(colours),
                linewidth=2.6 if is_hero else 1.4,
                markersize=5 if is_hero else 3.5,
                zorder=3 if is_hero else 2,
            )
        dress(axes, title, x_name, y_name)
        ticks = sorted({place for places, _ in series.values() for place in places})
        axes.set_xscale("log", base=2)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=7)
        axes.minorticks_off()
        if logarithmic:
            axes.set_yscale("log", base=2)
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        else:
            axes.set_ylim(bottom=0)
        axes.legend(fontsize=7, framealpha=0.9)
    save(figure, file)


def draw_bars(
    panels: Sequence[tuple[str, dict[str, float]]], unit: str, file: Path, *, hero: str = ""
) -> None:
    """Draw panels of horizontal bars.

    Args:
        panels: title and bars by name.
        unit: of the bars.
        file: PNG to write.
        hero: part of the names of bars that stand out.
    """
    figure, grid = panelled(len(panels), 2)
    for axes, (title, bars) in zip(grid, panels, strict=True):
        names = list(reversed(bars))
        colours = [HERO if hero and hero in name else COLOURS[5] for name in names]
        drawn = axes.barh(names, [bars[name] for name in names], color=colours)
        axes.bar_label(drawn, fmt="%.0f", padding=2, fontsize=7)
        dress(axes, title, unit, "")
        axes.tick_params(labelsize=7)
        axes.margins(x=0.14)
    save(figure, file)


def draw_call(
    title: str, parts: dict[str, float], stacks: Sequence[tuple[Stack, int]], file: Path
) -> None:
    """Draw one call: its stages as a bar, and below what was at work as an icicle of functions.

    Args:
        title: of the picture.
        parts: milliseconds by stage.
        stacks: samples by functions, outermost first; may be empty.
        file: PNG to write.
    """
    figure = Figure(figsize=(11.0, 5.6 if stacks else 1.8), layout="constrained")
    rows = figure.subplots(
        2 if stacks else 1, 1, squeeze=False, height_ratios=[1, 4] if stacks else [1]
    )
    draw_stages(rows[0][0], title, parts)
    if stacks:
        draw_icicle(rows[1][0], stacks)
    save(figure, file)


def draw_stages(axes: Axes, title: str, parts: dict[str, float]) -> None:
    """Draw the stages one after the other."""
    left, whole = 0.0, sum(parts.values())
    for place, (name, milliseconds) in enumerate(parts.items()):
        width = max(milliseconds, 0.0)
        colour = COLOURS[place % len(COLOURS)]
        axes.barh(
            0, width, left=left, color=colour, edgecolor="white", label=f"{name} {width:.0f} ms"
        )
        left += width
    axes.set_xlim(0, whole)
    axes.set_yticks([])
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("milliseconds of a call", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(ncols=5, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.45), frameon=False)


def draw_icicle(axes: Axes, stacks: Sequence[tuple[Stack, int]]) -> None:
    """Draw functions as boxes as wide as their share of the samples, callers above callees."""
    whole = sum(count for _, count in stacks)
    boxes = [(0.0, 0, list(stacks))]
    while boxes:
        left, level, these = boxes.pop()
        groups: dict[str, list[tuple[Stack, int]]] = {}
        for stack, count in these:
            if stack:
                groups.setdefault(stack[0], []).append((stack[1:], count))
        ordered = sorted(groups.items(), key=lambda each: -sum(count for _, count in each[1]))
        for place, (name, members) in enumerate(ordered):
            share = sum(count for _, count in members) / whole
            if share >= SHARE_SHOWN_MIN and level < FLAME_LEVELS:
                colour = FLAME_COLOURS[(level + place) % len(FLAME_COLOURS)]
                axes.barh(-level, share, left=left, height=0.94, color=colour, edgecolor="white")
                label(axes, name, left, level, share)
                boxes.append((left, level + 1, members))
            left += share
    axes.set_xlim(0, 1)
    axes.set_yticks([])
    axes.set_xlabel("share of the service's busy samples", fontsize=8)
    axes.tick_params(labelsize=7)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def label(axes: Axes, name: str, left: float, level: int, share: float) -> None:
    """Write as much of a function's name into its box as fits."""
    fits = int(share * 175)
    if fits >= 4:
        text = name if len(name) <= fits else name.partition(" (")[0][:fits]
        axes.text(
            left + share / 2, -level, text, ha="center", va="center", fontsize=6, clip_on=True
        )


def panelled(count: int, columns: int) -> tuple[Figure, list[Axes]]:
    """Make a figure of so many panels, row by row."""
    rows = -(-count // columns)
    figure = Figure(figsize=(5.4 * columns, 3.4 * rows), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for spare in grid[count:]:
        spare.remove()
    return figure, grid[:count]


def dress(axes: Axes, title: str, x_name: str, y_name: str) -> None:
    """Give axes a title, names and a grid."""
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(x_name, fontsize=8)
    axes.set_ylabel(y_name, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def save(figure: Figure, file: Path) -> None:
    """Write a PNG without the date, so that the same figures give the same file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    metadata: dict[str, Any] = {"Software": None}
    figure.savefig(file, dpi=DOTS_PER_INCH, metadata=metadata)
