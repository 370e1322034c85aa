"""Options of any content, well-formed or not, for what holds them to their ranges."""

import math

import numpy as np
from google.protobuf.message import DecodeError
from hypothesis import strategies as st

from batchpix.media.v1 import media_pb2
from batchpix.stylize.v1 import stylize_pb2
from services.chassis.errors import MeshError
from services.chassis.media.headers import ALLOWED_MEDIA_TYPES
from services.stylize.manner import STYLE_SCALE_MAX, STYLE_SCALE_MIN, STYLES_MAX, Manner
from services.stylize.servicer import check_styles, read_manner
from services.stylize.styles import Style, StyleBook

BOOK = StyleBook([Style(name="plain", title="", painter="", year=0, code=np.zeros(4, np.float32))])
UINT32_MAX = (1 << 32) - 1

numbers = st.one_of(st.floats(0, 1, width=32), st.floats(width=32))
counts = st.one_of(st.integers(0, 200), st.integers(0, UINT32_MAX))
names = st.one_of(st.just("plain"), st.text(max_size=8))
weights = st.one_of(
    st.builds(stylize_pb2.StyleWeight, name=names, weight=numbers),
    st.builds(stylize_pb2.StyleWeight, style_index=counts, weight=numbers),
    st.builds(stylize_pb2.StyleWeight),
)
formats = st.builds(
    media_pb2.PictureFormat,
    media_type=st.one_of(st.sampled_from(["", *ALLOWED_MEDIA_TYPES]), st.text(max_size=12)),
    quality=counts,
    long_side_pixels_max=counts,
)
well_formed = st.builds(
    stylize_pb2.StylizeOptions,
    styles=st.lists(weights, max_size=10),
    strength=st.none() | numbers,
    preserve_colour=st.booleans(),
    region=st.one_of(st.integers(0, 3), st.integers(-(1 << 31), (1 << 31) - 1)),
    style_scale=st.none() | numbers,
    seed=st.integers(0, (1 << 64) - 1),
    format=formats,
)
messages = st.one_of(
    st.builds(lambda options: options.SerializeToString(), well_formed),
    st.builds(
        lambda options, place, piece: b"".join(
            (options.SerializeToString()[:place], piece, options.SerializeToString()[place:])
        ),
        well_formed,
        st.integers(0, 60),
        st.binary(min_size=1, max_size=6),
    ),
    st.binary(max_size=40),
)


def check_options(data: bytes) -> None:
    """Read options as a service does: all in their ranges or a refusal.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    try:
        options = stylize_pb2.StylizeOptions.FromString(data)
    except DecodeError:
        return  # gRPC ends such a call before it reaches the service's code
    try:
        manner = read_manner(options)
        manner.check(frozenset(ALLOWED_MEDIA_TYPES))
        check_styles(options, BOOK)
    except MeshError:
        return
    assert is_in_range(manner)
    assert len(options.styles) <= STYLES_MAX
    assert all(part.weight >= 0 and math.isfinite(part.weight) for part in options.styles)


def is_in_range(manner: Manner) -> bool:
    """Hold what was let through to the published ranges."""
    return (
        0 <= manner.strength <= 1
        and STYLE_SCALE_MIN <= manner.style_scale <= STYLE_SCALE_MAX
        and 1 <= manner.quality <= 100
        and (manner.long_side_pixels_max == 0 or 16 <= manner.long_side_pixels_max <= 16_384)
        and manner.media_type in {"", *ALLOWED_MEDIA_TYPES}
    )
