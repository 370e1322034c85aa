"""What a caller wants of a clip of one photo, as one record and as the protocol's options."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Never

from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix.video.v1 import video_pb2
from batchpix_client.jobs.clip import ClipJob
from batchpix_client.jobs.job import point_message
from batchpix_client.media import Source
from batchpix_client.wire import VIDEO, Wire


class Camera(StrEnum):
    """A path of the camera."""

    STILL = "still"
    PAN_LEFT = "pan-left"
    PAN_RIGHT = "pan-right"
    PAN_UP = "pan-up"
    PAN_DOWN = "pan-down"
    ZOOM_IN = "zoom-in"
    ZOOM_OUT = "zoom-out"
    DOLLY_IN = "dolly-in"
    DOLLY_OUT = "dolly-out"
    DOLLY_ZOOM = "dolly-zoom"
    ORBIT = "orbit"
    CIRCLE = "circle"
    HANDHELD = "handheld"
    KEY_FRAMES = "key-frames"


class Easing(StrEnum):
    """How the camera runs from one key frame to the next."""

    LINEAR = "linear"
    SMOOTH = "smooth"
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrame:
    """Where the camera is at one time.

    Attributes:
        time: in the clip, 0 (start) to 1 (end), ascending.
        x: to the right, in widths of the picture at the focus point's depth, -1 to 1.
        y: downwards, in heights of the picture at the focus point's depth, -1 to 1.
        z: towards the scene, as a share of the distance to the focus point, -1 to 0.9.
        yaw_degrees: turn to the right, -30 to 30.
        pitch_degrees: turn upwards, -30 to 30.
        roll_degrees: turn clockwise, -180 to 180.
        zoom: magnification, 0.5 to 4.
        easing: "linear", "smooth", "in" or "out", to the next key frame.
    """

    time: float
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw_degrees: float = 0.0
    pitch_degrees: float = 0.0
    roll_degrees: float = 0.0
    zoom: float = 1.0
    easing: Easing | str = Easing.SMOOTH

    def message(self) -> video_pb2.CameraKeyFrame:
        """Make the protocol's message."""
        return video_pb2.CameraKeyFrame(
            time=self.time,
            x=self.x,
            y=self.y,
            z=self.z,
            yaw_degrees=self.yaw_degrees,
            pitch_degrees=self.pitch_degrees,
            roll_degrees=self.roll_degrees,
            zoom=self.zoom,
            easing=video_pb2.Easing.Value(f"EASING_{Easing(self.easing).name}"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LivingRegion:
    """A part of the picture that flows: water, clouds, smoke, hair.

    Attributes:
        mask: grey picture of the photo's size; 255 = flows.
        direction_degrees: clockwise from "to the right", 0 to 360.
        speed: heights of the picture in a second, more than 0, at most 1.
    """

    mask: Source
    direction_degrees: float
    speed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoJob(ClipJob[Never]):
    """Make a clip of one photo; its fragments or frames arrive while it is made.

    Attributes:
        camera: path of the camera, "orbit", "dolly-in" and the like.
        key_frames: 2 to 64 places of the camera; they take the place of a path.
        intensity: how far the camera goes, 0 to 2; None = 1.
        focus: x and y of the point that the camera looks at, each 0 to 1; None = it is found.
        depth_of_field: blur of what is nearer or farther than the focus point, 0 to 1.
        loop: the last frame runs into the first one.
        living: parts of the picture that flow, at most 8.
        depth_map: grey picture, the largest value nearest to the camera; None = it is found.
        seed: chooses among equally good clips.
    """

    wire: ClassVar[Wire] = VIDEO

    camera: Camera | str = Camera.ORBIT
    key_frames: Sequence[KeyFrame] = ()
    intensity: float | None = None
    focus: tuple[float, float] | None = None
    depth_of_field: float = 0.0
    loop: bool = False
    living: Sequence[LivingRegion] = ()
    depth_map: Source | None = None
    seed: int = 0

    def opening(self) -> Message:
        """Make the first message."""
        camera = Camera.KEY_FRAMES if self.key_frames else Camera(self.camera)
        options = video_pb2.AnimateOptions(
            camera=video_pb2.CameraPath.Value(f"CAMERA_PATH_{camera.name}"),
            key_frames=[frame.message() for frame in self.key_frames],
            intensity=self.intensity,
            focus=point_message(self.focus),
            depth_of_field=self.depth_of_field,
            loop=self.loop,
            living_regions=[
                # Masks are sent first, so they are counted from 0.
                video_pb2.LivingRegion(
                    mask_index=index,
                    direction_degrees=region.direction_degrees,
                    speed=region.speed,
                )
                for index, region in enumerate(self.living)
            ],
            seed=self.seed,
            format=self.clip_format(),
        )
        return video_pb2.AnimateRequest(options=options)

    def enclosed(self) -> Iterator[tuple[media_pb2.MediaKind.ValueType, Source]]:
        """List masks, then the depth map."""
        for region in self.living:
            yield media_pb2.MEDIA_KIND_MASK, region.mask
        if self.depth_map is not None:
            yield media_pb2.MEDIA_KIND_DEPTH_MAP, self.depth_map
