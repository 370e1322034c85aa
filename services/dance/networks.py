"""The networks that dance runs, on a GPU where there is one."""

from services.vision.networks import INPAINT, PARTS, PEOPLE

NETWORKS = (PARTS, INPAINT, *PEOPLE)
