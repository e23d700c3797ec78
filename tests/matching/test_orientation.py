"""Laying one finite set onto another: planted displacements are found in any orientation, order and hand."""

from __future__ import annotations

import numpy as np
import pytest

from orderparam.crystals.pointset import PointSet
from orderparam.errors import MatchingError
from orderparam.matching.orientation import overlays
from tests.clusters import cluster, scrambled


def numbers(points: PointSet) -> np.ndarray:
    return np.unique(points.species, return_inverse=True)[1]


def lay(parent: PointSet, child: PointSet, **options):
    trivial = np.arange(parent.n_sites)[None]
    return overlays(parent.centred, child.centred, (numbers(parent), numbers(child)), trivial, **options)


@pytest.mark.parametrize("seed", range(8))
def test_planted_displacements_are_found(seed):
    rng = np.random.default_rng(seed)
    parent = cluster([1, 3, 25, 89, 149, 195, 10, 215][seed], seed)
    moved = parent.positions + 0.06 * rng.normal(size=parent.positions.shape)
    child = scrambled(PointSet(moved, parent.species), seed)
    best = lay(parent, child)[0]
    planted = moved - moved.mean(axis=0) - parent.centred
    assert best.rms <= np.sqrt(np.mean(np.sum(planted**2, axis=1))) + 1e-9
    assert [child.species[i] for i in best.order] == list(parent.species)
    np.testing.assert_allclose(
        child.centred[best.order] @ best.rotation.T, parent.centred + best.displacements, atol=1e-12
    )
    np.testing.assert_allclose(best.displacements.sum(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(np.cross(parent.centred, best.displacements).sum(axis=0), 0, atol=1e-9)
    assert np.linalg.det(best.rotation) == pytest.approx(1)


@pytest.mark.parametrize("number", [16, 89, 149, 195, 207])
def test_the_other_hand_fits_only_as_a_mirror_image(number):
    parent = cluster(number, 1)
    mirrored = scrambled(PointSet(parent.positions * [1, 1, -1], parent.species), 2)
    assert lay(parent, mirrored, mirror=True)[0].rms < 1e-9
    assert np.linalg.det(lay(parent, mirrored, mirror=True)[0].rotation) == pytest.approx(-1)
    assert lay(parent, mirrored)[0].rms > 0.1


def test_ways_that_differ_by_the_parents_symmetry_are_one():
    square = PointSet(np.array([[1.0, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]), ("C",) * 4)
    turns = np.array([[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2], [1, 0, 3, 2], [3, 2, 1, 0], [0, 3, 2, 1],
                      [2, 1, 0, 3]])  # fmt: skip
    same = (np.zeros(4, int), np.zeros(4, int))
    assert len(overlays(square.centred, square.centred, same, turns)) == 1
    assert len(overlays(square.centred, square.centred, same, turns[:1])) > 1


def test_other_atoms_are_refused():
    parent = cluster(16, 1)
    other = PointSet(parent.positions, ("S", *parent.species[1:]))
    kinds = sorted({*parent.species, *other.species})
    pair = tuple(np.array([kinds.index(k) for k in some.species]) for some in (parent, other))
    with pytest.raises(MatchingError, match="same atoms"):
        overlays(parent.centred, other.centred, (pair[0], pair[1]), np.arange(parent.n_sites)[None])
