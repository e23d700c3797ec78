"""Clusters of atoms with any crystallographic point group, turned, moved and shuffled at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from orderparam.crystals.pointset import PointSet
from orderparam.spacegroup import standard_group

GROUPS = {
    1: "C1", 2: "Ci", 3: "C2", 6: "Cs", 10: "C2h", 16: "D2", 25: "C2v", 47: "D2h", 75: "C4", 81: "S4", 83: "C4h",
    89: "D4", 99: "C4v", 111: "D2d", 115: "D2d", 123: "D4h", 143: "C3", 147: "S6", 149: "D3", 150: "D3", 156: "C3v",
    157: "C3v", 162: "D3d", 164: "D3d", 168: "C6", 174: "C3h", 175: "C6h", 177: "D6", 183: "C6v", 187: "D3h",
    189: "D3h", 191: "D6h", 195: "T", 200: "Th", 207: "O", 215: "Td", 221: "Oh",
}  # fmt: skip
"""Every primitive symmorphic space group with its point group."""

SHELLS = (("C", 2.5), ("O", 4.1), ("N", 5.3), ("F", 6.2))


def operations(number: int) -> np.ndarray:
    """Return the Cartesian operations (n, 3, 3) of a space group's point group."""
    rotations = standard_group(number).rotations
    spread = np.array([[1.0, 0.21, 0.13], [0.0, 1.17, 0.08], [0.0, 0.0, 1.31]])
    metric = np.mean(np.swapaxes(rotations, 1, 2) @ (spread @ spread.T) @ rotations, axis=0)
    columns = np.linalg.cholesky(metric).T
    return columns @ rotations @ np.linalg.inv(columns)


def cluster(number: int, seed: int = 0, shells: Sequence[tuple[str, float]] = SHELLS) -> PointSet:
    """Return general orbits of a point group, each of its own species and radius, in its standard orientation."""
    rng, group = np.random.default_rng(seed), operations(number)
    places: list[np.ndarray] = []
    species: list[str] = []
    for kind, radius in shells:
        while True:
            start = rng.normal(size=3)
            orbit = group @ (radius * start / np.linalg.norm(start))
            if np.linalg.norm(orbit[1:] - orbit[0], axis=1).min(initial=9.0) > 0.75:
                break
        places += [*orbit]
        species += [kind] * len(orbit)
    return PointSet(np.array(places), tuple(species))


def scrambled(points: PointSet, seed: int, *, noise: float = 0.0) -> PointSet:
    """Return the same set turned, moved and in another order, every coordinate off by Gaussian noise."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(points.n_sites)
    turned = points.positions @ Rotation.random(random_state=seed).as_matrix().T + rng.normal(size=3)
    moved = turned + noise * rng.normal(size=turned.shape)
    return PointSet(moved[order], tuple(points.species[i] for i in order))


def ring(n: int, radius: float = 2.0, height: float = 0.0, twist: float = 0.0) -> np.ndarray:
    """Return the corners (n, 3) of a regular polygon."""
    turns = 2 * np.pi * np.arange(n) / n + twist
    return np.array([radius * np.cos(turns), radius * np.sin(turns), np.full(n, height)]).T
