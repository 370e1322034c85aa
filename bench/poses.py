"""The tables of `bench.dance` that tell how well poses are found again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench.bodypix import BodyPix
from bench.joints import NAMES, NEAR_SHARE, Hits, as_seen, hits, idea_of, torso_of, ways
from services.dance.skeleton import Points

# COCO's joints of the four limbs, and how many rendered people with exact joints are looked at.
LIMB_SIDES = ("left_{}", "right_{}")
RENDERED = 120
GROUND = (150, 155, 160)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One frame in which estimators looked for a pose; joints are 4x3x2, in pixels.

    Attributes:
        move: what was danced, empty for the untouched photo.
        joints: as they were driven.
        near: how far from them is found, in pixels.
        size: rows and columns of the frame.
        own: as the pose network sees them, None for nobody.
        other: as BodyPix sees them, None where it was not asked.
    """

    move: str
    joints: Points
    near: float
    size: tuple[int, ...]
    own: Points | None
    other: Points | None

    def own_hits(self) -> Hits:
        """Tell which joints the pose network found."""
        return hits(self.own, self.joints, self.near, self.size)

    def other_hits(self, idea: Points | None = None) -> Hits:
        """Tell which joints BodyPix found, of the driven ones or of its own idea of them."""
        joints = self.joints if idea is None else as_seen(self.joints, idea)
        found = hits(self.other, joints, self.near, self.size)
        # What counts is the same in both readings.
        return np.where(np.isnan(self.own_hits()), np.nan, found)


def pose_figures(seen: Sequence[Sighting], bodypix: BodyPix | None, data: Path) -> dict[str, float]:
    """Print the tables by move and by joint, and return the figures.

    Args:
        seen: of all people, the untouched photos among them.
        bodypix: the judge, None where there is none.
        data: folder with people/, for the judge's own examination.
    """
    photos = [each for each in seen if not each.move]
    danced = [each for each in seen if each.move]
    own = by_move(danced, [each.own_hits() for each in danced])
    figures = {"PCK@0.1 of torso, pose network": mean_of(own)}
    if bodypix is None:
        print_moves(own, {}, {})
        return figures
    idea = idea_of([ways(each.other, each.joints) for each in photos if each.other is not None])
    plain, alike = ([each.other_hits(view) for each in danced] for view in (None, idea))
    moves = by_move(danced, plain), by_move(danced, alike)
    print_moves(own, *moves)
    on_photos = [each.other_hits() for each in photos]
    rendered = examined(bodypix, data)
    columns = {"driven": plain, "its idea": alike, "photos": on_photos, "rendered": rendered}
    print_joints({name: np.nanmean(np.stack(found), axis=0) for name, found in columns.items()})
    return figures | {
        "PCK@0.1 of torso, BodyPix": mean_of(moves[0]),
        "PCK@0.1 of torso, BodyPix, joints as it defines them": mean_of(moves[1]),
        "PCK@0.1 of torso, BodyPix, joints other than hips": without_hips(plain),
        "PCK@0.1 of torso, BodyPix on the photos": float(np.nanmean(on_photos)),
        "PCK@0.1 of torso, BodyPix on exact rendered people": float(np.nanmean(rendered)),
    }


def examined(bodypix: BodyPix, data: Path) -> list[Hits]:
    """Tell which joints of rendered people in many poses BodyPix finds: its own accuracy."""
    people = json.loads((data / "people" / "joints.json").read_text())
    found = []
    for name in sorted(people)[:: max(1, len(people) // RENDERED)]:
        joints = coco_limbs(people[name]["coco17"])
        figure = Image.open(data / "people" / f"{name}.png")
        ground = Image.new("RGBA", figure.size, GROUND)
        ground.alpha_composite(figure)
        picture = np.array(ground.convert("RGB"))
        near = NEAR_SHARE * torso_of(joints)
        found.append(hits(bodypix.joints(picture), joints, near, picture.shape))
    return found


def coco_limbs(joints: dict[str, list[float]]) -> Points:
    """Return 4x3x2 of named joints: left arm, right arm, left leg, right leg."""
    return np.array(
        [
            [joints[side.format(name)][:2] for name in names]
            for names in NAMES
            for side in LIMB_SIDES
        ]
    )


def by_move(danced: Sequence[Sighting], found: Sequence[Hits]) -> dict[str, float]:
    """Return the share of joints found in a frame, the mean over each move's frames."""
    shares: dict[str, list[float]] = {}
    for each, joints in zip(danced, found, strict=True):
        shares.setdefault(each.move, []).append(float(np.nanmean(joints)))
    return {move: float(np.mean(values)) for move, values in shares.items()}


def mean_of(moves: dict[str, float]) -> float:
    """Return the mean over moves."""
    return float(np.mean([*moves.values()]))


def without_hips(found: Sequence[Hits]) -> float:
    """Return the share of all other joints that was found."""
    joints = np.stack(found)
    joints[:, 2:, 0] = np.nan
    return float(np.nanmean(joints))


def print_moves(own: dict[str, float], plain: dict[str, float], alike: dict[str, float]) -> None:
    """Print the share of joints found by move."""
    print(f"{'move':14} {'network':>9} {'BodyPix':>9} {'its idea':>9}")
    for move, share in own.items():
        others = (f"{moves[move]:9.3f}" if moves else f"{'-':>9}" for moves in (plain, alike))
        print(f"{move:14} {share:9.3f}", *others)


def print_joints(columns: dict[str, Hits]) -> None:
    """Print how often BodyPix found each of 4x3 joints, in columns."""
    print(f"{'BodyPix':14}", *(f"{name:>9}" for name in columns))
    for pair, names in enumerate(NAMES):
        for number, name in enumerate(names):
            shares = (found[2 * pair : 2 * pair + 2, number].mean() for found in columns.values())
            print(f"{name:14}", *(f"{share:9.3f}" for share in shares))
