"""A photo in, frames out: all that a video call does to pixels."""

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.errors import Stopped
from services.chassis.media.clip import ClipFormat
from services.chassis.memory.arena import Arena
from services.chassis.raster import Lens
from services.video import camera, fields
from services.video.border import Border
from services.video.camera import CameraPath, Flight
from services.video.fields import Field, Pixels
from services.video.flow import Current, Flow, Stream
from services.video.focus import defocus, depth_at, find_focus
from services.video.framing import Framing
from services.video.layers import Layers, Relief, grid_size, split
from services.video.projection import Projection
from services.video.render import Renderer
from services.video.shot import Shot

Mask: TypeAlias = NDArray[np.uint8]
Levels: TypeAlias = NDArray[np.uint8 | np.uint16]

# What a found depth is stretched between, and how much at most.
EXTREMES: Final = (0.01, 0.99)
STRETCH_MAX: Final = 2.5
# Shares of the sides that may be seen past the border, where the photo is mirrored: next to
# nothing, a little for paths that lead outwards, and what is needed for one that somebody drew.
SLACK: Final = 0.012
SLACK_OUTWARDS: Final = 0.024
SLACK_DRAWN: Final = 0.12
# Share of the longer side up to which a border is drawn; past it the photo is mirrored squarely.
MARGIN_SHARE_MAX: Final = 0.05
OUTWARDS: Final = {CameraPath.ZOOM_OUT, CameraPath.DOLLY_OUT, CameraPath.DOLLY_ZOOM}


class DepthFinder(Protocol):
    """Tells near from far."""

    @property
    def engine(self) -> str:
        """Device and precision of the network."""
        ...

    def depth(self, pixels: Pixels, arena: Arena) -> Field:
        """Return HxW float32 in the arena, 0 (far) to 1 (near), for HxWx3 uint8 RGB pixels."""
        ...

    def fit_depth_map(self, depth_map: Levels, pixels: Pixels, arena: Arena) -> Field:
        """Return the same from a map of the caller's, of any size."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A clip that is ready to be rendered.

    Attributes:
        layers: what the frames are made of.
        border: around the layers.
        renderer: makes frames.
        flight: where the camera is.
        framing: what of its view is shown.
        flow: of the living regions.
        streams: layers that flow.
        times: of the frames, 0 to 1.
    """

    layers: Layers
    border: Border
    renderer: Renderer
    flight: Flight
    framing: Framing
    flow: Flow | None
    streams: tuple[Stream, ...]
    times: Sequence[float]

    def frames(self, *, start: int = 0) -> Iterator[Pixels]:
        """Render frame by frame from one on: HxWx3 uint8 RGB, the same memory each time."""
        for time in self.times[start:]:
            if self.flow is not None:
                self.flow.flow_to(time)
            for stream in self.streams:
                stream.show()
            if self.streams:
                draw_border(self.border, self.layers)
            yield self.renderer.frame(self.flight(time), self.framing.window(time))


class VideoPipeline:
    """The video feature without its transport."""

    def __init__(self, *, depth_finder: DepthFinder, lens: Lens) -> None:
        """Take over what the feature is made of."""
        self.depth_finder = depth_finder
        self._lens = lens

    @property
    def engine(self) -> str:
        """Device and precision of the networks, for the service's start line."""
        return self.depth_finder.engine

    def frames(
        self,
        pixels: Pixels,
        depth_map: Levels | None,
        masks: Sequence[Mask],
        shot: Shot,
        wanted: ClipFormat,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Iterator[Pixels]:
        """Make a clip frame by frame; arguments and errors as those of `prepare`.

        Where the clip starts with the photo itself, that frame comes before the photo is looked at,
        and can be encoded meanwhile.

        Yields:
            HxWx3 uint8 RGB, valid until the next one.
        """
        start = 0
        if shot.starts_with_photo:
            start = 1
            yield pixels
        film = self.prepare(pixels, depth_map, masks, shot, wanted, arena, cancelled)
        yield from film.frames(start=start)

    def prepare(
        self,
        pixels: Pixels,
        depth_map: Levels | None,
        masks: Sequence[Mask],
        shot: Shot,
        wanted: ClipFormat,
        arena: Arena,
        cancelled: threading.Event,
    ) -> Film:
        """Take a photo apart and plan the clip.

        Args:
            pixels: HxWx3 uint8 RGB, the photo at the clip's size.
            depth_map: hxw uint8 or uint16 of the caller's, of the photo as cut and of any size, the
                largest value nearest; or None.
            masks: HxW uint8 of each living region, in their order.
            shot: what happens; a focus point of the photo as cut.
            wanted: length and rate.
            arena: where everything goes.
            cancelled: watched between the steps.

        Raises:
            Stopped: `cancelled` was set.
        """
        depth = self.depth(pixels, depth_map, arena)
        obey(cancelled)
        margin = margin_of(pixels, shot)
        layers = split(pixels, depth, self._lens, arena, margin)
        obey(cancelled)
        focus = shot.focus or find_focus(layers)
        relief = Relief.around(depth_at(depth, focus))
        blur(layers, relief, shot.depth_of_field)
        border = Border(pixels, margin)
        draw_border(border, layers)
        projection = projection_of(pixels, focus)
        renderer = Renderer(layers, projection, relief, arena)
        flight = camera.plan(
            shot.path,
            seconds=wanted.seconds,
            intensity=shot.intensity,
            loop=shot.loop,
            seed=shot.seed,
            key_frames=shot.key_frames,
        )
        framing = Framing(
            projection,
            flight,
            renderer.depths,
            seconds=wanted.seconds,
            loop=shot.loop,
            slack=slack_of(shot),
        )
        flow = flow_of(masks, shot, wanted, arena)
        return Film(
            layers=layers,
            border=border,
            renderer=renderer,
            flight=flight,
            framing=framing,
            flow=flow,
            streams=streams_of(layers, flow, arena) if flow else (),
            times=camera.frame_times(wanted.frame_count, loop=shot.loop),
        )

    def depth(self, pixels: Pixels, depth_map: Levels | None, arena: Arena) -> Field:
        """Find a photo's depth, or take the caller's map: HxW float32 in the arena, 0 to 1."""
        if depth_map is None:
            depth = self.depth_finder.depth(pixels, arena)
            stretch(depth)
            return depth
        return self.depth_finder.fit_depth_map(depth_map, pixels, arena)


def stretch(depth: Field) -> None:
    """Let a found depth fill 0..1, in place: a network tells it but for scale and offset.

    A picture in which nothing is near or far stays nearly flat.
    """
    least, most = np.quantile(fields.reduce(depth, grid_size(*depth.shape)), EXTREMES)
    gain = min(1.0 / max(most - least, 1e-3), STRETCH_MAX)
    depth -= np.float32(most)
    depth *= np.float32(gain)
    depth += np.float32(1.0)
    np.clip(depth, 0.0, 1.0, out=depth)


def slack_of(shot: Shot) -> float:
    """Choose what share of the sides may be seen past the border."""
    if shot.path is CameraPath.KEY_FRAMES:
        return SLACK_DRAWN
    return SLACK_OUTWARDS * shot.intensity if shot.path in OUTWARDS else SLACK


def margin_of(pixels: Pixels, shot: Shot) -> int:
    """Choose how wide a border is drawn around the photo: as much of it as may be seen."""
    height, width = pixels.shape[:2]
    wanted = min(slack_of(shot), MARGIN_SHARE_MAX) * max(height, width)
    return int(min(math.ceil(wanted) + 1, height, width))


def draw_border(border: Border, layers: Layers) -> None:
    """Draw the border of every layer."""
    for layer in filter(None, (layers.back, layers.front)):
        border.draw(layer.canvas)


def obey(cancelled: threading.Event) -> None:
    """Go on only while somebody waits.

    Raises:
        Stopped: nobody does.
    """
    if cancelled.is_set():
        raise Stopped


def projection_of(pixels: Pixels, focus: tuple[float, float]) -> Projection:
    """Describe the camera that took a photo, with its focus point of 0..1."""
    height, width = pixels.shape[:2]
    return Projection(
        height=height, width=width, focus=(focus[0] * (width - 1), focus[1] * (height - 1))
    )


def blur(layers: Layers, relief: Relief, amount: float) -> None:
    """Blur what is nearer or farther than the focus point, in place."""
    if amount == 0.0:
        return
    for layer in filter(None, (layers.back, layers.front)):
        defocus(layer.pixels, relief.inverse_depth(layer.depth), amount)


def flow_of(masks: Sequence[Mask], shot: Shot, wanted: ClipFormat, arena: Arena) -> Flow | None:
    """Let the living regions flow; None if nothing does."""
    currents = [
        Current(mask=mask, direction_degrees=region.direction_degrees, speed=region.speed)
        for mask, region in zip(masks, shot.living_regions, strict=True)
    ]
    if not currents:
        return None
    flow = Flow(currents, seconds=wanted.seconds, loop=shot.loop, arena=arena)
    return flow if flow.parts else None


def streams_of(layers: Layers, flow: Flow, arena: Arena) -> tuple[Stream, ...]:
    """Let every layer flow that shows something where it does."""
    shown = [layers.back]
    front = layers.front
    if front is not None and any(front.pixels[part.window][:, :, 3].any() for part in flow.parts):
        shown.append(front)
    return tuple(Stream(layer.pixels, flow, arena) for layer in shown)
