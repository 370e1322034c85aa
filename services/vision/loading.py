"""Loading what several features see with."""

from services.chassis.engine.choice import Engines
from services.chassis.raster import Lens
from services.vision.networks import POSE_DETECTOR, POSE_LANDMARKER
from services.vision.person import PersonFinder


def load_person_finder(engines: Engines, lens: Lens) -> PersonFinder:
    """Find people with the networks `vision.networks.PEOPLE`."""
    return PersonFinder(
        detector=engines[POSE_DETECTOR], landmarker=engines[POSE_LANDMARKER], lens=lens
    )
