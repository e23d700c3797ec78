"""Translations that a cell obeys approximately, and the smaller cells that they leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import gcd

import numpy as np

from orderparam.lattice import lattice_basis, niggli_reduce
from orderparam.matching.assignment import IdealSites

from .closure import PartialGroup
from .operations import Cell, PseudoOperations

_GRID = (2, 3, 4)
_CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class FoldedCell:
    """A cell averaged over a group of pseudo-translations.

    Attributes
    ----------
    cell : Cell
        The smaller cell, Niggli reduced.
    basis : (3, 3) int64
        Rows: the child's primitive vectors in the smaller cell's basis.
    members : (n,) int64
        The averaged atom of every atom of the child.
    """

    cell: Cell
    basis: np.ndarray
    members: np.ndarray

    @property
    def n_cells(self) -> int:
        """Number of smaller cells in the child's."""
        return round(abs(np.linalg.det(self.basis)))


def folded_cells(child: Cell, tolerance: float, product_tolerance: float, limit: int) -> list[FoldedCell]:
    """Average a cell over every group of pseudo-translations that it has, the trivial one included.

    Parameters
    ----------
    child : Cell
        Primitive.
    tolerance : float
        Bound on every \\|x_i + t - x_p(i) - n_i\\|, angstrom.
    limit : int
        At most so many cells.
    """
    found = pseudo_translations(child, tolerance)
    found = found.with_products(child, product_tolerance, 0.0)
    vectors = np.rint(found.translations(child.positions) * len(child.kinds)).astype(np.int64) % len(child.kinds)
    partial = PartialGroup(found.table(), np.unique(vectors, axis=0, return_inverse=True)[1].ravel())
    identity = frozenset([0])
    cells = [_fold(child, found[np.array(sorted(group))]) for group in partial.groups(identity, limit)]
    return sorted(cells, key=lambda folded: -folded.n_cells)


def pseudo_translations(child: Cell, tolerance: float) -> PseudoOperations:
    """Find the translations that bring every atom near to one of its kind, the identity first, then cheapest first.

    A translation that permutes the atoms in cycles of one length q, all with the same net shift N, is exactly N / q:
    candidates are therefore rational from the start.

    Returns
    -------
    PseudoOperations
        With W = 1; costs are mean square distances.
    """
    sites = IdealSites(child.lattice, child.positions, child.kinds)
    n = len(child.kinds)
    kept: dict[bytes, tuple[float, np.ndarray, np.ndarray]] = {}
    for vector in _candidates(child, sites, tolerance):
        assignment = sites.assign(child.positions, child.kinds, vector, np.eye(3, dtype=np.int64))
        if np.linalg.norm(assignment.displacements, axis=1).max() > tolerance:
            continue
        targets, shifts = assignment.sites, assignment.cells
        if _is_cyclic(targets, shifts):
            shifts = shifts - shifts[0]
            kept.setdefault(targets.tobytes() + shifts.tobytes(), (assignment.mean_square, targets, shifts))
    ranked = sorted(kept.values(), key=lambda entry: round(entry[0], 9))
    identity = (0.0, np.arange(n), np.zeros((n, 3), dtype=np.int64))
    costs, targets, shifts = zip(identity, *ranked, strict=True)
    rotations = np.tile(np.eye(3, dtype=np.int64), (len(costs), 1, 1))
    return PseudoOperations(rotations, np.array(targets), np.array(shifts), np.array(costs))


def _candidates(child: Cell, sites: IdealSites, tolerance: float) -> np.ndarray:
    """Return rational vectors (m, 3), modulo the lattice, that pass with nearest atoms in place of a bijection."""
    divisor = reduce(gcd, np.unique(child.kinds, return_counts=True)[1].tolist())
    orders = [q for q in range(2, divisor + 1) if divisor % q == 0]
    rare = child.rarest
    seeds = child.positions[rare[1:]] - child.positions[rare[0]]
    found = [np.empty((0, 3))]
    for q in orders:
        if q in _GRID:
            found.append(np.stack(np.meshgrid(*[np.arange(q)] * 3, indexing="ij"), -1).reshape(-1, 3) / q)
        snapped = np.rint(seeds * q) / q
        gaps = np.linalg.norm((snapped - seeds) @ child.lattice, axis=1)
        found.append(snapped[gaps <= tolerance])
    # exact fractions with denominators that divide the counts: equal ones agree to rounding
    vectors = np.unique(np.round(np.concatenate(found) % 1.0, 9) % 1.0, axis=0)
    vectors = vectors[np.any(vectors > 0, axis=1)]
    step = max(1, _CHUNK // (3 * len(child.kinds) ** 2))
    worst = [
        np.linalg.norm(sites.nearest(child.positions + part[:, None], child.kinds)[2], axis=-1).max(axis=1)
        for part in np.split(vectors, range(step, len(vectors), step))
    ]
    return vectors[np.concatenate(worst) <= tolerance]


def _is_cyclic(targets: np.ndarray, shifts: np.ndarray) -> bool:
    """Tell whether all cycles of a permutation have one length q > 1 and one net shift N, with N / q of order q."""
    place, net = targets.copy(), shifts.copy()
    start = np.arange(len(targets))
    for q in range(1, len(targets) + 1):
        home = place == start
        if home.any():
            common = reduce(gcd, [*net[0].tolist(), q])
            return bool(q > 1 and home.all() and (net == net[0]).all() and common == 1)
        net = net + shifts[place]
        place = targets[place]
    return False


def _fold(child: Cell, group: PseudoOperations) -> FoldedCell:
    """Average a cell over a group of pseudo-translations."""
    vectors = group.translations(child.positions)
    order = len(group)
    numerators = np.rint(vectors * order).astype(np.int64)
    rows = lattice_basis(np.concatenate([numerators, order * np.eye(3, dtype=np.int64)])) / order
    lattice, _ = niggli_reduce(rows @ child.lattice)
    lattice = lattice * np.sign(np.linalg.det(lattice))
    # x_i averaged over its copies x_p(i) + n_i - t; atoms of one orbit get one average
    averages = np.mean(child.positions[group.targets] + group.shifts - (numerators / order)[:, None], axis=0)
    first, members = np.unique(group.targets.min(axis=0), return_inverse=True)
    to_smaller = child.lattice @ np.linalg.inv(lattice)
    cell = Cell(lattice, averages[first] @ to_smaller, child.kinds[first])
    return FoldedCell(cell, np.rint(to_smaller).astype(np.int64), members)
