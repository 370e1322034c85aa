"""The RPCs' shape: chunks in, pipeline, chunks out."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import grpc

from batchpix.dance.v1 import dance_pb2, dance_pb2_grpc
from batchpix.media.v1 import media_pb2
from services.chassis.calls import Call, CallDesk
from services.chassis.chunks import MediumHeader, Upload
from services.chassis.clips import read_clip_format, send_clip
from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media.clip import SECONDS_MAX, ClipFormat
from services.chassis.media.image import ImageLimits, Picture, decode, probe
from services.chassis.media.sound import Sound, decode_sound
from services.chassis.telemetry import Stage
from services.dance.capture import Capture
from services.dance.pipeline import Accompaniment, DancePipeline, Dancer
from services.dance.skeleton import Limb
from services.dance.stage import Background
from services.dance.wish import Wish

# Quoted: generic for the type checker only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Medium: TypeAlias = tuple[MediumHeader, memoryview]

BACKGROUNDS = {
    dance_pb2.BACKGROUND_UNSPECIFIED: Background.KEEP,
    dance_pb2.BACKGROUND_KEEP: Background.KEEP,
    dance_pb2.BACKGROUND_BLUR: Background.BLUR,
    dance_pb2.BACKGROUND_COLOUR: Background.COLOUR,
    dance_pb2.BACKGROUND_TRANSPARENT: Background.TRANSPARENT,
}
LIMBS = {
    Limb.LEFT_ARM: dance_pb2.LIMB_LEFT_ARM,
    Limb.RIGHT_ARM: dance_pb2.LIMB_RIGHT_ARM,
    Limb.LEFT_LEG: dance_pb2.LIMB_LEFT_LEG,
    Limb.RIGHT_LEG: dance_pb2.LIMB_RIGHT_LEG,
    Limb.HEAD: dance_pb2.LIMB_HEAD,
}
KINDS = {
    media_pb2.MEDIA_KIND_IMAGE,
    media_pb2.MEDIA_KIND_MUSIC,
    media_pb2.MEDIA_KIND_MOTION,
    media_pb2.MEDIA_KIND_DRIVING_VIDEO,
}
LEADERS = (media_pb2.MEDIA_KIND_MOTION, media_pb2.MEDIA_KIND_DRIVING_VIDEO)
# Music is listened to a little beyond the clip's end, where its last beats lie.
MUSIC_SECONDS_MORE = 3.0


class DanceServicer(dance_pb2_grpc.DanceServiceServicer):
    """Answers `batchpix.dance.v1.DanceService`."""

    def __init__(self, desk: CallDesk, pipeline: DancePipeline) -> None:
        self._desk = desk
        self._pipeline = pipeline
        moves = [
            dance_pb2.Move(name=move.name, title=move.title, beats=move.beats)
            for move in pipeline.book.moves
        ]
        self._moves = dance_pb2.ListMovesResponse(moves=moves)

    async def Dance(  # type: ignore[override]  # a coroutine that writes, see interceptors.Gate
        self, request_iterator: AsyncIterator[dance_pb2.DanceRequest], context: Context
    ) -> None:
        """Let the person of one photo dance."""
        async with self._desk.open(context, dance_pb2.DanceResponse) as call:
            upload = Upload(request_iterator, call.limits, call.patience)
            await Performance(call, self._pipeline, upload).run()

    async def ListMoves(
        self,
        request: dance_pb2.ListMovesRequest,  # noqa: ARG002  # gRPC's signature
        context: Context,  # noqa: ARG002
    ) -> dance_pb2.ListMovesResponse:
        """Name the moves that the service knows."""
        return self._moves


class Performance:
    """One call: media in, one clip out."""

    def __init__(
        self, call: Call, pipeline: DancePipeline, upload: Upload[dance_pb2.DanceRequest]
    ) -> None:
        self._call = call
        self._pipeline = pipeline
        self._upload = upload
        self._image_limits = ImageLimits(pixels_max=call.limits.pixels_max)
        self._media: dict[int, Medium] = {}

    async def run(self) -> None:
        """Read options and media to the half-close and answer with a clip.

        Raises:
            MeshError: the call can't go on.
        """
        options = (await self._upload.first()).options
        clip = read_clip_format(options.format, self._call.limits.frames_max)
        wish = read_wish(options)
        wish.check(clip)
        self._pipeline.moves(wish.moves)
        while (header := await self._upload.next_medium()) is not None:
            await self._keep(header, wish)
        with ExitStack() as sittings:
            self._pipeline = sittings.enter_context(self._pipeline.sitting())
            # Left on a worker thread once the clip is on its way, not here.
            self._call.at_end(sittings.pop_all().close)
        await self._answer(wish, clip)

    async def _answer(self, wish: Wish, clip: ClipFormat) -> None:
        """Make a clip of what was uploaded, and send it meanwhile."""
        call, pipeline = self._call, self._pipeline
        sound = await self._sound(clip)
        capture = await self._capture(clip.seconds)
        # The music is listened to while the photo is looked at.
        accompaniment, dancer = await asyncio.gather(
            self._listen(sound, wish, clip), self._look(wish, clip), return_exceptions=True
        )
        if isinstance(accompaniment, BaseException):
            raise accompaniment
        if isinstance(dancer, BaseException):
            raise dancer
        await self._tell(dancer, 0.0 if capture else accompaniment.grid.tempo)
        frames = pipeline.frames(dancer, accompaniment, capture, wish, clip, call.arena)
        await send_clip(
            call,
            clip,
            dancer.size,
            frames,
            studio=pipeline.studio,
            belongs_to=self._image()[0].index,
            sound=accompaniment.sound,
        )

    async def _keep(self, header: MediumHeader, wish: Wish) -> None:
        """Read one medium; it is wiped with the call."""
        if header.kind not in KINDS:
            raise InvalidRequestError(
                Reason.MEDIA_KIND_INVALID,
                "a dance call takes one image, and music, a motion or a driving video",
                field=f"{header.field}.kind",
            )
        leads = header.kind in LEADERS
        if header.kind in self._media or (leads and any(kind in self._media for kind in LEADERS)):
            raise InvalidRequestError(
                Reason.MEDIA_KIND_INVALID,
                "a dance call takes one medium of a kind, and one that leads the movement",
                field=f"{header.field}.kind",
            )
        if leads and wish.moves:
            raise InvalidRequestError(
                Reason.OPTION_INVALID,
                "the movement comes from moves or from an upload, not from both",
                field="options.moves",
            )
        self._media[header.kind] = (header, await self._upload.read(header, self._call.arena))

    def _image(self) -> Medium:
        if media_pb2.MEDIA_KIND_IMAGE not in self._media:
            raise InvalidRequestError(
                Reason.UPLOAD_EMPTY, "the upload holds no image", field="media"
            )
        return self._media[media_pb2.MEDIA_KIND_IMAGE]

    async def _sound(self, clip: ClipFormat) -> Sound | None:
        if media_pb2.MEDIA_KIND_MUSIC not in self._media:
            return None
        header, data = self._media[media_pb2.MEDIA_KIND_MUSIC]
        seconds = min(clip.seconds + MUSIC_SECONDS_MORE, SECONDS_MAX + MUSIC_SECONDS_MORE)
        with named(header):
            return await self._call.compute(
                Stage.DECODE, decode_sound, data, header.media_type, seconds, self._call.arena
            )

    async def _listen(self, sound: Sound | None, wish: Wish, clip: ClipFormat) -> Accompaniment:
        """Find the beats of the music."""
        field = field_of(self._media.get(media_pb2.MEDIA_KIND_MUSIC))
        return await self._call.compute(
            Stage.ANALYSE, self._pipeline.accompaniment, sound, wish, clip, field
        )

    async def _look(self, wish: Wish, clip: ClipFormat) -> Dancer:
        """Decode the photo and make a puppet of its person."""
        call, (header, data) = self._call, self._image()
        picture = await call.compute(Stage.DECODE, self._decode, header, data)
        size = clip.size_for(*picture.pixels.shape[:2])
        return await call.compute(
            Stage.ANALYSE,
            self._pipeline.dancer,
            picture.pixels,
            wish,
            size,
            header.field,
            call.arena,
        )

    async def _capture(self, seconds: float) -> Capture | None:
        """Read the movement of an uploaded motion or film."""
        call = self._call
        if media_pb2.MEDIA_KIND_MOTION in self._media:
            header, data = self._media[media_pb2.MEDIA_KIND_MOTION]
            with named(header):
                return await call.compute(Stage.ANALYSE, self._pipeline.motion, data, header.field)
        if media_pb2.MEDIA_KIND_DRIVING_VIDEO in self._media:
            header, data = self._media[media_pb2.MEDIA_KIND_DRIVING_VIDEO]
            with named(header):
                return await call.compute(
                    Stage.ANALYSE,
                    self._pipeline.driving,
                    data,
                    header.media_type,
                    seconds,
                    call.arena,
                    call.cancelled,
                )
        return None

    def _decode(self, header: MediumHeader, data: memoryview) -> Picture:
        """Decode the photo.

        Raises:
            InvalidRequestError, LimitError: the photo's own field is named.
        """
        with named(header):
            found = probe(data, header.media_type, self._image_limits)
            return decode(data, found, self._call.arena)

    async def _tell(self, dancer: Dancer, beats_per_minute: float) -> None:
        """Tell what was found in the photo."""
        figure = dance_pb2.Figure(
            missing_limbs=sorted(LIMBS[limb] for limb in dancer.missing),
            beats_per_minute=beats_per_minute,
        )
        await self._call.send(dance_pb2.DanceResponse(figure=figure))


@contextmanager
def named(header: MediumHeader) -> Iterator[None]:
    """Name the medium in errors that know none."""
    try:
        yield
    except (InvalidRequestError, LimitError) as error:
        error.field = error.field or header.field
        raise


def field_of(medium: Medium | None) -> str:
    """Return the path of a medium in error details."""
    return medium[0].field if medium else "media"


def read_wish(options: dance_pb2.DanceOptions) -> Wish:
    """Take over the options, with their defaults.

    Raises:
        InvalidRequestError: a number that an enumeration does not have.
    """
    if options.background not in BACKGROUNDS:
        raise InvalidRequestError(
            Reason.OPTION_INVALID, "no such background", field="options.background"
        )
    person = (options.person.x, options.person.y) if options.HasField("person") else None
    return Wish(
        moves=tuple(options.moves),
        beats_per_minute=options.beats_per_minute,
        intensity=options.intensity if options.HasField("intensity") else 1.0,
        person=person,
        background=BACKGROUNDS[options.background],
        colour=options.background_colour,
        shadow=not options.shadow_off,
        camera_push=options.camera_push,
        seed=options.seed,
    )
