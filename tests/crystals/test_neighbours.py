"""Neighbours: against images far and wide, in skewed, flat and crowded cells."""

from __future__ import annotations

import numpy as np
import pytest

from orderparam.crystals import neighbours
from orderparam.crystals.neighbours import find_neighbours, shortest_distance
from orderparam.errors import InvalidInputError


def brute(lattice, positions, cutoff, span=7):
    cells = np.stack(np.meshgrid(*[range(-span, span + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    found = []
    for i, one in enumerate(positions):
        for j, other in enumerate(positions):
            lengths = np.linalg.norm((other - one + cells) @ lattice, axis=1)
            found += [(i, j, round(d, 6)) for d in lengths if 1e-9 < d <= cutoff]
    return sorted(found)


def cells(seed):
    rng = np.random.default_rng(seed)
    lattice = np.diag(rng.uniform(2.5, 5, 3)) + rng.uniform(-0.5, 0.5, (3, 3))
    shear = np.array([[1, 0, 0], [seed % 4, 1, 0], [0, seed % 3, 1]])
    return shear @ lattice, rng.random((rng.integers(1, 5), 3)) * 3 - 1


@pytest.mark.parametrize("seed", range(12))
def test_against_brute_force(seed, monkeypatch):
    lattice, positions = cells(seed)
    for few, many in ((neighbours.FEW, neighbours.MANY_CELLS), (0, neighbours.MANY_CELLS), (neighbours.FEW, 1)):
        monkeypatch.setattr(neighbours, "FEW", few)
        monkeypatch.setattr(neighbours, "MANY_CELLS", many)
        found = find_neighbours(lattice, positions, 4.0)
        assert found.distances == pytest.approx(np.linalg.norm(found.vectors, axis=1))
        rows = sorted(
            (int(i), int(j), round(float(d), 6))
            for i, j, d in zip(found.first, found.second, found.distances, strict=True)
        )
        assert rows == brute(lattice, positions, 4.0)


@pytest.mark.parametrize("seed", range(12))
def test_the_shortest_distance(seed):
    lattice, positions = cells(seed)
    assert shortest_distance(lattice, positions) == pytest.approx(
        min(d for *_, d in brute(lattice, positions, 9.0)), abs=1e-5
    )


def test_an_atom_and_its_image_in_a_skewed_cell():
    """Quartz-like shears: the nearest image of an atom is two cells away."""
    lattice = np.array([[5.0, 0, 0], [11.0, 1.0, 0], [0, 0, 5.0]])
    assert shortest_distance(lattice, np.zeros((1, 3))) == pytest.approx(np.sqrt(2))


def test_cells_that_no_crystal_has():
    with pytest.raises(InvalidInputError, match="too flat or too narrow"):
        find_neighbours(np.diag([1e-3, 1e-3, 1e9]), np.zeros((1, 3)), 5.0)
