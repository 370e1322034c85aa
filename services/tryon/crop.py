"""The part of a photo that is worked on: a person and room for clothes, at the size of the work."""

from dataclasses import replace

from services.vision.frame import Frame, Window, scaled_to
from services.vision.person import Person

# Pixels of the longer side that a person is worked on at; a larger one is drawn larger.
WORK_SIDE_MAX = 1280
# Room around a person for wide clothes, as a share of the person's longer side.
MARGIN_SHARE = 0.08


def surroundings(person: Person, height: int, width: int) -> Window:
    """Return the window that a person and wide clothes fill."""
    box = person.box
    margin = round(MARGIN_SHARE * max(box.height, box.width)) + 8
    return box.grown(margin, height, width)


def working_size(window: Window) -> tuple[int, int]:
    """Return the rows and columns that a window of the photo is worked on in."""
    size = window.height, window.width
    return scaled_to(*size, WORK_SIDE_MAX) if max(size) > WORK_SIDE_MAX else size


def moved(person: Person, window: Window, size: tuple[int, int]) -> Person:
    """Carry a person into the coordinates of a window that is scaled to (rows, columns)."""
    scale = size[0] / window.height
    landmarks = person.landmarks.copy()
    landmarks[:, 0] = (landmarks[:, 0] - window.left + 0.5) * scale - 0.5
    landmarks[:, 1] = (landmarks[:, 1] - window.top + 0.5) * scale - 0.5
    landmarks[:, 2] *= scale
    x, y = person.frame.centre
    frame = Frame(
        centre=((x - window.left) * scale, (y - window.top) * scale),
        side=person.frame.side * scale,
        turn=person.frame.turn,
    )
    box = Window(
        top=max(0, round((person.box.top - window.top) * scale)),
        left=max(0, round((person.box.left - window.left) * scale)),
        bottom=min(size[0], round((person.box.bottom - window.top) * scale)),
        right=min(size[1], round((person.box.right - window.left) * scale)),
    )
    return replace(person, frame=frame, box=box, landmarks=landmarks)
