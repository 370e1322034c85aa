"""The RPCs' shape: chunks in, pipeline, chunks out."""

import math
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any, TypeAlias

import grpc
import numpy as np
from numpy.typing import NDArray

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2, stylize_pb2_grpc
from services.chassis.calls import Call, CallDesk
from services.chassis.chunks import MediumHeader, Upload
from services.chassis.errors import InvalidRequestError, LimitError, MeshError, Reason
from services.chassis.media.headers import ALLOWED_MEDIA_TYPES
from services.chassis.media.image import ImageLimits, Picture, decode, encode, probe
from services.chassis.telemetry import Stage
from services.stylize.manner import QUALITY_DEFAULT, STYLES_MAX, Manner, Region
from services.stylize.painter import Sitting
from services.stylize.pipeline import StylizePipeline
from services.stylize.styles import StyleBook, StyleCode, mix

# Quoted: generic for the type checker only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

REGIONS = {
    stylize_pb2.REGION_UNSPECIFIED: Region.WHOLE,
    stylize_pb2.REGION_WHOLE: Region.WHOLE,
    stylize_pb2.REGION_SUBJECT: Region.SUBJECT,
    stylize_pb2.REGION_BACKGROUND: Region.BACKGROUND,
}


class StylizeServicer(stylize_pb2_grpc.StylizeServiceServicer):
    """Answers `batchpix.stylize.v1.StylizeService`."""

    def __init__(self, desk: CallDesk, pipeline: StylizePipeline) -> None:
        self._desk = desk
        self._pipeline = pipeline
        styles = [
            stylize_pb2.Style(
                name=style.name, title=style.title, painter=style.painter, year=style.year
            )
            for style in pipeline.book.styles
        ]
        self._styles = stylize_pb2.ListStylesResponse(styles=styles)

    async def Stylize(  # type: ignore[override]  # a coroutine that writes, see interceptors.Gate
        self, request_iterator: AsyncIterator[stylize_pb2.StylizeRequest], context: Context
    ) -> None:
        """Stylise one picture or a batch of them."""
        async with self._desk.open(context, stylize_pb2.StylizeResponse) as call:
            with ExitStack() as sittings:
                sitting = sittings.enter_context(self._pipeline.sitting())
                # Left on a worker thread once the results are on their way, not here.
                call.at_end(sittings.pop_all().close)
            upload = Upload(request_iterator, call.limits, call.patience)
            await Batch(call, self._pipeline, sitting, upload).run()

    async def ListStyles(
        self,
        request: stylize_pb2.ListStylesRequest,  # noqa: ARG002  # gRPC's signature
        context: Context,  # noqa: ARG002
    ) -> stylize_pb2.ListStylesResponse:
        """Name the styles that the service knows."""
        return self._styles


class Batch:
    """The pictures of one call, worked on in the order in which they come."""

    def __init__(
        self,
        call: Call,
        pipeline: StylizePipeline,
        sitting: Sitting,
        upload: Upload[stylize_pb2.StylizeRequest],
    ) -> None:
        self._call = call
        self._pipeline = pipeline
        self._sitting = sitting
        self._upload = upload
        self._image_limits = ImageLimits(pixels_max=call.limits.pixels_max)
        self._uploaded_styles: dict[int, StyleCode] = {}
        self._masks: dict[int, tuple[MediumHeader, memoryview]] = {}
        self._errors: list[MeshError] = []
        self._images = 0

    async def run(self) -> None:
        """Read options and media to the half-close and answer each image.

        Raises:
            MeshError: the call can't go on, or every one of its images failed.
        """
        options = (await self._upload.first()).options
        manner = read_manner(options)
        manner.check(frozenset(ALLOWED_MEDIA_TYPES))
        check_styles(options, self._pipeline.book)
        while (header := await self._upload.next_medium()) is not None:
            await self._medium(header, options, manner)
        if not self._images:
            raise InvalidRequestError(
                Reason.UPLOAD_EMPTY, "the upload holds no image", field="media"
            )
        if len(self._errors) == self._images:
            raise self._errors[0]

    async def _medium(
        self, header: MediumHeader, options: stylize_pb2.StylizeOptions, manner: Manner
    ) -> None:
        if header.kind == media_pb2.MEDIA_KIND_MASK:
            # A mask stays until its image has come; it is wiped with the call.
            self._keep_mask(header, await self._upload.read(header, self._call.arena))
        elif header.kind == media_pb2.MEDIA_KIND_STYLE:
            with self._call.arena.scope():
                data = await self._upload.read(header, self._call.arena)
                code = await self._call.compute(Stage.ANALYSE, self._style_code, header, data)
                self._uploaded_styles[header.index] = code
        elif header.kind == media_pb2.MEDIA_KIND_IMAGE:
            with self._call.arena.scope():
                data = await self._upload.read(header, self._call.arena)
                await self._image(header, data, self._code(options), manner)
        else:
            raise InvalidRequestError(
                Reason.MEDIA_KIND_INVALID,
                "a stylize call takes images, styles and masks",
                field=f"{header.field}.kind",
            )

    async def _image(
        self, header: MediumHeader, data: memoryview, code: StyleCode, manner: Manner
    ) -> None:
        """Work on one image; a bad one fails alone."""
        self._images += 1
        try:
            await self._answer(header, data, code, manner)
        except (InvalidRequestError, LimitError) as error:
            error.field = error.field or header.field
            self._errors.append(error)
            await self._call.failure(header.index, error)

    async def _answer(
        self, header: MediumHeader, data: memoryview, code: StyleCode, manner: Manner
    ) -> None:
        call, arena = self._call, self._call.arena
        picture, media_type = await call.compute(Stage.DECODE, self._decode, header, data, manner)
        mask = await call.compute(Stage.ANALYSE, self._mask, header, picture, manner)
        painted = await call.compute(
            Stage.RENDER,
            self._pipeline.stylise,
            self._sitting,
            picture.pixels,
            mask,
            code,
            manner,
            arena,
            call.cancelled,
        )
        encoded = await call.compute(
            Stage.ENCODE, encode, painted, picture.alpha, media_type, manner.quality, arena
        )
        start = media_pb2.MediaStart(
            kind=media_pb2.MEDIA_KIND_IMAGE,
            media_type=media_type,
            belongs_to=header.index,
            width_pixels=painted.shape[1],
            height_pixels=painted.shape[0],
        )
        await call.result(start, encoded)
        await call.progress(media_pb2.STAGE_RENDER, self._images, 0)

    def _decode(
        self, header: MediumHeader, data: memoryview, manner: Manner
    ) -> tuple[Picture, str]:
        """Decode an image at the size that was asked for; name what it leaves as."""
        found = probe(data, header.media_type, self._image_limits)
        picture = decode(data, found, self._call.arena)
        if manner.long_side_pixels_max:
            picture = self._pipeline.shrink(picture, manner.long_side_pixels_max, self._call.arena)
        return picture, manner.media_type or found.media_type

    def _mask(
        self, header: MediumHeader, picture: Picture, manner: Manner
    ) -> NDArray[np.uint8] | None:
        """Make the mask of an image from what was uploaded for it and the region asked for."""
        uploaded = self._masks.pop(header.index, None)
        grey = None
        if uploaded is not None:
            mask_header, data = uploaded
            grey = self._decode_mask(mask_header, data, picture)
        return self._pipeline.region_mask(picture.pixels, grey, manner.region, self._call.arena)

    def _decode_mask(
        self, header: MediumHeader, data: memoryview, picture: Picture
    ) -> NDArray[np.uint8]:
        """Decode a mask to the size of its image.

        Raises:
            InvalidRequestError: unreadable, or of another size; the mask's own field is named.
        """
        try:
            found = probe(data, header.media_type, self._image_limits)
            mask = decode(data, found, self._call.arena)
        except (InvalidRequestError, LimitError) as error:
            error.field = header.field
            raise
        size = picture.pixels.shape[:2]
        return self._pipeline.fit_mask(mask.pixels, size, header.field, self._call.arena)

    def _keep_mask(self, header: MediumHeader, data: memoryview) -> None:
        if header.belongs_to is None or header.belongs_to <= header.index:
            raise InvalidRequestError(
                Reason.UPLOAD_OUT_OF_ORDER,
                "a mask must name the image that it belongs to, which comes after it",
                field=f"{header.field}.belongs_to",
            )
        self._masks[header.belongs_to] = (header, data)

    def _style_code(self, header: MediumHeader, data: memoryview) -> StyleCode:
        try:
            found = probe(data, header.media_type, self._image_limits)
            picture = decode(data, found, self._call.arena)
        except (InvalidRequestError, LimitError) as error:
            error.field = error.field or header.field
            raise
        return self._pipeline.style_code(picture.pixels, self._call.arena)

    def _code(self, options: stylize_pb2.StylizeOptions) -> StyleCode:
        """Mix the call's styles; without any, the uploaded style pictures in equal parts."""
        if not options.styles:
            if not self._uploaded_styles:
                raise InvalidRequestError(
                    Reason.OPTION_INVALID,
                    "name a style or upload a style picture",
                    field="options.styles",
                )
            return mix([(code, 1.0) for code in self._uploaded_styles.values()])
        return mix(
            [
                (self._part(part, f"options.styles[{place}]"), part.weight or 1.0)
                for place, part in enumerate(options.styles)
            ]
        )

    def _part(self, part: stylize_pb2.StyleWeight, field: str) -> StyleCode:
        if part.WhichOneof("source") == "name":
            return self._pipeline.book.code(part.name, f"{field}.name")
        code = self._uploaded_styles.get(part.style_index)
        if code is None:
            raise InvalidRequestError(
                Reason.OPTION_INVALID,
                "no uploaded style picture has this index",
                field=f"{field}.style_index",
            )
        return code


def read_manner(options: stylize_pb2.StylizeOptions) -> Manner:
    """Take over the options that hold for all pictures, with their defaults."""
    return Manner(
        strength=options.strength if options.HasField("strength") else 1.0,
        preserve_colour=options.preserve_colour,
        region=read_region(options.region),
        style_scale=options.style_scale if options.HasField("style_scale") else 1.0,
        seed=options.seed,
        media_type=options.format.media_type,
        quality=options.format.quality or QUALITY_DEFAULT,
        long_side_pixels_max=options.format.long_side_pixels_max,
    )


def read_region(region: stylize_pb2.Region.ValueType) -> Region:
    """Take over the region.

    Raises:
        InvalidRequestError: a number that the enumeration does not have.
    """
    if region not in REGIONS:
        raise InvalidRequestError(Reason.OPTION_INVALID, "no such region", field="options.region")
    return REGIONS[region]


def check_styles(options: stylize_pb2.StylizeOptions, book: StyleBook) -> None:
    """Refuse styles that can't be mixed before any medium is read.

    Raises:
        InvalidRequestError: too many styles, a name that is not known, or a share below zero.
    """
    if len(options.styles) > STYLES_MAX:
        raise InvalidRequestError(
            Reason.OPTION_INVALID,
            f"at most {STYLES_MAX} styles can be mixed",
            field="options.styles",
        )
    for place, part in enumerate(options.styles):
        field = f"options.styles[{place}]"
        if not math.isfinite(part.weight) or part.weight < 0.0:
            raise InvalidRequestError(
                Reason.OPTION_INVALID, "a share must be more than 0", field=f"{field}.weight"
            )
        if part.WhichOneof("source") == "name":
            book.code(part.name, f"{field}.name")
