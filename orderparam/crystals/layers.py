"""Layers: crystals that repeat in two directions, with vacuum along the third.

Vacuum is no physics. A layer is brought to one cell (`layer_cell`) whose third axis is perpendicular to it and of a
length that follows from the atoms alone; all that is computed in this cell is the same for any vacuum, any height of
the layer in it and any tilt of the file's axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal

VACUUM = 8.0
"""A gap between atoms that is wider than this (angstrom) is vacuum: the widest in bulk crystals, between van der Waals
layers, are 3 to 4."""

ROOM = 4.0
"""A direction that is said not to be periodic has at least this gap (angstrom): in a narrower one atoms touch."""

_AXES = "abc"
_ROUNDING = 1e-6  # angstrom


@dataclass(frozen=True)
class Gap:
    """The widest interval without atoms along the normal of the plane of two cell vectors.

    Attributes
    ----------
    width : float
        Angstrom, between centres of atoms.
    edge : float
        Fractional coordinate in [0, 1) of the atom above it.
    n_vacuum : int
        How many gaps of the cell are wider than `VACUUM`.
    """

    width: float
    edge: float
    n_vacuum: int


def find_gap(lattice: np.ndarray, positions: np.ndarray, axis: int) -> Gap:
    """Find the widest gap between atoms along the normal of the plane of the two axes other than `axis`.

    Parameters
    ----------
    lattice, positions : (3, 3), (n, 3)
        Rows, angstrom; fractional.
    axis : int
    """
    heights = np.sort(positions[:, axis] % 1.0 % 1.0)  # twice: -1e-17 % 1 is 1
    spacing = _spacing(lattice, axis)
    widths = (heights - np.roll(heights, 1)) * spacing
    widths[0] += spacing
    widest = int(np.argmax(widths))
    return Gap(float(widths[widest]), float(heights[widest]), int((widths > VACUUM + _ROUNDING).sum()))


def vacuum_axes(lattice: np.ndarray, positions: np.ndarray) -> list[int]:
    """Return the axes of a cell along which a gap is wider than `VACUUM`."""
    return [axis for axis in range(3) if find_gap(lattice, positions, axis).n_vacuum]


def layer_axis(crystal: Crystal) -> int | None:
    """Return the cell axis along which a layer is not periodic, None for anything that is no layer."""
    missing = [axis for axis, periodic in enumerate(crystal.periodic) if not periodic]
    return missing[0] if len(missing) == 1 else None


def is_layer(crystal: Crystal) -> bool:
    """Tell whether a crystal is periodic in just two directions."""
    return layer_axis(crystal) is not None


def parse_periodic(text: str) -> tuple[bool, bool, bool]:
    """Return the periodic directions of ``--periodic ab``.

    Raises
    ------
    InvalidInputError
        When they are not two or three of a, b, c.

    Examples
    --------
    >>> parse_periodic("ab"), parse_periodic("abc")
    ((True, True, False), (True, True, True))
    """
    letters = text.strip().lower()
    if len(letters) not in {2, 3} or len(set(letters)) < len(letters) or set(letters) - set(_AXES):
        raise InvalidInputError(
            f"--periodic {text}: expected two of a, b, c for a layer such as ab, or abc for a crystal"
        )
    a, b, c = (axis in letters for axis in _AXES)
    return a, b, c


def settle_periodicity(crystal: Crystal, asked: str | None = None) -> Crystal:
    """Decide in which directions a crystal just read is periodic, and note it where it is a layer.

    What is asked for counts before what the file says, and that before the rule: one axis with a gap wider than
    `VACUUM` is not periodic. A file with a whole lattice that calls no direction or just one periodic is taken as one
    that says nothing: ASE writes so by default.

    Parameters
    ----------
    crystal : Crystal
        With ``periodic`` as the file says.
    asked : str, optional
        Periodic axes: ``"ab"``, ``"abc"`` ...

    Raises
    ------
    InvalidInputError
        When there is no room for vacuum along the direction, or several layers stand along it.

    Examples
    --------
    >>> import numpy as np
    >>> sheet = Crystal(np.diag([3.0, 3.0, 12.0]), np.array([[0, 0, 0.5], [0.5, 0.5, 0.5]]), ("B", "N"))
    >>> settle_periodicity(sheet).periodic, settle_periodicity(sheet, "abc").periodic
    ((True, True, False), (True, True, True))
    """
    where = f"{crystal.name or crystal.formula}: "
    if sum(crystal.periodic) < 2:
        crystal = replace(crystal, periodic=(True, True, True))
    if asked is not None:
        crystal, reason = replace(crystal, periodic=parse_periodic(asked)), f"--periodic {asked}"
    elif all(crystal.periodic):
        empty = vacuum_axes(crystal.lattice, crystal.positions)
        if len(empty) != 1:
            return replace(crystal, notes=(*crystal.notes, *_isolated(crystal, empty)))
        (axis,) = empty
        periodic = tuple(other != axis for other in range(3))
        width = find_gap(crystal.lattice, crystal.positions, axis).width
        crystal = replace(crystal, periodic=periodic)
        reason = f"{_AXES[axis]} holds a gap of {width:.1f} angstrom (more than {VACUUM:g})"
    else:
        reason = "the file says so"
    axis = layer_axis(crystal)
    if axis is None:
        return crystal
    name, gap = _AXES[axis], find_gap(crystal.lattice, crystal.positions, axis)
    if gap.width < ROOM:
        raise InvalidInputError(
            f"{where}a layer without vacuum ({reason}): the widest gap between atoms along {name}, normal to the two "
            f"other axes, is {gap.width:.2f} angstrom, expected at least {ROOM:g}; --periodic abc takes it as a crystal"
        )
    if gap.n_vacuum > 1:
        raise InvalidInputError(
            f"{where}{gap.n_vacuum} layers with vacuum between them along {name} ({reason}); give a file of one layer, "
            "or take it as a crystal with --periodic abc"
        )
    order = "" if name == "c" else f"; its axes are taken in the order {', '.join(_AXES[i] for i in _order(axis))}"
    lost = "; its standard uncertainties are left out" if crystal.uncertainties is not None else ""
    return replace(
        crystal,
        notes=(
            *crystal.notes,
            f"{where}a layer, not periodic along {name} ({reason}): vacuum and its strain are left out{order}{lost}; "
            "--periodic abc takes it as a crystal",
        ),
    )


def _isolated(crystal: Crystal, empty: list[int]) -> tuple[str, ...]:
    """Return a note on a chain or a molecule in a box."""
    if len(empty) < 2:
        return ()
    along = " and ".join(_AXES[axis] for axis in empty)
    what = "a chain" if len(empty) == 2 else "a molecule in a box"
    return (
        f"{crystal.name or crystal.formula}: vacuum along {along}: {what} is treated as a crystal, and what is found "
        "depends on the box",
    )


def thickness(crystal: Crystal) -> float:
    """Return the distance between the outermost atoms of a layer along its normal, angstrom."""
    axis = _axis_of(crystal)
    return _spacing(crystal.lattice, axis) - find_gap(crystal.lattice, crystal.positions, axis).width


def normal_period(crystal: Crystal) -> np.ndarray:
    """Return the period of the cell along the normal of a layer (3,), angstrom."""
    axis = _axis_of(crystal)
    dual = np.linalg.inv(crystal.lattice)[:, axis]
    return dual / (dual @ dual)


def layer_cell(crystal: Crystal, period: float | None = None) -> Crystal:
    """Return a layer in the one cell in which layers are compared.

    Its first two vectors are those in the plane (in cyclic order), the third is perpendicular to them and `period`
    long; the atoms are in one piece, their outermost planes at equal distances from the middle of the cell. Nothing is
    turned, and nothing moves within the plane.

    Parameters
    ----------
    crystal : Crystal
        A layer.
    period : float, optional
        Angstrom; without it the thickness of the layer and twice `VACUUM`.

    Raises
    ------
    InvalidInputError
        When the crystal is no layer.

    Examples
    --------
    >>> import numpy as np
    >>> lattice = np.array([[30.0, 4, 0], [0, 3, 0], [0, 0, 3]])
    >>> tilted = Crystal(lattice, np.array([[0.98, 0, 0], [0.02, 0, 0.5]]), ("B", "N"), periodic=(False, True, True))
    >>> cell = layer_cell(tilted)
    >>> cell.lattice.round(3).tolist(), cell.periodic
    ([[0.0, 3.0, 0.0], [0.0, 0.0, 3.0], [17.2, 0.0, 0.0]], (True, True, False))
    """
    order = _order(_axis_of(crystal))
    lattice, positions = crystal.lattice[order], crystal.positions[:, order].copy()
    if period is None:
        period = thickness(crystal) + 2 * VACUUM
    positions[:, 2] = _in_one_piece(positions[:, 2], find_gap(lattice, positions, 2).edge)
    normal = np.cross(lattice[0], lattice[1])
    normal *= np.sign(normal @ lattice[2]) / np.linalg.norm(normal)
    places = positions @ lattice
    heights = places @ normal
    places += (period / 2 - (heights.max() + heights.min()) / 2) * normal
    cell = np.array([lattice[0], lattice[1], period * normal])
    return replace(
        crystal,
        lattice=cell,
        positions=places @ np.linalg.inv(cell),
        periodic=(True, True, False),
        uncertainties=None,
    )


def carried(crystal: Crystal, lattice: np.ndarray) -> tuple[bool, bool, bool]:
    """Return which vectors (rows) of another basis of a crystal's lattice are periodic.

    Those are that lie in the plane of a layer. The cell of the layer is one of `layer_cell`, whose reduced and standard
    bases all hold two such vectors.
    """
    if not is_layer(crystal):
        return (True, True, True)
    period = normal_period(crystal)
    a, b, c = (bool(abs(row @ period) < 0.5 * (period @ period)) for row in lattice)
    return a, b, c


def _spacing(lattice: np.ndarray, axis: int) -> float:
    """Return the height of the cell over the plane of the two other axes, angstrom."""
    return float(1 / np.linalg.norm(np.linalg.inv(lattice)[:, axis]))


def _axis_of(crystal: Crystal) -> int:
    axis = layer_axis(crystal)
    if axis is None:
        raise InvalidInputError(f"{crystal.name or crystal.formula}: expected a layer, periodic in two directions")
    return axis


def _order(axis: int) -> list[int]:
    """Return the axes with `axis` last, in cyclic order, which keeps the hand."""
    return [(axis + 1) % 3, (axis + 2) % 3, axis]


def _in_one_piece(heights: np.ndarray, edge: float) -> np.ndarray:
    """Return fractional heights (n,) from the atom above the gap upwards, in the period nearest to the file's."""
    wrapped = heights % 1.0 % 1.0
    raised = np.where(wrapped < edge, wrapped + 1, wrapped)
    return raised + np.rint(np.mean(heights - raised))
