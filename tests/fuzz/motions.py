"""Motion files, damaged, for their reader."""

import math
from functools import cache
from random import Random

import numpy as np

from batchpix_client.audit import bvh
from services.chassis.errors import MeshError
from services.dance.bvh import read_bvh
from tests.fuzz.files import cut, insert, overwrite, repeat, sources, truncate

FRAMES = 12
WORDS = (
    *(b"HIERARCHY", b"ROOT x", b"JOINT Head", b"JOINT \xff", b"End Site", b"{", b"}", b"}}}}"),
    *(b"OFFSET", b"OFFSET nan 0 0", b"OFFSET 1e308 1e308 0", b"OFFSET inf 0 0", b"OFFSET 1 2"),
    *(b"CHANNELS 3", b"CHANNELS 99999999999", b"CHANNELS -1", b"CHANNELS 0", b"CHANNELS x"),
    *(b"Xrotation", b"Yposition", b"Wrotation", b"MOTION", b"Frames: 0", b"Frames: 999999999"),
    *(b"Frames: -5", b"Frame Time: 0", b"Frame Time: nan", b"Frame Time: 1e-9", b"Frame Time: 9"),
    *(b"1e999", b"nan", b"-inf", b"1e308", b"1_0", b"0x10", b"\0", b"\xef\xbb\xbf", b"\n", b" "),
)
DAMAGES = (insert, insert, insert, overwrite, overwrite, cut, repeat, truncate)


@cache
def whole_file() -> bytes:
    """Make a small file that can be read."""
    turns = np.random.default_rng(0).uniform(-20.0, 20.0, (FRAMES, 3 * len(bvh.JOINTS)))
    return bvh.motion_file(turns).encode()


def damaged(source: Random) -> bytes:
    """Damage a whole file a few times, most often between two words."""
    data = whole_file()
    for _ in range(source.choice((0, 1, 1, 1, 2, 4))):
        place = source.randrange(len(data) + 1)
        if source.random() < 0.8:
            place = max(data.rfind(b"\n", 0, place), 0)
        word = source.choice((b"\n" + source.choice(WORDS) + b"\n", source.randbytes(2)))
        data = source.choice(DAMAGES)(data, place, word)
    return data


motions = sources.map(damaged)


def check_motion(data: bytes) -> None:
    """Read a motion as a service does: places of joints that are numbers, or a refusal.

    Raises:
        AssertionError: a find. Any error outside of the error tree is one too.
    """
    try:
        capture = read_bvh(memoryview(data), "media[0]")
    except MeshError:
        return
    assert np.isfinite(capture.poses).all()
    assert 0 < capture.seconds < math.inf
