"""The RPC's shape: chunks in, pipeline, a clip out."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import grpc
import numpy as np
from numpy.typing import NDArray

from batchpix.media.v1 import media_pb2
from batchpix.video.v1 import video_pb2, video_pb2_grpc
from services.chassis.calls import Call, CallDesk
from services.chassis.chunks import MediumHeader, Upload
from services.chassis.clips import read_clip_format, send_clip
from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media.clip import ClipFormat
from services.chassis.media.image import (
    ImageHeader,
    ImageLimits,
    Picture,
    decode,
    decode_levels,
    probe,
)
from services.chassis.media.movie import Studio
from services.chassis.raster import Raster
from services.chassis.telemetry import Stage
from services.video.camera import CameraPath, Easing, KeyFrame, Pose
from services.video.fields import Pixels
from services.video.photo import Cut, fit_photo, part_of_map, scale_into
from services.video.pipeline import Levels, VideoPipeline
from services.video.shot import LivingRegion, Shot, invalid

# Quoted: generic for the type checker only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Mask: TypeAlias = NDArray[np.uint8]
Encoded: TypeAlias = tuple[MediumHeader, memoryview]

PATHS: Final[Mapping[video_pb2.CameraPath.ValueType, CameraPath]] = {
    video_pb2.CAMERA_PATH_UNSPECIFIED: CameraPath.ORBIT,
    **{video_pb2.CameraPath.Value(f"CAMERA_PATH_{path.name}"): path for path in CameraPath},
}
EASINGS: Final[Mapping[video_pb2.Easing.ValueType, Easing]] = {
    video_pb2.EASING_UNSPECIFIED: Easing.SMOOTH,
    **{video_pb2.Easing.Value(f"EASING_{easing.name}"): easing for easing in Easing},
}


class VideoServicer(video_pb2_grpc.VideoServiceServicer):
    """Answers `batchpix.video.v1.VideoService`."""

    def __init__(self, desk: CallDesk, pipeline: VideoPipeline, studio: Studio) -> None:
        self._desk = desk
        self._pipeline = pipeline
        self._studio = studio

    async def Animate(  # type: ignore[override]  # a coroutine that writes, see interceptors.Gate
        self, request_iterator: AsyncIterator[video_pb2.AnimateRequest], context: Context
    ) -> None:
        """Make one clip from one photo."""
        async with self._desk.open(context, video_pb2.AnimateResponse) as call:
            upload = Upload(request_iterator, call.limits, call.patience)
            await Animation(call, self._pipeline, self._studio).run(upload)


@dataclass(slots=True, kw_only=True)
class Media:
    """What was uploaded, still encoded.

    Attributes:
        masks: by their index.
        depth_map: of the photo.
        photo: the last medium.
    """

    masks: dict[int, Encoded]
    depth_map: Encoded | None = None
    photo: Encoded | None = None


class Animation:
    """One call: a photo on its way to a clip."""

    def __init__(self, call: Call, pipeline: VideoPipeline, studio: Studio) -> None:
        self._call = call
        self._pipeline = pipeline
        self._studio = studio
        self._image_limits = ImageLimits(pixels_max=call.limits.pixels_max)

    async def run(self, upload: Upload[video_pb2.AnimateRequest]) -> None:
        """Read options and media to the half-close and send the clip.

        Raises:
            MeshError: the clip can't be made.
        """
        options = (await upload.first()).options
        shot = read_shot(options)
        shot.check()
        wanted = read_clip_format(options.format, self._call.limits.frames_max)
        media = await self._receive(upload)
        if media.photo is None:
            raise InvalidRequestError(
                Reason.UPLOAD_EMPTY, "the upload holds no image", field="media"
            )
        require_masks(shot, media, media.photo[0].index)
        frames, cut = await self._call.compute(
            Stage.DECODE, self._decode_all, media, media.photo, shot, wanted
        )
        await send_clip(
            self._call,
            wanted,
            cut.size,
            frames,
            studio=self._studio,
            belongs_to=media.photo[0].index,
        )

    async def _receive(self, upload: Upload[video_pb2.AnimateRequest]) -> Media:
        """Read all media; the photo ends them."""
        media = Media(masks={})
        while (header := await upload.next_medium()) is not None:
            if media.photo is not None:
                message = "masks and depth map come first, then one photo"
                raise InvalidRequestError(
                    Reason.UPLOAD_OUT_OF_ORDER, message, field=f"{header.field}.kind"
                )
            data = await upload.read(header, self._call.arena)
            if header.kind == media_pb2.MEDIA_KIND_MASK:
                media.masks[header.index] = (header, data)
            elif header.kind == media_pb2.MEDIA_KIND_DEPTH_MAP and media.depth_map is None:
                media.depth_map = (header, data)
            elif header.kind == media_pb2.MEDIA_KIND_IMAGE:
                media.photo = (header, data)
            else:
                raise InvalidRequestError(
                    Reason.MEDIA_KIND_INVALID,
                    "a video call takes masks, at most one depth map, and one image",
                    field=f"{header.field}.kind",
                )
        return media

    def _decode_all(
        self, media: Media, photo: Encoded, shot: Shot, wanted: ClipFormat
    ) -> tuple[Iterator[Pixels], Cut]:
        """Decode all that was uploaded; frames are made when they are asked for."""
        arena, raster = self._call.arena, self._studio.raster
        found = self._probe(*photo)
        cut = Cut.of(found.height, found.width, wanted)
        pixels = arena.array((*cut.size, 3), np.uint8)
        with arena.scope():
            fit_photo(self._decode(*photo), cut, pixels, raster, arena)
        depth_map = self._depth_map(media.depth_map, cut) if media.depth_map else None
        masks = [
            self._mask(media.masks[region.mask_index], cut, raster)
            for region in shot.living_regions
        ]
        if shot.focus is not None:
            shot = replace(shot, focus=cut.point(*shot.focus))
        frames = self._pipeline.frames(
            pixels, depth_map, masks, shot, wanted, arena, self._call.cancelled
        )
        return frames, cut

    def _depth_map(self, encoded: Encoded, cut: Cut) -> Levels:
        """Decode a depth map, with all its bits, at its own size."""
        header, data = encoded
        with naming(header):
            levels = decode_levels(data, self._probe(*encoded), self._call.arena)
        return part_of_map(levels, cut, header.field)

    def _mask(self, encoded: Encoded, cut: Cut, raster: Raster) -> Mask:
        """Decode a mask at the clip's size."""
        header, _ = encoded
        target = self._call.arena.array(cut.size, np.uint8)
        with self._call.arena.scope():
            part = part_of_map(self._decode(*encoded).pixels, cut, header.field)
            scale_into(part[:, :, 0], target, raster, self._call.arena)
        return target

    def _probe(self, header: MediumHeader, data: memoryview) -> ImageHeader:
        with naming(header):
            return probe(data, header.media_type, self._image_limits)

    def _decode(self, header: MediumHeader, data: memoryview) -> Picture:
        found = self._probe(header, data)
        with naming(header):
            return decode(data, found, self._call.arena)


@contextmanager
def naming(header: MediumHeader) -> Iterator[None]:
    """Name the medium in refusals that come out of the block."""
    try:
        yield
    except (InvalidRequestError, LimitError) as error:
        error.field = error.field or header.field
        raise


def require_masks(shot: Shot, media: Media, photo: int) -> None:
    """Refuse masks that nothing flows in, and regions without a mask.

    Args:
        photo: index of the photo.

    Raises:
        InvalidRequestError: the field of the mask or region is named.
    """
    used = {region.mask_index for region in shot.living_regions}
    for place, region in enumerate(shot.living_regions):
        if region.mask_index not in media.masks:
            message = "no uploaded mask has this index"
            raise invalid(message, f"options.living_regions[{place}].mask_index")
    extra = [media.depth_map] if media.depth_map else []
    for header, _ in [*media.masks.values(), *extra]:
        if header.belongs_to != photo:
            message = "a mask or depth map must name the image that comes after it"
            raise invalid(message, f"{header.field}.belongs_to")
    for index, (header, _) in media.masks.items():
        if index not in used:
            message = "a mask needs a living region that gives its direction and speed"
            raise invalid(message, header.field)


def read_shot(options: video_pb2.AnimateOptions) -> Shot:
    """Take over what happens in the clip, with its defaults.

    Raises:
        InvalidRequestError: a number that an enumeration does not have.
    """
    if options.camera not in PATHS:
        raise invalid("no such camera path", "options.camera")
    focus = (options.focus.x, options.focus.y) if options.HasField("focus") else None
    return Shot(
        path=PATHS[options.camera],
        key_frames=tuple(
            read_key_frame(message, f"options.key_frames[{place}]")
            for place, message in enumerate(options.key_frames)
        ),
        intensity=options.intensity if options.HasField("intensity") else 1.0,
        focus=focus,
        depth_of_field=options.depth_of_field,
        loop=options.loop,
        living_regions=tuple(
            LivingRegion(
                mask_index=region.mask_index,
                direction_degrees=region.direction_degrees,
                speed=region.speed,
            )
            for region in options.living_regions
        ),
        seed=options.seed,
    )


def read_key_frame(message: video_pb2.CameraKeyFrame, field: str) -> KeyFrame:
    """Take over one key frame.

    Raises:
        InvalidRequestError: a number that the enumeration does not have.
    """
    if message.easing not in EASINGS:
        raise invalid("no such easing", f"{field}.easing")
    pose = Pose(
        x=message.x,
        y=message.y,
        z=message.z,
        yaw_degrees=message.yaw_degrees,
        pitch_degrees=message.pitch_degrees,
        roll_degrees=message.roll_degrees,
        zoom=message.zoom or 1.0,
    )
    return KeyFrame(time=message.time, pose=pose, easing=EASINGS[message.easing])
