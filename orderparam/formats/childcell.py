"""The symmetrised child in the cell, orientation and setting of its own file, with its operations there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.discovery.relate import Relation
from orderparam.lattice import QuotientLattice
from orderparam.spacegroup import setting_symbol
from orderparam.supercell import Supercell

_RATIONAL = 0.01
_DENOMINATOR = 24


@dataclass(frozen=True, eq=False)
class ChildCell:
    """The child as a distortion, in its own axes.

    Attributes
    ----------
    crystal : Crystal
        All atoms of the cell.
    reference : (n, 3)
        Fractional coordinates of the undistorted parent in the same cell.
    atoms : (n,) int
        Atom of the distortion that each is a copy of.
    rotations, translations : (m, 3, 3) int, (m, 3) float
        All operations of the child in this cell, centring included, on fractional columns.
    asymmetric : (a,) int
        One atom of every orbit.
    space_group : (int, str)
        Number, and symbol of this setting where it is a tabulated one.
    from_parent : (3, 3)
        Turns Cartesian displacements in the parent's frame (rows) into fractional ones of this cell.
    """

    crystal: Crystal
    reference: np.ndarray
    atoms: np.ndarray
    rotations: np.ndarray
    translations: np.ndarray
    asymmetric: np.ndarray
    space_group: tuple[int, str]
    from_parent: np.ndarray

    def shifts(self, displacements: np.ndarray) -> np.ndarray:
        """Return fractional shifts (n, 3) of a field (n_distortion, 3) on the atoms of the distortion, angstrom."""
        return (displacements @ self.from_parent)[self.atoms]


def child_cell(relation: Relation) -> ChildCell:
    """Put a child, projected onto its group, back into the cell of its file.

    Where that cell does not suit the child's group (a supercell that is less symmetric than the crystal) the primitive
    cell of the group takes its place, and where the file's origin is at no tabulated place (noise) the parent's.
    """
    found, distortion = relation.correspondence, relation.distortion
    cells = (relation.cell.basis @ found.supercell, distortion.group.lattice_basis)
    for matrix in (np.rint(cell).astype(int) for cell in cells):
        operations = _operations(relation, matrix)
        if operations is not None:
            return _build(relation, matrix, *operations)
    raise AssertionError("a group always suits its own lattice")


def _operations(relation: Relation, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return rotations, translations in a cell (rows, primitive parent) and the origin, or None if it does not suit."""
    distortion = relation.distortion
    group, supercell = relation.parent.group, distortion.supercell
    columns = matrix.T
    inverse = np.linalg.inv(columns)
    pairs = distortion.group.pairs
    rotations = inverse @ group.rotations[pairs[:, 0]] @ columns
    if np.abs(rotations - np.rint(rotations)).max() > 1e-6:
        return None
    rotations = np.rint(rotations).astype(int)
    shifts = group.translation_parts[pairs[:, 0]] + supercell.translations[pairs[:, 1]]
    centred = _centring(supercell.matrix, matrix)
    rotations = np.repeat(rotations, len(centred), axis=0)
    shifts = (shifts[:, None] + centred).reshape(-1, 3) @ inverse.T
    origin = _origin(rotations, shifts, relation.correspondence.origin_shift @ inverse.T)
    turned = np.einsum("gij,j->gi", rotations - np.eye(3, dtype=int), origin)
    translations = shifts + turned
    translations -= np.floor(translations + 1e-6)
    keys = np.round(np.concatenate([rotations.reshape(-1, 9), translations], axis=1), 4)
    _, first = np.unique(keys, axis=0, return_index=True)
    first = np.sort(first)
    return rotations[first], translations[first], origin @ columns.T


def _centring(inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """Return the vectors (m, 3) of the lattice `inner` modulo those of `outer`, which it holds (rows, primitive)."""
    ratio = np.rint(outer @ np.linalg.inv(inner)).astype(int)
    if np.abs(ratio @ inner - outer).max() > 1e-6 or round(abs(np.linalg.det(ratio))) == 1:
        return np.zeros((1, 3), int)
    return QuotientLattice(ratio).representatives @ inner


def _origin(rotations: np.ndarray, shifts: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Return the origin nearest to the file's at which all translation parts are tabulated, else the parent's."""
    differences = rotations - np.eye(3, dtype=int)
    wanted = shifts + differences @ origin
    nearest = np.rint(wanted * _DENOMINATOR) / _DENOMINATOR
    if np.abs(wanted - nearest).max() > _RATIONAL:
        return np.zeros(3)
    correction = np.linalg.lstsq(differences.reshape(-1, 3), (nearest - wanted).ravel(), rcond=None)[0]
    exact = origin + correction
    return exact if np.abs(shifts + differences @ exact - nearest).max() < 1e-6 else np.zeros(3)


def _build(
    relation: Relation, matrix: np.ndarray, rotations: np.ndarray, translations: np.ndarray, origin: np.ndarray
) -> ChildCell:
    found, distortion, parent = relation.correspondence, relation.distortion, relation.parent
    cell = Supercell.build(parent, matrix)
    atoms = distortion.supercell.atoms_at(cell.sites, cell.cells)
    sign = -1.0 if found.mirrored else 1.0
    inverse = np.linalg.inv(matrix)
    ideal = parent.crystal.positions[cell.sites] + cell.cells
    reference = sign * (ideal - origin) @ inverse
    whole = np.floor(reference + 1e-6)
    reference = reference - whole
    from_parent = sign * np.linalg.inv(parent.lattice) @ inverse
    positions = reference + (distortion.displacements @ from_parent)[atoms]
    lattice = matrix @ parent.lattice @ (np.eye(3) + distortion.strain) @ found.rotation.T
    labels = tuple(relation.child_labels[atom] for atom in atoms)
    crystal = Crystal(lattice, positions, cell.species, labels, relation.child.name)
    orbits = distortion.group.action().permutations.min(axis=0)[atoms]
    asymmetric = np.array([np.flatnonzero(orbits == orbit)[0] for orbit in dict.fromkeys(orbits.tolist())])
    crystal = replace(crystal, labels=_unique(crystal, orbits, asymmetric))
    translations = sign * translations
    translations = translations - np.floor(translations + 1e-6)
    number, symbol = distortion.group.space_group
    setting = setting_symbol(number, rotations, translations)
    return ChildCell(
        crystal, reference, atoms, rotations, translations, asymmetric, (number, setting or symbol), from_parent
    )


def _unique(crystal: Crystal, orbits: np.ndarray, asymmetric: np.ndarray) -> tuple[str, ...]:
    """Return labels of which no two orbits share one: the file's where they do that, else the element and a number."""
    names = [crystal.labels[i] for i in asymmetric]
    if len(set(names)) < len(names):
        counts: Counter[str] = Counter()
        for n, i in enumerate(asymmetric):
            counts[crystal.species[i]] += 1
            names[n] = f"{crystal.species[i]}{counts[crystal.species[i]]}"
    named = {int(orbits[i]): name for i, name in zip(asymmetric, names, strict=True)}
    return tuple(named[int(orbit)] for orbit in orbits)


def operation_text(rotation: np.ndarray, translation: np.ndarray) -> str:
    """Write an operation as ``-x+1/2,y,z-1/2``; shifts as they are, not reduced by whole translations.

    Examples
    --------
    >>> import numpy as np
    >>> operation_text(np.array([[-1, 0, 0], [0, 1, 0], [1, 0, -1]]), np.array([0.5, 0, 0.25]))
    '-x+1/2,y,x-z+1/4'
    >>> operation_text(np.eye(3, dtype=int), np.array([0.5, -1, -0.5]))
    'x+1/2,y-1,z-1/2'
    """
    parts = []
    for row, shift in zip(rotation, translation, strict=True):
        text = ""
        for value, letter in zip(row, "xyz", strict=True):
            if value:
                text += (
                    ("-" if value < 0 else "+" if text else "") + ("" if abs(value) == 1 else str(abs(value))) + letter
                )
        fraction = Fraction(float(shift)).limit_denominator(_DENOMINATOR * 10)
        parts.append(text + (f"{'+' if fraction > 0 else '-'}{abs(fraction)}" if fraction else ""))
    return ",".join(parts)


def rotation_symbol(rotation: np.ndarray) -> str:
    """Name the rotation part of an operation as International Tables do: ``4+ [001]``, ``-3- [111]``, ``m [1-10]``.

    The axis is a direction of the basis; that of a mirror plane is its normal.

    Parameters
    ----------
    rotation : (3, 3) int
        Acting on fractional columns of a right-handed basis.

    Examples
    --------
    >>> import numpy as np
    >>> rotation_symbol(np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]))
    '4+ [001]'
    >>> rotation_symbol(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]))
    'm [1-10]'
    """
    rotation = np.asarray(rotation, int)
    sign = round(float(np.linalg.det(rotation)))
    proper = sign * rotation
    order = {3: 1, -1: 2, 0: 3, 1: 4, 2: 6}[int(np.trace(proper))]
    if order == 1:
        return "1" if sign > 0 else "-1"
    # the sum of all powers projects onto the axis
    powers = np.sum([np.linalg.matrix_power(proper, n) for n in range(order)], axis=0)
    axis = next(column for column in powers.T if column.any())
    axis = axis // np.gcd.reduce(axis)
    axis = max(axis, -axis, key=lambda u: ((u >= 0).sum(), tuple(u)))
    sense = ""
    if order > 2:
        beside = next(x for x in np.eye(3, dtype=int) if np.cross(axis, x).any())
        sense = "+" if np.linalg.det([axis, beside, proper @ beside]) > 0 else "-"
    name = "m" if order == 2 and sign < 0 else f"{'-' if sign < 0 else ''}{order}{sense}"
    return f"{name} [{''.join(map(str, axis))}]"
