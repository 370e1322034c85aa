"""Loading what several features see with."""

from services.chassis.engine import SeriesEngine
from services.chassis.engine.openvino import OpenVinoEngine
from services.chassis.raster import Lens
from services.chassis.store import ModelStore
from services.vision.person import PersonFinder


def load_person_finder(store: ModelStore, lens: Lens, threads: int) -> PersonFinder:
    """Load the networks that find people.

    They compute in f32 whatever the processor has: their answers are coordinates and likelihoods
    with narrow limits, and bfloat16 rounds differently from one kind of processor to the next.
    """
    detector, landmarker = load_pose_networks(store, threads)
    return PersonFinder(detector=detector, landmarker=landmarker, lens=lens)


def load_pose_networks(store: ModelStore, threads: int) -> tuple[SeriesEngine, SeriesEngine]:
    """Load the detector of people and the network of their landmarks."""
    detector, landmarker = (
        OpenVinoEngine(store.path(name), threads=threads, exact=True)
        for name in ("pose_detector", "pose_landmarker")
    )
    return detector, landmarker
