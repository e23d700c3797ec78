"""Translations that a cell obeys approximately, and the smaller cells that they leave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from math import gcd

import numpy as np

from orderparam.lattice import lattice_basis
from orderparam.matching.assignment import IdealSites
from orderparam.niggli import niggli_reduce

from .operations import Cell

_WHOLE_GRID = 3
"""Of orders up to this all vectors are tried, not only the distances of two atoms."""

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

    @cached_property
    def key(self) -> bytes:
        """Equal for cells with the same lattice and the same atoms averaged together."""
        n = self.n_cells
        vectors = lattice_basis(np.rint(np.linalg.inv(self.basis) * n).astype(np.int64))
        return vectors.tobytes() + self.members.tobytes()

    @property
    def n_cells(self) -> int:
        """Number of smaller cells in the child's."""
        return round(abs(np.linalg.det(self.basis)))


def folded_cells(child: Cell, tolerance: float, limit: int) -> list[FoldedCell]:
    """Average a cell over groups of pseudo-translations, the trivial one included.

    The climb goes in steps of prime order: every finite group of translations has such a series, and after each
    average the atoms stand nearer to where the next translation wants them. It goes deep first, along the smallest
    distances, so that a limit cuts off what is far.

    Parameters
    ----------
    child : Cell
        Primitive.
    tolerance : float
        Bound on the length of every x_i + t - x_p(i) - n_i in a step, angstrom.
    limit : int
        At most so many cells.

    Returns
    -------
    list of FoldedCell
        The smallest cells first.
    """
    whole = FoldedCell(child, np.eye(3, dtype=np.int64), np.arange(len(child.kinds)))
    found = {whole.key: whole}
    agenda = [whole]
    while agenda and len(found) < limit:
        steps = {step.key: step for step in _steps(agenda.pop(), tolerance)}
        fresh = [step for key, step in steps.items() if key not in found][: limit - len(found)]
        found.update((step.key, step) for step in fresh)
        agenda += reversed(fresh)
    return sorted(found.values(), key=lambda folded: -folded.n_cells)


def _steps(folded: FoldedCell, tolerance: float) -> list[FoldedCell]:
    """Fold a folded cell once more by each of its pseudo-translations, the smallest distances first."""
    smaller = []
    for translation in pseudo_translations(folded.cell, tolerance):
        step = _fold(folded.cell, translation)
        smaller.append(FoldedCell(step.cell, folded.basis @ step.basis, step.members[folded.members]))
    return smaller


@dataclass(frozen=True, eq=False)
class PseudoTranslation:
    """A translation of prime order q that brings every atom near to one of its kind: x_i + t ~ x_p(i) + n_i.

    A permutation in cycles of length q, all with the same net shift N, belongs to t = N / q exactly: candidates are
    rational from the start.

    Attributes
    ----------
    numerators : (3,) int64
        N.
    order : int
        q.
    targets, shifts : (n,) int64, (n, 3) int64
        p and n.
    mean_square : float
        Of the distances, angstrom^2.
    """

    numerators: np.ndarray
    order: int
    targets: np.ndarray
    shifts: np.ndarray
    mean_square: float


def pseudo_translations(cell: Cell, tolerance: float) -> list[PseudoTranslation]:
    """Find one generator of every group of prime order, the smallest distances first."""
    sites = IdealSites(cell.lattice, cell.positions, cell.kinds)
    found = []
    for numerators, order in _candidates(cell, sites, tolerance):
        start = numerators / order
        assignment = sites.assign(cell.positions, cell.kinds, start, np.eye(3, dtype=np.int64))
        if np.linalg.norm(assignment.displacements, axis=1).max() > tolerance:
            continue
        # the assignment counts cells from a shift of its own
        shifts = assignment.cells + np.rint(start - assignment.shift).astype(np.int64)
        if _is_cyclic(assignment.sites, shifts, numerators, order):
            found.append(PseudoTranslation(numerators, order, assignment.sites, shifts, assignment.mean_square))
    return sorted(found, key=lambda translation: round(translation.mean_square, 9))


def _candidates(cell: Cell, sites: IdealSites, tolerance: float) -> list[tuple[np.ndarray, int]]:
    """Return numerators N and orders q of vectors N / q that pass with nearest atoms in place of a bijection."""
    divisor = reduce(gcd, np.unique(cell.kinds, return_counts=True)[1].tolist())
    rare = cell.rarest
    seeds = cell.positions[rare[1:]] - cell.positions[rare[0]]
    found = []
    for q in (q for q in range(2, divisor + 1) if divisor % q == 0 and all(q % p for p in range(2, q))):
        vectors = np.rint(seeds * q).astype(np.int64)
        if q <= _WHOLE_GRID:
            vectors = np.stack(np.meshgrid(*[np.arange(q)] * 3, indexing="ij"), -1).reshape(-1, 3)
        vectors = _generators(vectors % q, q)
        step = max(1, _CHUNK // (3 * len(cell.kinds) ** 2))
        for part in np.split(vectors, range(step, len(vectors), step)):
            gaps = sites.nearest(cell.positions + part[:, None] / q, cell.kinds)[2]
            found += [(vector, q) for vector in part[np.linalg.norm(gaps, axis=-1).max(axis=1) <= tolerance]]
    return found


def _generators(vectors: np.ndarray, q: int) -> np.ndarray:
    """Keep one of the multiples (m, 3) modulo q, without 0: that whose first number other than 0 is 1."""
    vectors = np.unique(vectors[np.any(vectors, axis=1)], axis=0)
    first = np.take_along_axis(vectors, np.argmax(vectors != 0, axis=1)[:, None], axis=1)
    inverses = np.array([pow(int(number), -1, q) for number in first[:, 0]], dtype=np.int64)
    return np.unique(vectors * inverses[:, None] % q, axis=0)


def _is_cyclic(targets: np.ndarray, shifts: np.ndarray, numerators: np.ndarray, order: int) -> bool:
    """Tell whether all cycles of a permutation have the length q and the net shift N."""
    start = np.arange(len(targets))
    place, net = start, np.zeros_like(shifts)
    for _ in range(order):
        net = net + shifts[place]
        place = targets[place]
    # q is prime: a cycle is shorter only if it has length 1, which no translation allows
    return bool((place == start).all() and (targets != start).all() and (net == numerators).all())


def _fold(cell: Cell, translation: PseudoTranslation) -> FoldedCell:
    """Average a cell over the group of one pseudo-translation."""
    q, step = translation.order, translation.numerators / translation.order
    rows = lattice_basis(np.concatenate([translation.numerators[None], q * np.eye(3, dtype=np.int64)])) / q
    lattice, _ = niggli_reduce(rows @ cell.lattice)
    lattice = lattice * np.sign(np.linalg.det(lattice))
    # x_i averaged over its copies x_p(i) + n_i - t
    place, net = np.arange(len(cell.kinds)), np.zeros_like(translation.shifts)
    orbit, copies = [place], [cell.positions]
    for turn in range(1, q):
        net = net + translation.shifts[place]
        place = translation.targets[place]
        orbit.append(place)
        copies.append(cell.positions[place] + net - turn * step)
    first, members = np.unique(np.min(orbit, axis=0), return_inverse=True)
    to_smaller = cell.lattice @ np.linalg.inv(lattice)
    averages = np.mean(copies, axis=0)[first] @ to_smaller
    return FoldedCell(Cell(lattice, averages, cell.kinds[first]), np.rint(to_smaller).astype(np.int64), members)
