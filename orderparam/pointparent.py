"""A finite set of points as a parent: its point group P as the symmorphic space group that P is at k = 0.

Copies of the set, in a box that suits the group and is wide enough to keep them apart, are a crystal of the space
group {P | lattice}. Modulo its translations that group is P, its irreps at k = 0 are those of P, and nothing else is
ever asked of it: so one code treats molecules and crystals. The box has no meaning and appears nowhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .crystals.crystal import Crystal
from .crystals.pointset import PointSet
from .errors import InvalidInputError, SymmetryError
from .parent import Parent, symmetrise
from .pointgroup import CRYSTALLOGRAPHIC_ORDERS, crystal_axes, find_operations, schoenflies, turn_orders
from .spacegroup import symbol_of

_WIDTH = 3.0
_MARGIN = 12.0  # angstrom
_RATIOS = {"a": 1.0, "b": 1.09, "c": 1.21}

_SCHOENFLIES = {
    "1": "C1", "-1": "Ci", "2": "C2", "m": "Cs", "2/m": "C2h", "222": "D2", "mm2": "C2v", "mmm": "D2h", "4": "C4",
    "-4": "S4", "4/m": "C4h", "422": "D4", "4mm": "C4v", "-42m": "D2d", "4/mmm": "D4h", "3": "C3", "-3": "S6",
    "32": "D3", "3m": "C3v", "-3m": "D3d", "6": "C6", "-6": "C3h", "6/m": "C6h", "622": "D6", "6mm": "C6v",
    "-62m": "D3h", "6/mmm": "D6h", "23": "T", "m-3": "Th", "432": "O", "-43m": "Td", "m-3m": "Oh",
}  # fmt: skip
_SETTINGS = {"-4m2": "-42m", "-6m2": "-62m", "321": "32", "312": "32", "3m1": "3m", "31m": "3m", "-3m1": "-3m",
             "-31m": "-3m"}  # fmt: skip


def symmetrise_points(points: PointSet, symprec: float = 1e-3) -> Parent:
    """Put a finite set onto its exact point group, about its centre and in its own orientation.

    Raises
    ------
    InvalidInputError
        When the group is not one of the 32 crystallographic ones, whose irreps are tabulated.
    SymmetryError
        When the operations found within the tolerance are no group.

    Examples
    --------
    >>> import numpy as np
    >>> square = PointSet(np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]), ("C",) * 4)
    >>> parent = symmetrise_points(square)
    >>> parent.finite, point_group_of(parent.group.number)
    (True, ('D4h', '4/mmm'))
    """
    operations = find_operations(points, symprec) if points.rank > 1 else np.zeros((0, 3, 3))
    name = schoenflies(points, operations)
    foreign = set(turn_orders(operations).tolist()) - CRYSTALLOGRAPHIC_ORDERS
    if points.rank < 2 or foreign:
        why = ("a single point", "all atoms on one line")[points.rank] if points.rank < 2 else ""
        why = why or f"an axis of order {min(foreign)}"
        raise InvalidInputError(
            f"{points.name or points.formula}: its point group {name} ({why}) is not one of the 32 crystallographic "
            "ones, whose irreps are tabulated; a subgroup of it serves as parent if its atoms are told apart by species"
        )
    system, axes = crystal_axes(points, operations)
    crystal = in_box(points, _box(system, axes, points))
    parent = symmetrise(crystal, symprec)
    found, _ = point_group_of(parent.group.number)
    if found != name or parent.group.order != len(operations) or parent.crystal.n_sites != points.n_sites:
        raise SymmetryError(
            f"{points.name or points.formula}: the operations within {symprec:g} angstrom make {name} but close to "
            f"{found}; another --symprec decides"
        )
    finite = replace(parent.crystal, name=points.name, notes=points.notes)
    # spglib's names of sites are those of the space group
    return replace(parent, crystal=finite, finite=True, wyckoffs=("",) * points.n_sites)


def point_group_of(number: int) -> tuple[str, str]:
    """Return the Schoenflies and the Hermann-Mauguin symbol of a symmorphic space group's point group.

    Examples
    --------
    >>> point_group_of(123), point_group_of(187), point_group_of(215)
    (('D4h', '4/mmm'), ('D3h', '-62m'), ('Td', '-43m'))
    """
    symbol = symbol_of(number)[1:]
    symbol = _SETTINGS.get(symbol, symbol)
    return _SCHOENFLIES[symbol], symbol


def international_symbol(name: str) -> str | None:
    """Return the Hermann-Mauguin symbol of a Schoenflies symbol, None where it is not crystallographic.

    Examples
    --------
    >>> international_symbol("D4h"), international_symbol("D5h")
    ('4/mmm', None)
    """
    return next((symbol for symbol, other in _SCHOENFLIES.items() if other == name), None)


def _box(system: str, axes: np.ndarray, points: PointSet) -> np.ndarray:
    """Return lattice vectors (rows) that suit a crystal system, along the axes x, y, z (rows)."""
    a, b, c = (ratio * (_WIDTH * 2 * np.linalg.norm(points.centred, axis=1).max() + _MARGIN)
               for ratio in _RATIOS.values())  # fmt: skip
    shapes = {
        "cubic": [[a, 0, 0], [0, a, 0], [0, 0, a]],
        "tetragonal": [[a, 0, 0], [0, a, 0], [0, 0, c]],
        "hexagonal": [[a, 0, 0], [-a / 2, a * np.sqrt(0.75), 0], [0, 0, c]],
        "orthorhombic": [[a, 0, 0], [0, b, 0], [0, 0, c]],
        "monoclinic": [[a, 0, 0], [0, b, 0], [-0.17 * c, 0, c]],
        "triclinic": [[a, 0, 0], [-0.11 * b, b, 0], [-0.17 * c, -0.07 * c, c]],
    }
    return np.array(shapes[system]) @ axes


def in_box(points: PointSet, box: np.ndarray) -> Crystal:
    """Return the crystal of copies of a set, the mean of its points at the origin."""
    return Crystal(box, points.centred @ np.linalg.inv(box), points.species, points.labels, points.name, points.notes)


def out_of_box(crystal: Crystal) -> PointSet:
    """Return the finite set whose copies a crystal consists of, about the origin."""
    whole = crystal.positions - np.rint(crystal.positions)
    return PointSet(whole @ crystal.lattice, crystal.species, name=crystal.name)
