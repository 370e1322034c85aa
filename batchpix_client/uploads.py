"""The caller's half of a stream: options and media as messages.

No transport here: the blocking and the awaiting client both send what these generators make, one
message at a time, so a batch of any length holds one chunk of one medium.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import google_crc32c
from google.protobuf.message import Message

from batchpix.media.v1 import media_pb2
from batchpix_client.jobs.job import AnyJob, Item, option_error
from batchpix_client.media import Source

CHUNK_BYTES_MAX = 1 << 20  # the protocol's limit; a service may publish a smaller one


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A photo that is on its way.

    Attributes:
        position: place among the caller's photos, from 0.
        started_seconds: when the upload of its first medium began, by `time.perf_counter`.
    """

    position: int
    started_seconds: float


class Upload:
    """What one call sends, and which medium belongs to which of the caller's photos."""

    def __init__(self, job: AnyJob) -> None:
        self._job = job
        self._photos: dict[int, Sent] = {}
        self._sent: dict[int, Sent] = {}
        self.chunk_bytes = CHUNK_BYTES_MAX

    def limit_chunks(self, chunk_bytes_max: int) -> None:
        """Keep to the chunk size that the service publishes; 0 = it publishes none."""
        self.chunk_bytes = min(chunk_bytes_max or CHUNK_BYTES_MAX, CHUNK_BYTES_MAX)

    def opening(self) -> Message:
        """Make the first message.

        Raises:
            BatchpixError: an option that cannot be sent.
        """
        try:
            return self._job.opening()
        except (TypeError, ValueError) as error:
            raise option_error(str(error), "options") from None

    def media(self, photos: Iterable[Source]) -> Iterator[Message]:
        """Make the messages of all media, the caller's photos among them.

        Raises:
            OSError: a file cannot be read.
            BatchpixError: media that do not fit together.
        """
        for index, item in enumerate(self._job.items(photos)):
            if item.position is not None:
                started = Sent(position=item.position, started_seconds=time.perf_counter())
                self._sent[index] = self._photos.setdefault(item.position, started)
            yield from self._medium(index, item)

    def sent(self, medium_index: int) -> Sent | None:
        """Find the photo that an uploaded medium is, or is the mask of."""
        return self._sent.get(medium_index)

    @property
    def photos(self) -> int:
        """Photos whose upload has begun."""
        return len(self._photos)

    def _medium(self, index: int, item: Item) -> Iterator[Message]:
        request = self._job.wire.request
        start = media_pb2.MediaStart(
            index=index,
            kind=item.kind,
            media_type=item.medium.declared_type(),
            size_bytes=item.medium.size_bytes,
            belongs_to=item.belongs_to,
        )
        yield request(media_start=start)
        for data in item.medium.chunks(self.chunk_bytes):
            yield request(chunk=media_pb2.Chunk(data=data, crc32c=google_crc32c.value(data)))
