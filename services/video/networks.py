"""The networks that video runs, on a GPU where there is one."""

from services.vision.networks import DEPTH, PEOPLE

NETWORKS = (DEPTH, *PEOPLE)
