"""Point groups of finite sets against pymatgen's analyser, and those that must be refused by name."""

from __future__ import annotations

import numpy as np
import pytest

from orderparam.crystals.pointset import PointSet, report_point_group
from orderparam.errors import InvalidInputError
from orderparam.pointgroup import best_orthogonal, checked_point_group, find_operations, schoenflies
from orderparam.pointparent import out_of_box, point_group_of, symmetrise_points
from tests.clusters import GROUPS, cluster, operations, ring, scrambled

GOLDEN = (1 + 5**0.5) / 2
ICOSAHEDRON = np.array(
    [np.roll([0, s, t * GOLDEN], shift) for s in (1, -1) for t in (1, -1) for shift in range(3)], float
)


def alike(places: np.ndarray, kind: str = "C") -> PointSet:
    return PointSet(places, (kind,) * len(places))


@pytest.mark.parametrize("number", GROUPS, ids=lambda n: f"{GROUPS[n]}-{n}")
def test_every_crystallographic_group_is_found_and_pymatgen_agrees(number):
    points = scrambled(cluster(number, seed=number), seed=number)
    assert report_point_group(points) == GROUPS[number]
    found = find_operations(points, 1e-3)
    assert len(found) == len(operations(number))
    assert schoenflies(points, found) == GROUPS[number]
    parent = symmetrise_points(points)
    assert point_group_of(parent.group.number)[0] == GROUPS[number]
    assert parent.finite
    assert parent.moved_max < 1e-10
    # the frame keeps the set: same distances, same species
    rebuilt = out_of_box(parent.crystal)
    assert rebuilt.species == points.species
    gaps = [np.linalg.norm(s.centred[:, None] - s.centred, axis=2) for s in (points, rebuilt)]
    np.testing.assert_allclose(gaps[0], gaps[1], atol=1e-9)


@pytest.mark.parametrize("number", [10, 123, 164, 191, 215], ids=lambda n: GROUPS[n])
def test_rounded_coordinates_are_put_onto_exact_sites(number):
    points = scrambled(cluster(number, seed=1), seed=2, noise=3e-5)
    parent = symmetrise_points(points)
    assert point_group_of(parent.group.number)[0] == GROUPS[number]
    assert 1e-6 < parent.moved_max < 1e-3
    exact = out_of_box(parent.crystal)
    assert schoenflies(exact, find_operations(exact, 1e-8)) == GROUPS[number]


@pytest.mark.parametrize(
    ("name", "places", "why"),
    [
        ("D5h", ring(5), "order 5"),
        ("C5v", np.concatenate([ring(5), [[0, 0, 1.5]]]), "order 5"),
        ("D7h", ring(7, 3.0), "order 7"),
        ("D4d", np.concatenate([ring(4, height=0.8), ring(4, height=-0.8, twist=np.pi / 4)]), "order 8"),
        ("D6d", np.concatenate([ring(6, 3, height=0.8), ring(6, 3, height=-0.8, twist=np.pi / 6)]), "order 12"),
        ("Ih", ICOSAHEDRON, "order 5"),
        ("Dinfh", np.array([[0, 0, 1.0], [0, 0, -1.0], [0, 0, 0]]), "one line"),
        ("Cinfv", np.array([[0, 0, 1.0], [0, 0, -1.0], [0, 0, 2.5]]), "one line"),
        ("Kh", np.zeros((1, 3)), "a single point"),
    ],
)
def test_other_groups_are_refused_by_name(name, places, why):
    points = scrambled(alike(places), 5)
    assert report_point_group(points) == name
    with pytest.raises(InvalidInputError, match=why) as refused:
        symmetrise_points(points)
    assert f"its point group {name} (" in str(refused.value)


def test_species_lower_the_symmetry():
    """The same places: what tells atoms apart decides, and so a pentagon with one other atom is treated."""
    places = ring(5)
    parent = symmetrise_points(PointSet(places, ("N", "C", "C", "C", "C")))
    assert point_group_of(parent.group.number)[0] == "C2v"


def test_a_tolerance_too_small_finds_less():
    points = scrambled(cluster(123), 3, noise=1e-4)
    assert point_group_of(symmetrise_points(points, 1e-2).group.number)[0] == "D4h"
    assert point_group_of(symmetrise_points(points, 1e-7).group.number)[0] == "C1"


def test_the_best_rotation_is_stationary_and_of_the_right_hand():
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, 9, 3))
    for hand in (1, -1):
        best = best_orthogonal(start, end, hand)
        assert np.linalg.det(best) == pytest.approx(hand)
        least = np.sum((start @ best.T - end) ** 2)
        for _ in range(50):
            other = best_orthogonal(rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), hand)
            assert np.sum((start @ other.T - end) ** 2) >= least
        # no turn of the whole is left in the difference
        np.testing.assert_allclose(np.cross(end, start @ best.T - end).sum(axis=0), 0, atol=1e-12)


def test_a_twisted_octahedron_is_no_tetrahedral_one():
    """Bailar's twist leaves D3 of Oh; all moments of inertia are equal, and pymatgen's analyser says T."""
    up = np.array([[np.cos(a), np.sin(a), np.sqrt(0.5)] for a in np.radians([0, 120, 240])])
    down = np.array([[np.cos(a), np.sin(a), -np.sqrt(0.5)] for a in np.radians([60, 180, 300])])
    turn = np.radians(12)
    twist = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    points = 1.5 * np.concatenate([np.zeros((1, 3)), up @ twist, down @ twist.T])
    assert checked_point_group(PointSet(points, ("Mn",) + ("F",) * 6), 1e-3)[0] == "D3"
    assert checked_point_group(PointSet(1.5 * np.concatenate([up, down]), ("F",) * 6), 1e-3) == ("Oh", "Oh")
