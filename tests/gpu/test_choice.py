"""One setting chooses the device; only `auto` takes the CPU instead, and says why."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis import launch
from services.chassis.engine import SeriesEngine
from services.chassis.engine.choice import EngineRoom, choose_engines
from services.chassis.engine.networks import Network
from services.chassis.errors import InternalError, Reason
from services.chassis.settings import Device, Settings
from services.chassis.store import ModelStore

WHY = "no CUDA device can be opened"


class Room:
    """A GPU that loads nothing."""

    device = Device.CUDA

    def load(self, network: Network) -> SeriesEngine:
        """See `EngineRoom`."""
        raise NotImplementedError(network.name)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Make a store without models."""
    (tmp_path / "lock.toml").write_text("[models]\n")
    return ModelStore(tmp_path)


def absent(settings: Settings, store: ModelStore) -> EngineRoom:
    """Fail as a machine without a GPU does."""
    raise InternalError(Reason.ENGINE_FAILED, WHY)


def present(settings: Settings, store: ModelStore) -> EngineRoom:
    """Open a GPU."""
    return Room()


@pytest.mark.parametrize(
    ("asked", "is_there", "expected", "told"),
    [
        (Device.AUTO, True, Device.CUDA, []),
        (Device.AUTO, False, Device.CPU, [WHY]),
        (Device.CPU, True, Device.CPU, []),
        (Device.CUDA, True, Device.CUDA, []),
    ],
)
def test_the_setting_chooses(
    store: ModelStore, asked: Device, is_there: bool, expected: Device, told: list[str]
) -> None:
    """`auto` takes the GPU where there is one; where there is none it tells what is missing."""
    heard: list[str] = []
    settings = replace(Settings(), device=asked)

    room = choose_engines(settings, store, heard.append, present if is_there else absent)

    assert (room.device, heard) == (expected, told)


def test_a_gpu_that_was_asked_for_is_a_must(store: ModelStore) -> None:
    """`cuda` without a GPU does not start; the error names the setting and the cause."""
    heard: list[str] = []
    settings = replace(Settings(), device=Device.CUDA)

    with pytest.raises(InternalError, match=f"BATCHPIX_DEVICE=cuda, but {WHY}"):
        choose_engines(settings, store, heard.append, absent)

    assert heard == []


PROGRAM = """
import sys
from services.chassis.settings import Device, Settings
from services.stylize import assembly, servicer
from services.stylize.networks import PAINTER
from services.chassis.engine.choice import choose_engines
from services.chassis.store import ModelStore
from pathlib import Path
choose_engines(Settings(device=Device.CPU), ModelStore(Path(sys.argv[1])), print)
heavy = {"pycuda", "tensorrt", "onnx", "services.chassis.memory.cuda"}
print(sorted(heavy & set(sys.modules)))
"""


def test_the_cpu_path_imports_nothing_of_a_gpu(store: ModelStore, tmp_path: Path) -> None:
    """A service that was told to use the CPU has neither PyCUDA nor TensorRT in it."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    answer = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )

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
