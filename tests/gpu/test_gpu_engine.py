"""Engines on a GPU: their answers, what they leave, what they do without memory; needs TensorRT.

A small network is built on the spot. The shipped ones are run as `build-engines` made them.
"""

import os
import threading
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.settings import SERVICES
from services.chassis.engine import Engine
from services.chassis.engine.accuracy import filled, mean_error
from services.chassis.engine.choice import CpuRoom
from services.chassis.engine.half import to_half
from services.chassis.engine.networks import Network, Sides
from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.errors import InternalError, LimitError, Stopped
from services.chassis.memory.arena import Budget
from services.chassis.memory.device_budget import DeviceBudget
from services.chassis.raster.cpu import CpuRaster
from services.chassis.settings import Settings
from services.chassis.store import ModelStore
from services.stylize.networks import GPU_REACH, PAINTER
from services.stylize.painter import Painter
from tests.gpu.half_network import small_network
from tests.gpu.search import count

if TYPE_CHECKING:
    from services.chassis.engine.gpu import GpuRoom
    from services.chassis.memory.cuda import CudaDriver

RECORDED, EAGER = (32, 48), (48, 32)
NETWORK = Network(
    name="small",
    picture_inputs=("image",),
    picture_outputs=("stylized",),
    sides=Sides(least=16, usual=RECORDED, most=64, recorded=(RECORDED,)),
)
SHIPPED: dict[str, Network] = {
    network.name: network
    for feature in SERVICES
    for network in import_module(f"services.{feature}.networks").NETWORKS
}


@pytest.fixture(scope="module")
def plan(gpu: "CudaDriver") -> bytes:
    """Build the small network."""
    pytest.importorskip("tensorrt", reason="TensorRT is not installed on this machine")
    from services.chassis.engine.tensorrt import build_plan  # noqa: PLC0415

    with gpu.current():
        model = to_half(small_network().SerializeToString())
        return build_plan(model, NETWORK, b"", lambda *_: None).plan


@pytest.fixture
def budget(gpu: "CudaDriver") -> DeviceBudget:
    """Make a budget in which nothing may be leased after a test."""
    return DeviceBudget(gpu, 1 << 28)


@pytest.fixture
def engine(gpu: "CudaDriver", plan: bytes, budget: DeviceBudget) -> Engine:
    """Load the small network."""
    from services.chassis.engine.tensorrt import TensorRtEngine  # noqa: PLC0415

    return TensorRtEngine(plan, NETWORK, gpu, budget, gpu.name)


@pytest.fixture(scope="module")
def room(gpu: "CudaDriver") -> "GpuRoom":
    """Open the GPU as a service does."""
    pytest.importorskip("tensorrt", reason="TensorRT is not installed on this machine")
    from services.chassis.engine.gpu import GpuRoom  # noqa: PLC0415

    settings = Settings.from_env(os.environ)
    try:
        return GpuRoom(settings, ModelStore(settings.models))
    except InternalError as error:
        pytest.skip(error.message)


@pytest.fixture(params=SHIPPED.values(), ids=SHIPPED)
def shipped(request: pytest.FixtureRequest, room: "GpuRoom") -> Iterator[tuple[Network, Engine]]:
    """Load a shipped network; nothing may be leased after a test."""
    network: Network = request.param
    try:
        yield network, room.load(network)
    except InternalError as error:
        pytest.skip(error.message)
    assert room.budget.leased_bytes == 0


@pytest.fixture
def canary() -> int:
    """Draw a word that is two ordinary floats as well, since networks compute with it."""
    return int(np.random.default_rng().uniform(0.1, 0.9, 2).astype(np.float32).view(np.uint64)[0])


def canaries(word: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Fill an array with a word."""
    kind = np.dtype(dtype)
    count = int(np.prod(shape)) * kind.itemsize
    words = np.full(count // 8 + 1, word, np.uint64).view(np.uint8)[:count]
    return words.view(kind).reshape(shape).copy()


def run(engine: Engine, network: Network, word: int, sides: tuple[int, int]) -> None:
    """Run an engine on canaries alone."""
    inputs = {
        spec.name: canaries(word, filled(spec.shape, sides), spec.dtype) for spec in engine.inputs
    }
    outputs = {}
    for spec in engine.outputs:
        step = 1 if spec.name in network.picture_outputs else network.answer_step
        extents = (sides[0] // step, sides[1] // step)
        outputs[spec.name] = np.zeros(filled(spec.shape, extents), spec.dtype)
    engine.run(inputs, outputs)


@pytest.mark.parametrize("sides", [RECORDED, EAGER])
def test_a_picture_is_that_of_the_cpu(engine: Engine, sides: tuple[int, int]) -> None:
    """Recorded and eager runs paint the CPU's picture within a level."""
    reference = OpenVinoEngine(
        small_network().SerializeToString(),
        threads=2,
        picture_inputs=NETWORK.picture_inputs,
        picture_outputs=NETWORK.picture_outputs,
        exact=True,
    )
    image = np.random.default_rng().integers(0, 256, (1, *sides, 3), np.uint8)
    inputs = {"image": image, "style": np.array([[0.4, -0.3, 0.9, 0.1]], np.float32)}
    painted, expected = np.zeros_like(image), np.zeros_like(image)
    engine.run(inputs, {"stylized": painted})
    reference.run(inputs, {"stylized": expected})

    assert "1 graphs" in engine.description
    assert np.abs(painted.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("sides", [RECORDED, EAGER])
def test_a_run_leaves_nothing(
    engine: Engine,
    gpu: "CudaDriver",
    budget: DeviceBudget,
    canary: int,
    sides: tuple[int, int],
) -> None:
    """Free memory holds nothing of a run, and what is kept for graphs is zero."""
    run(engine, NETWORK, canary, sides)

    assert budget.leased_bytes == 0
    assert count(gpu, canary) == 0
    for slot in [engine._slots.get() for _ in range(2)]:  # type: ignore[attr-defined]
        for ahead in slot._ahead.values():
            left = np.ones(ahead.memory.size_bytes, np.uint8)
            with gpu.current():
                slot._stream.download(ahead.memory.address, left)
            assert not left.any()
        engine._slots.put(slot)  # type: ignore[attr-defined]


def test_without_memory_nothing_is_charged(gpu: "CudaDriver", plan: bytes) -> None:
    """A run that the budget can't hold is refused, and later ones are not in its way."""
    from services.chassis.engine.tensorrt import TensorRtEngine  # noqa: PLC0415

    budget = DeviceBudget(gpu, 1 << 12, patience_seconds=0.0)
    engine = TensorRtEngine(plan, NETWORK, gpu, budget, gpu.name)

    for _ in range(3):
        with pytest.raises(LimitError):
            run(engine, NETWORK, 0, RECORDED)

    assert (budget.leased_bytes, budget.kept_bytes) == (0, 0)


def test_a_shipped_network_is_near_the_cpu(shipped: tuple[Network, Engine]) -> None:
    """Each network lies within the limit of its card from full precision on the CPU."""
    network, engine = shipped
    settings = Settings.from_env(os.environ)
    exact = Network(
        name=network.name,
        picture_inputs=network.picture_inputs,
        picture_outputs=network.picture_outputs,
        exact=True,
    )
    reference = CpuRoom(ModelStore(settings.models), settings.threads).load(exact)

    assert mean_error(engine, reference, network) <= network.mean_error_max


def test_a_shipped_network_leaves_nothing(
    shipped: tuple[Network, Engine], gpu: "CudaDriver", canary: int
) -> None:
    """After a run on canaries alone none is found in all free memory."""
    network, engine = shipped
    sides = network.sides.usual if network.sides else (0, 0)
    for _ in range(2):
        run(engine, network, canary, sides)

    assert count(gpu, canary) == 0


def test_a_cancelled_painting_leaves_the_budget_at_zero(room: "GpuRoom") -> None:
    """A call that nobody waits for stops between two runs, with nothing held."""
    try:
        engine = room.load(PAINTER)
    except InternalError as error:
        pytest.skip(error.message)
    cancelled = threading.Event()
    cancelled.set()
    code = np.zeros(next(each.shape[1] or 0 for each in engine.inputs if each.name == "style"))
    painter = Painter(engine, CpuRaster(2), GPU_REACH)

    with Budget(1 << 30).lease(0) as arena, painter.sitting() as sitting:
        photo = np.zeros((512, 512, 3), np.uint8)
        with pytest.raises(Stopped):
            sitting.paint(photo, code.astype(np.float32), (0, 0), arena, cancelled)

    assert room.budget.leased_bytes == 0
