"""The forms of a picture."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from batchpix_client.audit import forms
from batchpix_client.audit.canaries import Aviary, decoded
from batchpix_client.audit.footprint import scan_bytes
from batchpix_client.audit.needles import Haystack

Pixels = NDArray[np.uint8]
PIXELS = Aviary(1).noise(128, 256)

HELD: dict[str, Callable[[Pixels], NDArray[np.generic]]] = {
    "u8 RGB": lambda pixels: pixels,
    "u8 BGR": lambda pixels: pixels[..., ::-1],
    "u8 RGBx 255": lambda pixels: np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8))),
    "u8 plane G": lambda pixels: pixels[..., 1],
    "f32 0..1 RGB": lambda pixels: pixels / np.float32(255),
    "f32 0..255 plane": lambda pixels: pixels.transpose(2, 0, 1).astype(np.float32),
    "f16 0..1 BGR": lambda pixels: (pixels[..., ::-1] / np.float32(255)).astype(np.float16),
    "bf16 -1..1 plane": lambda pixels: forms.to_bf16(
        (pixels / np.float32(127.5) - np.float32(1)).transpose(2, 0, 1).copy()
    ),
    "f32 0..1 block plane": lambda pixels: unshuffled(pixels / np.float32(255)),
    "bf16 0..1 block channels": lambda pixels: forms.to_bf16(
        unshuffled(pixels / np.float32(255)).transpose(1, 2, 0).copy()
    ),
}


def unshuffled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rearrange HxWx3 to 48 channels of a quarter of the size, as networks do."""
    height, width = values.shape[:2]
    blocks = values.reshape(height // 4, 4, width // 4, 4, 3)
    return blocks.transpose(4, 1, 3, 0, 2).reshape(48, height // 4, width // 4).copy()


@pytest.mark.parametrize("form", HELD)
def test_each_form_is_found_where_memory_holds_it(form: str) -> None:
    """Shows that a picture is recognised in the type, range and layout that a service holds."""
    haystack = Haystack(forms.of_picture(PIXELS, "input", "call"))
    memory = b"\x07" * 13 + np.ascontiguousarray(HELD[form](PIXELS)).tobytes()

    assert scan_bytes(memory, "memory", haystack).by_form[f"input {form}"] == forms.PLACES


def test_another_picture_is_not_found() -> None:
    """Shows that a picture is told apart from every other in every form."""
    haystack = Haystack(forms.of_picture(Aviary(2).noise(128, 256), "input", "call"))

    found = [
        scan_bytes(np.ascontiguousarray(held(PIXELS)).tobytes(), "memory", haystack).total
        for held in HELD.values()
    ]

    assert found == [0] * len(HELD)


def test_bf16_rounds_to_even() -> None:
    """Shows the rounding of bfloat16 on a tie, below it and above it."""
    ties = np.array([0x3F808000, 0x3F818000, 0x3F807FFF, 0x3F808001], np.uint32)

    assert forms.to_bf16(ties.view(np.float32)).tolist() == [0x3F80, 0x3F82, 0x3F80, 0x3F81]


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_file_is_found_by_its_last_kilobytes(kind: str) -> None:
    """Shows that what a buffer keeps of an upload's end is enough."""
    canary = Aviary(3).picture("call", f"image/{kind}")
    haystack = Haystack(forms.of_file(canary.content, "file", "call"))

    assert scan_bytes(canary.content[-2000:], "memory", haystack).total > 0


def test_other_jpegs_share_nothing() -> None:
    """Shows that the tables that all JPEGs have are not taken for a canary."""
    one, other = (Aviary(seed).picture("call").content for seed in (4, 5))

    assert scan_bytes(other, "memory", Haystack(forms.of_file(one, "file", "call"))).total == 0


def test_sixteen_bits_decode_to_their_high_bytes() -> None:
    """Shows that the 16-bit canary is a PNG that reads as its high bytes."""
    canary = Aviary(6).deep("call")
    haystack = Haystack(needle for needle in canary.needles if needle.form == "input u8 RGB")

    with Image.open(BytesIO(canary.content)) as image:
        assert image.size == (512, 512)
    assert scan_bytes(decoded(canary.content).tobytes(), "memory", haystack).total > 0
