"""Clips as they arrive: collected in memory, or written so that a file is whole or not there."""

import errno
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from batchpix_client.errors import BatchpixError
from batchpix_client.outputs import PICTURE_SUFFIXES
from batchpix_client.results import ClipFacts, ClipPart, Frame, Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A whole clip.

    Attributes:
        data: the file's bytes.
        facts: size, pace and type.
        first_seconds: from the start of the photo's upload to the first piece.
        elapsed_seconds: the same to the last piece.
    """

    data: bytes
    facts: ClipFacts
    first_seconds: float
    elapsed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedClip:
    """A clip on disk.

    Attributes:
        path: its file, or the folder of its frames.
        size_bytes: of the file, or of all frames together.
        facts: size, pace and type; the type of frames is that of their pictures.
        first_seconds: from the start of the photo's upload to the first piece or frame.
        elapsed_seconds: the same to the last.
    """

    path: Path
    size_bytes: int
    facts: ClipFacts
    first_seconds: float
    elapsed_seconds: float


def collect_clip(parts: Iterable[ClipPart]) -> Clip:
    """Put the pieces of a clip together in memory.

    Raises:
        BatchpixError: frames arrived, or nothing.
        Exception: whatever `parts` raises.
    """
    pieces = [piece_of(part) for part in parts]
    if not pieces:
        raise nothing_arrived()
    return Clip(
        data=b"".join(piece.data for piece in pieces),
        facts=pieces[0].clip,
        first_seconds=pieces[0].elapsed_seconds,
        elapsed_seconds=pieces[-1].elapsed_seconds,
    )


def save_clip(parts: Iterable[ClipPart], path: Path) -> SavedClip:
    """Write pieces to a file, or frames to a new folder, as they arrive.

    What is written has another name, beside `path`, until all has arrived; whatever happens before
    that leaves nothing.

    Raises:
        BatchpixError: nothing arrived.
        OSError: it cannot be written, or frames are to go to a folder that is not empty.
        Exception: whatever `parts` raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        unfinished = Path(folder) / path.name
        saved = None
        for part in parts:
            if saved is None and isinstance(part, Frame):
                refuse_full_folder(path)
                unfinished.mkdir()
            write_part(part, unfinished)
            saved = grown(saved, part, path)
        if saved is None:
            raise nothing_arrived()
        unfinished.replace(path)
    return saved


def write_part(part: ClipPart, target: Path) -> None:
    """Write a piece to the end of a file, or a frame to a file of its own in a folder."""
    if isinstance(part, Frame):
        suffix = PICTURE_SUFFIXES.get(part.media_type, "")
        (target / f"{part.index:05}{suffix}").write_bytes(part.data)
        return
    with target.open("ab") as file:
        file.write(part.data)


def grown(saved: SavedClip | None, part: ClipPart, path: Path) -> SavedClip:
    """Count one more part of a clip."""
    return SavedClip(
        path=path,
        size_bytes=len(part.data) + (saved.size_bytes if saved else 0),
        facts=facts_of(part),
        first_seconds=saved.first_seconds if saved else part.elapsed_seconds,
        elapsed_seconds=part.elapsed_seconds,
    )


def facts_of(part: ClipPart) -> ClipFacts:
    """Tell what is known of a clip from a part of it; frames are counted as they come."""
    if isinstance(part, Piece):
        return part.clip
    return ClipFacts(
        media_type=part.media_type,
        width_pixels=part.width_pixels,
        height_pixels=part.height_pixels,
        frames_per_second=part.frames_per_second,
        frame_count=part.index + 1,
    )


def piece_of(part: ClipPart) -> Piece:
    """Refuse frames where a file is wanted."""
    if isinstance(part, Piece):
        return part
    message = "the call asked for frames, which make no single file: iterate over them"
    raise BatchpixError("INVALID_ARGUMENT", "OPTION_INVALID", message, field="container")


def refuse_full_folder(path: Path) -> None:
    """Refuse to mix frames with what is there already."""
    if path.is_dir() and any(path.iterdir()):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))


def nothing_arrived() -> BatchpixError:
    """Make the error of a call without a result."""
    return BatchpixError("DATA_LOSS", "RESULT_MISSING", "the call brought no clip")
