"""Checks of contracts, for the package's own tests and for those of its users.

Each ``assert_...`` raises AssertionError with what was received and what was expected; `scramble` writes a crystal in
another way without changing it.
"""

from __future__ import annotations

import numpy as np

from .crystals.crystal import Crystal
from .lattice import QuotientLattice


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """Return a proper rotation (3, 3), uniformly distributed."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


def random_cell(rng: np.random.Generator, determinant: int) -> np.ndarray:
    """Return an integer matrix (3, 3) of a given determinant, with small entries."""
    matrix = np.diag(rng.permutation([determinant, 1, 1]))
    for _ in range(3):
        i, j = rng.choice(3, 2, replace=False)
        matrix[i] += int(rng.integers(-1, 2)) * matrix[j]
    return matrix


def scramble(crystal: Crystal, rng: np.random.Generator, *, move_origin: bool = True) -> Crystal:
    """Write the same crystal in another way.

    Another cell (an integer change of basis, determinant 1 to 4), orientation, order of atoms, images of atoms in other
    cells and, with `move_origin`, another origin. Labels stay with their atoms.
    """
    matrix = random_cell(rng, int(rng.choice([1, 1, 2, 3, 4])))
    cells = QuotientLattice(matrix).representatives
    n = crystal.n_sites
    positions = (crystal.positions[:, None] + cells[None]).reshape(-1, 3) @ np.linalg.inv(matrix)
    order = rng.permutation(len(positions))
    origin = rng.random(3) if move_origin else np.zeros(3)
    positions = positions[order] + origin + rng.integers(-1, 2, (len(order), 3))
    return Crystal(
        matrix @ crystal.lattice @ random_rotation(rng),
        positions,
        tuple(crystal.species[i // (len(order) // n)] for i in order),
        tuple(crystal.labels[i // (len(order) // n)] for i in order),
        crystal.name,
        crystal.notes,
    )
