"""Average a child over the groups of operations that it nearly has: the exact symmetrisation at any distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.lattice import shortest_images_reduced, unimodular_inverse
from orderparam.niggli import niggli_reduce
from orderparam.parent import average_lattice
from orderparam.primitivecell import PrimitiveCell, primitive_cell
from orderparam.spacegroup import report_symmetry

from .closure import PartialGroup
from .operations import Cell, PseudoOperations, concatenated, find_operations, lattice_self_maps
from .translations import FoldedCell, folded_cells

MAX_STRAIN = 0.2
"""Largest principal strain between child and parent."""

MAX_DISPLACEMENT = 1.6
"""Largest displacement (angstrom) between child and parent."""

_PRODUCT_TOLERANCE = 2.2  # angstrom, for products of operations
_EXACT = 0.02  # angstrom: the child's own operations must be kept within this
_MAX_CELLS = 60
_MAX_GROUPS = 120
_MAX_OPERATIONS = 128


@dataclass(frozen=True, eq=False)
class Child:
    """Where a search starts: a crystal, and a cell of known symmetry that is the crystal or nearly so.

    Attributes
    ----------
    crystal : Crystal
        Primitive cell.
    order : int
        Of its point group.
    own : PrimitiveCell
        The cell of known symmetry.
    basis : (3, 3) int64
        Rows: the vectors of `crystal` in the basis of `own`.
    members : (n,) int64
        The atom of `own` for every atom of `crystal`.
    """

    crystal: Crystal
    order: int
    own: PrimitiveCell
    basis: np.ndarray
    members: np.ndarray

    @classmethod
    def from_primitive(cls, own: PrimitiveCell) -> Child:
        """Start from the crystal itself."""
        return cls(own.crystal, len(own.rotations), own, np.eye(3, dtype=np.int64), np.arange(own.crystal.n_sites))


@dataclass(frozen=True, eq=False)
class Average:
    """A child averaged over a group of operations.

    Attributes
    ----------
    child : Child
    crystal : Crystal
    basis, members : (3, 3) int64, (n,) int64
        As in `Child`, from the child's crystal to this one.
    index : int
        Of the child's group in the group.
    rms, max_displacement : float
        Of the child's atoms, mean displacement removed, in the metric of the average, angstrom.
    strains : (3,) float64
        Principal strains from the average to the child.
    """

    child: Child
    crystal: Crystal
    basis: np.ndarray
    members: np.ndarray
    index: int
    rms: float
    max_displacement: float
    strains: np.ndarray

    @property
    def rms_strain(self) -> float:
        """Root mean square of the principal strains."""
        return float(np.sqrt(np.mean(self.strains**2)))

    @property
    def distance(self) -> float:
        """D = sqrt(rms^2 + (2 rho e)^2) (angstrom), e the rms strain and rho^3 the volume per atom."""
        return distance(self.rms, self.rms_strain, self.crystal)

    def as_child(self, symprec: float) -> Child:
        """Return the average as the place where a further search for the same crystal starts."""
        own = primitive_cell(self.crystal, report_symmetry(self.crystal, symprec))
        places = self.crystal.positions @ own.basis
        gaps = places[:, None] - own.crystal.positions
        members = np.argmin(np.linalg.norm((gaps - np.rint(gaps)) @ own.crystal.lattice, axis=2), axis=1)
        return Child(self.child.crystal, self.child.order, own, self.basis @ own.basis, members[self.members])


def distance(rms: float, rms_strain: float, crystal: Crystal) -> float:
    """Return sqrt(rms^2 + (2 rho e)^2) in angstrom for a displacement and a strain e."""
    return float(np.hypot(rms, 2 * np.cbrt(crystal.volume / crystal.n_sites) * rms_strain))


def search_averages(child: Child, tolerance: float) -> list[Average]:
    """Average a child over every group found that holds its own operations; its own group is among them.

    Parameters
    ----------
    child : Child
    tolerance : float
        Largest distance between an operation's image of an atom and an atom, angstrom.
    """
    cell = Cell(child.own.crystal.lattice, child.own.crystal.positions, child.own.crystal.kinds)
    found: list[Average] = []
    for folded in folded_cells(cell, tolerance, _MAX_CELLS):
        operations, groups = _groups(child.own, folded, tolerance)
        found += [_average(child, folded, operations[np.array(sorted(group))]) for group in groups]
    return [a for a in found if np.abs(a.strains).max() <= MAX_STRAIN and a.max_displacement <= MAX_DISPLACEMENT]


def _groups(own: PrimitiveCell, folded: FoldedCell, tolerance: float) -> tuple[PseudoOperations, list[frozenset[int]]]:
    """Return approximate operations of a folded cell, and the groups of them that hold the child's own operations."""
    kept = _own_operations(own, folded)
    if kept is None:
        return PseudoOperations.none(len(folded.cell.kinds)), []
    rotations, strains = lattice_self_maps(folded.cell.lattice, MAX_STRAIN)
    fresh = ~(rotations[:, None] == kept.rotations[None]).all(axis=(2, 3)).any(axis=1)
    found = find_operations(folded.cell, rotations[fresh], strains[fresh], tolerance)[:_MAX_OPERATIONS]
    operations = concatenated([kept, found])
    operations = operations.with_products(folded.cell, _PRODUCT_TOLERANCE, MAX_STRAIN)[: 2 * _MAX_OPERATIONS]
    classes = np.unique(operations.rotations, axis=0, return_inverse=True)[1].ravel()
    partial = PartialGroup(operations.table(), classes)
    base = partial.closure(range(len(kept)))
    return operations, partial.groups(base, _MAX_GROUPS) if base is not None and len(base) == len(kept) else []


def _own_operations(own: PrimitiveCell, folded: FoldedCell) -> PseudoOperations | None:
    """Return the child's own operations in a folded cell, None where folding has broken one of them."""
    columns = folded.basis.T
    rotations = columns @ own.rotations @ np.linalg.inv(columns)
    whole = np.rint(rotations).astype(np.int64)
    if np.abs(rotations - whole).max() > 1e-6:
        return None
    cell = folded.cell
    images = cell.positions @ np.swapaxes(whole, 1, 2) + (own.translations @ columns.T)[:, None]
    offsets = images[:, :, None] - cell.positions
    wrapped = shortest_images_reduced(offsets, cell.lattice)
    gaps = np.linalg.norm(wrapped @ cell.lattice, axis=-1)
    gaps[:, cell.kinds[:, None] != cell.kinds] = np.inf
    targets = gaps.argmin(axis=2)
    if gaps.min(axis=2).max() > _EXACT or (np.sort(targets, axis=1) != np.arange(len(cell.kinds))).any():
        return None
    cells = np.rint(offsets - wrapped).astype(np.int64)
    shifts = np.take_along_axis(cells, targets[:, :, None, None], axis=2)[:, :, 0]
    return PseudoOperations(whole, targets, shifts - shifts[:, :1], np.zeros(len(whole)))


def _average(child: Child, folded: FoldedCell, group: PseudoOperations) -> Average:
    """Average a folded cell over a group, x*_p(i) = mean_g (W x_i + w_g - n_i), and compare the child with it."""
    cell = folded.cell
    lattice = average_lattice(cell.lattice, group.rotations)
    images = cell.positions @ np.swapaxes(group.rotations, 1, 2) + group.translations(cell.positions)[:, None]
    positions = np.zeros_like(cell.positions)
    np.add.at(positions, group.targets.ravel(), (images - group.shifts).reshape(-1, 3))
    positions /= len(group)
    basis, members = child.basis @ folded.basis, folded.members[child.members]
    reduced, transformation = niggli_reduce(lattice)
    gaps = (child.crystal.positions @ basis - positions[members]) @ unimodular_inverse(transformation)
    displacements = shortest_images_reduced(gaps, reduced) @ reduced
    lengths = np.linalg.norm(displacements - displacements.mean(axis=0), axis=1)
    strains = np.linalg.svd(np.linalg.solve(basis @ lattice, child.crystal.lattice), compute_uv=False) - 1
    first = np.unique(members, return_index=True)[1]
    name = f"parent of {child.crystal.name}" if child.crystal.name else ""
    return Average(
        child,
        Crystal(lattice, positions, tuple(child.crystal.species[i] for i in first), name=name),
        basis,
        members,
        round(abs(np.linalg.det(basis))) * len(group) // child.order,
        float(np.sqrt(np.mean(lengths**2))),
        float(lengths.max()),
        strains,
    )
