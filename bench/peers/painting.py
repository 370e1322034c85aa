"""The work that every contender does: a JPEG in, the same picture painted out as a JPEG.

Written as anybody would who has the ONNX file, OpenVINO and Pillow, and wants speed: precision and
threads as OpenVINO's guide for latency says, conversions between bytes and numbers inside the
network, no copy that can be spared. It knows nothing of the mesh, so that it runs wherever a peer
runs, but gives the same pixels: the same border around the picture, the same encoder settings.
"""

import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops
from openvino.preprocess import ColorFormat, PrePostProcessor
from PIL import Image

MODELS = Path(__file__).resolve().parents[2] / "models" / "stylize"
STYLE = "starry_night"
# As the service paints: a mirrored border, and canvases in steps, so that shapes repeat.
BORDER_PIXELS, STEP_PIXELS, THUMBNAIL_SIDE_PIXELS = 32, 64, 128
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a peer shares the processor out.

    Attributes:
        port: where it listens, on loopback.
        workers: pictures that are worked on at a time.
        threads: processor threads of each.
    """

    port: int
    workers: int
    threads: int

    @classmethod
    def from_env(cls) -> "Layout":
        """Read what the bench set; all processes of a peer inherit it."""
        port, workers, threads = (
            int(os.environ[f"PEER_{name}"]) for name in ("PORT", "WORKERS", "THREADS")
        )
        return cls(port=port, workers=workers, threads=threads)


class PaintingWork:
    """The network with its style, ready to work; `paint` may be called from several threads."""

    def __init__(self, *, threads: int, streams: int = 1) -> None:
        """Compile the network.

        Args:
            threads: processor threads of one run.
            streams: runs at a time within this process.
        """
        core = ov.Core()
        # Processes that share a processor must not pin their threads to the same core.
        settings = {
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": threads * streams,
            "ENABLE_CPU_PINNING": False,
        }
        if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            settings["INFERENCE_PRECISION_HINT"] = "bf16"
        compiled = core.compile_model(
            with_pictures(core.read_model(MODELS / "stylize.onnx")), "CPU", settings
        )
        self._idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(streams):
            self._idle.put(compiled.create_infer_request())
        self._style = style_code()[None]
        self.paint(grey_jpeg())

    def paint(self, jpeg: bytes) -> bytes:
        """Decode, paint and encode one picture."""
        with Image.open(io.BytesIO(jpeg)) as opened:
            picture = np.asarray(opened.convert("RGB"))
        painted = self._run(framed(picture), shrunk(picture))
        height, width = picture.shape[:2]
        rows, columns = (
            slice(BORDER_PIXELS, BORDER_PIXELS + height),
            slice(BORDER_PIXELS, BORDER_PIXELS + width),
        )
        file = io.BytesIO()
        result = Image.fromarray(np.ascontiguousarray(painted[rows, columns]))
        result.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        return file.getvalue()

    def _run(self, canvas: NDArray[np.uint8], thumbnail: NDArray[np.uint8]) -> NDArray[np.uint8]:
        request = self._idle.get()
        try:
            request.set_tensor("image", ov.Tensor(canvas[None], shared_memory=True))
            request.set_tensor("thumbnail", ov.Tensor(thumbnail[None], shared_memory=True))
            request.set_tensor("style", ov.Tensor(self._style, shared_memory=True))
            request.infer()
            painted: NDArray[np.uint8] = request.get_tensor("stylized").data[0].copy()
            return painted
        finally:
            self._idle.put(request)


def framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a picture HxWx3 on a canvas with mirrored surroundings."""
    height, width = picture.shape[:2]
    bottom, right = (
        -(-(BORDER_PIXELS + side + BORDER_PIXELS) // STEP_PIXELS) * STEP_PIXELS
        - BORDER_PIXELS
        - side
        for side in (height, width)
    )
    return np.pad(picture, ((BORDER_PIXELS, bottom), (BORDER_PIXELS, right), (0, 0)), "symmetric")


def shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink a picture HxWx3 to the square that the network takes its statistics of."""
    size = (THUMBNAIL_SIDE_PIXELS, THUMBNAIL_SIDE_PIXELS)
    # A copy: OpenVINO takes no array of somebody else's memory that it may not write to.
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def style_code() -> NDArray[np.float32]:
    """Read the numbers of the style."""
    for entry in json.loads((MODELS / "styles.json").read_bytes()):
        if entry["name"] == STYLE:
            return np.asarray(entry["code"], np.float32)
    raise LookupError(STYLE)


def with_pictures(network: ov.Model) -> ov.Model:
    """Put conversions into the network: uint8 NxHxWx3 0..255 to float Nx3xHxW 0..1, and back."""
    steps = PrePostProcessor(network)
    for name in ("image", "thumbnail"):
        given = steps.input(name)
        given.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        given.tensor().set_color_format(ColorFormat.RGB)
        given.preprocess().convert_element_type(ov.Type.f32).scale(255.0)
        given.model().set_layout(ov.Layout("NCHW"))
    written = steps.output("stylized")
    written.model().set_layout(ov.Layout("NCHW"))
    written.postprocess().custom(
        lambda port: ops.clamp(
            ops.round(ops.multiply(port, ops.constant(255.0, ov.Type.f32)), "half_to_even"),
            0.0,
            255.0,
        ).output(0)
    )
    written.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    return steps.build()


def grey_jpeg() -> bytes:
    """Make a picture to warm up on."""
    file = io.BytesIO()
    Image.new("RGB", (512, 512), "grey").save(file, "JPEG")
    return file.getvalue()
