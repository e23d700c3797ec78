"""Propose high-symmetry parents for a crystal alone.

By Hermann's theorem every step from a group G to a subgroup H goes through the group M that has the translations of G
and the point operations of H. The search climbs the same way: pseudo-translations first (H to M), then point
operations of the averaged cell (M to G). C. Hermann, Z. Kristallogr. 69, 533 (1929).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orderparam.crystal import Crystal
from orderparam.errors import SymmetryError
from orderparam.lattice import niggli_reduce, shortest_images_reduced
from orderparam.parent import Parent, average_lattice, symmetrise
from orderparam.spacegroup import PrimitiveCell, SpaceGroup, primitive_cell, report_symmetry

from .closure import PartialGroup
from .operations import Cell, PseudoOperations, concatenated, find_operations, lattice_self_maps
from .translations import FoldedCell, folded_cells

_logger = logging.getLogger(__name__)

WEAK_SCORE = 0.3
"""Above this score (angstrom) a proposal is weak: so much displacement buys too little symmetry."""

WEAK_DISPLACEMENT = 1.1
"""Above this largest displacement (angstrom) a proposal is weak."""

MAX_STRAIN = 0.2
"""Largest principal strain between child and parent."""

OPERATION_TOLERANCE = 1.6
"""Largest distance (angstrom) between an operation's image of an atom and an atom, about twice a displacement."""

_MAX_CELLS = 60
_MAX_GROUPS = 120
_MAX_OPERATIONS = 128
_MAX_SYMMETRISED = 24
_EXACT = 0.02  # angstrom: the child's own operations must be kept within this
_SYMPREC = 2e-3
_STRAIN_WEIGHT = 2.0


@dataclass(frozen=True, eq=False)
class Proposal:
    """A parent that a child could be a distortion of.

    Attributes
    ----------
    parent : Parent
    index : int
        Of the child's space group in the parent's: the number of domains.
    rms, max_displacement : float
        Of the child's atoms from the parent's, in the parent's metric, angstrom.
    rms_strain : float
        Root mean square of the principal strains from parent to child.
    """

    parent: Parent
    index: int
    rms: float
    max_displacement: float
    rms_strain: float

    @property
    def group(self) -> SpaceGroup:
        """The parent's space group."""
        return self.parent.group

    @property
    def score(self) -> float:
        """sqrt(rms^2 + (2 rho e)^2) / ln(index) (angstrom), e the rms strain and rho^3 the volume per atom."""
        rho = np.cbrt(abs(np.linalg.det(self.parent.lattice)) / self.parent.crystal.n_sites)
        return float(np.hypot(self.rms, _STRAIN_WEIGHT * rho * self.rms_strain) / np.log(self.index))

    @property
    def is_weak(self) -> bool:
        """Whether the distortion is large for the symmetry that the parent adds."""
        return self.score >= WEAK_SCORE or self.max_displacement >= WEAK_DISPLACEMENT

    @cached_property
    def crystal(self) -> Crystal:
        """The parent in its conventional cell, in the standard setting."""
        return _conventional(self.parent)

    def __str__(self) -> str:
        return f"Proposal({self.group}, index {self.index}, rms {self.rms:.3f} angstrom, score {self.score:.3f})"


def propose_parents(child: Crystal, *, symprec: float = 1e-3, limit: int = 12) -> tuple[Proposal, ...]:
    """Propose parents of higher symmetry for a crystal, the best first.

    Those that are not weak come first, the one with the largest index first; then the weak ones by score.

    Parameters
    ----------
    child : Crystal
        In any cell and setting.
    symprec : float
        spglib's tolerance for the child's own symmetry, angstrom.
    limit : int
        Return at most so many.

    Returns
    -------
    tuple of Proposal
        Empty where nothing of higher symmetry is near.

    Raises
    ------
    SymmetryError
        When spglib finds no space group for the child.
    """
    report = report_symmetry(child, symprec)
    own = primitive_cell(child, report)
    cell = Cell(own.crystal.lattice, own.crystal.positions, own.crystal.kinds)
    candidates: list[_Average] = []
    for folded in folded_cells(cell, OPERATION_TOLERANCE, 2 * WEAK_DISPLACEMENT, _MAX_CELLS):
        candidates += _averages(cell, own, folded)
    candidates = _distinct([c for c in candidates if c.index > 1 and c.strain_max <= MAX_STRAIN])
    _logger.debug("%d averaged structures", len(candidates))
    found: dict[tuple[int, int, float, float], Proposal] = {}
    for candidate in candidates[:_MAX_SYMMETRISED]:
        proposal = _proposal(candidate, own)
        if proposal is not None:
            key = (proposal.group.number, proposal.index, round(proposal.rms, 3), round(proposal.rms_strain, 4))
            found.setdefault(key, proposal)
    return tuple(sorted(found.values(), key=_rank)[:limit])


def _rank(found: Proposal | _Average) -> tuple[bool, float, float]:
    """Return the key that sorts strong proposals by index, then weak ones by score."""
    return (found.is_weak, 0 if found.is_weak else -found.index, found.score)


@dataclass(frozen=True, eq=False)
class _Average:
    """A child averaged over a group, before spglib has seen it."""

    lattice: np.ndarray
    positions: np.ndarray
    members: np.ndarray
    index: int
    rms: float
    max_displacement: float
    rms_strain: float
    strain_max: float

    @property
    def score(self) -> float:
        rho = np.cbrt(abs(np.linalg.det(self.lattice)) / len(self.positions))
        return float(np.hypot(self.rms, _STRAIN_WEIGHT * rho * self.rms_strain) / np.log(max(self.index, 2)))

    @property
    def is_weak(self) -> bool:
        return self.score >= WEAK_SCORE or self.max_displacement >= WEAK_DISPLACEMENT


def _averages(child: Cell, own: PrimitiveCell, folded: FoldedCell) -> list[_Average]:
    """Average a folded cell over every group of point operations that holds the child's own."""
    kept = _own_operations(own, folded)
    if kept is None:
        return []
    rotations, strains = lattice_self_maps(folded.cell.lattice, MAX_STRAIN)
    fresh = ~(rotations[:, None] == kept.rotations[None]).all(axis=(2, 3)).any(axis=1)
    found, _ = find_operations(folded.cell, rotations[fresh], strains[fresh], OPERATION_TOLERANCE)
    found = found[np.arange(min(len(found), _MAX_OPERATIONS))]
    operations = concatenated([kept, found]).with_products(folded.cell, 2 * WEAK_DISPLACEMENT, MAX_STRAIN)
    operations = operations[np.arange(min(len(operations), 2 * _MAX_OPERATIONS))]
    rotations = np.unique(operations.rotations, axis=0, return_inverse=True)[1].ravel()
    partial = PartialGroup(operations.table(), rotations)
    base = partial.closure(range(len(kept)))
    if base is None or len(base) > len(kept):
        return []
    n_own = len(kept)
    averages = []
    for group in partial.groups(base, _MAX_GROUPS):
        averages.append(_average(child, folded, operations[np.array(sorted(group))], n_own))
    return averages


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
    distances = np.linalg.norm(wrapped @ cell.lattice, axis=-1)
    distances[:, cell.kinds[:, None] != cell.kinds] = np.inf
    targets = distances.argmin(axis=2)
    if distances.min(axis=2).max() > _EXACT or (np.sort(targets, axis=1) != np.arange(len(cell.kinds))).any():
        return None
    cells = np.rint(offsets - wrapped).astype(np.int64)
    shifts = np.take_along_axis(cells, targets[:, :, None, None], axis=2)[:, :, 0]
    return PseudoOperations(whole, targets, shifts - shifts[:, :1], np.zeros(len(whole)))


def _average(child: Cell, folded: FoldedCell, group: PseudoOperations, n_own: int) -> _Average:
    """Average a folded cell over a group, x*_p(i) = mean_g (W x_i + w_g - n_i), and compare the child with it."""
    cell = folded.cell
    lattice = average_lattice(cell.lattice, group.rotations)
    images = cell.positions @ np.swapaxes(group.rotations, 1, 2) + group.translations(cell.positions)[:, None]
    positions = np.zeros_like(cell.positions)
    np.add.at(positions, group.targets.ravel(), (images - group.shifts).reshape(-1, 3))
    positions /= len(group)
    displacements = child.positions @ folded.basis - positions[folded.members]
    reduced, transformation = niggli_reduce(lattice)
    displacements = shortest_images_reduced(displacements @ np.linalg.inv(transformation), reduced) @ reduced
    lengths = np.linalg.norm(displacements - displacements.mean(axis=0), axis=1)
    strains = np.linalg.svd(np.linalg.solve(folded.basis @ lattice, child.lattice), compute_uv=False) - 1
    return _Average(
        lattice,
        positions,
        folded.members,
        folded.n_cells * len(group) // n_own,
        float(np.sqrt(np.mean(lengths**2))),
        float(lengths.max()),
        float(np.sqrt(np.mean(strains**2))),
        float(np.abs(strains).max()),
    )


def _distinct(candidates: list[_Average]) -> list[_Average]:
    """Rank averages and keep one of those that agree in index, displacements and strain."""
    kept: dict[tuple[int, float, float, float], _Average] = {}
    for candidate in sorted(candidates, key=_rank):
        key = (
            candidate.index,
            round(candidate.rms, 3),
            round(candidate.max_displacement, 3),
            round(candidate.rms_strain, 4),
        )
        kept.setdefault(key, candidate)
    return list(kept.values())


def _proposal(candidate: _Average, own: PrimitiveCell) -> Proposal | None:
    """Name the group of an average, which may have gained symmetry by chance; None where spglib finds none."""
    first = np.unique(candidate.members, return_index=True)[1]
    crystal = Crystal(
        candidate.lattice,
        candidate.positions,
        tuple(own.crystal.species[i] for i in first),
        name=f"parent of {own.crystal.name}" if own.crystal.name else "",
    )
    try:
        parent = symmetrise(crystal, _SYMPREC)
    except SymmetryError as problem:
        _logger.debug("an average is dropped: %s", problem)
        return None
    volume = own.crystal.n_sites / parent.crystal.n_sites
    index = round(parent.group.order / len(own.rotations) * volume)
    return Proposal(parent, index, candidate.rms, candidate.max_displacement, candidate.rms_strain)


def _conventional(parent: Parent) -> Crystal:
    """Return a parent in its conventional cell; the cell is that of the standard setting."""
    raise NotImplementedError
