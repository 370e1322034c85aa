"""The RPC's shape: garments and a photo in, GarmentFound, the picture and its mask out."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc

from batchpix.media.v1 import media_pb2
from batchpix.tryon.v1 import tryon_pb2, tryon_pb2_grpc
from services.chassis.calls import Call, CallDesk
from services.chassis.chunks import MediumHeader, Upload
from services.chassis.errors import InvalidRequestError, LimitError, Reason
from services.chassis.media import headers
from services.chassis.media.image import ImageLimits, Picture, decode, encode, probe
from services.chassis.telemetry import Stage
from services.tryon.cloth import Cloth
from services.tryon.garment import GarmentCategory
from services.tryon.manner import QUALITY_DEFAULT, Manner
from services.tryon.outfit import GARMENTS_MAX, Hint, Tuck, Worn
from services.tryon.pipeline import Result, TryonPipeline

# Quoted: generic for the type checker only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

CATEGORIES = {
    tryon_pb2.GarmentCategory.Value(f"GARMENT_CATEGORY_{category.name}"): category
    for category in GarmentCategory
}
NUMBERS = {category: number for number, category in CATEGORIES.items()}
TUCKS = {
    tryon_pb2.TUCK_UNSPECIFIED: Tuck.OVER,
    tryon_pb2.TUCK_OVER: Tuck.OVER,
    tryon_pb2.TUCK_IN: Tuck.IN,
}


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
            upload = Upload(request_iterator, call.limits, call.patience)
            await Fitting(call, self._pipeline, upload).run()


class Fitting:
    """One call: the garments first, then the photo."""

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
        self._outfit: list[Worn] = []

    async def run(self) -> None:
        """Read options and media to the half-close and answer the photo.

        Raises:
            MeshError: the call can't go on; what a medium is at fault for is told as its failure
                first.
        """
        manner = read_manner((await self._upload.first()).options)
        manner.check()
        photos = 0
        while (header := await self._upload.next_medium()) is not None:
            if photos:
                raise InvalidRequestError(
                    Reason.UPLOAD_OUT_OF_ORDER, "nothing comes after the photo", field=header.field
                )
            photos += header.kind == media_pb2.MEDIA_KIND_IMAGE
            await self._medium(header, manner)
        if not photos:
            raise InvalidRequestError(
                Reason.UPLOAD_EMPTY, "the upload holds no image", field="media"
            )

    async def _medium(self, header: MediumHeader, manner: Manner) -> None:
        try:
            if header.kind == media_pb2.MEDIA_KIND_GARMENT:
                await self._garment(header, manner.hints.get(header.index, Hint()))
            elif header.kind == media_pb2.MEDIA_KIND_IMAGE:
                await self._photo(header, manner)
            else:
                refuse_kind(header)
        except (InvalidRequestError, LimitError) as error:
            error.field = error.field or header.field
            await self._call.failure(header.index, error)
            raise

    async def _garment(self, header: MediumHeader, hint: Hint) -> None:
        """Cut a garment out and tell what it was taken for."""
        if len(self._outfit) == GARMENTS_MAX:
            raise InvalidRequestError(
                Reason.UPLOAD_TOO_MANY, f"an outfit holds {GARMENTS_MAX} garments at most"
            )
        arena = self._call.arena
        with arena.scope():
            data = await self._upload.read(header, arena)
            cloth = await self._call.compute(Stage.ANALYSE, self._read, header, data, hint)
        cloth = self._pipeline.keep(cloth, arena)
        self._outfit.append(Worn(cloth=cloth, tuck=hint.tuck, field=header.field))
        found = tryon_pb2.GarmentFound(garment_index=header.index, category=NUMBERS[cloth.category])
        await self._call.send(tryon_pb2.TryOnResponse(garment=found))

    def _read(self, header: MediumHeader, data: memoryview, hint: Hint) -> Cloth:
        picture, _ = self._decode(header, data)
        return self._pipeline.read_garment(picture.pixels, hint, self._call.arena)

    async def _photo(self, header: MediumHeader, manner: Manner) -> None:
        """Dress the person and answer."""
        if not self._outfit:
            raise InvalidRequestError(
                Reason.UPLOAD_OUT_OF_ORDER, "the garments come before the image"
            )
        call, arena = self._call, self._call.arena
        with arena.scope():
            data = await self._upload.read(header, arena)
            picture, media_type = await call.compute(
                Stage.DECODE, self._decode_photo, header, data, manner
            )
            result = await call.compute(
                Stage.RENDER,
                self._pipeline.try_on,
                picture,
                self._outfit,
                manner.person,
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

    def _decode(self, header: MediumHeader, data: memoryview) -> tuple[Picture, str]:
        found = probe(data, header.media_type, self._image_limits)
        return decode(data, found, self._call.arena), found.media_type

    def _decode_photo(
        self, header: MediumHeader, data: memoryview, manner: Manner
    ) -> tuple[Picture, str]:
        """Decode the photo at the size that was asked for; name what it came as."""
        picture, media_type = self._decode(header, data)
        if manner.long_side_pixels_max:
            side = manner.long_side_pixels_max
            picture = self._pipeline.shrink(picture, side, self._call.arena)
        return picture, media_type


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


def read_manner(options: tryon_pb2.TryOnOptions) -> Manner:
    """Take over the options, with their defaults.

    Raises:
        InvalidRequestError: a number that an enumeration does not have, or a garment named twice.
    """
    hints: dict[int, Hint] = {}
    for place, hint in enumerate(options.garments):
        field = f"options.garments[{place}]"
        if hint.garment_index in hints or hint.garment_index >= GARMENTS_MAX:
            raise InvalidRequestError(
                Reason.OPTION_INVALID,
                f"each of the {GARMENTS_MAX} garments is named once at most",
                field=f"{field}.garment_index",
            )
        hints[hint.garment_index] = read_hint(hint, field)
    point = (options.person.x, options.person.y) if options.HasField("person") else None
    return Manner(
        hints=hints,
        person=point,
        mask_wanted=options.mask_wanted,
        seed=options.seed,
        media_type=options.format.media_type,
        quality=options.format.quality or QUALITY_DEFAULT,
        long_side_pixels_max=options.format.long_side_pixels_max,
    )


def read_hint(hint: tryon_pb2.GarmentHint, field: str) -> Hint:
    """Take over what is known of one garment.

    Raises:
        InvalidRequestError: a number that an enumeration does not have.
    """
    if hint.category and hint.category not in CATEGORIES:
        raise InvalidRequestError(
            Reason.OPTION_INVALID, "no such category", field=f"{field}.category"
        )
    if hint.tuck not in TUCKS:
        raise InvalidRequestError(Reason.OPTION_INVALID, "no such tuck", field=f"{field}.tuck")
    return Hint(category=CATEGORIES.get(hint.category), tuck=TUCKS[hint.tuck])
