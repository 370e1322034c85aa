"""Every name of NVIDIA's that engine and graphs use, held to the real modules."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu.api import Reader, faults

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "services" / "chassis" / "engine" / "tensorrt.py"
GRAPHS = ROOT / "services" / "chassis" / "memory" / "graph.py"
# Where `make gpu-api` puts the packages: the module alone, without its gigabytes of libraries.
BINDINGS = Path(sys.prefix) / "tensorrt-api"
ENTRIES = Path(__file__).with_name("tensorrt_entries.c")
PROGRAM = Path(__file__).with_name("api_program.py")
LIBRARIES = ("libnvinfer", "libnvinfer_plugin", "libnvonnxparser")
GENERATIONS = ("10", "11")


def ask(folder: Path, module: str, libraries: list[Path]) -> dict[str, str]:
    """Ask a real module what it has: name -> docstring."""
    command = [sys.executable, PROGRAM, folder, module, *libraries]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(answer.stdout)
    return found


@pytest.fixture(scope="module", params=GENERATIONS)
def offered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Ask TensorRT's real module of one generation what it has."""
    generation: str = request.param
    bindings = BINDINGS / generation
    if not bindings.is_dir():
        pytest.skip(f"TensorRT {generation}'s Python module is not there: run make gpu-api")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to make the libraries with that the module wants to see")
    folder = tmp_path_factory.mktemp(f"entries{generation}")
    libraries = [folder / f"{library}.so.{generation}" for library in LIBRARIES]
    for library in libraries:
        flags = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{library.name}"]
        subprocess.run(["cc", *flags, "-o", library, ENTRIES], check=True)
    return ask(bindings, "tensorrt_bindings", libraries)


@pytest.fixture(scope="module")
def driver() -> dict[str, str]:
    """Ask NVIDIA's real bindings of the driver what they have."""
    bindings = BINDINGS / "cuda"
    if not bindings.is_dir():
        pytest.skip("NVIDIA's bindings of the driver are not there: run make gpu-api")
    return ask(bindings, "cuda.bindings.driver", [])


def test_every_name_is_real(offered: dict[str, str]) -> None:
    """Classes, methods, their arguments and enumerations are all as the engine uses them."""
    assert faults(SOURCE.read_text(), "trt", offered) == []


def test_every_name_of_graphs_is_real(driver: dict[str, str]) -> None:
    """Functions of the driver, their arguments and enumerations are all as graphs use them."""
    assert faults(GRAPHS.read_text(), "driver", driver) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("driver.cuStreamBeginCapture(", "driver.cuStreamStartCapture("),
        ("(template, NO_FLAGS)", "(template)"),
        ("driver.cuGraphUpload(graph, stream)", "driver.cuGraphUpload(graph)"),
        ("CU_STREAM_CAPTURE_MODE_THREAD_LOCAL", "CU_STREAM_CAPTURE_MODE_THREADS"),
        ("driver.CUresult.CUDA_SUCCESS", "driver.CUresult.CUDA_FINE"),
        ("driver.cuGraphExecDestroy(", "driver.cuGraphExecRelease("),
    ],
)
def test_a_misspelt_name_of_graphs_is_found(driver: dict[str, str], right: str, wrong: str) -> None:
    """Functions, arguments and enumerations fail the check when they are misspelt on purpose."""
    source = GRAPHS.read_text()
    assert right in source

    assert faults(source.replace(right, wrong, 1), "driver", driver)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("context.execute_async_v3(", "context.execute_asynch_v3("),
        (
            "context.set_device_memory(work.address, work.size_bytes)",
            "context.set_device_memory(1)",
        ),
        ("context.get_tensor_shape(", "context.get_tensor_extents("),
        ("context.set_input_shape(binding.name, binding.shape)", "context.set_input_shape(1)"),
        ("BuilderFlag.TF32", "BuilderFlag.TF33"),
        ("RUNTIME_ACTIVATION_RESIZE_10_10", "RUNTIME_ACTIVATION_RESIZE"),
        ("config.set_preview_feature(", "config.set_preview("),
        ("context.temporary_allocator", "context.temporal_allocator"),
        ("def allocate_async(", "def allocate_later("),
        ("config.clear_flag(trt.", "config.clear_flags(trt."),
        ("Strategy.USER_MANAGED", "Strategy.USER_OWNED"),
        ("config.max_aux_streams", "config.max_extra_streams"),
        ("trt.OnnxParser(definition, logger)", "trt.OnnxParser(definition)"),
        ("parser.parse(model)", "parser.parse(model, file='a')"),
        ("def step_complete(", "def steps_complete("),
        ("trt.nptype(", "trt.numpy_type("),
    ],
)
def test_a_misspelt_name_is_found(offered: dict[str, str], right: str, wrong: str) -> None:
    """Each kind of name fails the check when it is misspelt on purpose."""
    source = SOURCE.read_text()
    assert right in source

    assert faults(source.replace(right, wrong, 1), "trt", offered)


def test_what_only_ten_has_is_found_by_eleven(offered: dict[str, str]) -> None:
    """A builder flag that TensorRT 11 dropped is a fault there and none in 10."""
    source = "import tensorrt as trt\nflag = trt.BuilderFlag.FP16\n"
    is_ten = "ICudaEngine.device_memory_size" in offered

    assert bool(faults(source, "trt", offered)) is not is_ten


def test_variables_without_annotation_are_found() -> None:
    """What is made by the module and used without a class can't be checked, and is told."""
    source = "builder: trt.Builder = trt.Builder(x)\nconfig = builder.make()\nconfig.anything = 1\n"

    assert faults(source, "trt", {"Builder": "", "Builder.make": ""}) == [
        "line 3: config has no annotation"
    ]


def test_the_engine_uses_many_names() -> None:
    """The check sees the engine's uses at all: runtime, context, builder, parser, profile."""
    reader = Reader("trt")
    reader.visit(ast.parse(SOURCE.read_text()))
    names = {use.name.split(".")[0] for use in reader.uses}

    assert {"Runtime", "ICudaEngine", "IExecutionContext", "Builder", "OnnxParser"} <= names
    assert len({use.name for use in reader.uses}) >= 35
