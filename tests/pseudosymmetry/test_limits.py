"""What is said of the limits of a search is what is applied: just inside found, just outside not."""

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.errors import InvalidInputError
from orderparam.pseudosymmetry import (
    MAX_DISPLACEMENT,
    MAX_STRAIN,
    NEAR,
    NOISE,
    WEAK_DISPLACEMENT,
    WEAK_SCORE,
    WEAK_SLOPE,
    Limits,
    Proposal,
    propose_parents,
    search_parents,
)
from orderparam.pseudosymmetry.propose import _NOISE_LIMIT, Ladder
from tests.pseudosymmetry.children import scrambled, skutterudite

ANY = propose_parents(Crystal(np.diag([4.0, 4.0, 4.1]), np.zeros((1, 3)), ("Po",)))[0].parent
TETRAGONAL = np.diag([7.0, 7.0, 9.0])


def polar(lattice: np.ndarray, direction: np.ndarray, largest: float) -> Crystal:
    """Put a guest into a cage, off the middle by a largest displacement (angstrom), mean removed.

    The guest takes (n - 1) / n of its way, so that it is the atom displaced most.
    """
    cage = [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]
    sites = np.array([[0.5, 0.5, 0.5], *cage])
    unit = direction / np.linalg.norm(direction)
    sites[0] += largest * len(sites) / (len(sites) - 1) * unit @ np.linalg.inv(lattice)
    return Crystal(lattice, sites, ("Ti", "Ba", "O", "O", "O"))


def rhombohedral(a: float, c: float) -> np.ndarray:
    """Primitive rows of a rhombohedral lattice; the threefold axis along z."""
    angles = np.deg2rad([90, 210, 330])
    return np.stack([a / np.sqrt(3) * np.cos(angles), a / np.sqrt(3) * np.sin(angles), np.full(3, c / 3)], axis=1)


def groups(child: Crystal, **limits: float) -> dict[int, Proposal]:
    """Return the nearest proposal for each space-group number."""
    found = propose_parents(child, limit=100, **limits)
    return {p.group.number: p for p in sorted(found, key=lambda p: -p.distance)}


@pytest.mark.parametrize("limit", [0.3, 0.7, MAX_DISPLACEMENT])
@pytest.mark.parametrize("seed", range(2))
def test_the_largest_displacement(limit, seed):
    rng = np.random.default_rng(seed)
    inside, outside = (scrambled(polar(TETRAGONAL, np.array([0, 0, 1.0]), limit + d), rng) for d in (-0.005, 0.005))
    found = groups(inside, max_displacement=limit)
    assert found[123].max_displacement == pytest.approx(limit - 0.005, abs=1e-6)
    assert 123 not in groups(outside, max_displacement=limit)
    beyond = search_parents(outside, Limits(limit)).beyond
    assert beyond is not None
    assert beyond.max_displacement > limit


@pytest.mark.parametrize("limit", [0.02, MAX_STRAIN, 0.3])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_strain(limit, sign):
    """Simple cubic stretched along c: a parent with a^2 = (2 + s^2) / 3 has the strains 1/a - 1 and s/a - 1."""
    strains = np.linspace(0, sign * 0.9, 200001)
    a = np.sqrt((2 + (1 + strains) ** 2) / 3)
    largest = np.maximum(np.abs(1 / a - 1), np.abs((1 + strains) / a - 1))
    for change, expected in ((-0.001, True), (0.001, False)):
        stretch = 1 + strains[np.searchsorted(largest, limit + change)]
        child = Crystal(4 * np.diag([1, 1, stretch]), np.zeros((1, 3)), ("Po",))
        found = [p for p in propose_parents(child, limit=100, max_strain=limit) if p.group.number == 221]
        assert bool(found) is expected, stretch


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("a", "c"), [(4.23, 10.9), (5.66, 6.95), (7.2, 13.5)])
def test_a_polar_crystal_far_from_its_centre(a, c, seed):
    """R3m, 0.78 angstrom along the polar axis, whose origin is free."""
    lattice = rhombohedral(a, c)
    child = scrambled(polar(lattice, np.array([0, 0, 1.0]), 0.78), np.random.default_rng(seed))
    assert groups(child)[166].max_displacement == pytest.approx(0.78, abs=1e-3)
    assert groups(child)[166].index == 2


def test_a_skutterudite_is_a_tilted_cube():
    """a+a+a+ with angles of 30 degrees or so: Sb is displaced by 1.135 angstrom, and no strain."""
    search = search_parents(scrambled(skutterudite(), np.random.default_rng(1)))
    first = search.proposals[0]
    assert (first.group.number, first.parent.crystal.n_sites, first.index) == (221, 4, 8)
    assert first.max_displacement == pytest.approx(1.135, abs=0.02)
    assert first.rms_strain == pytest.approx(0, abs=1e-9)
    assert first.is_far
    assert first.is_weak
    assert search.reach == search.limits.reach


@pytest.mark.parametrize(("change", "far"), [(-0.005, False), (0.005, True)])
def test_operations_beyond_near_are_marked(change, far):
    """Inversion misses the guest by twice its displacement; c is too long for an axis that would turn it halfway."""
    child = polar(np.diag([7.0, 7.0, 13.0]), np.array([0, 0, 1.0]), (NEAR + change) / 2)
    assert groups(child)[123].is_far is far


def proposal(*, index: int = 2, rms: float = 0.0, largest: float = 0.0, ladder: Ladder | None = None) -> Proposal:
    return Proposal(ANY, index, rms, largest, 0.0, ladder or Ladder())


def test_what_is_weak():
    bound = WEAK_SCORE * np.log(8)
    assert not proposal(index=8, rms=bound - 1e-6).is_weak
    assert proposal(index=8, rms=bound + 1e-6).is_weak
    assert not proposal(index=8, largest=WEAK_DISPLACEMENT - 1e-6).is_weak
    assert proposal(index=8, largest=WEAK_DISPLACEMENT).is_weak
    # half of the index is free, the other half costs all
    rung = Ladder(rungs=((48, 0.0),))
    bound = WEAK_SLOPE * np.log(2)
    assert not proposal(index=96, rms=bound - 1e-6, ladder=rung).is_weak
    assert proposal(index=96, rms=bound + 1e-6, ladder=rung).is_weak


@pytest.mark.parametrize(("change", "noise"), [(-0.001, True), (0.001, False)])
def test_what_is_noise(change, noise):
    """One of five atoms moves by d: rms = d sqrt(4) / 5."""
    child = polar(TETRAGONAL, np.array([0, 0, 1.0]), (NOISE + change) * 4 / np.sqrt(4))
    found = groups(child)[123]
    assert found.rms == pytest.approx(NOISE + change, abs=1e-6)
    assert found.is_noise is noise


@pytest.mark.parametrize(("change", "noise"), [(-0.005, True), (0.005, False)])
def test_no_single_atom_moves_farther_by_noise(change, noise):
    """One of thirteen atoms moves by d: rms = d sqrt(12) / 13 is within `NOISE` on both sides of the bound on d."""
    largest = _NOISE_LIMIT + change
    body = np.array([[x, y, z] for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)])
    sites = np.concatenate([[[0.5, 0.5, 0.5], [0, 0, 0]], 0.5 * np.eye(3), body])
    sites[0, 2] += largest * 13 / 12 / 9
    child = Crystal(np.diag([8.0, 8.0, 9.0]), sites, ("Ti", "Ba", *3 * ["F"], *8 * ["O"]))
    found = groups(child)[123]
    assert found.max_displacement == pytest.approx(largest, abs=1e-6)
    assert found.is_noise
    assert (found.ladder.start[0] > 1) is noise


def test_far_proposals_stand_behind_all_others():
    lattice = np.diag([7.0, 7.0, 13.0])
    found = propose_parents(polar(lattice, np.array([0, 0, 1.0]), NEAR / 2 + 0.1), limit=100)
    far = [p.is_far for p in found]
    assert any(far)
    assert far == sorted(far)
    behind = [p for p in found if p.is_far]
    assert behind == sorted(behind, key=lambda p: p.ladder.rank(p))


def test_the_reach_of_operations_follows_from_the_limits():
    assert Limits(1.0, 0.0).reach == 2.0
    assert Limits(0.5, 0.2).reach == pytest.approx(1.2)
    # two lattices strained by +e and -e from the parent's: ln((1 + e) / (1 - e)) between them, half of it each
    assert Limits(1.0, 0.2).half_strain == pytest.approx(np.log(1.2 / 0.8) / 2)


@pytest.mark.parametrize("bad", [(0.0, 0.1), (-1.0, 0.1), (np.inf, 0.1), (np.nan, 0.1), (1.0, -0.1), (1.0, 1.0)])
def test_limits_out_of_range(bad):
    with pytest.raises(InvalidInputError, match="expected"):
        Limits(*bad)
