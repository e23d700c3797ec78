"""Who is whose neighbour: linear-time lists, the cutoff, and radial functions for the shells that occur."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.spatial import KDTree

from orderparam.crystals.layers import find_gap
from orderparam.errors import InvalidInputError

SHELL_WIDTH = 1e-4  # angstrom: distances nearer than this are one shell
N_GAUSSIANS = 10

Periodic = tuple[bool, bool, bool]
EVERYWHERE: Periodic = (True, True, True)
"""Along which basis vectors a crystal repeats."""


@dataclass(frozen=True)
class Edges:
    """Pairs of neighbours.

    Attributes
    ----------
    centres, neighbours : (n_edges,) int64
        Site indices.
    images : (n_edges, 3) int64
        Lattice translation of the neighbour, in lattice vectors.
    vectors : (n_edges, 3) float64
        From the centre to the neighbour, Cartesian, angstrom.
    """

    centres: np.ndarray
    neighbours: np.ndarray
    images: np.ndarray
    vectors: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Distances (n_edges,), angstrom."""
        return np.linalg.norm(self.vectors, axis=1)


@dataclass(frozen=True)
class RadialBasis:
    """Functions of the distance: Gaussians on (0, cutoff), combined to be independent on the parent's shells.

    Attributes
    ----------
    cutoff : float
        Angstrom.
    combination : (10, n_functions) float64
        The functions are B_b(r) = sum_g exp(-(r - r_g)^2 / 2 s^2) combination[g, b].
    """

    cutoff: float
    combination: np.ndarray

    @classmethod
    def on_shells(cls, cutoff: float, shells: np.ndarray) -> RadialBasis:
        """Choose the combinations with mean square one on the shells (n_shells,) that a structure has.

        Singular values below 1e-3 of the largest are left out: parameters that could not be told apart.
        """
        left, values, right = np.linalg.svd(_gaussians(shells, cutoff), full_matrices=False)
        kept = values > 1e-3 * values[0]
        sign = np.sign(left[np.abs(left).argmax(axis=0), np.arange(left.shape[1])])
        return cls(cutoff, np.sqrt(len(shells)) * ((right.T * sign) / values)[:, kept])

    def __call__(self, lengths: np.ndarray) -> np.ndarray:
        """Evaluate at lengths (n,): (n, n_functions)."""
        return _gaussians(lengths, self.cutoff) @ self.combination


def _gaussians(lengths: np.ndarray, cutoff: float) -> np.ndarray:
    """Return N_GAUSSIANS bumps (n, N_GAUSSIANS) with centres evenly on (0, cutoff)."""
    step = cutoff / (N_GAUSSIANS + 1)
    centres = step * np.arange(1, N_GAUSSIANS + 1)
    return np.exp(-(((lengths[:, None] - centres) / step) ** 2) / 2)


def find_edges(lattice: np.ndarray | None, positions: np.ndarray, cutoff: float) -> Edges:
    """List all pairs nearer than the cutoff, in both directions, ordered by centre.

    Parameters
    ----------
    lattice : (3, 3) float64 or None
        Rows, angstrom; None for a finite set of points.
    positions : (n_sites, 3) float64
        Fractional (Cartesian without a lattice).
    cutoff : float
        Angstrom.
    """
    if lattice is None:
        source, wrap = np.arange(len(positions)), np.zeros((len(positions), 3), dtype=int)
        images, cartesian, points = wrap, positions, positions
    else:
        wrap = np.floor(positions).astype(int)
        inside = positions - wrap
        cartesian = inside @ lattice
        images, source = _images_near_cell(lattice, inside, cutoff)
        points = (inside[source] + images) @ lattice
        images = images - wrap[source]
    pairs = KDTree(cartesian).sparse_distance_matrix(KDTree(points), cutoff, output_type="ndarray")
    pairs = pairs[pairs["v"] > SHELL_WIDTH]
    centres, found = pairs["i"].astype(int), pairs["j"].astype(int)
    shifts = images[found] + wrap[centres]
    edges = (centres, source[found], shifts, points[found] - cartesian[centres])
    order = np.lexsort((*shifts.T, edges[1], centres))
    return Edges(*(array[order] for array in edges))


def _images_near_cell(lattice: np.ndarray, inside: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the translations (m, 3) and sites (m,) of all atoms within the cutoff of the cell 0 <= x < 1."""
    margin = cutoff * np.linalg.norm(np.linalg.inv(lattice), axis=0)
    ranges = [np.arange(-np.ceil(m), np.ceil(m) + 1, dtype=int) for m in margin]
    shifts = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    moved = inside[None] + shifts[:, None]
    near = ((moved >= -margin - 1e-9) & (moved <= 1 + margin + 1e-9)).all(axis=-1)
    which, source = np.nonzero(near)
    return shifts[which], source


def shells_of(lengths: np.ndarray) -> np.ndarray:
    """Return the distinct distances, sorted: the mean of every run of lengths without a gap above SHELL_WIDTH."""
    ordered = np.sort(lengths)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(ordered) > SHELL_WIDTH) + 1])
    counts = np.diff(np.append(starts, len(ordered)))
    return np.add.reduceat(ordered, starts) / counts


def connection_radius(lattice: np.ndarray | None, positions: np.ndarray, periodic: Periodic = EVERYWHERE) -> float:
    """Return the least distance at which hops between neighbours lead from every atom to every other and its images.

    It does not depend on the choice of the cell. In a layer, images are those along the two vectors that are periodic,
    and no hop crosses the vacuum; a crystal is connected through its gaps, however wide.

    Parameters
    ----------
    lattice : (3, 3) float64 or None
        Rows, angstrom; None for a finite set of points, connected without any images.
    positions : (n_sites, 3) float64
        Fractional (Cartesian without a lattice).
    periodic : tuple of 3 bool
        As of a `Crystal`; not looked at without a lattice.

    Raises
    ------
    InvalidInputError
        If there are not two points to connect.
    """
    if lattice is None and len(positions) < 2:
        raise InvalidInputError("network: at least two points are needed")
    axes = [] if lattice is None else [axis for axis in range(3) if periodic[axis]]
    reach = 2.0
    while True:
        edges = _hops(lattice, positions, axes, reach)
        if len(edges.centres) and _is_connected(axes, len(positions), edges, reach):
            break
        reach *= 1.5
    lengths = edges.lengths
    shells = shells_of(lengths)
    low, high = 0, len(shells) - 1  # connectedness grows with the radius: bisect
    while low < high:
        middle = (low + high) // 2
        if _is_connected(axes, len(positions), edges, shells[middle] + SHELL_WIDTH):
            high = middle
        else:
            low = middle + 1
    return float(shells[high])


def _hops(lattice: np.ndarray | None, positions: np.ndarray, axes: list[int], reach: float) -> Edges:
    """Return the edges up to `reach`, in a layer without those through its vacuum, the widest gap across its plane."""
    if lattice is None or len(axes) != 2:
        return find_edges(lattice, positions, reach)
    (across,) = {0, 1, 2} - set(axes)
    positions = positions.copy()
    edge = find_gap(lattice, positions, across).edge
    positions[:, across] -= np.floor(positions[:, across] - edge + 1e-9)  # in one piece, from the lowest atom upwards
    edges = find_edges(lattice, positions, reach)
    within = edges.images[:, across] == 0
    return Edges(edges.centres[within], edges.neighbours[within], edges.images[within], edges.vectors[within])


def _is_connected(periodic: list[int], n_sites: int, edges: Edges, radius: float) -> bool:
    """Tell whether the edges up to the radius connect all sites and all lattice translations along the periodic axes.

    Walks along a spanning tree give every site a translation; every edge then closes a loop, and the loops must
    generate Z^d, d the number of those axes: the greatest common divisor of their d x d determinants is 1.
    """
    near = edges.lengths <= radius
    centres, neighbours, images = edges.centres[near], edges.neighbours[near], edges.images[near]
    graph = csr_matrix((np.ones(len(centres)), (centres, neighbours)), shape=(n_sites, n_sites))
    if connected_components(graph, directed=False, return_labels=False) > 1:
        return False
    if not periodic:
        return True
    order, parents = breadth_first_order(graph, 0, directed=True)
    step = dict(zip(zip(centres.tolist(), neighbours.tolist(), strict=True), images, strict=True))
    walk = np.zeros((n_sites, 3), dtype=int)
    for site in order[1:].tolist():
        walk[site] = walk[parents[site]] + step[int(parents[site]), site]
    loops = np.unique((walk[centres] + images - walk[neighbours])[:, periodic], axis=0)
    loops = loops[len(loops) // 2 :]  # sorted, and in pairs +-: half of them suffices
    if len(loops) < len(periodic):
        return False
    loops = loops[np.argsort((loops**2).sum(axis=1), kind="stable")][:40]
    bases = loops[np.array(list(combinations(range(len(loops)), len(periodic))))]
    return int(np.gcd.reduce(np.rint(np.linalg.det(bases)).astype(int))) == 1


def choose_cutoff(
    lattice: np.ndarray | None, positions: np.ndarray, factor: float, periodic: Periodic = EVERYWHERE
) -> float:
    """Return a cutoff near factor times the connection radius, in the widest gap between shells there.

    In the middle of a gap no noise can carry a neighbour across the cutoff.
    """
    radius = connection_radius(lattice, positions, periodic)
    aim = factor * radius
    shells = shells_of(find_edges(lattice, positions, 1.4 * aim).lengths)
    bounds = np.append(shells, 1.4 * aim)
    middles, widths = (bounds[:-1] + bounds[1:]) / 2, np.diff(bounds)
    around = (bounds[:-1] <= aim) & (aim < bounds[1:]) | (np.abs(middles - aim) <= 0.1 * aim)
    around &= bounds[:-1] >= radius - SHELL_WIDTH
    return float(middles[around][widths[around].argmax()])
