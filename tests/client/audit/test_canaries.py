"""Canaries that are no noise alone: people, garments, films, sounds and motions."""

import io
import wave
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from batchpix_client.audit.canaries import Aviary, Canary, decoded, needles_of_result
from batchpix_client.audit.footprint import scan_bytes
from batchpix_client.audit.needles import Haystack
from batchpix_client.films import strip
from services.dance.bvh import read_bvh
from tests.chassis.media.films import film

KINDS: dict[str, Callable[[Aviary], Canary]] = {
    "person": lambda aviary: aviary.person("call"),
    "garment": lambda aviary: aviary.garment("call"),
    "film": lambda aviary: aviary.film("call"),
    "music": lambda aviary: aviary.music("call"),
    "motion": lambda aviary: aviary.motion("call"),
    "depth map": lambda aviary: aviary.mask("call", what="depth map"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_is_told_from_all_others_of_its_kind(kind: str) -> None:
    """Shows that a file is found by itself, and that no other of its kind holds a piece of it."""
    one, other = (KINDS[kind](Aviary(seed)) for seed in (1, 2))
    haystack = Haystack(one.needles)

    assert scan_bytes(one.content, "memory", haystack).total > 0
    assert scan_bytes(other.content, "memory", haystack).total == 0


def test_pixels_of_people_are_told_apart() -> None:
    """Shows that noise makes each photo of one person its own, pixel by pixel."""
    one, other = (Aviary(seed).person("call") for seed in (1, 2))
    haystack = Haystack(one.needles)

    assert scan_bytes(decoded(one.content).tobytes(), "memory", haystack).total > 0
    assert scan_bytes(decoded(other.content).tobytes(), "memory", haystack).total == 0


def test_music_is_recognised_in_the_forms_that_services_hold() -> None:
    """Shows that sound is found as samples, and as floats of each side and of both together."""
    canary = Aviary(3).music("call")
    with wave.open(io.BytesIO(canary.content)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").reshape(-1, 2)
    floats = samples.astype(np.float32) / np.float32(32_768)
    haystack = Haystack(canary.needles)

    found = {
        name: scan_bytes(np.ascontiguousarray(held).tobytes(), "memory", haystack).total
        for name, held in (
            ("samples", samples),
            ("left", floats[:, 0]),
            ("right", floats[:, 1]),
            ("mono", samples.astype(np.float32).mean(axis=1) / np.float32(32_768)),
        )
    }
    assert min(found.values()) >= 10


def test_a_motion_can_be_danced_and_its_numbers_are_recognised() -> None:
    """Shows that the file is one that dance reads, and that its angles are found as numbers."""
    canary = Aviary(4).motion("call")
    rows = canary.content.decode().partition("Frame Time:")[2].splitlines()[1:]
    turns = np.array([[float(word) for word in row.split()] for row in rows])
    haystack = Haystack(canary.needles)

    assert len(read_bvh(memoryview(canary.content), "media[0]").poses) == len(turns)
    assert scan_bytes(turns.tobytes(), "memory", haystack).total >= 10


def test_a_film_can_be_played() -> None:
    """Shows that the film is one of a person, and that a decoded frame of it is recognised."""
    canary = Aviary(5).film("call")
    frames = strip(canary.content, 100)
    haystack = Haystack(canary.needles)

    assert len(frames) == 12
    assert scan_bytes(np.asarray(frames[0]).tobytes(), "memory", haystack).total > 0


def test_what_all_films_share_is_no_needle() -> None:
    """Shows that two clips of a service have no piece of their headers in common."""
    sources = [np.random.default_rng(seed) for seed in (1, 2)]
    one, other = (
        b"".join(film(source.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(30)))
        for source in sources
    )
    haystack = Haystack(needles_of_result(one, "video/mp4", "call"))

    assert scan_bytes(one, "memory", haystack).total > 0
    assert scan_bytes(other, "memory", haystack).total == 0


def test_a_person_under_noise_has_the_sample_s_size() -> None:
    """Shows that the canary is a picture of the sample's own size."""
    with Image.open(io.BytesIO(Aviary(6).person("call").content)) as image:
        assert image.size == (640, 960)
