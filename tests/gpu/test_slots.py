"""Runs that were recorded ahead: at the same addresses, wiped like any other, eager if need be."""

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.engine import Engine
from services.chassis.engine import slots as slots_module
from services.chassis.engine.networks import Network, Sides
from services.chassis.errors import InternalError
from services.chassis.memory.device_budget import DeviceBudget
from tests.gpu.emulated import EmulatedDriver, EmulatedRecording
from tests.gpu.fake_tensorrt import TRACE

SIDES = Sides(least=16, usual=(32, 48), most=64, recorded=((32, 48), (16, 16)))
NETWORK = Network(
    name="stylize", picture_inputs=("image",), picture_outputs=("stylized",), sides=SIDES
)
RECORDED = ["upload", "upload", "launch", "download", "wipe", "synchronise"]
SLOTS = 2
STYLE = 77.0


def load(
    tensorrt: Any,  # noqa: ANN401
    driver: EmulatedDriver,
    budget: DeviceBudget,
    network: Network = NETWORK,
) -> Engine:
    """Load the network; the log begins with what its runs do."""
    engine: Engine = tensorrt.TensorRtEngine(b"plan", network, driver, budget, "a device")
    driver.log.clear()
    return engine


@pytest.fixture
def engine(tensorrt: Any, driver: EmulatedDriver, budget: DeviceBudget) -> Engine:  # noqa: ANN401
    """Load the network with two sizes recorded."""
    return load(tensorrt, driver, budget)


def picture(height: int = 32, width: int = 48) -> NDArray[np.uint8]:
    """Draw a picture."""
    return np.random.default_rng().integers(0, 256, (1, height, width, 3), np.uint8)


def paint(engine: Engine, image: NDArray[np.uint8], style: float = STYLE) -> NDArray[np.uint8]:
    """Run once."""
    painted = np.zeros_like(image)
    code = np.full((1, 4), style / 255.0, np.float32)
    engine.run({"image": image, "style": code}, {"stylized": painted})
    return painted


def negative(image: NDArray[np.uint8], style: float = STYLE) -> NDArray[np.float64]:
    """Paint as the fake network does."""
    return np.clip(255.0 - image + style, 0.0, 255.0)


def kept(driver: EmulatedDriver) -> list[NDArray[np.uint8]]:
    """View all memory that the device has given out."""
    return [driver.bytes_at(address, block.size - 256) for address, block in driver.memory.items()]


@pytest.mark.parametrize("size", SIDES.recorded)
def test_a_recorded_run_is_copies_a_launch_and_a_wipe(
    engine: Engine, driver: EmulatedDriver, size: tuple[int, int]
) -> None:
    """Nothing is allocated or measured; the work starts as a whole, and is wiped after."""
    for _ in range(SLOTS + 1):
        driver.log.clear()
        image = picture(*size)
        assert np.abs(paint(engine, image) - negative(image)).max() <= 1
        assert driver.log == RECORDED


def test_recorded_sizes_do_not_mix_in_one_memory(engine: Engine) -> None:
    """Sizes take turns in the same memory, each with its own style, also with others between."""
    for height, width in [*SIDES.recorded, (48, 32), *SIDES.recorded] * 2:
        image, style = picture(height, width), float(np.random.default_rng().integers(0, 99))
        assert np.abs(paint(engine, image, style) - negative(image, style)).max() <= 1


def test_nothing_of_a_recorded_run_stays(
    engine: Engine, driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """Memory that is kept is zero between runs, of layers too, and the budget counts no run."""
    seen: list[int] = []
    download = type(driver.stream()).download

    def look(stream: Any, source: int, target: NDArray[Any]) -> None:  # noqa: ANN401
        seen.append(sum(int((block == TRACE).sum()) for block in kept(driver)))
        assert budget.leased_bytes > 0
        download(stream, source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(driver.stream()), "download", look)
        for _ in range(SLOTS + 1):
            paint(engine, picture())

    assert min(seen) > 0, "the search finds what is there while a run runs"
    assert len(driver.memory) == SLOTS
    assert not any(block.any() for block in kept(driver))
    assert budget.leased_bytes == 0
    assert budget.kept_bytes == sum(block.size for block in kept(driver))


def test_a_recording_holds_nothing_of_a_caller(engine: Engine) -> None:
    """It is made before the first call, and a call adds nothing to it."""
    recordings = [
        ahead.recording
        for _ in range(SLOTS)
        for slot in [engine._slots.get()]  # type: ignore[attr-defined]
        for ahead in slot._ahead.values()
    ]
    assert len(recordings) == SLOTS * len(SIDES.recorded)
    assert all(isinstance(each, EmulatedRecording) for each in recordings)
    assert {tuple(kernel for kernel, _ in each.started) for each in recordings} == {
        ("picture_to_tensor", "execute", "tensor_to_picture")
    }


def test_another_size_runs_eagerly(engine: Engine, driver: EmulatedDriver) -> None:
    """A size that was not recorded leases its own memory and gives it back."""
    before = set(driver.memory)
    image = picture(48, 48)

    assert np.abs(paint(engine, image) - negative(image)).max() <= 1

    assert "launch" not in driver.log
    assert driver.log[-1] == "release"
    assert set(driver.memory) == before


def test_what_cannot_be_recorded_runs_eagerly(
    tensorrt: Any,  # noqa: ANN401
    driver: EmulatedDriver,
    budget: DeviceBudget,
) -> None:
    """A network that refuses to be recorded serves, and nothing is kept for it."""
    driver.failing = {"capture"}
    engine = load(tensorrt, driver, budget)

    image = picture()
    assert np.abs(paint(engine, image) - negative(image)).max() <= 1

    assert "launch" not in driver.log
    assert engine.description == "cuda tensorrt 10.0.0 fp16 0 graphs a device"
    assert (driver.memory, budget.kept_bytes) == ({}, 0)


@pytest.mark.parametrize("limit_bytes", [40_000, 300_000])
def test_a_small_budget_keeps_nothing(
    tensorrt: Any,  # noqa: ANN401
    driver: EmulatedDriver,
    limit_bytes: int,
) -> None:
    """What is kept never takes more than a quarter of what all runs may hold."""
    budget = DeviceBudget(driver, limit_bytes, patience_seconds=0.0)
    load(tensorrt, driver, budget)

    assert budget.kept_bytes <= limit_bytes // 4


def test_large_runs_are_not_recorded(
    tensorrt: Any,  # noqa: ANN401
    driver: EmulatedDriver,
    budget: DeviceBudget,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two sizes the one that needs too much stays eager."""
    monkeypatch.setattr(slots_module, "RECORDED_BYTES_MAX", 20_000)
    engine = load(tensorrt, driver, budget)

    paint(engine, picture(32, 48))
    paint(engine, picture(16, 16))

    assert driver.log.count("execute") == driver.log.count("launch") == 1
    assert "1 graphs" in engine.description


@pytest.mark.parametrize("step", ["upload", "launch", "execute", "download"])
def test_a_recorded_run_that_fails_is_wiped(
    engine: Engine, driver: EmulatedDriver, budget: DeviceBudget, step: str
) -> None:
    """Whatever fails, what is kept is zero, nothing is charged, and later runs work."""
    for _ in range(SLOTS + 1):
        driver.failing = {step}
        with pytest.raises(InternalError):
            paint(engine, picture())
        driver.failing = set()

    assert not any(block.any() for block in kept(driver))
    assert budget.leased_bytes == 0
    image = picture()
    assert np.abs(paint(engine, image) - negative(image)).max() <= 1


@pytest.mark.parametrize("step", ["wipe", "synchronise"])
def test_memory_that_cannot_be_wiped_is_not_used_again(
    engine: Engine, driver: EmulatedDriver, budget: DeviceBudget, step: str
) -> None:
    """It goes back to the device, its recordings with it; the slot goes on eagerly."""
    for _ in range(SLOTS):
        driver.failing = {step}
        with pytest.raises(InternalError):
            paint(engine, picture())
        driver.failing = set()

    assert (driver.memory, budget.leased_bytes, budget.kept_bytes) == ({}, 0, 0)
    driver.log.clear()
    image = picture()
    assert np.abs(paint(engine, image) - negative(image)).max() <= 1
    assert "launch" not in driver.log


def test_a_network_of_one_size_is_recorded(
    tensorrt: Any,  # noqa: ANN401
    driver: EmulatedDriver,
    budget: DeviceBudget,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A network that fixes its sides needs to name none."""
    fake = importlib.import_module("tests.gpu.fake_tensorrt")
    fixed = {"image": (1, 3, 32, 48), "style": (1, 4), "stylized": (1, 3, 32, 48)}
    monkeypatch.setattr(fake, "SHAPES", fixed)
    engine = load(tensorrt, driver, budget, replace(NETWORK, sides=None))

    paint(engine, picture())

    assert driver.log == RECORDED
