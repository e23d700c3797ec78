"""Mulliken's symbols of the irreps of the 32 crystallographic point groups, from their characters.

A and B are even and odd under the main turn, E and T have two and three dimensions. 1 and 2 are even and odd under a
horizontal twofold axis, or else an upright mirror plane (along x, where there are two classes of them); under a
fourfold turn in cubic groups; in D2 and D2h B1, B2, B3 are even under the turn about z, y, x. E1 and E2 go with turns
of 60 and 120 degrees. g and u are even and odd under inversion, ' and '' under the horizontal mirror plane of Cs, C3h
and D3h. x, y and z are those of `pointgroup.crystal_axes`. Two conjugate complex irreps make one real E.

References
----------
R. S. Mulliken, "Report on notation for the spectra of polyatomic molecules", J. Chem. Phys. 23, 1997 (1955).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_NEAR = 1e-4


@dataclass(frozen=True, eq=False)
class _Character:
    """The character of an irrep over its dimension, by operations in the frame of the group."""

    operations: np.ndarray
    values: np.ndarray

    def of(self, operation: np.ndarray) -> float | None:
        """Return the value at one operation, None where the group has no such."""
        found = np.flatnonzero(np.abs(self.operations - operation).max(axis=(1, 2)) < _NEAR)
        return float(self.values[found[0]]) if len(found) else None

    def turn(self, order: int) -> float | None:
        """Return the value at the turn about z of an order; -4 is the improper one."""
        angle = 2 * np.pi / abs(order)
        c, s = np.cos(angle), np.sin(angle)
        return self.of(np.sign(order) * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]))

    def twofold(self, axis: int) -> float | None:
        """Return the value at the twofold turn about x, y or z."""
        return self.of(np.diag(2 * np.eye(3)[axis] - 1))

    @cached_property
    def is_cubic(self) -> bool:
        """Whether the group has the threefold axis x -> y -> z."""
        return self.of(np.eye(3)[[2, 0, 1]]) is not None

    @cached_property
    def fourfold(self) -> float | None:
        """The value at the fourfold turn about z, else at the improper one."""
        proper = self.turn(4)
        return self.turn(-4) if proper is None else proper

    @cached_property
    def main(self) -> float | None:
        """The value at the main turn; None without one."""
        for value in (self.turn(6), self.fourfold, self.turn(3), self.turn(2), self.twofold(1)):
            if value is not None:
                return value
        return None

    @cached_property
    def is_orthorhombic(self) -> bool:
        """Whether the group is D2 or D2h."""
        axes = [self.twofold(axis) for axis in range(3)]
        return not self.is_cubic and None not in axes and self.fourfold is None and self.turn(6) is None

    @cached_property
    def upright(self) -> float | None:
        """The value at a horizontal twofold axis, else at an upright mirror plane: along x, or else at any."""
        if all(self.turn(order) is None for order in (2, 3)):
            return None
        turns = self.operations * np.linalg.det(self.operations)[:, None, None]
        flat = (np.abs(turns[:, 2, 2] + 1) < _NEAR) & (np.abs(np.trace(turns, axis1=1, axis2=2) + 1) < _NEAR)
        proper = np.linalg.det(self.operations) > 0
        for kind in (flat & proper, flat & ~proper):
            if kind.any():
                # the axis along x, or the plane that holds it
                return float(self.values[np.flatnonzero(kind)[np.argmax(self.operations[kind, 0, 0])]])
        return None


def mulliken_symbol(rotations: np.ndarray, axes: np.ndarray, matrices: np.ndarray) -> str:
    """Name a real irrep of a crystallographic point group.

    Parameters
    ----------
    rotations : (n, 3, 3) float64
        All operations, Cartesian.
    axes : (3, 3) float64
        Unit vectors x, y, z of the group as rows.
    matrices : (n, d, d) float64
        The irrep.

    Examples
    --------
    >>> import numpy as np
    >>> mirror = np.array([np.eye(3), np.diag([1.0, -1, 1])])
    >>> mulliken_symbol(mirror, np.eye(3), np.array([[[1.0]], [[-1.0]]]))
    "A''"
    """
    dimension = matrices.shape[1]
    character = _Character(axes @ rotations @ axes.T, np.trace(matrices, axis1=1, axis2=2) / dimension)
    letter = {1: _letter(character), 2: "E", 3: "T"}[dimension]
    return letter + _number(character, letter) + _ending(character)


def _letter(character: _Character) -> str:
    if character.is_cubic:
        return "A"
    if character.is_orthorhombic:
        return "A" if all((character.twofold(axis) or 0) > 0 for axis in range(3)) else "B"
    return "A" if character.main is None or character.main > 0 else "B"


def _number(character: _Character, letter: str) -> str:
    if letter == "E":
        turn = character.turn(6)
        return "" if turn is None or character.is_cubic else "1" if turn > 0 else "2"
    if character.is_orthorhombic:
        positive = [axis for axis in range(3) if (character.twofold(axis) or 0) > 0]
        return "" if letter == "A" else "321"[positive[0]]
    deciding = character.fourfold if character.is_cubic else character.upright
    return "" if deciding is None else "1" if deciding > 0 else "2"


def _ending(character: _Character) -> str:
    inversion = character.of(-np.eye(3))
    if inversion is not None:
        return "g" if inversion > 0 else "u"
    if len(character.operations) == 2:
        mirror = character.of(np.diag([1.0, -1.0, 1.0]))
    else:
        mirror = character.of(np.diag([1.0, 1.0, -1.0])) if character.turn(3) is not None else None
    return "" if mirror is None else "'" if mirror > 0 else "''"
