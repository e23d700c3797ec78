"""How Wyckoff positions split from a group to a subgroup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.errors import SymmetryError
from orderparam.spacegroup import report_symmetry
from orderparam.supercell import Subgroup, Supercell

if TYPE_CHECKING:
    from .graph import Node

_CENTRED = {"P": 1, "A": 2, "C": 2, "I": 2, "F": 4, "R": 3}
_GENERAL = np.array([[0.1371, 0.2718, 0.0513], [0.3141, 0.0577, 0.4127]])


@dataclass(frozen=True, eq=False)
class WyckoffPositions:
    """The orbits of a subgroup among the parent's sites.

    Attributes
    ----------
    supercell : Supercell
        The primitive cell of the subgroup.
    orbits : (n_atoms,) int
        Number of the orbit of every atom.
    names : tuple of str
        Multiplicity and letter of every orbit, such as ``8d``, in the standard setting.
    """

    supercell: Supercell
    orbits: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class Splitting:
    """What becomes of one orbit.

    Attributes
    ----------
    site : str
        Label of the parent's site.
    upper : str
        Its Wyckoff position in the larger group.
    lower : tuple of str
        Those in the smaller group.
    """

    site: str
    upper: str
    lower: tuple[str, ...]


def wyckoff_positions(group: Subgroup) -> WyckoffPositions:
    """Return the Wyckoff positions of the parent's sites under a subgroup whose supercell is its primitive cell.

    Two orbits of general points are added for spglib, so that it sees the subgroup whatever the sites are.
    """
    cell = group.supercell
    orbits = group.action().permutations.min(axis=0)
    numbers = {int(o): n for n, o in enumerate(np.unique(orbits))}
    operations, shifts = group.pairs.T
    parent = cell.parent.group
    turned = np.einsum("gij,pj->pgi", parent.rotations[operations], _GENERAL)
    points = turned + parent.translation_parts[operations] + cell.translations[shifts]
    general = points.reshape(-1, 3) @ np.linalg.inv(cell.matrix)
    marks = [s for s in ("H", "He", "Li", "Be", "B", "C") if s not in cell.species][:2]
    species = (*cell.species, *(mark for mark in marks for _ in operations))
    positions = np.concatenate([cell.positions, general])
    crystal = Crystal(20 * cell.lattice, positions - np.floor(positions), species)
    report = report_symmetry(crystal, 1e-3)
    if report.number != group.space_group[0]:
        raise SymmetryError(f"spglib finds {report.symbol} where the operations are those of {group.space_group[1]}")
    centred = _CENTRED[report.symbol[0]]
    names = []
    for orbit in numbers:
        members = np.flatnonzero(orbits == orbit)
        names.append(f"{len(members) * centred}{report.wyckoffs[int(members[0])]}")
    return WyckoffPositions(cell, np.array([numbers[int(o)] for o in orbits]), tuple(names))


def wyckoff_splitting(lower: Node, upper: Node) -> tuple[Splitting, ...]:
    """Return what becomes of every orbit from a group to one of its subgroups."""
    small, large = lower.positions, upper.positions
    above = large.orbits[large.supercell.atoms_at(small.supercell.sites, small.supercell.cells)]
    labels = large.supercell.labels
    found = []
    for orbit, name in enumerate(large.names):
        atom = int(np.flatnonzero(large.orbits == orbit)[0])
        parts = dict.fromkeys(small.orbits[above == orbit].tolist())
        found.append(Splitting(labels[atom], name, tuple(small.names[part] for part in parts)))
    return tuple(found)
