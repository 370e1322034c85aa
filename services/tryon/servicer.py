"""The RPC's shape: garments and a photo in, GarmentFound, the picture and its mask out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from batchpix.media.v1 import media_pb2
from batchpix.tryon.v1 import tryon_pb2, tryon_pb2_grpc
from services.chassis.calls import Call, CallDesk
from services.chassis.chunks import MediumHeader, Upload
from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media import headers
from services.chassis.media.image import ImageLimits, Picture, decode, encode, probe
from services.chassis.memory.arena import Arena
from services.chassis.telemetry import Stage
from services.tryon.cloth import Cloth
from services.tryon.manner import QUALITY_DEFAULT, Manner
from services.tryon.options import NUMBERS, read_manner
from services.tryon.outfit import GARMENTS_MAX, Hint, Worn
from services.tryon.pipeline import Result, TryonPipeline

# Quoted: generic for the type checker only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class TryonServicer(tryon_pb2_grpc.TryonServiceServicer):
    """Answers `batchpix.tryon.v1.TryonService`."""

    def __init__(self, desk: CallDesk, pipeline: TryonPipeline) -> None:
        self._desk = desk
        self._pipeline = pipeline

    async def TryOn(  # type: ignore[override]  # a coroutine that writes, see interceptors.Gate
        self, request_iterator: AsyncIterator[tryon_pb2.TryOnRequest], context: Context
    ) -> None:
        """Put one garment or an outfit on the person of one photo."""
        async with self._desk.open(context, tryon_pb2.TryOnResponse) as call:
            with ExitStack() as sittings:
                pipeline = sittings.enter_context(self._pipeline.sitting())
                # Left on a worker thread once the networks have seen all, not here.
                call.at_end(sittings.pop_all().close)
            upload = Upload(request_iterator, call.limits, call.patience)
            await Fitting(call, pipeline, upload).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A garment that is being cut out of its picture."""

    header: MediumHeader
    task: asyncio.Task[Worn]


class Fitting:
    """One call: the garments first, then the photo; the photo's person is sought meanwhile."""

    def __init__(
        self,
        call: Call,
        pipeline: TryonPipeline,
        upload: Upload[tryon_pb2.TryOnRequest],
    ) -> None:
        self._call = call
        self._pipeline = pipeline
        self._upload = upload
        self._image_limits = ImageLimits(pixels_max=call.limits.pixels_max)
        self._garments: list[Reading] = []
        self._memories = ExitStack()
        self._told: Exception | None = None

    async def run(self) -> None:
        """Read options and media to the half-close and answer the photo.

        Raises:
            MeshError: the call can't go on; what a medium is at fault for is told as its failure
                first.
        """
        manner = read_manner((await self._upload.first()).options)
        manner.check()
        photos = 0
        try:
            while (header := await self._upload.next_medium()) is not None:
                if photos:
                    raise InvalidRequestError(
                        Reason.UPLOAD_OUT_OF_ORDER,
                        "nothing comes after the photo",
                        field=header.field,
                    )
                photos += header.kind == media_pb2.MEDIA_KIND_IMAGE
                async with self._blaming(header):
                    await self._medium(header, manner)
            if not photos:
                await self._outfit()
                raise InvalidRequestError(
                    Reason.UPLOAD_EMPTY, "the upload holds no image", field="media"
                )
        finally:
            await give_up([reading.task for reading in self._garments])
            self._memories.close()

    @asynccontextmanager
    async def _blaming(self, header: MediumHeader) -> AsyncIterator[None]:
        """Tell an error of the block as the failure of a medium, unless another is to blame."""
        try:
            yield
        except (InvalidRequestError, LimitError) as error:
            error.field = error.field or header.field
            if error is not self._told:
                self._told = error
                await self._call.failure(header.index, error)
            raise

    async def _medium(self, header: MediumHeader, manner: Manner) -> None:
        if header.kind == media_pb2.MEDIA_KIND_GARMENT:
            await self._garment(header, manner.hints.get(header.index, Hint()))
        elif header.kind == media_pb2.MEDIA_KIND_IMAGE:
            await self._photo(header, manner)
        else:
            refuse_kind(header)

    async def _garment(self, header: MediumHeader, hint: Hint) -> None:
        """Take a garment's picture in, and have it read while what comes next is taken in."""
        if len(self._garments) == GARMENTS_MAX:
            raise InvalidRequestError(
                Reason.UPLOAD_TOO_MANY, f"an outfit holds {GARMENTS_MAX} garments at most"
            )
        # Memory of its own: scopes of the photo's work end in between.
        memory = self._memories.enter_context(self._call.arena.beside())
        with ExitStack() as picture:
            picture.enter_context(memory.scope())
            data = await self._upload.read(header, memory)
            work = self._cut_out(header, data, hint, memory, picture.pop_all())
        self._garments.append(Reading(header=header, task=asyncio.ensure_future(work)))

    async def _cut_out(
        self, header: MediumHeader, data: memoryview, hint: Hint, memory: Arena, picture: ExitStack
    ) -> Worn:
        """Cut a garment out of its picture, which is wiped then."""
        with picture:
            cloth = await self._call.compute(Stage.ANALYSE, self._read, header, data, hint, memory)
        cloth = self._pipeline.keep(cloth, memory)
        return Worn(cloth=cloth, tuck=hint.tuck, field=header.field)

    def _read(self, header: MediumHeader, data: memoryview, hint: Hint, memory: Arena) -> Cloth:
        picture, _ = self._decode(header, data, memory)
        return self._pipeline.read_garment(picture.pixels, hint, memory)

    async def _outfit(self) -> list[Worn]:
        """Wait for the garments, and tell what each was taken for."""
        outfit = []
        for reading in self._garments:
            async with self._blaming(reading.header):
                worn = await reading.task
            number = NUMBERS[worn.cloth.category]
            found = tryon_pb2.GarmentFound(garment_index=reading.header.index, category=number)
            await self._call.send(tryon_pb2.TryOnResponse(garment=found))
            outfit.append(worn)
        return outfit

    async def _photo(self, header: MediumHeader, manner: Manner) -> None:
        """Dress the person and answer."""
        if not self._garments:
            raise InvalidRequestError(
                Reason.UPLOAD_OUT_OF_ORDER, "the garments come before the image"
            )
        call, arena = self._call, self._call.arena
        with arena.scope():
            data = await self._upload.read(header, arena)
            picture, media_type = await call.compute(
                Stage.DECODE, self._decode_photo, header, data, manner
            )
            looking = asyncio.ensure_future(
                call.compute(
                    Stage.ANALYSE, self._pipeline.see, picture.pixels, manner.person, arena
                )
            )
            try:
                outfit = await self._outfit()
                seen = await looking
            finally:
                await give_up([looking])
            call.begin_clean_up()
            result = await call.compute(
                Stage.RENDER,
                self._pipeline.try_on,
                picture,
                seen,
                outfit,
                manner.seed,
                arena,
                call.cancelled,
            )
            await self._answer(header, result, manner.media_type or media_type, manner)

    async def _answer(
        self, header: MediumHeader, result: Result, media_type: str, manner: Manner
    ) -> None:
        call, picture = self._call, result.picture
        encoded = await call.compute(
            Stage.ENCODE,
            encode,
            picture.pixels,
            picture.alpha,
            media_type,
            manner.quality,
            call.arena,
        )
        start = opening(media_pb2.MEDIA_KIND_IMAGE, media_type, header, result)
        await call.result(start, encoded)
        if manner.mask_wanted:
            mask = await call.compute(Stage.ENCODE, self._encode_mask, result)
            start = opening(media_pb2.MEDIA_KIND_MASK, headers.PNG, header, result)
            await call.result(start, mask)

    def _encode_mask(self, result: Result) -> memoryview:
        """Write the mask as a PNG whose channels are equal."""
        grey = self._call.arena.array((*result.mask.shape, 3), result.mask.dtype)
        grey[:] = result.mask[:, :, None]
        return encode(grey, None, headers.PNG, QUALITY_DEFAULT, self._call.arena)

    def _decode(self, header: MediumHeader, data: memoryview, memory: Arena) -> tuple[Picture, str]:
        found = probe(data, header.media_type, self._image_limits)
        return decode(data, found, memory), found.media_type

    def _decode_photo(
        self, header: MediumHeader, data: memoryview, manner: Manner
    ) -> tuple[Picture, str]:
        """Decode the photo at the size that was asked for; name what it came as."""
        picture, media_type = self._decode(header, data, self._call.arena)
        if manner.long_side_pixels_max:
            side = manner.long_side_pixels_max
            picture = self._pipeline.shrink(picture, side, self._call.arena)
        return picture, media_type


async def give_up(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """End tasks that nobody waits for any more, and see them ended."""
    for task in tasks:
        task.cancel()
    while not all(task.done() for task in tasks):
        # However often the call is cancelled, memory must not go before the work on it has ended.
        with suppress(asyncio.CancelledError):
            await asyncio.wait(tasks)
    for task in tasks:
        # Looked at, so that asyncio does not log an error that nobody waits for.
        if not task.cancelled():
            task.exception()


def refuse_kind(header: MediumHeader) -> None:
    """Refuse a medium that is of no use here."""
    raise InvalidRequestError(
        Reason.MEDIA_KIND_INVALID,
        "a try-on takes garments and then one image",
        field=f"{header.field}.kind",
    )


def opening(
    kind: media_pb2.MediaKind.ValueType, media_type: str, header: MediumHeader, result: Result
) -> media_pb2.MediaStart:
    """Make the opening of a result."""
    return media_pb2.MediaStart(
        kind=kind,
        media_type=media_type,
        belongs_to=header.index,
        width_pixels=result.mask.shape[1],
        height_pixels=result.mask.shape[0],
    )
