"""The networks of ours that see, which run on a GPU where there is one."""

from services.chassis.engine.networks import Network, Sides

DEPTH = Network(
    name="depth",
    picture_inputs=("image",),
    sides=Sides(least=96, usual=(96, 128), most=160),
    # Inverse depth is 0..1; this is less than a step of 255.
    mean_error_max=0.003,
)
PARTS = Network(
    name="parts",
    picture_inputs=("image",),
    # Logits reach to about ten; a tenth of one changes no label that is sure.
    mean_error_max=0.1,
)
