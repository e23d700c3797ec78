"""The primitive cell of a crystal as spglib finds it, nothing idealised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .crystals.crystal import Crystal
from .crystals.layers import carried
from .errors import SymmetryError
from .lattice import determinant, lattice_basis
from .niggli import niggli_reduce
from .spacegroup import DENOMINATOR, SymmetryReport, hall_operations


@dataclass(frozen=True)
class PrimitiveCell:
    """A crystal's primitive cell and its symmetry operations there.

    Attributes
    ----------
    crystal : Crystal
        Niggli-reduced, right-handed primitive cell in the orientation and with the origin of the file.
    basis : (3, 3) int
        The file's basis vectors (rows) in the primitive basis.
    atoms : (n,) int
        For every atom of the primitive cell, its first copy in the file.
    rotations, translations : (m, 3, 3) int, (m, 3) float
        One operation per rotation part, in the primitive basis.
    """

    crystal: Crystal
    basis: np.ndarray
    atoms: np.ndarray
    rotations: np.ndarray
    translations: np.ndarray


def primitive_cell(crystal: Crystal, report: SymmetryReport) -> PrimitiveCell:
    """Return the primitive cell of a crystal by the translations that spglib found, without idealising anything.

    Raises
    ------
    SymmetryError
        When the reported translations do not form a lattice.
    """
    pure = report.translations[(report.rotations == np.eye(3, dtype=int)).all(axis=(1, 2))]
    m = len(pure)
    numerators = np.rint(pure * m).astype(int)  # a translation of order dividing m is a multiple of 1/m
    rows = lattice_basis(np.concatenate([numerators, m * np.eye(3, dtype=int)]))
    if abs(int(determinant(rows))) * m != m**3:
        raise SymmetryError(
            f"{crystal.name}: the translations that spglib reports form no lattice; lower --symprec-child"
        )
    lattice, _ = niggli_reduce(rows / m @ crystal.lattice)
    lattice = lattice if np.linalg.det(lattice) > 0 else -lattice
    to_primitive = crystal.lattice @ np.linalg.inv(lattice)
    positions = crystal.positions @ to_primitive
    atoms = _first_copies(positions, lattice, crystal.kinds)
    rotations, translations = _whole_group(report, np.linalg.inv(np.rint(to_primitive).T))
    return PrimitiveCell(
        Crystal(
            lattice,
            positions[atoms],
            tuple(crystal.species[i] for i in atoms),
            tuple(crystal.labels[i] for i in atoms),
            crystal.name,
            crystal.notes,
            periodic=carried(crystal, lattice),
        ),
        np.rint(to_primitive).astype(int),
        atoms,
        rotations,
        translations,
    )


def _whole_group(report: SymmetryReport, from_primitive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return one operation per rotation part in a primitive basis, x_file = from_primitive x_primitive.

    They come from the Hall entry: the report lists only those that keep the file's cell, and a supercell may have less
    symmetry than its crystal.

    Returns
    -------
    rotations, translations : (m, 3, 3) int, (m, 3) float
    """
    rotations, translations = hall_operations(report.hall_number)
    _, first = np.unique(rotations.reshape(-1, 9), axis=0, return_index=True)
    rotations, translations = rotations[np.sort(first)], translations[np.sort(first)] / DENOMINATOR
    to_standard = report.transformation @ from_primitive
    inverse = np.linalg.inv(to_standard)
    shifts = translations + rotations @ report.origin_shift - report.origin_shift
    return np.rint(inverse @ rotations @ to_standard).astype(int), shifts @ inverse.T


def _first_copies(positions: np.ndarray, lattice: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Return the first atom of every set of atoms that stand on one place modulo a lattice (within 0.25 angstrom)."""
    first: list[int] = []
    for i, position in enumerate(positions):
        gaps = positions[first] - position if first else np.zeros((0, 3))
        near = np.linalg.norm((gaps - np.rint(gaps)) @ lattice, axis=1) < 0.25
        if not (near & (kinds[first] == kinds[i])).any():
            first.append(i)
    return np.array(first)
