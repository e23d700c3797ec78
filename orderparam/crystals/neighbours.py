"""Which atoms are near which, in cells of any shape.

Images are taken as far as the heights of the cell ask for, not one cell in each direction: in a skewed cell the nearest
image can be two cells away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orderparam.errors import InvalidInputError
from orderparam.niggli import niggli_reduce

FEW = 4_000_000
"""Up to so many distances are computed at once; beyond them a tree is searched, whose library takes longer to load."""


MANY_CELLS = 1000
"""A cell with more images than this within the cutoff is skewed: it is reduced first."""

MOST_CELLS = 1_000_000
"""A reduced cell with more images than this is no crystal's."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Ordered pairs of atoms within a distance, an atom's own images included, the atom itself not.

    Attributes
    ----------
    first, second : (n,) int
        Atoms; every pair stands in both orders.
    vectors : (n, 3)
        From the first to the image of the second, angstrom.
    """

    first: np.ndarray
    second: np.ndarray
    vectors: np.ndarray

    @property
    def distances(self) -> np.ndarray:
        """Lengths of the vectors (n,), angstrom."""
        return np.linalg.norm(self.vectors, axis=1)


def find_neighbours(lattice: np.ndarray, positions: np.ndarray, cutoff: float) -> Neighbours:
    """Return all pairs of atoms not farther apart than a cutoff.

    Parameters
    ----------
    lattice : (3, 3)
        Basis vectors as rows, angstrom.
    positions : (n, 3)
        Fractional coordinates.
    cutoff : float
        Angstrom.

    Examples
    --------
    >>> import numpy as np
    >>> len(find_neighbours(4 * np.eye(3), np.zeros((1, 3)), 4.1).first)
    6
    """
    if _n_cells(lattice, cutoff) > MANY_CELLS:
        reduced, transformation = niggli_reduce(lattice)
        if _n_cells(reduced, cutoff) > MOST_CELLS:
            raise InvalidInputError("the cell is too flat or too narrow for any crystal; check its vectors")
        return _find(reduced, positions @ np.linalg.inv(transformation), cutoff)
    return _find(lattice, positions, cutoff)


def _find(lattice: np.ndarray, positions: np.ndarray, cutoff: float) -> Neighbours:
    inside = positions - np.floor(positions)
    margin = cutoff * np.linalg.norm(np.linalg.inv(lattice), axis=0)  # the planes (100) ... are 1 / |a*| apart
    spans = [np.arange(-int(np.ceil(m)), int(np.ceil(m)) + 1) for m in margin]
    cells = np.stack(np.meshgrid(*spans, indexing="ij"), -1).reshape(-1, 3)
    images = inside[None] + cells[:, None]
    low, high = inside.min(axis=0) - margin - 1e-9, inside.max(axis=0) + margin + 1e-9
    moved, second = np.nonzero(((images >= low) & (images <= high)).all(axis=2))
    places, points = images[moved, second] @ lattice, inside @ lattice
    first, near = _within(points, places, cutoff)
    other = cells[moved[near]].any(axis=1) | (second[near] != first)
    first, near = first[other], near[other]
    return Neighbours(first, second[near], places[near] - points[first])


def _n_cells(lattice: np.ndarray, cutoff: float) -> float:
    return float(np.prod(2 * np.ceil(cutoff * np.linalg.norm(np.linalg.inv(lattice), axis=0)) + 1))


def _within(points: np.ndarray, places: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (of a point and a place) that are within the cutoff."""
    if len(points) * len(places) <= FEW:
        squares = np.sum(points**2, axis=1)[:, None] + np.sum(places**2, axis=1) - 2 * points @ places.T
        first, near = np.nonzero(squares <= cutoff**2 + 1e-9)
        return first, near
    from scipy.spatial import KDTree

    found = KDTree(places).query_ball_point(points, cutoff)
    counts = [len(near) for near in found]
    return np.repeat(np.arange(len(points)), counts), np.concatenate([np.array(near, int) for near in found])


def shortest_distance(lattice: np.ndarray, positions: np.ndarray) -> float:
    """Return the shortest distance between two points, or a point and its image (angstrom)."""
    # a sphere of this radius about every point cannot be empty: n of them would be larger than the cell
    volume = abs(float(np.linalg.det(lattice)))
    reach = 2 * (3 * volume / (4 * np.pi * len(positions))) ** (1 / 3)
    reach = 1.001 * min(reach, float(np.linalg.norm(lattice, axis=1).min()))  # an atom and its own image
    distances = find_neighbours(lattice, positions, reach).distances
    return float(distances.min())
