"""The caller's half of a stylize stream: options, style pictures, masks and pictures as messages.

No transport here: the blocking and the awaiting client both send what these generators make, one
message at a time, so a batch of any length holds one chunk of one picture.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import google_crc32c

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from batchpix_client.jobs import StylizeJob, option_error
from batchpix_client.pictures import Picture, Source, as_picture

CHUNK_BYTES_MAX = 1 << 20  # the protocol's limit; a service may publish a smaller one


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A picture that is on its way.

    Attributes:
        position: place among the caller's pictures, from 0.
        started_seconds: when its upload began, on the clock of `time.perf_counter`.
    """

    position: int
    started_seconds: float


class Upload:
    """What one call sends, and which medium belongs to which of the caller's pictures."""

    def __init__(self, job: StylizeJob) -> None:
        self._job = job
        self._media = 0
        self._pictures = 0
        self._sent: dict[int, Sent] = {}
        self.chunk_bytes = CHUNK_BYTES_MAX

    def limit_chunks(self, chunk_bytes_max: int) -> None:
        """Keep to the chunk size that the service publishes; 0 = it publishes none."""
        self.chunk_bytes = min(chunk_bytes_max or CHUNK_BYTES_MAX, CHUNK_BYTES_MAX)

    def opening(self) -> stylize_pb2.StylizeRequest:
        """Make the first message.

        Raises:
            BatchpixError: an option that cannot be sent.
        """
        return stylize_pb2.StylizeRequest(options=self._job.options())

    def styles(self) -> Iterator[stylize_pb2.StylizeRequest]:
        """Make the messages of all style pictures.

        Raises:
            OSError: a file cannot be read.
        """
        for picture in self._job.style_pictures():
            yield from self._medium(picture, media_pb2.MEDIA_KIND_STYLE)

    def picture(self, source: Source) -> Iterator[stylize_pb2.StylizeRequest]:
        """Make the messages of the next picture, its mask first.

        Raises:
            OSError: a file cannot be read.
        """
        sent = Sent(position=self._pictures, started_seconds=time.perf_counter())
        self._pictures += 1
        masks = self._job.masks
        mask = masks[sent.position] if sent.position < len(masks) else None
        if mask is not None:
            self._sent[self._media] = sent
            owner = self._media + 1
            yield from self._medium(as_picture(mask), media_pb2.MEDIA_KIND_MASK, owner)
        self._sent[self._media] = sent
        yield from self._medium(as_picture(source), media_pb2.MEDIA_KIND_IMAGE)

    def close(self) -> None:
        """Check that every mask found its picture; called when the pictures are at an end.

        Raises:
            BatchpixError: there were more masks than pictures.
        """
        if len(self._job.masks) > self._pictures:
            raise option_error("there are more masks than pictures", "masks")

    def sent(self, medium_index: int) -> Sent | None:
        """Find the picture that an uploaded medium is, or is the mask of."""
        return self._sent.get(medium_index)

    @property
    def pictures(self) -> int:
        """Pictures whose upload has begun."""
        return self._pictures

    def _medium(
        self, picture: Picture, kind: media_pb2.MediaKind.ValueType, belongs_to: int | None = None
    ) -> Iterator[stylize_pb2.StylizeRequest]:
        start = media_pb2.MediaStart(
            index=self._media,
            kind=kind,
            media_type=picture.declared_type(),
            size_bytes=picture.size_bytes,
            belongs_to=belongs_to,
        )
        self._media += 1
        yield stylize_pb2.StylizeRequest(media_start=start)
        for data in picture.chunks(self.chunk_bytes):
            chunk = media_pb2.Chunk(data=data, crc32c=google_crc32c.value(data))
            yield stylize_pb2.StylizeRequest(chunk=chunk)
