"""A run on the device, step by step, on a runtime that writes down what it is asked."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.chassis.engine import Engine, TensorSpec
from services.chassis.engine.networks import Network, Sides
from services.chassis.errors import BusyError, InternalError
from services.chassis.memory.device_budget import DeviceBudget
from tests.gpu.emulated import EmulatedDriver, EmulatedStream
from tests.gpu.fake_tensorrt import (
    TRACE,
    WORK_BYTES,
    Builder,
    BuilderFlag,
    Flag,
    PreviewFeature,
)

NETWORK = Network(
    name="stylize",
    picture_inputs=("image",),
    picture_outputs=("stylized",),
    sides=Sides(least=16, usual=(32, 48), most=64),
)
STEPS = [
    "measure",
    "allocate",
    "wipe",
    "upload",
    "upload",
    "picture_to_tensor",
    "execute",
    "tensor_to_picture",
    "download",
    "wipe",
    "synchronise",
    "release",
]


@pytest.fixture
def engine(tensorrt: ModuleType, driver: EmulatedDriver, budget: DeviceBudget) -> Engine:
    """Load the network."""
    return tensorrt.TensorRtEngine(b"plan", NETWORK, driver, budget, "a device")


def paint(engine: Engine, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run once."""
    painted = np.zeros_like(image)
    style = np.array([[0.2, 9.0, 9.0, 9.0]], np.float32)
    engine.run({"image": image, "style": style}, {"stylized": painted})
    return painted


def picture(side: int = 32) -> NDArray[np.uint8]:
    """Draw a picture."""
    return np.random.default_rng(side).integers(0, 256, (1, side, side + 16, 3), np.uint8)


def test_a_picture_is_painted(engine: Engine) -> None:
    """Bytes go in and bytes come out, through the network's floats, channels first."""
    image = picture()

    painted = paint(engine, image)

    assert np.abs(painted - np.clip(255.0 - image + 51.0, 0.0, 255.0)).max() <= 1


def test_each_run_leases_works_wipes_and_gives_back(engine: Engine, driver: EmulatedDriver) -> None:
    """One lease before the work, nothing allocated in it, wipe and wait before it is freed."""
    for _ in range(3):
        driver.log.clear()
        paint(engine, picture())
        assert driver.log == STEPS
    assert driver.memory == {}


def test_nothing_is_left_in_device_memory(
    engine: Engine, driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """Memory goes back zeroed, that of the layers too, which had traces in it."""
    seen: list[int] = []
    download = type(driver.stream()).download

    def look(stream: EmulatedStream, source: int, target: NDArray[Any]) -> None:
        seen.extend(int((block == TRACE).sum()) for block in driver.memory.values())
        download(stream, source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(driver.stream()), "download", look)
        paint(engine, picture())

    assert seen[0] >= WORK_BYTES
    assert [int(block.max()) for block in driver.released] == [0]
    assert budget.leased_bytes == 0


@pytest.mark.parametrize(
    "step", ["upload", "picture_to_tensor", "execute", "decline", "tensor_to_picture", "download"]
)
def test_failures_wipe_and_give_back(
    engine: Engine, driver: EmulatedDriver, budget: DeviceBudget, step: str
) -> None:
    """Whatever fails, the error is ours and wordless, memory is zero and given back."""
    driver.failing = {step}
    for _ in range(3):
        with pytest.raises(InternalError) as caught:
            paint(engine, picture())
        assert step not in caught.value.message

    assert not any(block.any() for block in driver.released)
    assert (driver.memory, budget.leased_bytes) == ({}, 0)
    driver.failing = set()
    assert paint(engine, picture()).any()


def test_a_size_off_the_profile_is_refused_before_the_lease(
    engine: Engine, driver: EmulatedDriver
) -> None:
    """A picture larger than the plan was built for costs nothing."""
    with pytest.raises(InternalError):
        paint(engine, picture(65))

    assert "allocate" not in driver.log


def test_a_full_device_is_busy(
    engine: Engine, driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """Out of memory is told as such, with the budget at zero and the slot free again."""
    driver.room_bytes = 0
    for _ in range(3):
        with pytest.raises(BusyError):
            paint(engine, picture())

    assert budget.leased_bytes == 0


def test_tensors_are_described_as_callers_give_them(engine: Engine) -> None:
    """Pictures are bytes with channels last, free sides are free, other tensors as they are."""
    picture_shape = (1, None, None, 3)

    assert engine.inputs == (
        TensorSpec(name="image", shape=picture_shape, dtype="uint8"),
        TensorSpec(name="style", shape=(1, 4), dtype="float32"),
    )
    assert engine.outputs == (TensorSpec(name="stylized", shape=picture_shape, dtype="uint8"),)
    assert engine.description == "cuda tensorrt 10.0.0 fp16 0 graphs a device"


def test_a_foreign_plan_is_refused(
    tensorrt: ModuleType, driver: EmulatedDriver, budget: DeviceBudget
) -> None:
    """What TensorRT does not load is told with what to do."""
    with pytest.raises(InternalError, match="run build-engines"):
        tensorrt.TensorRtEngine(b"other", NETWORK, driver, budget, "a device")


def test_a_build_says_types_sizes_and_progress(tensorrt: ModuleType) -> None:
    """Networks are strongly typed, in one stream, for the declared sizes; steps are told."""
    told: list[tuple[str, int, int]] = []

    built = tensorrt.build_plan(b"model", NETWORK, b"old", lambda *step: told.append(step))

    assert (built.plan, built.timing_cache) == (b"plan", b"old+")
    assert Builder.last.flags == 1 << Flag.STRONGLY_TYPED
    assert Builder.last.config.max_aux_streams == 0
    assert Builder.last.config.profile.shapes == {
        "image": ((1, 3, 16, 16), (1, 3, 32, 48), (1, 3, 64, 64)),
        "style": ((1, 4), (1, 4), (1, 4)),
    }
    assert told == [("build", 1, 2), ("build", 2, 2)]


@pytest.mark.parametrize("has_sides", [True, False])
def test_small_pictures_need_less_memory_than_the_largest(
    tensorrt: ModuleType, has_sides: bool
) -> None:
    """Where sides are free, what a run leases follows its own size."""
    network = NETWORK if has_sides else replace(NETWORK, sides=None)
    tensorrt.build_plan(b"model", network, b"", lambda *_: None)

    allowed = [PreviewFeature.RUNTIME_ACTIVATION_RESIZE_10_10] if has_sides else []
    assert getattr(Builder.last.config, "previews", []) == allowed


def test_a_run_gets_no_memory_of_tensorrts_own(engine: Engine, driver: EmulatedDriver) -> None:
    """What nobody would wipe is refused in every run of every context."""
    for _ in range(3):
        paint(engine, picture())

    contexts = [slot._context._context for slot in drained(engine)]
    wanted = [refused for context in contexts for refused in context.temporaries]
    assert wanted == [None] * 3
    assert driver.memory == {}


def drained(engine: Engine) -> list[Any]:
    """Take the engine's slots, which are not needed any more."""
    return [engine._slots.get() for _ in range(2)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("exact", [True, False])
def test_an_exact_network_is_not_rounded_on_its_way(tensorrt: ModuleType, exact: bool) -> None:
    """Of networks in float32 the build forbids TF32, which has ten binary digits."""
    tensorrt.build_plan(b"model", replace(NETWORK, exact=exact), b"", lambda *_: None)

    cleared = getattr(Builder.last.config, "cleared", [])
    assert cleared == ([BuilderFlag.TF32] if exact else [])


def test_arrays_that_the_network_does_not_answer_with_are_refused(
    engine: Engine, driver: EmulatedDriver
) -> None:
    """An answer's array of other extents would be written past its end: it costs nothing."""
    image, style = picture(), np.zeros((1, 4), np.float32)

    with pytest.raises(InternalError):
        engine.run({"image": image, "style": style}, {"stylized": np.zeros_like(image[:, 1:])})

    assert "allocate" not in driver.log


def test_a_model_that_cannot_be_read_is_named(tensorrt: ModuleType) -> None:
    """The build's error names the model."""
    with pytest.raises(InternalError, match="'stylize'"):
        tensorrt.build_plan(b"", NETWORK, b"", lambda *_: None)
