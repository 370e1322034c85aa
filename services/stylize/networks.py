"""The networks of stylize that run on a GPU where there is one."""

from services.chassis.engine.networks import Network, Sides
from services.stylize.painter import Reach

# The side of the largest piece that a GPU paints at once; what is larger is painted in tiles.
GPU_TILE_SIDE = 2048
GPU_REACH = Reach(tile_side=GPU_TILE_SIDE, whole_pixels_max=0)

PAINTER = Network(
    name="stylize",
    picture_inputs=("image",),
    picture_outputs=("stylized",),
    sides=Sides(least=Reach().size_step, usual=(1088, 1920), most=GPU_TILE_SIDE),
    # Of 255: eight bits hide less than half a level.
    mean_error_max=0.5,
)
STYLE_ENCODER = Network(
    name="style_encoder",
    picture_inputs=("style_image",),
    # Codes are numbers around 1.
    mean_error_max=0.002,
)
NETWORKS = (PAINTER, STYLE_ENCODER)
