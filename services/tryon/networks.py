"""The networks that try-on runs, on a GPU where there is one."""

from services.tryon.garment import GARMENT
from services.vision.networks import INPAINT, PARTS, PEOPLE

NETWORKS = (PARTS, GARMENT, INPAINT, *PEOPLE)
