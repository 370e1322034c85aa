"""Names for what a body consists of and what covers it."""

from enum import IntEnum


class BodyPart(IntEnum):
    """Parts of a body; left and right are the person's own."""

    GROUND = 0
    HEAD = 1
    TORSO = 2
    UPPER_ARM_LEFT = 3
    UPPER_ARM_RIGHT = 4
    FOREARM_LEFT = 5
    FOREARM_RIGHT = 6
    HAND_LEFT = 7
    HAND_RIGHT = 8
    THIGH_LEFT = 9
    THIGH_RIGHT = 10
    SHIN_LEFT = 11
    SHIN_RIGHT = 12
    FOOT_LEFT = 13
    FOOT_RIGHT = 14


class Wear(IntEnum):
    """What covers a body; eyes and lips count as skin."""

    GROUND = 0
    UPPER = 1
    LOWER = 2
    DRESS = 3
    SKIN = 4
    HAIR = 5
    SHOES = 6
