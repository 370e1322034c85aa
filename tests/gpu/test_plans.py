"""Plans are found by what they were built for and held to their digest."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis.engine.networks import Network, Sides
from services.chassis.engine.plans import PlanFolder, Platform, plan_name
from services.chassis.errors import InternalError

PLATFORM = Platform(gpu="NVIDIA H100", architecture="sm_90", processors=132, tensorrt="10.16.1.11")
NETWORK = Network(name="stylize", sides=Sides(least=64, usual=(512, 512), most=2048))
MODEL = b"onnx"


def test_a_plan_comes_back(tmp_path: Path) -> None:
    """What was written is read, also from a folder that did not exist before."""
    folder = PlanFolder(tmp_path / "engines")

    folder.write("a.plan", b"plan")

    assert (folder.read("a.plan"), folder.has("a.plan"), folder.has("b.plan")) == (
        b"plan",
        True,
        False,
    )


@pytest.mark.parametrize("spoilt", ["a.plan", "a.plan.sha256"])
def test_a_damaged_plan_is_refused(tmp_path: Path, spoilt: str) -> None:
    """A plan or digest that was changed is not loaded."""
    folder = PlanFolder(tmp_path)
    folder.write("a.plan", b"plan")
    (tmp_path / spoilt).write_text("other")

    with pytest.raises(InternalError, match="differs"):
        folder.read("a.plan")


def test_a_missing_plan_says_what_to_do(tmp_path: Path) -> None:
    """Who starts a service before the build is told of the build."""
    with pytest.raises(InternalError, match="run build-engines on this machine"):
        PlanFolder(tmp_path).read("a.plan")


def test_the_timing_cache_may_be_absent(tmp_path: Path) -> None:
    """The first build has none."""
    assert PlanFolder(tmp_path).timing_cache() == b""


@pytest.mark.parametrize(
    ("network", "model", "platform"),
    [
        (NETWORK, b"onnx2", PLATFORM),
        (replace(NETWORK, sides=Sides(least=64, usual=(512, 512), most=4096)), MODEL, PLATFORM),
        (replace(NETWORK, picture_inputs=("image",)), MODEL, PLATFORM),
        (NETWORK, MODEL, replace(PLATFORM, gpu="NVIDIA H200")),
        (NETWORK, MODEL, replace(PLATFORM, architecture="sm_100")),
        (NETWORK, MODEL, replace(PLATFORM, processors=16)),
        (NETWORK, MODEL, replace(PLATFORM, tensorrt="11.4.0.106")),
    ],
)
def test_another_name_for_anything_else(network: Network, model: bytes, platform: Platform) -> None:
    """Another model, size, device or TensorRT never finds this plan; the same one does."""
    name = plan_name(NETWORK, MODEL, PLATFORM)

    assert name == plan_name(NETWORK, MODEL, PLATFORM)
    assert name.startswith("stylize-")
    assert plan_name(network, model, platform) != name
