"""Neighbour lists, the connection radius, shells."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from orderparam.errors import InvalidInputError
from orderparam.network.graph import RadialBasis, choose_cutoff, connection_radius, find_edges, shells_of

CUBE = np.eye(3)
FCC = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
PEROVSKITE = np.array([[0.5, 0.5, 0.5], [0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]])
SUPERCELL = np.array([[1, 1, 0], [-1, 1, 0], [0, 1, 2]])


def supercell(lattice, positions, matrix):
    """Return the sites of a supercell by trying translations."""
    n = round(abs(np.linalg.det(matrix)))
    found = []
    for position in positions:
        seen = []
        for shift in product(range(-4, 5), repeat=3):
            inside = (position + shift) @ np.linalg.inv(matrix)
            if ((inside >= -1e-9) & (inside < 1 - 1e-9)).all():
                seen.append(inside)
        assert len(seen) == n
        found += seen
    return matrix @ lattice, np.array(found)


def test_edges_equal_brute_force():
    rng = np.random.default_rng(0)
    lattice = np.array([[3.0, 0.2, 0.1], [0.4, 4.0, -0.3], [1.1, 0.3, 2.5]])
    positions = rng.uniform(-1.5, 1.5, size=(5, 3))  # outside the cell too
    edges = find_edges(lattice, positions, 4.2)
    vectors = (positions[edges.neighbours] + edges.images - positions[edges.centres]) @ lattice
    np.testing.assert_allclose(edges.vectors, vectors, atol=1e-12)
    shifts = np.array(list(product(range(-8, 9), repeat=3)))
    apart = (positions[None, :, None] + shifts - positions[:, None, None]) @ lattice
    lengths = np.linalg.norm(apart, axis=-1)
    assert len(edges.centres) == ((lengths < 4.2) & (lengths > 1e-6)).sum()
    assert len(np.unique(np.c_[edges.centres, edges.neighbours, edges.images], axis=0)) == len(edges.centres)


@pytest.mark.parametrize(
    ("lattice", "positions", "radius"),
    [
        (CUBE, [[0, 0, 0]], 1),
        (CUBE, [[0, 0, 0], [0.5, 0.5, 0.5]], np.sqrt(3) / 2),
        (FCC, [[0, 0, 0]], np.sqrt(0.5)),
        (FCC, [[0, 0, 0], [0.25, 0.25, 0.25]], np.sqrt(3) / 4),
        (CUBE, PEROVSKITE, np.sqrt(0.5)),
        (np.diag([1, 1, 1.5]), [[0, 0, 0]], 1.5),  # layers are connected in two dimensions long before
    ],
    ids=["cubic", "bcc", "fcc", "diamond", "perovskite", "tetragonal"],
)
def test_connection_radius_of_known_structures_in_any_cell(lattice, positions, radius):
    positions = np.asarray(positions, dtype=float)
    assert connection_radius(lattice, positions) == pytest.approx(radius, abs=1e-9)
    for factor in (1.3, 1.8):
        cutoff = choose_cutoff(lattice, positions, factor)
        larger = supercell(lattice, positions, SUPERCELL)
        assert connection_radius(*larger) == pytest.approx(radius, abs=1e-9)
        assert choose_cutoff(*larger, factor) == pytest.approx(cutoff, abs=1e-9)
        assert radius < cutoff < 1.4 * factor * radius
        shells = shells_of(find_edges(lattice, positions, 3 * cutoff).lengths)
        assert np.abs(shells - cutoff).min() > 0.02


def test_finite_points():
    square = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]], dtype=float)
    assert connection_radius(None, square) == pytest.approx(2)
    assert len(find_edges(None, square, 2.1).centres) == 8
    with pytest.raises(InvalidInputError, match="two points"):
        connection_radius(None, square[:1])


def test_radial_functions_are_independent_on_the_shells():
    shells = np.array([1.9, 2.7, 3.4])
    values = RadialBasis.on_shells(3.7, shells)(shells)
    np.testing.assert_allclose(values.T @ values, 3 * np.eye(3), atol=1e-10)
    near = np.array([1.9, 1.9004, 2.7])  # two shells that no Gaussian tells apart count once
    assert RadialBasis.on_shells(3.7, near).combination.shape == (10, 2)
