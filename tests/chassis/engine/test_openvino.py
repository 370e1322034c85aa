"""The CPU engine computes what the network says, on the caller's arrays."""

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.chassis.engine import TensorSpec, openvino
from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.errors import InternalError, Reason
from services.chassis.memory.arena import Budget
from tests import pictures
from tests.chassis.engine import networks

STYLE = np.linspace(-1, 1, networks.STYLE_SIZE, dtype=np.float32)[None]


@pytest.fixture(scope="module")
def stylizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the small stylizer once."""
    return networks.write_stylizer(tmp_path_factory.mktemp("networks") / "stylizer.xml")


@pytest.fixture(scope="module")
def stylizer(stylizer_file: Path) -> OpenVinoEngine:
    """Open the small stylizer for pictures, in f32 on any processor."""
    return open_stylizer(stylizer_file, exact=True)


def open_stylizer(file: Path, *, exact: bool) -> OpenVinoEngine:
    """Open a stylizer whose pictures are bytes."""
    return OpenVinoEngine(
        file,
        threads=2,
        picture_inputs=("image",),
        picture_outputs=("stylized",),
        exact=exact,
    )


def stylised(engine: OpenVinoEngine, pixels: np.ndarray) -> np.ndarray:
    """Run a stylizer on HxWx3."""
    target = np.zeros_like(pixels)
    engine.run({"image": pixels[None], "style": STYLE}, {"stylized": target[None]})
    return target


def test_specs_describe_what_is_given_and_written(stylizer: OpenVinoEngine) -> None:
    """Pictures are bytes in rows of pixels, of any size."""
    picture = (1, None, None, 3)

    assert {spec.name: spec for spec in stylizer.inputs} == {
        "image": TensorSpec(name="image", shape=picture, dtype="uint8"),
        "style": TensorSpec(name="style", shape=(1, networks.STYLE_SIZE), dtype="float32"),
    }
    assert stylizer.outputs == (TensorSpec(name="stylized", shape=picture, dtype="uint8"),)
    assert stylizer.description == "cpu openvino f32 2 threads"


@pytest.mark.parametrize("size", [(64, 64), (48, 112), (16, 16)])
def test_network_computes_what_it_says(
    stylizer: OpenVinoEngine, stylizer_file: Path, size: tuple[int, int]
) -> None:
    """With bytes in and out the network answers as it does with floats, to rounding."""
    pixels = pictures.noise(*size, seed=3)

    shown = stylised(stylizer, pixels)

    expected = networks.run_plainly(stylizer_file, pixels, STYLE)
    assert np.abs(shown - expected).max() <= 0.51


def test_default_precision_stays_close(stylizer_file: Path) -> None:
    """What the processor does faster, bf16 where it can, differs by little."""
    pixels = pictures.noise(64, 64, seed=3)

    shown = stylised(open_stylizer(stylizer_file, exact=False), pixels)

    expected = networks.run_plainly(stylizer_file, pixels, STYLE)
    assert np.abs(shown - expected).mean() < 1.0


def test_arrays_of_the_arena_are_read_and_written(stylizer: OpenVinoEngine) -> None:
    """Inputs and outputs in the memory of a call are used where they lie."""
    pixels = pictures.noise(32, 32, seed=5)
    with Budget(1 << 24).lease(0) as arena:
        image, target = (arena.array((1, 32, 32, 3), np.uint8) for _ in range(2))
        image[0] = pixels

        stylizer.run({"image": image, "style": STYLE}, {"stylized": target})

        assert np.array_equal(target[0], stylised(stylizer, pixels))


def test_calls_at_once_do_not_mix(stylizer: OpenVinoEngine) -> None:
    """Each of many threads gets the picture that it would get alone."""
    uploads = [pictures.noise(32, 16 * (1 + seed % 3), seed) for seed in range(12)]
    expected = [stylised(stylizer, upload) for upload in uploads]
    results: dict[int, np.ndarray] = {}

    def work(number: int) -> None:
        results[number] = stylised(stylizer, uploads[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(uploads))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(np.array_equal(results[number], expected[number]) for number in range(12))


def test_series_runs_each_picture(stylizer: OpenVinoEngine) -> None:
    """Within a series each run answers at once, and a run outside of it does not disturb it."""
    first, second = (pictures.noise(32, 48, seed) for seed in (1, 2))
    target = np.zeros_like(first)
    with stylizer.series() as run:
        run({"image": first[None], "style": STYLE}, {"stylized": target[None]})
        between = stylised(stylizer, first)
        run({"image": second[None], "style": STYLE}, {"stylized": target[None]})

    assert np.array_equal(between, stylised(stylizer, first))
    assert np.array_equal(target, stylised(stylizer, second))


def test_fixed_shapes_run_too(tmp_path: Path) -> None:
    """A network without pictures and without free sizes takes and writes plain floats."""
    engine = OpenVinoEngine(networks.write_doubler(tmp_path / "doubler.xml"), threads=1)
    doubled = np.zeros((1, 4), np.float32)

    engine.run({"numbers": np.array([[1, 2, 3, 4]], np.float32)}, {"doubled": doubled})

    assert doubled.tolist() == [[2, 4, 6, 8]]


def test_engine_fault_is_ours(stylizer: OpenVinoEngine) -> None:
    """What OpenVINO refuses becomes an internal error without its text."""
    wrong = np.zeros((1, 32, 32, 4), np.uint8)

    with pytest.raises(InternalError) as caught:
        stylizer.run({"image": wrong, "style": STYLE}, {"stylized": wrong})

    assert caught.value.reason is Reason.ENGINE_FAILED
    assert caught.value.message == "the inference engine failed"


def test_a_busy_engine_cleans_up_by_working(
    stylizer: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A series that a run of the same shape has gone over leaves without a rinse."""
    rinses: list[object] = []
    rinse = stylizer._rinse

    def counted(shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Any]:
        rinses.append(shapes)
        return rinse(shapes)

    monkeypatch.setattr(stylizer, "_rinse", counted)
    photo = pictures.noise(32, 48, 1)
    arrays = {"image": photo[None], "style": STYLE}, {"stylized": np.zeros_like(photo)[None]}
    with stylizer.series() as later:
        with stylizer.series() as earlier:
            earlier(*arrays)
            later(*arrays)
        rinses_of_earlier = len(rinses)

    assert (rinses_of_earlier, len(rinses)) == (0, 1)


def test_a_run_of_another_shape_cleans_nothing(
    stylizer: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each shape has its own place in the engine's memory, and is rinsed by itself."""
    rinses: list[object] = []
    rinse = stylizer._rinse
    monkeypatch.setattr(stylizer, "_rinse", lambda shapes: rinses.append(shapes) or rinse(shapes))
    with stylizer.series() as run:
        for photo in (pictures.noise(32, 48, 1), pictures.noise(48, 32, 1)):
            run({"image": photo[None], "style": STYLE}, {"stylized": np.zeros_like(photo)[None]})

    assert len(rinses) == 2


def test_a_series_that_comes_is_waited_for(
    stylizer: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A series that has begun elsewhere and runs soon spares the one that ends a rinse."""
    rinses: list[object] = []
    rinse = stylizer._rinse
    monkeypatch.setattr(stylizer, "_rinse", lambda shapes: rinses.append(shapes) or rinse(shapes))
    monkeypatch.setattr(openvino, "PATIENCE_SECONDS", 30.0)
    monkeypatch.setattr(openvino, "COMPANY_SECONDS", 0.0)
    photo = pictures.noise(32, 48, 1)
    arrays = {"image": photo[None], "style": STYLE}, {"stylized": np.zeros_like(photo)[None]}
    opened, ending = threading.Event(), threading.Event()
    rinses_of_first: list[int] = []

    def first() -> None:
        with stylizer.series() as run:
            run(*arrays)
            opened.wait(30.0)
            ending.set()
        rinses_of_first.append(len(rinses))

    thread = threading.Thread(target=first)
    thread.start()
    with stylizer.series() as run:
        opened.set()
        ending.wait(30.0)
        run(*arrays)
        thread.join()

    assert (rinses_of_first, len(rinses)) == ([0], 1)


def test_company_is_waited_for(stylizer: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two came together a moment ago, the last one's traces wait for the next one's run."""
    rinses: list[object] = []
    rinse = stylizer._rinse
    monkeypatch.setattr(stylizer, "_rinse", lambda shapes: rinses.append(shapes) or rinse(shapes))
    monkeypatch.setattr(openvino, "PATIENCE_SECONDS", 30.0)
    photo = pictures.noise(32, 48, 1)
    arrays = {"image": photo[None], "style": STYLE}, {"stylized": np.zeros_like(photo)[None]}
    waiting, wait_for = threading.Event(), stylizer._turn.wait_for

    def announced(predicate: Callable[[], bool], timeout: float) -> bool:
        if not predicate():
            waiting.set()
        return wait_for(predicate, timeout)

    monkeypatch.setattr(stylizer._turn, "wait_for", announced)

    def two() -> None:
        with stylizer.series() as later, stylizer.series() as earlier:
            earlier(*arrays)
            later(*arrays)

    thread = threading.Thread(target=two)
    thread.start()
    came_in_time = waiting.wait(30.0)
    with stylizer.series() as next_one:
        next_one(*arrays)
        thread.join()
        rinses_before_the_end = len(rinses)
        monkeypatch.setattr(openvino, "COMPANY_SECONDS", 0.0)

    assert (came_in_time, rinses_before_the_end, len(rinses)) == (True, 0, 1)


def test_who_comes_alone_is_not_kept_waiting(
    stylizer: OpenVinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without company the traces go at once, by a rinse."""
    waits: list[bool] = []
    monkeypatch.setattr(openvino, "COMPANY_SECONDS", 0.0)
    monkeypatch.setattr(stylizer._turn, "wait_for", lambda is_due, **_: waits.append(is_due()))

    stylised(stylizer, pictures.noise(32, 48, 1))

    assert waits == [True]


def test_a_run_pins_nobody(stylizer: OpenVinoEngine) -> None:
    """The thread that runs a network may go on any processor of the process meanwhile."""
    anywhere = os.sched_getaffinity(0)
    photo = pictures.noise(512, 512, 1)
    seen: list[set[int]] = []

    def work() -> None:
        for _ in range(20):
            stylised(stylizer, photo)

    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        assert worker.native_id is not None
        with suppress(ProcessLookupError):
            seen.append(os.sched_getaffinity(worker.native_id))
    worker.join()

    assert [processors for processors in seen if processors != anywhere] == []
