"""Outlines of garments as they lie or hang, with their landmarks; the wearer's left is at x > 0."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Point = tuple[float, float]

ELBOW_LENGTH = 0.62
"""Sleeves up to here are short, from LONG_LENGTH_MIN on long; none are drawn in between."""

LONG_LENGTH_MIN = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One garment in units of about half its chest's width.

    Attributes:
        kind: of `network.KINDS`.
        pieces: closed outlines, drawn one over the other: body first, then sleeves.
        turns: how far the cloth of each piece is turned, in radians.
        back: the inside of the back that shows in the neckline; empty if none.
        lines: seams, plackets, zips.
        landmarks: by name.
    """

    kind: str
    pieces: tuple[Points, ...]
    turns: tuple[float, ...]
    landmarks: dict[str, Point]
    back: Points = field(default_factory=lambda: np.zeros((0, 2)))
    lines: tuple[Points, ...] = ()


def any_outline(random: np.random.Generator, kind: str) -> Outline:
    """Draw a garment of a kind with random proportions."""
    if kind in ("trousers", "shorts"):
        return legs(random, kind)
    if kind == "skirt":
        return skirt(random)
    return top(random, kind)


def top(random: np.random.Generator, kind: str) -> Outline:
    """Draw a top, a dress or a coat."""
    sleeve = sleeve_length(random, kind)
    length = {"dress": random.uniform(1.9, 3.3), "outerwear": random.uniform(1.2, 2.4)}.get(
        kind, random.uniform(1.0, 1.75)
    )
    chest = random.uniform(0.44, 0.66) * (1.1 if kind == "outerwear" else 1.0)
    neck = random.uniform(0.13, 0.3)
    shoulder = random.uniform(0.78, 1.05) * chest
    if sleeve == 0:
        strap = random.uniform(0.06, 0.3)
        shoulder = min(neck + strap, chest)
    drop = random.uniform(0.02, 0.22) * (shoulder - neck) / 0.3 + random.uniform(0, 0.05)
    depth = random.uniform(0.03, 0.2) if random.random() < 0.7 else random.uniform(0.2, 0.6)
    armpit = np.array([chest * random.uniform(0.92, 1.0), drop + random.uniform(0.38, 0.58)])
    waist_down = armpit[1] + random.uniform(0.3, 0.5) * (min(length, 1.7) - armpit[1])
    waist = chest * (
        random.uniform(0.68, 0.95) if random.random() < 0.6 else random.uniform(0.95, 1.05)
    )
    hem = chest * (random.uniform(0.7, 2.0) if kind == "dress" else random.uniform(0.8, 1.2))
    marks: dict[str, Point] = {"collar_centre": (0.0, depth)}
    halves = []
    sleeves: list[Points] = []
    turns = [0.0]
    angle = random.uniform(0.12, 1.5)
    hem_sag = random.uniform(-0.04, 0.12)
    shoulder_at = np.array([shoulder, drop])
    for side, word in ((1, "left"), (-1, "right")):
        points = {
            "collar": np.array([neck, 0.0]),
            "shoulder": shoulder_at,
            "armpit": armpit,
            "waist": np.array([waist, waist_down]),
            "hem": np.array([hem, length]),
        }
        if sleeve:
            piece, turn, cuff = arm(random, shoulder_at, armpit, sleeve, angle)
            points |= cuff
            sleeves.append(piece * (side, 1))
            turns.append(-side * turn)
        marks |= {f"{name}_{word}": (side * p[0], p[1]) for name, p in points.items()}
        arm_hole = [shoulder_at, shoulder_at + (armpit - shoulder_at) * (0.15, 0.6), armpit]
        half = np.vstack(
            [
                smooth([(neck, 0), shoulder_at], False),
                smooth(arm_hole, sleeve == 0)
                if sleeve == 0
                else smooth([shoulder_at, armpit], False),
                smooth([armpit, (waist, waist_down), (hem, length)], True),
                smooth([(hem, length), (hem * 0.5, length + hem_sag), (0, length + hem_sag)], True),
            ]
        )
        halves.append(half * (side, 1))
    back_depth = min(depth, random.uniform(0.0, 0.08))
    v_neck = random.random() < 0.4
    front = neckline(neck, depth, v_neck)
    # The back's neckline closes the outline; what it leaves above the front's is the inside.
    has_back = random.random() < 0.75
    rim = neckline(neck, back_depth, False) if has_back else front
    outline = np.vstack([halves[0], halves[1][::-1], rim[::-1] * (-1, 1)])
    back = np.vstack([rim, front[::-1]]) if has_back else np.zeros((0, 2))
    lines = [front, *seams(random, kind, marks, depth, length, sleeve)]
    return Outline(
        kind=kind,
        pieces=(outline, *sleeves),
        turns=tuple(turns),
        back=back,
        lines=tuple(lines),
        landmarks=marks,
    )


def arm(
    random: np.random.Generator, shoulder: Points, armpit: Points, length: float, angle: float
) -> tuple[Points, float, dict[str, Points]]:
    """Draw the wearer's left sleeve.

    Returns:
        Its outline, how far its cloth is turned in radians, and the corners of its cuff.
    """
    lean = angle + random.normal(0, 0.1)
    bend = random.normal(0, 0.08)
    width = float(np.linalg.norm(armpit - shoulder))
    narrowest = 0.45 if length > ELBOW_LENGTH else 0.7
    cuff = width * random.uniform(narrowest, 1.05)
    along = np.array([math.sin(lean + bend), math.cos(lean + bend)])
    across = np.array([-along[1], along[0]])
    outer = shoulder + length * along
    inner = outer + cuff * across
    middle = shoulder + 0.5 * length * np.array([math.sin(lean), math.cos(lean)])
    crease = armpit + 0.4 * (inner - armpit) + 0.04 * across * random.normal(0, 1)
    inside = 0.5 * (shoulder + armpit) * (0.85, 1)
    outline = np.vstack(
        [
            smooth([inside * (1, 0.6), shoulder], False),
            smooth([shoulder, middle, outer], True),
            smooth([outer, inner], False),
            smooth([inner, crease, armpit], True),
            smooth([armpit, inside], False),
        ]
    )
    turn = lean + bend if random.random() < 0.8 else 0.0
    return outline, turn, {"cuff_outer": outer, "cuff_inner": inner}


def sleeve_length(random: np.random.Generator, kind: str) -> float:
    """Choose how long a kind's sleeves are, 0 for none."""
    short, long = random.uniform(0.2, ELBOW_LENGTH), random.uniform(LONG_LENGTH_MIN, 1.5)
    if kind == "dress":
        return float(random.choice([0.0, short, long], p=[0.5, 0.3, 0.2]))
    if kind == "outerwear":
        return float(random.choice([0.0, long], p=[0.25, 0.75]))
    return {"top_short_sleeve": short, "top_long_sleeve": long, "top_sleeveless": 0.0}[kind]


def neckline(neck: float, depth: float, v_neck: bool) -> Points:
    """Return the neck opening's edge from the wearer's right to the left."""
    across = np.linspace(-1, 1, 25)
    shape = 1 - np.abs(across) if v_neck else np.sqrt(np.maximum(0, 1 - across**2))
    return np.column_stack([neck * across, depth * shape])


def seams(
    random: np.random.Generator,
    kind: str,
    marks: dict[str, Point],
    depth: float,
    length: float,
    sleeve: float,
) -> list[Points]:
    """Draw what parts a garment: front closure, waist seam, hems, cuffs."""
    lines = []
    if kind == "outerwear" or (kind != "dress" and random.random() < 0.3):
        place = random.normal(0, 0.02)
        lines.append(np.array([(place, depth), (place + random.normal(0, 0.02), length)]))
        if kind == "outerwear" or random.random() < 0.4:
            lines.append(lines[-1] + (random.uniform(0.03, 0.25), 0))
    if kind == "outerwear" and random.random() < 0.5:
        quilted = np.linspace(0.3, length, int(random.integers(4, 12)))
        lines.extend(np.array([(-0.6, down), (0.6, down)]) for down in quilted)
    if kind == "dress" and random.random() < 0.6:
        lines.append(np.array([marks["waist_right"], marks["waist_left"]]))
    if random.random() < 0.6:
        right, left = np.array(marks["hem_right"]), np.array(marks["hem_left"])
        lines.append(np.array([right, left]) - (0, 0.05))
    for side in ("left", "right"):
        if random.random() < 0.6:
            lines.append(np.array([marks[f"shoulder_{side}"], marks[f"armpit_{side}"]]))
        if sleeve and random.random() < 0.5:
            lines.append(
                0.95 * np.array([marks[f"cuff_outer_{side}"], marks[f"cuff_inner_{side}"]])
            )
    return lines


def skirt(random: np.random.Generator) -> Outline:
    """Draw a skirt."""
    waist, length = random.uniform(0.32, 0.55), random.uniform(0.6, 2.3)
    hem = waist * (
        random.uniform(0.95, 1.4) if random.random() < 0.55 else random.uniform(1.4, 3.2)
    )
    hip = (
        waist + (hem - waist) * random.uniform(0.25, 0.6)
        if hem > waist * 1.4
        else max(waist, hem) * random.uniform(1.0, 1.15)
    )
    dip, sag = random.uniform(-0.02, 0.06), random.uniform(-0.03, 0.3) * (hem - waist + 0.1)
    marks: dict[str, Point] = {}
    halves = []
    for side, word in ((1, "left"), (-1, "right")):
        marks |= {f"waist_{word}": (side * waist, 0.0), f"hem_{word}": (side * hem, length)}
        half = np.vstack(
            [
                smooth([(0, dip), (waist * 0.5, dip), (waist, 0)], True),
                smooth([(waist, 0), (hip, 0.35 * length), (hem, length)], True),
                smooth([(hem, length), (hem * 0.55, length + 0.8 * sag), (0, length + sag)], True),
            ]
        )
        halves.append(half * (side, 1))
    band = random.uniform(0.04, 0.16)
    lines = [np.array([(-waist, band), (waist, band)])] if random.random() < 0.7 else []
    for _ in range(int(random.choice([0, 0, 2, 6, 14]))):
        x = random.uniform(-1, 1)
        lines.append(np.array([(x * waist, band), (x * hem, length)]))
    return Outline(
        kind="skirt",
        pieces=(np.vstack([halves[0], halves[1][::-1]]),),
        turns=(0.0,),
        landmarks=marks,
        lines=tuple(lines),
    )


def legs(random: np.random.Generator, kind: str) -> Outline:
    """Draw trousers or shorts."""
    waist = random.uniform(0.34, 0.52)
    hip = waist * random.uniform(1.0, 1.3)
    rise = random.uniform(0.5, 0.85)
    inseam = random.uniform(1.25, 2.4) if kind == "trousers" else random.uniform(0.06, 0.75)
    top_width = hip * random.uniform(0.9, 1.02)
    hem_width = (
        top_width * random.uniform(0.35, 0.95)
        if kind == "trousers"
        else top_width * random.uniform(0.8, 1.25)
    )
    spread = random.uniform(-0.03, 0.3) if kind == "trousers" else random.uniform(0.0, 0.4)
    dip = random.uniform(-0.02, 0.08)
    marks: dict[str, Point] = {"crotch": (0.0, rise)}
    halves = []
    for side, word in ((1, "left"), (-1, "right")):
        lean = math.atan(spread) + random.normal(0, 0.03)
        along = np.array([math.sin(lean), math.cos(lean)])
        across = np.array([along[1], -along[0]])
        inner = (
            np.array([0.0, rise])
            + inseam * along
            + across * random.uniform(0, 0.12) * (1 if kind == "trousers" else 0.3)
        )
        inner[0] = max(inner[0], 0.015)
        outer = inner + hem_width * across
        knee_out = 0.5 * (outer + np.array([hip, rise])) + across * random.normal(0, 0.02)
        marks |= {
            f"waist_{word}": (side * waist, 0.0),
            f"ankle_outer_{word}": (side * outer[0], outer[1]),
            f"ankle_inner_{word}": (side * inner[0], inner[1]),
        }
        half = np.vstack(
            [
                smooth([(0, dip), (waist * 0.5, dip), (waist, 0)], True),
                smooth([(waist, 0), (hip, 0.6 * rise), knee_out, outer], True),
                smooth([outer, inner], False),
                smooth([inner, (inner + np.array([0, rise])) / 2 * (0.9, 1), (0, rise)], True),
            ]
        )
        halves.append(half * (side, 1))
    band = random.uniform(0.05, 0.12)
    lines = [np.array([(-waist, band), (waist, band)])] if random.random() < 0.8 else []
    if random.random() < 0.7:
        lines.append(np.array([(0, band), (random.normal(0, 0.01), rise)]))
    if random.random() < 0.5:
        pocket = np.array([(waist * 0.55, band), (waist, band + 0.2)])
        lines.extend([pocket, pocket * (-1, 1)])
    return Outline(
        kind=kind,
        pieces=(np.vstack([halves[0], halves[1][::-1]]),),
        turns=(0.0,),
        landmarks=marks,
        lines=tuple(lines),
    )


def smooth(points: "list[Point] | list[Points]", curved: bool) -> Points:
    """Return a line through points: straight, or round (a quadratic curve through three)."""
    path = np.asarray(points, np.float64)
    if not curved or len(path) < 3:
        share = np.linspace(0, 1, 12 * (len(path) - 1))
        corners = np.linspace(0, 1, len(path))
        return np.column_stack([np.interp(share, corners, path[:, axis]) for axis in (0, 1)])
    # Catmull and Rom's spline, its ends doubled.
    padded = np.vstack([path[0], path, path[-1]])
    t = np.linspace(0, 1, 12)[:, None]
    pieces = []
    for first, start, end, last in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * start
                + (end - first) * t
                + (2 * first - 5 * start + 4 * end - last) * t**2
                + (3 * start - first - 3 * end + last) * t**3
            )
        )
    return np.vstack(pieces)
