"""How true a moved camera is: `python -m bench.motion --data SCENES`.

SCENES holds a rendered scene: picture, depth, the view without its subject, true views of a camera
that moved, and a json with the camera (see `Scene`). Compared are frames of the service's layers
and of a single layer, pulled with the same depth, and what fills the strips that are uncovered.

`misplaced` is how far, in pixels, each pixel of a frame is from where what it shows truly belongs
in that view; what is painted anew belongs nowhere and is left out, and its share told. `colour` is
the mean difference to the true view, in levels of 255, of pixels near outlines.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.chassis.memory.arena import Arena, Budget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.settings import Settings
from services.video import backdrop, fields, projection
from services.video.assembly import make_pipeline
from services.video.camera import Pose
from services.video.layers import Layer, Layers, Relief, grid_size, split
from services.video.pipeline import VideoPipeline
from services.video.projection import Projection, Window
from services.video.render import Renderer
from services.vision.inpaint import Inpainter

Pixels: TypeAlias = NDArray[np.uint8]
Field: TypeAlias = NDArray[np.float32]
Way: TypeAlias = tuple[float, float, float]

DEPTH_STEPS = 65535
# A step of inverse depth like this is an outline, and so many pixels around it are near.
OUTLINE_STEP = 0.06
NEAR_PIXELS = 12
BORDER_PIXELS = 40


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A rendered scene with its truth.

    Attributes:
        picture: HxWx3.
        plate: the same without the subject.
        subject: HxW, 255 where the subject is.
        inverse_depth: HxW, in distances of the subject.
        focal_share: focal length in long sides.
        views: by name, the way of the camera (right, down, towards) in distances of the subject,
            and the true picture.
    """

    picture: Pixels
    plate: Pixels
    subject: Pixels
    inverse_depth: Field
    focal_share: float
    views: dict[str, tuple[Way, Pixels]]

    @classmethod
    def load(cls, folder: Path, name: str) -> "Scene":
        """Read a scene."""
        facts = json.loads((folder / f"{name}.json").read_text())
        unit = facts["subject_depth_m"]
        depth = np.asarray(Image.open(folder / f"{name}_depth.png")).astype(np.float32)
        depth = np.where(depth > 0, depth, DEPTH_STEPS) * (facts["FAR"] / DEPTH_STEPS)
        views = {}
        for view, about in facts["views"].items():
            right, up, back = (value / unit for value in about["offset_m"])
            views[view] = ((right, -up, -back), read(folder / about["file"]))
        return cls(
            picture=read(folder / f"{name}.png"),
            plate=read(folder / f"{name}_plate.png"),
            subject=np.asarray(Image.open(folder / f"{name}_subject.png").convert("L")),
            inverse_depth=(unit / depth).astype(np.float32),
            focal_share=facts["focal_px"] / max(facts["size"]),
            views=views,
        )

    @property
    def relief(self) -> Relief:
        """What a depth of 0..1 stands for."""
        return Relief(
            farthest=float(self.inverse_depth.min()), nearest=float(self.inverse_depth.max())
        )

    @property
    def depth(self) -> Field:
        """Return the true depth as 0..1."""
        relief = self.relief
        rise = (self.inverse_depth - relief.farthest) / (relief.nearest - relief.farthest)
        return np.asarray(rise, np.float32)

    def relief_of(self, depth: Field) -> Relief:
        """Give a depth of unknown scale the meaning that is nearest to the truth."""
        slope, offset = np.polyfit(depth.ravel(), self.inverse_depth.ravel(), 1)
        return Relief(farthest=float(offset), nearest=float(slope + offset))


@dataclass(frozen=True, kw_only=True)
class Errors:
    """How far a frame is from the truth; see the module."""

    misplaced: float
    colour: float
    painted: float


def main() -> None:
    """Measure every view with true and own depth, and what fills the strips."""
    parser = argparse.ArgumentParser(prog="python -m bench.motion", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the rendered scenes")
    parser.add_argument("--scene", action="append", help="name of a scene; repeatable; else all")
    options = parser.parse_args()
    pipeline = make_pipeline(Settings.from_env(os.environ))
    for name in options.scene or sorted(path.stem for path in options.data.glob("*.json")):
        print_scene(name, Scene.load(options.data, name), pipeline)


def print_scene(name: str, scene: Scene, pipeline: VideoPipeline) -> None:
    """Print all tables of one scene."""
    print(f"\n{name}")
    raster = CpuRaster(os.cpu_count() or 1)
    with (
        Budget(1 << 31).lease(0) as arena,
        mock.patch.object(projection, "FOCAL_LONG_SIDES", scene.focal_share),
    ):
        own = pipeline.depth(scene.picture, None, arena)
        print_motion("true depth", scene, (scene.depth, scene.relief), raster, arena)
        print_motion("own depth", scene, (own, scene.relief_of(own)), raster, arena)
        print_strips(scene, raster, arena)


def print_motion(
    title: str, scene: Scene, known: tuple[Field, Relief], raster: CpuRaster, arena: Arena
) -> None:
    """Print the table of one depth and what it means."""
    depth, relief = known
    layers = split(scene.picture, depth, raster, arena)
    single = single_layer(scene.picture, depth, arena)
    print(f"\n{title:12}{'misplaced, px':>27}{'colour near outlines':>27}{'painted':>9}")
    print(
        f"{'view':12}{'ours':>9}{'single':>9}{'ratio':>9}" + f"{'ours':>9}{'single':>9}{'ratio':>9}"
    )
    for name in scene.views:
        ours, plain = (measure(scene, each, relief, name, arena) for each in (layers, single))
        print(
            f"{name:12}{ours.misplaced:9.3f}{plain.misplaced:9.3f}"
            f"{ours.misplaced / plain.misplaced:9.2f}{ours.colour:9.2f}{plain.colour:9.2f}"
            f"{ours.colour / plain.colour:9.2f}{ours.painted:9.1%}"
        )


def single_layer(picture: Pixels, depth: Field, arena: Arena) -> Layers:
    """Make the picture one layer, on the same grid."""
    pixels = arena.array((*depth.shape, 4), np.uint8)
    fields.with_opacity(picture, pixels)
    coarse = fields.reduce(depth, grid_size(*depth.shape))
    return Layers(back=Layer(canvas=pixels, depth=coarse), front=None)


def measure(scene: Scene, layers: Layers, relief: Relief, view: str, arena: Arena) -> Errors:
    """Measure one view."""
    way, truth = scene.views[view]
    height, width = scene.inverse_depth.shape
    camera = Projection(height=height, width=width, focus=((width - 1) / 2, (height - 1) / 2))
    pose = Pose(x=way[0] * camera.focal / width, y=way[1] * camera.focal / height, z=way[2])
    with arena.scope():
        frame = Renderer(layers, camera, relief, arena).frame(pose, Window()).copy()
    places, painted = shown(scene, layers, relief, camera, pose)
    found_x, found_y = moved(scene, camera, way, places)
    y, x = np.indices((height, width), np.float32)
    away = np.hypot(found_x - x, found_y - y)
    inside = np.zeros((height, width), bool)
    inside[BORDER_PIXELS:-BORDER_PIXELS, BORDER_PIXELS:-BORDER_PIXELS] = True
    difference = np.abs(frame.astype(np.int16) - truth).mean(axis=2)
    return Errors(
        misplaced=float(away[inside & ~painted].mean()),
        colour=float(difference[inside & outlines(scene)].mean()),
        painted=float(painted[inside].mean()),
    )


def shown(
    scene: Scene, layers: Layers, relief: Relief, camera: Projection, pose: Pose
) -> tuple[tuple[Field, Field], NDArray[np.bool_]]:
    """Find which place of the photo each pixel of a frame shows, and which pixels show none."""
    rows, columns = np.indices(scene.inverse_depth.shape, np.float32)
    x, y = np.asarray(columns), np.asarray(rows)

    def trace(layer: Layer) -> tuple[Field, Field]:
        depth = relief.inverse_depth(layer.depth)
        return camera.trace((x, y), pose, Window(), depth)

    back_x, back_y = trace(layers.back)
    new = np.any(layers.back.pixels[:, :, :3] != scene.picture, axis=2).astype(np.float32)
    painted = fields.sample(new, back_x, back_y) > 0.5
    if layers.front is None:
        return (back_x, back_y), painted
    front_x, front_y = trace(layers.front)
    opacity = layers.front.pixels[:, :, 3].astype(np.float32)
    hides = fields.sample(opacity, front_x, front_y) > 127
    places = np.where(hides, front_x, back_x), np.where(hides, front_y, back_y)
    return places, painted & ~hides


def moved(
    scene: Scene, camera: Projection, way: Way, places: tuple[Field, Field]
) -> tuple[Field, Field]:
    """Project places of the photo, at their true depths, into the moved camera."""
    height, width = scene.inverse_depth.shape
    rows = np.clip(np.rint(places[1]), 0, height - 1).astype(int)
    columns = np.clip(np.rint(places[0]), 0, width - 1).astype(int)
    depth = scene.inverse_depth[rows, columns]
    (centre_x, centre_y), focal = camera.centre, camera.focal
    nearer = 1.0 - depth * way[2]
    x = ((places[0] - centre_x) / focal - depth * way[0]) / nearer * focal + centre_x
    y = ((places[1] - centre_y) / focal - depth * way[1]) / nearer * focal + centre_y
    return x, y


def outlines(scene: Scene) -> NDArray[np.bool_]:
    """Choose what is near an outline."""
    steps = cv2.morphologyEx(scene.depth, cv2.MORPH_GRADIENT, np.ones((3, 3)))
    edges = (steps > OUTLINE_STEP).astype(np.uint8)
    return np.asarray(fields.widen(edges, NEAR_PIXELS) > 0)


def print_strips(scene: Scene, raster: CpuRaster, arena: Arena) -> None:
    """Compare what fills the strips along the subject with the view without it."""
    hole = fields.widen((scene.subject > 20).astype(np.uint8) * np.uint8(255), 2)
    beside = (fields.reduce(hole, grid_size(*hole.shape)) == 0).astype(np.uint8)
    ours = np.empty((*hole.shape, 4), np.uint8)
    backdrop.fill(scene.picture, hole, beside, raster, ours)
    painted = Inpainter(raster).fill(scene.picture, hole, arena)
    depth = cv2.distanceTransform(hole, cv2.DIST_L2, cv2.DIST_MASK_5)
    print(f"\n{'behind the subject':22}{'ours':>10}{'in-painted':>12}   difference to the plate")
    for least, most in ((0, 6), (6, 12), (12, 25), (25, 45)):
        strip = (depth > least) & (depth <= most)
        print(
            f"{least:4}..{most:2} px deep      "
            f"{apart(ours, scene.plate, strip):10.2f}{apart(painted, scene.plate, strip):12.2f}"
        )


def apart(filled: Pixels, truth: Pixels, chosen: NDArray[np.bool_]) -> float:
    """Measure the mean difference of chosen pixels, in levels of 255."""
    return float(np.abs(filled[chosen][:, :3].astype(np.int16) - truth[chosen]).mean())


def read(path: Path) -> Pixels:
    """Read a picture."""
    return np.asarray(Image.open(path).convert("RGB"))


if __name__ == "__main__":
    main()
