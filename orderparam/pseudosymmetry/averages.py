"""Average a child over the groups of operations that it nearly has: the exact symmetrisation at any distance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.layers import carried
from orderparam.lattice import shortest_images_reduced
from orderparam.parent import average_lattice
from orderparam.primitivecell import PrimitiveCell, primitive_cell
from orderparam.spacegroup import report_symmetry

from .closure import PartialGroup
from .limits import Limits
from .operations import Cell, PseudoOperations, concatenated, find_operations, lattice_self_maps
from .translations import FoldedCell, folded_cells

_PRODUCT_TOLERANCE = 2.2  # angstrom at least, for products of operations
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
    lattice, positions : (3, 3) float64, (n, 3) float64
        Of the average: rows, angstrom; fractional.
    basis, members : (3, 3) int64, (n,) int64
        As in `Child`, from the child's crystal to the average.
    index : int
        Of the child's group in the group.
    rms, max_displacement : float
        Of the child's atoms, mean displacement removed, in the metric of the average, angstrom.
    strains : (3,) float64
        Principal strains from the average to the child.
    """

    child: Child
    lattice: np.ndarray
    positions: np.ndarray
    basis: np.ndarray
    members: np.ndarray
    index: int
    rms: float
    max_displacement: float
    strains: np.ndarray

    @cached_property
    def crystal(self) -> Crystal:
        """The average as a crystal."""
        child = self.child.crystal
        species = tuple(child.species[i] for i in np.unique(self.members, return_index=True)[1])
        name = f"parent of {child.name}" if child.name else ""
        return Crystal(self.lattice, self.positions, species, name=name, periodic=carried(child, self.lattice))

    @property
    def rms_strain(self) -> float:
        """Root mean square of the principal strains."""
        return float(np.sqrt(np.mean(self.strains**2)))

    @cached_property
    def distance(self) -> float:
        """D = sqrt(rms^2 + (2 rho e)^2) (angstrom), e the rms strain and rho^3 the volume per atom."""
        return distance(self.rms, self.rms_strain, abs(float(np.linalg.det(self.lattice))) / len(self.positions))

    def excess(self, limits: Limits) -> float:
        """Return displacement or strain in units of their bound, whichever is more."""
        return limits.excess(self.max_displacement, self.strains)

    def as_child(self, symprec: float) -> Child:
        """Return the average as the place where a further search for the same crystal starts."""
        own = primitive_cell(self.crystal, report_symmetry(self.crystal, symprec))
        places = self.crystal.positions @ own.basis
        gaps = places[:, None] - own.crystal.positions
        members = np.argmin(np.linalg.norm((gaps - np.rint(gaps)) @ own.crystal.lattice, axis=2), axis=1)
        return Child(self.child.crystal, self.child.order, own, self.basis @ own.basis, members[self.members])


def distance(rms: float, rms_strain: float, volume: float) -> float:
    """Return sqrt(rms^2 + (2 rho e)^2) in angstrom for a displacement and a strain e, rho^3 the volume per atom."""
    return float(np.hypot(rms, 2 * np.cbrt(volume) * rms_strain))


@dataclass(frozen=True, eq=False)
class Search:
    """What a search has come to.

    Attributes
    ----------
    found : tuple of Average
        Within the limits; the child's own group is among them.
    beyond : tuple of Average
        Of higher symmetry, but beyond the limits: met by chance, not sought.
    complete : bool
        Whether no bound on the number of cells, operations or groups has cut the search short.
    """

    found: tuple[Average, ...]
    beyond: tuple[Average, ...]
    complete: bool


def search_averages(child: Child, limits: Limits, tolerance: float, *, highest_within: float = 0.0) -> Search:
    """Average a child over every group found that holds its own operations.

    Parameters
    ----------
    child : Child
    limits : Limits
    tolerance : float
        Largest distance between an operation's image of an atom and an atom, angstrom; ``limits.reach`` at most.
    highest_within : float
        Pass over cells in which every group has a lower index than one found already within this distance (angstrom).
    """
    cell = Cell(child.own.crystal.lattice, child.own.crystal.positions, child.own.crystal.kinds)
    tolerance = min(tolerance, limits.reach)
    found: list[Average] = []
    beyond: list[Average] = []
    cells = folded_cells(cell, tolerance, _MAX_CELLS)
    complete = len(cells) < _MAX_CELLS
    for folded in cells:
        maps = lattice_self_maps(folded.cell.lattice, limits.half_strain)
        if any(a.index > _largest_index(child, folded, maps[0]) for a in found if a.distance <= highest_within):
            continue
        operations, groups, whole = _groups(child.own, folded, maps, limits.half_strain, tolerance)
        complete = complete and whole
        images = _images(child, folded)
        for group in groups:
            average = _average(child, folded, images, operations[np.array(sorted(group))])
            if average.excess(limits) <= 1:
                found.append(average)
            elif average.index > 1:
                beyond.append(average)
    return Search(tuple(found), tuple(beyond), complete)


def _largest_index(child: Child, folded: FoldedCell, rotations: np.ndarray) -> int:
    """Return a bound on the index of the child's group in a group with these rotations and the folded lattice."""
    n_cells = round(abs(np.linalg.det(child.basis @ folded.basis)))
    return n_cells * len(rotations) // child.order


def _groups(
    own: PrimitiveCell, folded: FoldedCell, maps: tuple[np.ndarray, np.ndarray], half_strain: float, tolerance: float
) -> tuple[PseudoOperations, list[frozenset[int]], bool]:
    """Return approximate operations of a folded cell, the groups of them that hold the child's own, and whether all."""
    kept = _own_operations(own, folded)
    if kept is None:
        return PseudoOperations.none(len(folded.cell.kinds)), [], True
    rotations, strains = maps
    fresh = ~(rotations[:, None] == kept.rotations[None]).all(axis=(2, 3)).any(axis=1)
    found = find_operations(folded.cell, rotations[fresh], strains[fresh], tolerance)
    operations = concatenated([kept, found[:_MAX_OPERATIONS]])
    operations = operations.with_products(folded.cell, max(_PRODUCT_TOLERANCE, tolerance), half_strain)
    complete = max(len(found) - _MAX_OPERATIONS, len(operations) - 2 * _MAX_OPERATIONS) <= 0
    operations = operations[: 2 * _MAX_OPERATIONS]
    classes = np.unique(operations.rotations, axis=0, return_inverse=True)[1].ravel()
    partial = PartialGroup(operations.table(), classes)
    base = partial.closure(range(len(kept)))
    groups = partial.groups(base, _MAX_GROUPS) if base is not None and len(base) == len(kept) else []
    return operations, groups, complete and len(groups) < _MAX_GROUPS


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


def _images(child: Child, folded: FoldedCell) -> np.ndarray:
    """Return the child's atoms (n, 3) in the folded cell's basis, each at the image nearest to its average."""
    positions = child.crystal.positions @ (child.basis @ folded.basis)
    averages = folded.cell.positions[folded.members[child.members]]
    return averages + shortest_images_reduced(positions - averages, folded.cell.lattice)


def _average(child: Child, folded: FoldedCell, images: np.ndarray, group: PseudoOperations) -> Average:
    """Average a folded cell over a group, x*_p(i) = mean_g (W x_i + w_g - n_i), and compare the child with it.

    The integers n_i keep every average in the cell where its atom is, so that displacements are plain differences.
    """
    cell = folded.cell
    lattice = average_lattice(cell.lattice, group.rotations)
    moved = cell.positions @ np.swapaxes(group.rotations, 1, 2) + group.translations(cell.positions)[:, None]
    # every permutation sends just one atom to each place
    sources = np.argsort(group.targets, axis=1)
    positions = np.take_along_axis(moved - group.shifts, sources[:, :, None], axis=1).mean(axis=0)
    basis, members = child.basis @ folded.basis, folded.members[child.members]
    displacements = (images - positions[members]) @ lattice
    lengths = np.linalg.norm(displacements - displacements.mean(axis=0), axis=1)
    strains = np.linalg.svd(np.linalg.solve(basis @ lattice, child.crystal.lattice), compute_uv=False) - 1
    return Average(
        child,
        lattice,
        positions,
        basis,
        members,
        round(abs(np.linalg.det(basis))) * len(group) // child.order,
        float(np.sqrt(np.mean(lengths**2))),
        float(lengths.max()),
        strains,
    )
