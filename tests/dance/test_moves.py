"""The library of moves: what it holds, and what its loader refuses."""

import numpy as np
import pytest

from services.chassis.errors import InvalidRequestError
from services.dance.moves import Move, MoveBook, MoveError, load_moves
from services.dance.pose import FOOT_CHANNELS, PLANTED_MAX, Channel, mirrored

WANTED = {
    "two_step",
    "body_roll",
    "arm_wave",
    "disco_point",
    "floss",
    "running_man",
    "shuffle",
    "twist",
    "hip_sway",
    "clap",
    "jump",
    "bow",
}
BOOK = load_moves()
FINE = np.arange(0.0, 16.0, 1 / 64)


def test_the_library_holds_the_moves_that_people_ask_for() -> None:
    """All twelve, in the order of their names."""
    names = [move.name for move in BOOK.moves]

    assert set(names) >= WANTED
    assert names == sorted(names)


@pytest.mark.parametrize("move", BOOK.moves, ids=lambda move: str(move.name))
def test_a_move_is_a_loop_without_jumps(move: Move) -> None:
    """It ends where it began, and no angle leaps from one sixty-fourth of a beat to the next."""
    start, end = move.poses(np.array([0.0])), move.poses(np.array([float(move.beats)]))
    steps = np.abs(np.diff(move.poses(FINE), axis=0))

    assert np.allclose(start, end)
    assert steps[:, Channel.LEAN].max() < 2.0
    assert steps[:, Channel.LEFT_UPPER : Channel.LEFT_FORE + 1].max() < 9.0


@pytest.mark.parametrize("move", BOOK.moves, ids=lambda move: str(move.name))
def test_a_foot_that_stands_stays_where_it_is(move: Move) -> None:
    """Between two moments in which a foot stands it did not go anywhere."""
    poses = move.poses(FINE)
    for foot in FOOT_CHANNELS.values():
        stands = poses[:, foot.start + 1] < PLANTED_MAX
        both = stands[1:] & stands[:-1]

        assert np.abs(np.diff(poses[:, foot.start]))[both].max(initial=0.0) < 1e-3


@pytest.mark.parametrize("move", BOOK.moves, ids=lambda move: str(move.name))
def test_a_move_shifts_weight_and_leaves_the_arms_no_rest(move: Move) -> None:
    """Hips and arms take part in every move."""
    swing = np.ptp(move.poses(FINE), axis=0)

    assert max(swing[Channel.SHIFT], swing[Channel.DROP]) > 0.015
    assert swing[Channel.LEFT_UPPER : Channel.RIGHT_FORE + 1].max() > 20.0


def test_a_mirror_image_of_a_mirror_image_is_the_pose() -> None:
    """Left and right are changed, and signs of what points to a side."""
    poses = BOOK.move("disco_point", "").poses(FINE[:64])

    assert np.array_equal(mirrored(mirrored(poses)), poses)
    assert not np.allclose(mirrored(poses), poses)


def test_an_unknown_move_is_answered_with_the_known_ones() -> None:
    """The refusal names them all, and not what was asked for."""
    with pytest.raises(InvalidRequestError) as caught:
        BOOK.move("canary", "options.moves[0]")

    assert set(caught.value.metadata["known"].split(", ")) == {move.name for move in BOOK.moves}
    assert "canary" not in caught.value.message


BAD_MOVES = {
    "a word that there is not": "[m]\nbeats = 4\nkeys = [{at = 0, wiggle = 3}]",
    "a table that there is not": "[m]\nbeats = 4\nspeed = 2\nkeys = [{at = 0, lean = 3}]",
    "no first key": "[m]\nbeats = 4\nkeys = [{at = 1, lean = 3}]",
    "no keys": "[m]\nbeats = 4",
    "keys out of order": "[m]\nbeats = 4\nkeys = [{at = 0, lean = 3}, {at = 0, lean = 1}]",
    "a key after the loop": "[m]\nbeats = 4\nkeys = [{at = 0, lean = 3}, {at = 4, lean = 1}]",
    "a key in the mirror": (
        "[m]\nbeats = 4\nmirror = true\nkeys = [{at = 0, lean = 3}, {at = 2, lean = 1}]"
    ),
    "half a beat": "[m]\nbeats = 1.5\nkeys = [{at = 0, lean = 3}]",
    "an arm of one bone": "[m]\nbeats = 4\nkeys = [{at = 0, left_arm = [3]}]",
    "a shift out of the room": "[m]\nbeats = 4\nkeys = [{at = 0, shift = 2.0}]",
    "an angle that no joint has": "[m]\nbeats = 4\nkeys = [{at = 0, lean = 400}]",
}


@pytest.mark.parametrize("name", BAD_MOVES)
def test_a_move_that_nobody_can_dance_is_refused_by_name(name: str) -> None:
    """The loader says which move it is."""
    with pytest.raises(MoveError, match=r"^m"):
        load_moves(BAD_MOVES[name])


def test_a_key_goes_on_where_it_says_nothing() -> None:
    """A channel passes by keys that do not name it, without a stop."""
    keys = "{at = 0, lean = 0, shift = 0}, {at = 1, shift = 0.1}, {at = 2, lean = 8}"
    book: MoveBook = load_moves(f"[m]\nbeats = 4\nkeys = [{keys}]")
    poses = book.move("m", "").poses(np.array([0.0, 1.0, 2.0]))

    assert np.allclose(poses[:, Channel.LEAN], [0.0, 4.0, 8.0])
