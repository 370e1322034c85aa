"""From a model to an engine that runs: build, keep, find and load, on a device that is none."""

import hashlib
import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest

from services.chassis.build import compared
from services.chassis.engine import Engine
from services.chassis.engine.choice import CpuRoom
from services.chassis.engine.networks import Network, Sides
from services.chassis.errors import InternalError
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore
from services.vision.networks import DEPTH, PARTS, POSE_DETECTOR
from tests.gpu.emulated import EmulatedDriver
from tests.gpu.fake_tensorrt import installed
from tests.gpu.half_network import small_network

NETWORK = Network(
    name="stylize",
    picture_inputs=("image",),
    picture_outputs=("stylized",),
    sides=Sides(least=16, usual=(32, 48), most=64),
    mean_error_max=0.5,
)
FREE_BYTES = 1 << 24


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Lay one model into a store."""
    model = small_network().SerializeToString()
    (tmp_path / "stylize.onnx").write_bytes(model)
    digest = hashlib.sha256(model).hexdigest()
    lock = f'[models.stylize]\nfile="stylize.onnx"\nsha256="{digest}"\nsource=""\nlicence=""\n'
    (tmp_path / "lock.toml").write_text(lock)
    return Settings(models=tmp_path, device=Device.CUDA)


@pytest.fixture
def gpu(driver: EmulatedDriver, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the room over the emulated device and the fake runtime."""
    module = ModuleType("services.chassis.memory.cuda")

    def open_device(*, pinned: bool) -> EmulatedDriver:
        driver.log.append(f"pinned {pinned}")
        return driver

    module.CudaDriver = open_device  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "services.chassis.memory.cuda", module)
    monkeypatch.delitem(sys.modules, "services.chassis.engine.gpu", raising=False)
    with installed(driver):
        room = importlib.import_module("services.chassis.engine.gpu")
        monkeypatch.setattr(room, "compile_kernels", lambda names: f"for {names}".encode())
        yield room
    sys.modules.pop("services.chassis.engine.gpu", None)


def build(gpu: ModuleType, settings: Settings, error: float = 0.1) -> list[str]:
    """Build, with a comparison that finds `error`; list what was compared."""
    compared: list[str] = []

    def compare(network: Network, engine: Engine) -> float:
        assert engine.description.startswith("cuda")
        compared.append(network.name)
        return error

    gpu.build_engines(settings, (NETWORK,), compare, lambda *_: None)
    return compared


def test_what_was_built_is_loaded_and_runs(
    gpu: ModuleType, settings: Settings, driver: EmulatedDriver
) -> None:
    """After the build the room opens with the budget of what is free, and a picture is painted."""
    build(gpu, settings)

    room = gpu.GpuRoom(settings, ModelStore(settings.models))
    engine = room.load(NETWORK)
    image = np.full((1, 32, 48, 3), 55, np.uint8)
    painted = np.zeros_like(image)
    engine.run({"image": image, "style": np.zeros((1, 4), np.float32)}, {"stylized": painted})

    assert painted.min() == painted.max() == 200
    assert room.budget.limit_bytes == int(FREE_BYTES * 0.9)
    assert driver.image == b"for ('sm_90',)"
    assert driver.memory == {}


def test_a_plan_that_is_there_is_kept(gpu: ModuleType, settings: Settings) -> None:
    """A second build has nothing to do."""
    assert [build(gpu, settings), build(gpu, settings)] == [["stylize"], []]


@pytest.mark.parametrize("error", [0.51, float("nan")])
def test_half_precision_that_is_too_far_off_is_not_kept(
    gpu: ModuleType, settings: Settings, error: float
) -> None:
    """A plan beyond the model's limit is refused, and the next build tries again."""
    for _ in range(2):
        with pytest.raises(InternalError, match="off by"):
            build(gpu, settings, error)


def test_a_plan_that_is_missing_is_told_before_anything_is_loaded(
    gpu: ModuleType, settings: Settings, driver: EmulatedDriver
) -> None:
    """The room opens by its kernels alone, and asks for each plan without loading it."""
    build(gpu, settings)
    room = gpu.GpuRoom(settings, ModelStore(settings.models))
    driver.log.clear()

    room.require(NETWORK)
    with pytest.raises(InternalError, match="run build-engines"):
        room.require(replace(NETWORK, answer_step=2))

    assert driver.log == []


def test_without_a_build_the_room_does_not_open(gpu: ModuleType, settings: Settings) -> None:
    """A machine whose kernels were not built says so."""
    with pytest.raises(InternalError, match="run build-engines"):
        gpu.GpuRoom(settings, ModelStore(settings.models))


def kinds(model: bytes) -> set[str]:
    """List the types of a network's convolution weights."""
    network = onnx.load_from_string(model)
    weights = {each.name: each.data_type for each in network.graph.initializer}
    used = {weights[node.input[1]] for node in network.graph.node if node.op_type == "Conv"}
    return {np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind)).name for kind in used}


@pytest.mark.parametrize(("network", "kind"), [(POSE_DETECTOR, "float32"), (PARTS, "float16")])
def test_networks_are_prepared_in_their_own_precision(
    gpu: ModuleType, network: Network, kind: str
) -> None:
    """A pose network is translated and stays exact, one of ours is halved."""
    store = ModelStore(Settings().models)
    try:
        store.path(network.name)
    except InternalError as error:
        pytest.skip(f"the pose models are not fetched: {error.message}")

    assert kinds(gpu.prepared(store, network)) == {kind}


@pytest.mark.parametrize("network", [POSE_DETECTOR, DEPTH], ids=lambda network: network.name)
def test_builds_are_compared_with_full_precision(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reference is the CPU in float32, for networks of every form, and is told."""
    store = ModelStore(Settings().models)
    try:
        engine = CpuRoom(store, 2).load(replace(network, exact=True))
    except InternalError as error:
        pytest.skip(f"the pose models are not fetched: {error.message}")

    assert compared(Settings(threads=2), network, engine) < network.mean_error_max / 100
    assert f"{network.name}: mean error 0.0000" in capsys.readouterr().err
