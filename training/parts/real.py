"""Real photos to learn from: `python -m training.parts.real --data DATA --room ROOM`.

Where limbs are, an earlier checkpoint tells well on photos; what covers them was noted by eye, a
word for each kind of limb. Both together label the photos; hair and face are the checkpoint's own
where it is sure. Written next to the checkpoint as real.npz.
"""

import argparse
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from services.chassis.memory.arena import Budget
from services.chassis.raster.cpu import CpuRaster
from services.vision.frame import inverse
from services.vision.landmarker import CELLS
from services.vision.parts import BodyPart, Wear
from training.parts.evaluate import open_parts
from training.parts.people import Bytes, Reading, RenderedPerson, open_finder
from training.stylize.data import read

UNKNOWN: Final = 255
SIDE_MAX: Final = 640
SURE: Final = 190
"""Of 255: a share from which the checkpoint is believed about hair and face."""

UNSURE: Final = 60

COVERS: Final = {
    "u": Wear.UPPER,
    "l": Wear.LOWER,
    "d": Wear.DRESS,
    "s": Wear.SKIN,
    "h": Wear.SHOES,
    "?": UNKNOWN,
}
NOTES: Final = {
    "cid22/209864": "uu?ll?",
    "cid22/3214023": "u?sll?",
    "cid22/3534924": "ssslsh",
    "cid22/5398956": "uuull?",
    "cid22/5739122": "uusl??",
    "cid22/7062177": "uuuuu?",
    "cid22/7394483": "uu????",
    "cid22/pexels-photo-3193731": "uusllh",
    "cid22/pexels-photo-4672246": "uuu???",
    "clic/097cb426910ba8ce": "uuullh",
    "clic/1cba10ad9bb4ced5": "uu????",
    "clic/28d24b9c83de0665": "uuu???",
    "clic/9466a908d088d32e": "uu????",
    "clic/8bb119b8ca174923": "ss????",
    "clic/e0d8e29cadfc9966": "uuu???",
    "clic/f67f11de4ca9ebda": "uuu???",
    "kodak/18": "dd?dd?",
    "cid22/45258": "dss???",
}
"""What covers torso, upper arms, forearms, thighs, shins and feet of the most prominent person."""

NOTED_PARTS: Final = (
    (BodyPart.TORSO,),
    (BodyPart.UPPER_ARM_LEFT, BodyPart.UPPER_ARM_RIGHT),
    (BodyPart.FOREARM_LEFT, BodyPart.FOREARM_RIGHT),
    (BodyPart.THIGH_LEFT, BodyPart.THIGH_RIGHT),
    (BodyPart.SHIN_LEFT, BodyPart.SHIN_RIGHT),
    (BodyPart.FOOT_LEFT, BodyPart.FOOT_RIGHT),
)


def main() -> None:
    """Read the flags and label the photos."""
    parser = argparse.ArgumentParser(description="Label photos of people.")
    parser.add_argument("--data", type=Path, required=True, help="root of the training material")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the lock")
    parser.add_argument("--network", type=Path, required=True, help="an earlier parts.onnx")
    parser.add_argument("--room", type=Path, required=True, help="folder of checkpoints")
    flags = parser.parse_args()
    finder, parts = open_finder(flags.models), open_parts(flags.network)
    kept: dict[str, np.ndarray] = {}
    for name, note in NOTES.items():
        pixels = within(read(flags.data / "photos" / f"{name}.jpg"))
        with Budget(1 << 30).lease(0) as arena:
            person = finder.people(pixels, arena)[0]
            found = parts.parts(pixels, person, arena)
            silhouette = np.zeros(pixels.shape[:2], np.uint8)
            to_seen = inverse(person.frame.to_picture(CELLS))
            CpuRaster(1).warp(person.silhouette, to_seen, silhouette)
            hair, skin = (found.wear_share(wear, arena).copy() for wear in (Wear.HAIR, Wear.SKIN))
            kept |= {
                f"{name}/pixels": pixels,
                f"{name}/body": found.body.copy(),
                f"{name}/wear": noted_wear(found.body, hair, skin, note),
                f"{name}/landmarks": person.landmarks.copy(),
                f"{name}/silhouette": silhouette,
            }
    np.savez_compressed(flags.room / "real.npz", **kept)


def within(pixels: Bytes) -> Bytes:
    """Shrink a photo whose longer side is too long."""
    scale = SIDE_MAX / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def noted_wear(body: Bytes, hair: Bytes, skin: Bytes, note: str) -> Bytes:
    """Join what was noted with what the checkpoint is sure of; where two meet is unknown."""
    wear = np.where(body > 0, UNKNOWN, 0).astype(np.uint8)
    for parts, letter in zip(NOTED_PARTS, note, strict=True):
        wear[np.isin(body, parts)] = COVERS[letter]
    # A neckline's skin is not noted.
    wear[(body == BodyPart.TORSO) & (skin > UNSURE) & (wear != Wear.SKIN)] = UNKNOWN
    head = body == BodyPart.HEAD
    wear[head & (skin > SURE)] = Wear.SKIN
    wear[(head | (body == BodyPart.TORSO)) & (hair > SURE)] = Wear.HAIR
    wear[np.isin(body, (BodyPart.HAND_LEFT, BodyPart.HAND_RIGHT))] = Wear.SKIN
    kernel = np.ones((5, 5), np.uint8)
    meeting = cv2.morphologyEx(wear, cv2.MORPH_GRADIENT, kernel) > 0
    wear[meeting & (wear > 0)] = UNKNOWN
    return wear


def load_real(file: Path) -> list[RenderedPerson]:
    """Read the labelled photos as people who fill their whole picture."""
    kept = np.load(file)
    people = []
    for name in NOTES:
        pixels, body, wear, landmarks, silhouette = (
            kept[f"{name}/{kind}"] for kind in ("pixels", "body", "wear", "landmarks", "silhouette")
        )
        reading = Reading(rows=len(pixels), landmarks=landmarks, silhouette=silhouette)
        people.append(
            RenderedPerson(
                name=name,
                pixels=pixels,
                alpha=np.full(body.shape, 255, np.uint8),
                wear=wear,
                body=body,
                readings=(reading,),
            )
        )
    return people


if __name__ == "__main__":
    main()
