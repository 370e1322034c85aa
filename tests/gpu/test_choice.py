"""One setting chooses the device; only `auto` takes the CPU instead, and says why."""

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from gateway.settings import SERVICES
from services.chassis import launch
from services.chassis.engine import SeriesEngine, choice
from services.chassis.engine.choice import EngineRoom, load_engines, tell_fallback
from services.chassis.engine.fake import inverting_painter
from services.chassis.engine.networks import Network
from services.chassis.errors import InternalError, Reason
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore
from services.chassis.telemetry import Telemetry
from services.vision.networks import PEOPLE

ROOT = Path(__file__).parents[2]
OpenCuda: TypeAlias = Callable[[Settings, ModelStore], EngineRoom]
WHY = "no CUDA device can be opened"
PLANLESS = "engines/depth.plan is missing: run build-engines on this machine"
PAINTER, DEPTH = Network(name="stylize"), Network(name="depth")


class Room:
    """A device whose networks do nothing; it may lack some."""

    def __init__(self, device: Device, lacking: str = "") -> None:
        self.device = device
        self._lacking = lacking
        self.loaded: list[str] = []

    def require(self, network: Network) -> None:
        """See `EngineRoom`."""
        if network.name == self._lacking:
            raise InternalError(Reason.MODEL_MISMATCH, PLANLESS)

    def load(self, network: Network) -> SeriesEngine:
        """See `EngineRoom`."""
        assert not self._lacking, "a device that lacks a network is not filled with the others"
        self.loaded.append(network.name)
        return inverting_painter(4)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Make a store without models."""
    (tmp_path / "lock.toml").write_text("[models]\n")
    return ModelStore(tmp_path)


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch) -> Room:
    """Let the CPU have every network."""
    room = Room(Device.CPU)
    monkeypatch.setattr(choice, "CpuRoom", lambda _store, _threads: room)
    return room


def absent(settings: Settings, store: ModelStore) -> EngineRoom:
    """Fail as a machine without a GPU does."""
    raise InternalError(Reason.ENGINE_FAILED, WHY)


def present(settings: Settings, store: ModelStore) -> EngineRoom:
    """Open a GPU."""
    return Room(Device.CUDA)


def planless(settings: Settings, store: ModelStore) -> EngineRoom:
    """Open a GPU on which one of two networks was never built."""
    return Room(Device.CUDA, lacking=DEPTH.name)


@pytest.mark.parametrize(
    ("asked", "gpu", "expected", "told"),
    [
        (Device.AUTO, present, Device.CUDA, []),
        (Device.AUTO, absent, Device.CPU, [WHY]),
        (Device.AUTO, planless, Device.CPU, [PLANLESS]),
        (Device.CPU, present, Device.CPU, []),
        (Device.CUDA, present, Device.CUDA, []),
    ],
)
def test_the_setting_chooses_for_all_networks(
    store: ModelStore, cpu: Room, asked: Device, gpu: OpenCuda, expected: Device, told: list[str]
) -> None:
    """`auto` takes the GPU if every network is ready there, else the CPU, and tells why."""
    heard: list[str] = []
    settings = replace(Settings(), device=asked)

    engines = load_engines(settings, store, (PAINTER, DEPTH), heard.append, gpu)

    assert (engines.device, heard) == (expected, told)
    assert set(engines.loaded) == {"stylize", "depth"}
    assert cpu.loaded == (["stylize", "depth"] if expected is Device.CPU else [])


@pytest.mark.parametrize(("gpu", "why"), [(absent, WHY), (planless, PLANLESS)])
def test_a_gpu_that_was_asked_for_is_a_must(store: ModelStore, gpu: OpenCuda, why: str) -> None:
    """`cuda` without a GPU, or without a plan, does not start; the error names the cause."""
    heard: list[str] = []
    settings = replace(Settings(), device=Device.CUDA)

    with pytest.raises(InternalError, match=f"^BATCHPIX_DEVICE=cuda, but {why}$"):
        load_engines(settings, store, (PAINTER, DEPTH), heard.append, gpu)

    assert heard == []


def test_a_fallback_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the service and what is missing."""
    log = io.StringIO()
    monkeypatch.setattr(choice, "Telemetry", partial(Telemetry, stream=log))

    tell_fallback("dance")(WHY)

    line = json.loads(log.getvalue())
    assert {key: line[key] for key in ("event", "feature", "missing")} == {
        "event": "device_fallback",
        "feature": "dance",
        "missing": WHY,
    }


@pytest.mark.parametrize("feature", SERVICES)
def test_every_feature_has_all_its_networks_by_this_choice(feature: str) -> None:
    """No service names an engine of its own; what it loads is what `build-engines` builds."""
    folder = ROOT / "services" / feature
    files = [*folder.glob("*.py"), *(ROOT / "services" / "vision").glob("*.py")]
    assembly = (folder / "assembly.py").read_text(encoding="utf-8")

    assert not [file for file in files if "OpenVinoEngine" in file.read_text(encoding="utf-8")]
    assert f'load_engines(settings, store, NETWORKS, tell_fallback("{feature}"))' in assembly
    assert "build(NETWORKS)" in (folder / "__main__.py").read_text(encoding="utf-8")
    assert set(PEOPLE) <= set(importlib.import_module(f"services.{feature}.networks").NETWORKS)


PROGRAM = """
import importlib
import sys
from pathlib import Path
from services.chassis.engine.choice import load_engines
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore
for name in ("dance", "stylize", "tryon", "video"):
    importlib.import_module(f"services.{name}.assembly")
load_engines(Settings(device=Device.CPU), ModelStore(Path(sys.argv[1])), (), print)
heavy = {"pycuda", "cuda", "tensorrt", "onnx", "services.chassis.memory.cuda"}
print(sorted(heavy & set(sys.modules)))
"""


def test_the_cpu_path_imports_nothing_of_a_gpu(store: ModelStore, tmp_path: Path) -> None:
    """A service that was told to use the CPU has neither PyCUDA nor TensorRT in it."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)

    assert answer.stdout == "[]\n"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Device.CPU, []),
        (Device.AUTO, ["nvidia0", "nvidiactl"]),
        (Device.CUDA, ["nvidia0", "nvidiactl"]),
    ],
)
def test_the_seal_leaves_open_what_the_device_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Device, expected: list[str]
) -> None:
    """A service that may use the GPU may open its files, and one that may not can't."""
    for name in ("nvidia0", "nvidiactl", "sda"):
        (tmp_path / name).touch()
    monkeypatch.setattr(launch, "DEVICE_FOLDER", tmp_path)

    found = launch.devices(replace(Settings(), device=asked))

    assert [path.name for path in found] == expected
