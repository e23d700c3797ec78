"""Files with several structures: which one is taken, and that it is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal

CELL_JUMP = 0.1
"""A cell that changes by more than this from one frame to the next (Frobenius norm, relative) has other axes."""

WORDS = ("first", "last", "mean")


class EmptyFileError(InvalidInputError):
    """A file without any structure; who knows the name of the file puts it in front."""


@dataclass(frozen=True)
class Frames:
    """The structures of one file, read when they are asked for.

    Attributes
    ----------
    count : int
        How many there are, at least one.
    crystal : callable
        The crystal of a frame, counted from 0.

    Raises
    ------
    EmptyFileError
    """

    count: int
    crystal: Callable[[int], Crystal]

    def __post_init__(self) -> None:
        if self.count < 1:
            raise EmptyFileError("it holds no structure")


def one(crystal: Crystal) -> Frames:
    """Return the frames of a file that holds one structure."""
    return Frames(1, lambda _: crystal)


def many(crystals: Sequence[Crystal]) -> Frames:
    """Return the frames of structures that are all read."""
    return Frames(len(crystals), crystals.__getitem__)


def parse_frame(text: str | int | None) -> int | str | None:
    """Return a frame as a number from 1, ``"first"``, ``"last"`` or ``"mean"``.

    Raises
    ------
    InvalidInputError

    Examples
    --------
    >>> parse_frame("12"), parse_frame("mean"), parse_frame(None)
    (12, 'mean', None)
    """
    if text is None or text in WORDS:
        return text
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 19:
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int) or text < 1:
        raise InvalidInputError(f"frame: expected a number from 1 on, first, last or mean, received {text!r}")
    return text


def pick(frames: Frames, frame: str | int | None, name: str) -> Crystal:
    """Return one frame of a file, or the mean of all; without a wish the last, where a relaxation has its result.

    Raises
    ------
    InvalidInputError
        When the frame is not there, or a mean is asked for of different structures.
    """
    frame = parse_frame(frame)
    if isinstance(frame, int) and frame > frames.count:
        held = "1 structure" if frames.count == 1 else f"{frames.count} frames"
        raise InvalidInputError(f"{name}: there is no frame {frame}; the file holds {held}")
    if frames.count == 1:
        return frames.crystal(0)
    if frame == "mean":
        crystal = mean_of(frames, name)
        said = f"the mean of all {frames.count} frames is taken"
    else:
        index = frame if isinstance(frame, int) else 1 if frame == "first" else frames.count
        crystal = frames.crystal(index - 1)
        which = f"frame {index} is taken" if frame else "the last is taken (--frame N, first or mean takes another)"
        said = f"it holds {frames.count} frames; {which}"
    return replace(crystal, notes=(*crystal.notes, f"{Path(name).name}: {said}"))


def mean_of(frames: Frames, name: str) -> Crystal:
    """Return the mean cell with the mean positions, atoms followed through the faces of the cell.

    From one frame to the next an atom is taken to have moved by less than half a cell. Notes and labels are those of
    the last frame; standard uncertainties, which are of one frame and not of the mean, are left out.

    Raises
    ------
    InvalidInputError
        When atoms or their order differ, or a frame has other axes.
    """
    before = frames.crystal(0)
    lattice, positions = before.lattice.copy(), before.positions.copy()
    followed = before.positions
    for index in range(1, frames.count):
        now = frames.crystal(index)
        if now.species != before.species:
            raise InvalidInputError(
                f"{name}: no mean: frame {index + 1} has other atoms than frame {index} (kinds, number or order)"
            )
        if np.linalg.norm(now.lattice - before.lattice) > CELL_JUMP * np.linalg.norm(before.lattice):
            raise InvalidInputError(f"{name}: no mean: the cell of frame {index + 1} has other axes than frame {index}")
        steps = now.positions - followed
        followed = followed + steps - np.rint(steps)
        lattice += now.lattice
        positions += followed
        before = now
    return replace(before, lattice=lattice / frames.count, positions=positions / frames.count, uncertainties=None)
