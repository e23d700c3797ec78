"""Carriers compared: published shares, Curie's principle, and the network's own verdict."""

import numpy as np
import pytest

from orderparam.discovery.comparison import compare_carriers, try_carrier
from orderparam.errors import InvalidInputError
from tests.discovery.test_constraints import analysed


@pytest.fixture(scope="module")
def paper():
    return analysed("Smidt2021_62")


def test_shares_of_the_papers_pair(paper):
    """Exact shares of the displacement that each field on A, B or X holds (A = Na, B = Zn; X one orbit)."""
    found = {c.name: c for c in compare_carriers(paper)}
    assert len(found) == 24
    A, B, X = (paper.relation.parent.crystal.species[i] for i in _sites(paper))
    expected = {f"{B}:1e": 0.9802, f"{X}:0o": 0.696, f"{X}:1e": 0.285, f"{A}:2e": 0.228, f"{X}:2e": 0.057}
    for name, share in expected.items():
        assert found[name].share_held == pytest.approx(share, abs=6e-4)
    for name in (f"{A}:0e", f"{B}:0e", f"{X}:0e", f"{A}:1e"):
        assert found[name].share_held == pytest.approx(0, abs=1e-9)
    assert found[f"{B}:1e"].chosen
    assert found[f"{B}:1e"].holds == ("R4+", "M3+", "X5+")
    assert compare_carriers(paper)[0].name == f"{B}:1e"


def _sites(analysis) -> tuple[int, int, int]:
    """Return a site of A, B and X in ABX3: X is three times there, B stands next to it."""
    crystal = analysis.relation.parent.crystal
    X = next(i for i, s in enumerate(crystal.species) if crystal.species.count(s) == 3)
    others = [i for i in range(5) if crystal.species[i] != crystal.species[X]]
    gaps = [crystal.positions[i] - crystal.positions[X] for i in others]
    lengths = [np.linalg.norm((g - np.rint(g)) @ crystal.lattice) for g in gaps]
    a, b = (others[i] for i in np.argsort(lengths)[::-1])
    return a, b, X


def test_floors_say_which_carriers_can_do(paper):
    for one in compare_carriers(paper):
        H = paper.relation.distortion.group
        assert one.floor.group >= H
        assert one.suffices == bool((one.floor.group.elements == H.elements).all())
        assert not one.holds_primaries or one.suffices
        if not one.holds:
            assert one.floor.group.index == 1


def test_the_network_agrees(paper):
    """A carrier whose fields keep just the child's symmetry is enough; one that keeps more is not tried."""
    found = {c.name: c for c in compare_carriers(paper)}
    A, B, X = (paper.relation.parent.crystal.species[i] for i in _sites(paper))
    for name in (f"{B}:1e", f"{X}:1o", f"{X}:1e"):
        trials = try_carrier(paper, found[name], range(3)).trials
        assert trials is not None
        assert trials.converged == trials.seeds == 3
        assert trials.residual_max <= 1e-6
    assert try_carrier(paper, found[f"{X}:0o"], range(3)).trials is None
    assert try_carrier(paper, found[f"{A}:0e"], range(3)).trials is None


def test_strain_alone_is_carried_by_the_whole_crystal():
    found = compare_carriers(analysed("In_139"))
    best = found[0]
    assert best.chosen
    assert best.holds == ("GM3+",)
    assert best.suffices
    assert try_carrier(analysed("In_139"), best, range(2)).trials.converged == 2


def test_other_primaries_can_be_asked_for(paper):
    found = {c.name: c.holds_primaries for c in compare_carriers(paper, ("R4+",))}
    X = paper.relation.parent.crystal.species[_sites(paper)[2]]
    assert found[f"{X}:0o"]
    with pytest.raises(InvalidInputError, match="no such order parameter"):
        compare_carriers(paper, ("Q1",))
