"""The networks that stylize runs, on a GPU where there is one."""

from services.chassis.engine.networks import Network, Sides
from services.stylize.painter import Reach
from services.vision.networks import PEOPLE

# The side of the largest piece that a GPU paints at once; what is larger is painted in tiles.
GPU_TILE_SIDE = 2048
GPU_REACH = Reach(tile_side_max=GPU_TILE_SIDE, tile_pixels_max=GPU_TILE_SIDE**2)

PAINTER = Network(
    name="stylize",
    picture_inputs=("image", "thumbnail"),
    picture_outputs=("stylized",),
    # Canvases of photos of 512x512 and 1920x1080, with their mirrored borders.
    sides=Sides(
        least=Reach().size_step,
        usual=(1152, 1984),
        most=GPU_TILE_SIDE,
        recorded=((576, 576), (1152, 1984)),
    ),
    # Of 255: eight bits hide less than half a level.
    mean_error_max=0.5,
)
STYLE_ENCODER = Network(
    name="style_encoder",
    picture_inputs=("style_image",),
    # bf16 shakes a code enough to move the picture away from the style; once a call, f32 is cheap.
    exact=True,
    # Codes are numbers up to 12; training shook them by 0.05.
    mean_error_max=0.05,
)
NETWORKS = (PAINTER, STYLE_ENCODER, *PEOPLE)
