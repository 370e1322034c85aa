"""The bench of GPUs on a device that is none: its rows are whole, and it counts as it should."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from bench import gpu as bench
from bench.work import Work, count
from services.chassis.engine.networks import Network, Sides
from services.chassis.memory.device_budget import DeviceBudget
from tests.gpu.emulated import EmulatedDriver
from tests.gpu.fake_tensorrt import installed

SIDES = (32, 48)
NETWORK = Network(
    name="stylize",
    picture_inputs=("image",),
    picture_outputs=("stylized",),
    sides=Sides(least=16, usual=SIDES, most=64, recorded=(SIDES,)),
)
WORK = Work(flops=10**9, moved_bytes=10**6, copy_bytes=1, alive_bytes=1)
PEAK = bench.PEAKS["H100"]


class Room:
    """A `GpuRoom` on a device that is none."""

    def __init__(self, driver: EmulatedDriver, tensorrt: Any) -> None:  # noqa: ANN401
        self.driver = driver
        self.budget = DeviceBudget(driver, 1 << 24)
        self._tensorrt = tensorrt

    def load(self, network: Network, *, record: bool = True) -> object:
        """Load the fake network."""
        plan, name = b"plan", self.driver.name
        return self._tensorrt.TensorRtEngine(
            plan, network, self.driver, self.budget, name, record=record
        )


@pytest.fixture
def room(driver: EmulatedDriver) -> Iterator[Any]:
    """Open the device."""
    with installed(driver):
        yield Room(driver, importlib.import_module("services.chassis.engine.tensorrt"))


def test_networks_are_measured_recorded_and_eager(room: Any) -> None:  # noqa: ANN401
    """Both rows have time, bytes that were really leased, and the share of the roofline."""
    rows = list(bench.measured(room, {(NETWORK, SIDES): WORK}, PEAK, rounds=1))

    assert [row["recorded"] for row in rows] == [True, False]
    assert {row["leased_bytes"] for row in rows} == {
        1024 + 2 * (3 * 32 * 48) * 5 + 256  # what layers pass values in, two pictures, a style
    }
    for row in rows:
        assert row["roofline_share"] == pytest.approx(1e9 / 989e12 / (float(str(row["ms"])) / 1e3))
    assert room.budget.leased_bytes == 0


def test_kernels_are_measured_in_bytes_moved(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    """Each step has its time and its share of the bandwidth."""
    monkeypatch.setattr(bench, "FRAME", (16, 32))
    rows = list(bench.kernels(room, PEAK, rounds=1))

    assert [row["kernel"] for row in rows] == ["remap", "blend", "keep_colour", "to_nv12"]
    assert all(row["bandwidth_share"] for row in rows)
    assert room.budget.leased_bytes == 0


def test_work_is_counted_from_the_file(tmp_path: Path) -> None:
    """Products, bytes and what is alive at one time follow from the extents alone."""
    source = ops.parameter([1, 3, -1, -1], np.float32, name="image")
    source.output(0).get_tensor().set_names({"image"})
    weights = ops.constant(np.zeros((8, 3, 3, 3), np.float32))
    made = ops.convolution(source, weights, [1, 1], [1, 1], [1, 1], [1, 1])
    made.output(0).get_tensor().set_names({"made"})
    ov.save_model(ov.Model([made], [source], "one"), tmp_path / "one.xml", compress_to_fp16=False)
    network = Network(name="one", picture_inputs=("image",), exact=True)

    work = count(tmp_path / "one.xml", network, (10, 20))

    assert work == Work(
        flops=2 * (8 * 10 * 20) * (3 * 3 * 3),
        moved_bytes=4 * (3 * 200 + 8 * 27 + 8 * 200),
        copy_bytes=3 * 200 * 5 + 8 * 200 * 4,
        alive_bytes=4 * 8 * 200,
    )
