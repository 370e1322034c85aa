"""The networks that see, for what several features need to see in a picture."""

from services.chassis.engine.networks import Network, Sides

DEPTH = Network(
    name="depth",
    picture_inputs=("image",),
    sides=Sides(
        least=96,
        usual=(96, 128),
        most=160,
        recorded=((96, 128), (128, 96), (128, 128), (96, 160), (160, 96)),
    ),
    answer_step=2,
    # Inverse depth is 0..1; this is less than a step of 255.
    mean_error_max=0.003,
)
PARTS = Network(
    name="parts",
    picture_inputs=("image",),
    # Logits reach to about ten; a tenth of one changes no label that is sure.
    mean_error_max=0.1,
)
INPAINT = Network(
    name="inpaint",
    picture_inputs=("smooth", "across", "down"),
    # Colours are 0..1; this is a step of 255, and the picture's own colours are laid over it.
    mean_error_max=0.004,
)

# MediaPipe's. Answers are pixels and logits; devices that add in another order are this far apart.
POSE_DETECTOR = Network(name="pose_detector", exact=True, mean_error_max=0.01)
POSE_LANDMARKER = Network(name="pose_landmarker", exact=True, mean_error_max=0.01)
PEOPLE = (POSE_DETECTOR, POSE_LANDMARKER)
