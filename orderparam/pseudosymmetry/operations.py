"""Operations that a cell obeys approximately, as exact combinatorial objects.

An operation {W|w} that sends every atom near to another one, ``W x_i + w ~ x_p(i) + n_i``, is kept as the triple of
integers (W, p, n). Triples compose exactly, (W', p', n') (W, p, n) = (W' W, p' o p, n'_p(i) + W' n_i), whatever the
distance of the atoms from symmetric places; real translations w would drift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from orderparam.lattice import lattice_points_within
from orderparam.matching.assignment import IdealSites

STRAIN_WEIGHT = 1.5
"""A strain e costs as much as a displacement of 1.5 rho e, rho the cube root of the volume per atom (as in `match`)."""

_SEEDS_KEPT = 4
_RARE_SPECIES = 3
_FOLLOWS = 3
_CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class Cell:
    """A Niggli-reduced cell of atoms, as arrays.

    Attributes
    ----------
    lattice : (3, 3) float64
        Rows, angstrom.
    positions : (n, 3) float64
        Fractional.
    kinds : (n,) int
        Species as numbers.
    """

    lattice: np.ndarray
    positions: np.ndarray
    kinds: np.ndarray

    @property
    def rho(self) -> float:
        """Cube root of the volume per atom (angstrom)."""
        return float(np.cbrt(abs(np.linalg.det(self.lattice)) / len(self.kinds)))

    @property
    def rarest(self) -> np.ndarray:
        """Atoms (r,) of the species with the fewest."""
        return self.rare[0]

    @property
    def rare(self) -> list[np.ndarray]:
        """Atoms (r,) of every species that no other has fewer of."""
        values, counts = np.unique(self.kinds, return_counts=True)
        return [np.flatnonzero(self.kinds == value) for value in values[counts == counts.min()]]


@dataclass(frozen=True, eq=False)
class PseudoOperations:
    """Approximate operations of one cell.

    Attributes
    ----------
    rotations : (m, 3, 3) int64
        W, on fractional columns.
    targets : (m, n) int64
        p: atom i goes near to atom ``targets[g, i]`` ...
    shifts : (m, n, 3) int64
        ... in the cell ``shifts[g, i]``, counted from that of atom 0: triples that differ by a lattice vector are one.
    costs : (m,) float64
        Mean square distance + (1.5 rho strain)^2, angstrom^2.
    """

    rotations: np.ndarray
    targets: np.ndarray
    shifts: np.ndarray
    costs: np.ndarray

    @classmethod
    def none(cls, n: int) -> PseudoOperations:
        """Return an empty list of operations for n atoms."""
        whole = np.int64
        return cls(np.empty((0, 3, 3), whole), np.empty((0, n), whole), np.empty((0, n, 3), whole), np.empty(0))

    def __len__(self) -> int:
        return len(self.rotations)

    def __getitem__(self, chosen: np.ndarray | slice) -> PseudoOperations:
        """Return a selection of the operations."""
        return PseudoOperations(self.rotations[chosen], self.targets[chosen], self.shifts[chosen], self.costs[chosen])

    def translations(self, positions: np.ndarray) -> np.ndarray:
        """Return w_g = mean_i (x_p(i) + n_i - W x_i), (m, 3): exact group translations if the triples are a group."""
        return (positions[self.targets] + self.shifts - positions @ np.swapaxes(self.rotations, 1, 2)).mean(axis=1)

    def table(self) -> np.ndarray:
        """Return the composition table (m, m): ``table[a, b]`` is the operation a after b, -1 where it is no member."""
        keys = _keys(self.rotations, self.targets, self.shifts)
        order = np.argsort(keys)
        blocks = []
        for found, _, _, _ in self._compositions():
            place = order[np.searchsorted(keys, found, sorter=order).clip(max=len(self) - 1)]
            blocks.append(np.where(keys[place] == found, place, -1))
        return np.concatenate(blocks)

    def with_products(self, cell: Cell, tolerance: float, max_strain: float) -> PseudoOperations:
        """Add the products of all pairs, within a tolerance of their own, costlier than the members.

        Two atoms that are displaced towards and away from each other make an operation look bad that nevertheless is
        the product of good ones.
        """
        known = set(_keys(self.rotations, self.targets, self.shifts).tolist())
        fresh = []
        for found, rotations, targets, shifts in self._compositions():
            flat, first = np.unique(found, return_index=True)
            first = first[[key not in known for key in flat.tolist()]]
            known.update(flat.tolist())
            pairs = np.unravel_index(first, found.shape)
            products = PseudoOperations(rotations[pairs], targets[pairs], shifts[pairs], np.zeros(len(first)))
            fresh.append(_measured(cell, products, tolerance, max_strain))
        joined = concatenated(fresh)
        return concatenated([self, joined[np.argsort(np.round(joined.costs, 9), kind="stable")]])

    def _compositions(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield keys, rotations, targets and shifts of the products a b, for blocks of rows a."""
        m, n = self.targets.shape
        rows = max(1, _CHUNK // (4 * m * n))
        for start in range(0, m, rows):
            a = slice(start, start + rows)
            targets = self.targets[a][:, self.targets]
            moved = self.shifts @ np.swapaxes(self.rotations[a], 1, 2)[:, None]
            shifts = self.shifts[a][:, self.targets] + moved
            shifts -= shifts[:, :, :1].copy()
            rotations = self.rotations[a][:, None] @ self.rotations
            yield _keys(rotations, targets, shifts), rotations, targets, shifts


def concatenated(parts: Sequence[PseudoOperations]) -> PseudoOperations:
    """Return several lists of operations as one."""
    rotations, targets, shifts, costs = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("rotations", "targets", "shifts", "costs")
    )
    return PseudoOperations(rotations, targets, shifts, costs)


def _measured(cell: Cell, found: PseudoOperations, tolerance: float, max_strain: float) -> PseudoOperations:
    """Return those triples that keep atoms within a tolerance and the lattice within a strain, with their costs."""
    residuals = cell.positions[found.targets] + found.shifts - cell.positions @ np.swapaxes(found.rotations, 1, 2)
    residuals = (residuals - residuals.mean(axis=1, keepdims=True)) @ cell.lattice
    squares = np.sum(residuals**2, axis=2)
    halves = _half_strains(cell.lattice, found.rotations)
    costs = squares.mean(axis=1) + (STRAIN_WEIGHT * cell.rho) ** 2 * np.mean(halves**2, axis=1)
    allowed = (squares.max(axis=1) <= tolerance**2) & (np.abs(halves).max(axis=1) <= max_strain)
    return replace(found, costs=costs)[allowed]


def _keys(rotations: np.ndarray, targets: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return one 64-bit hash (...) for each triple (..., 3, 3), (..., n), (..., n, 3): random weights, modulo 2^64."""
    n = targets.shape[-1]
    weights = np.random.default_rng(n).integers(-(2**62), 2**62, size=9 + 4 * n) | 1
    leading = targets.shape[:-1]
    key = rotations.reshape(*leading, 9) @ weights[:9] + targets @ weights[9 : 9 + n]
    return key + shifts.reshape(*leading, 3 * n) @ weights[9 + n :]


# --- rotations of the lattice -------------------------------------------------------------------------------------


def lattice_self_maps(lattice: np.ndarray, max_strain: float) -> tuple[np.ndarray, np.ndarray]:
    """List the rotations of finite order that a lattice has within a strain.

    W turns the metric G into W^T G W. With the principal stretches s of the map between both, the lattice half-way,
    which W may keep, is strained by (ln s) / 2.

    Parameters
    ----------
    lattice : (3, 3) float64
        Rows, Niggli reduced.
    max_strain : float
        Bound on every (ln s) / 2, either sign.

    Returns
    -------
    rotations : (m, 3, 3) int64
        W on fractional columns, of determinant +1 and -1, least strained first.
    strains : (m,) float64
        Root mean square of (ln s) / 2.
    """
    lengths = np.linalg.norm(lattice, axis=1)
    points = lattice_points_within(lattice, lengths.max() * np.exp(2 * max_strain))
    points = points[np.any(points, axis=1)]
    ratios = np.abs(np.log(np.linalg.norm(points @ lattice, axis=1)[:, None] / lengths))
    first, second, third = (points[ratios[:, axis] <= 2 * max_strain] for axis in range(3))
    crosses = np.cross(first[:, None], second[None])
    i, j, k = np.nonzero(np.abs(crosses @ third.T) == 1)
    columns = np.stack([first[i], second[j], third[k]], axis=-1)  # W: the image of basis vector b_j is column j
    columns = columns[_of_finite_order(columns)]
    halves = _half_strains(lattice, columns)
    strains = np.sqrt(np.mean(halves**2, axis=1))
    allowed = np.flatnonzero(np.abs(halves).max(axis=1) <= max_strain)
    allowed = allowed[np.argsort(np.round(strains[allowed], 9), kind="stable")]
    return columns[allowed], strains[allowed]


def _half_strains(lattice: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Return half of the logarithmic principal stretches (m, 3) that rotations (m, 3, 3) need."""
    gradients = np.linalg.inv(lattice) @ np.swapaxes(rotations, 1, 2) @ lattice
    return np.log(np.linalg.svd(gradients, compute_uv=False)) / 2


def _of_finite_order(rotations: np.ndarray) -> np.ndarray:
    """Tell which integer matrices (m, 3, 3) of determinant +1 or -1 have finite order."""
    det = np.rint(np.linalg.det(rotations)).astype(int)
    trace = np.trace(rotations, axis1=1, axis2=2)
    second = (trace**2 - np.trace(rotations @ rotations, axis1=1, axis2=2)) // 2
    # eigenvalues on the unit circle: det W has the characteristic polynomial x^3 - t x^2 + t x - 1, t = -1 .. 3
    candidate = (det * trace >= -1) & (det * trace <= 3) & (second == det * trace)
    powers = np.linalg.matrix_power(np.where(candidate[:, None, None], rotations, 0), 12)
    return candidate & (powers == np.eye(3, dtype=int)).all(axis=(1, 2))


# --- operations of the atoms --------------------------------------------------------------------------------------


def find_operations(cell: Cell, rotations: np.ndarray, strains: np.ndarray, tolerance: float) -> PseudoOperations:
    """Find for every rotation the translation that brings the atoms nearest to atoms.

    Seeds are ``w = x_j - W x_0`` for the atoms j of a rarest species, of each of them where several are equally rare:
    one may be displaced far. They follow ``w <- w - mean(residual)``.

    Parameters
    ----------
    rotations : (m, 3, 3) int64
    strains : (m,) float64
    tolerance : float
        Bound on the length of every W x_i + w - x_p(i) - n_i, angstrom.

    Returns
    -------
    PseudoOperations
        Of those rotations for which there is a bijection within the tolerance, cheapest first.
    """
    sites = IdealSites(cell.lattice, cell.positions, cell.kinds)
    rows, starts = _promising(cell, sites, rotations, tolerance)
    moved = cell.positions @ np.swapaxes(rotations, 1, 2)
    targets, cells, displacements = sites.nearest(moved[rows] + starts[:, None], cell.kinds)
    residuals = displacements - displacements.mean(axis=1, keepdims=True)
    bijective = (np.sort(targets, axis=1) == np.arange(len(cell.kinds))).all(axis=1)
    found: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for i, row in enumerate(rows.tolist()):
        if row in found:
            continue
        best = targets[i], cells[i], residuals[i]
        if not bijective[i]:
            assignment = sites.assign(moved[row], cell.kinds, starts[i], np.eye(3, dtype=np.int64))
            best = assignment.sites, assignment.cells, assignment.displacements
        if np.linalg.norm(best[2], axis=1).max() <= tolerance:
            found[row] = best
    if not found:
        return PseudoOperations.none(len(cell.kinds))
    chosen = np.array(list(found))
    targets, cells, residuals = (np.array(part) for part in zip(*found.values(), strict=True))
    squares = np.mean(np.sum(residuals**2, axis=2), axis=1)
    costs = squares + (STRAIN_WEIGHT * cell.rho * strains[chosen]) ** 2
    operations = PseudoOperations(rotations[chosen], targets, cells - cells[:, :1], costs)
    return operations[np.argsort(np.round(costs, 9), kind="stable")]


def _promising(cell: Cell, sites: IdealSites, rotations: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of a rotation's number and a translation, for each rotation the best translation first."""
    images = cell.positions @ np.swapaxes(rotations, 1, 2)
    kept = [_seeds(cell, images, rare, tolerance) for rare in cell.rare[:_RARE_SPECIES]]
    seeds = np.concatenate([rows for rows, _ in kept]), np.concatenate([shifts for _, shifts in kept])
    for _ in range(_FOLLOWS):
        seeds = _follow(sites, images, cell.kinds, seeds, tolerance)
    return _best_of_each(*seeds, 1 + len(kept))


def _seeds(cell: Cell, images: np.ndarray, rare: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the translations that suit the atoms of one species best, a few for each rotation."""
    few = IdealSites(cell.lattice, cell.positions[rare], cell.kinds[rare])
    shifts = (cell.positions[rare] - images[:, rare[:1]]).reshape(-1, 3)
    seeds = np.repeat(np.arange(len(images)), len(rare)), shifts
    return _best_of_each(*_follow(few, images[:, rare], cell.kinds[rare], seeds, tolerance), _SEEDS_KEPT)


def _follow(
    sites: IdealSites, images: np.ndarray, kinds: np.ndarray, seeds: tuple[np.ndarray, np.ndarray], tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Move translations to mean residual zero; drop those beyond the tolerance (rms), sort by rms.

    Parameters
    ----------
    images : (m, n, 3) float64
        Atoms after each rotation.
    seeds : (k,) int, (k, 3) float64
        Number of the rotation, and translation.
    """
    rows, shifts = seeds
    n = images.shape[1]
    means, squares = np.empty((len(rows), 3)), np.empty(len(rows))
    step = max(1, _CHUNK // (3 * n * n))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        residuals = sites.nearest(images[rows[part]] + shifts[part, None], kinds)[2]
        means[part] = residuals.mean(axis=1)
        squares[part] = np.mean(np.sum((residuals - means[part, None]) ** 2, axis=2), axis=1)
    shifts = shifts - means @ np.linalg.inv(sites.lattice)
    order = np.argsort(np.round(squares, 9), kind="stable")
    order = order[squares[order] <= tolerance**2]
    return rows[order], shifts[order]


def _best_of_each(rows: np.ndarray, shifts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep the first `size` translations of every rotation; they come sorted."""
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], rows[order])
    kept = np.sort(order[np.arange(len(rows)) - starts < size])
    return rows[kept], shifts[kept]
