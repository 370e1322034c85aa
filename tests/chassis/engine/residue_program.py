"""Runs an engine on pictures that come in on standard input; says after each when all is wiped.

Arguments: network file, f32 or bf16, rinsed or kept, side of the pictures in pixels.
"""

import ctypes
import gc
import mmap
import os
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))

from services.chassis.engine.openvino import Arrays, OpenVinoEngine


class KeepingEngine(OpenVinoEngine):
    """An engine that cleans up nothing: what a scan must find something of."""

    def run(self, inputs: Arrays, outputs: Arrays) -> None:
        """Run, and leave it at that."""
        self._infer(inputs, outputs)


def main() -> None:
    """Work until standard input ends."""
    file, precision, rinse, side = sys.argv[1:]
    kind = OpenVinoEngine if rinse == "rinsed" else KeepingEngine
    engine = kind(
        Path(file),
        threads=2,
        picture_inputs=("image",),
        picture_outputs=("stylized",),
        exact=precision == "f32",
    )
    style_size = next(spec.shape[1] for spec in engine.inputs if spec.name == "style")
    shape = (1, int(side), int(side), 3)
    picture_bytes = int(side) * int(side) * 3
    style_bytes = 4 * (style_size or 0)
    # The memory of a call, filled and wiped in place, so that Python holds no copy of it.
    memory = mmap.mmap(-1, 2 * picture_bytes + style_bytes)
    image = np.ndarray(shape, np.uint8, memory)
    stylized = np.ndarray(shape, np.uint8, memory, picture_bytes)
    style = np.ndarray((1, style_size), np.float32, memory, 2 * picture_bytes)
    address = image.ctypes.data
    while read_into(memoryview(memory)[:picture_bytes]):
        # Each picture has a style of its own, which must be gone as well.
        style[:] = image.reshape(-1)[: style.size] / 255.0
        engine.run({"image": image, "style": style}, {"stylized": stylized})
        ctypes.memset(address, 0, len(memory))
        gc.collect()
        os.write(1, b".")


def read_into(view: memoryview) -> bool:
    """Fill a view from standard input; False at the end."""
    filled = 0
    while filled < len(view):
        count = os.readv(0, [view[filled:]])
        if not count:
            return False
        filled += count
    return True


main()
