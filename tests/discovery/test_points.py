"""Finite sets through the code for crystals: exact order parameters, carriers, fits, floors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orderparam.crystals.pointset import PointSet
from orderparam.discovery.discover import Discovery, discover
from orderparam.discovery.floor import symmetry_floor
from orderparam.discovery.inputs import choose_inputs, fit_problem
from orderparam.discovery.pointrelation import analyse_points, child_point_group
from orderparam.discovery.sharedinputs import shared_inputs
from orderparam.errors import InvalidInputError, MatchingError
from orderparam.network.fit import fit
from orderparam.network.orbits import invariant_tensors
from orderparam.network.problem import FitConfig, FitProblem, InputBlock
from orderparam.o3 import Irrep
from orderparam.pointgroup import find_operations, schoenflies
from orderparam.pointparent import point_group_of, symmetrise_points
from orderparam.siteaction import SiteAction
from tests.clusters import GROUPS, SHELLS, cluster, operations, scrambled
from tests.points import CASES, CORNERS, Case, ethane

by_name = {case.name: case for case in CASES}
all_cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def analysed(case: Case, seed: int = 0):
    return analyse_points(symmetrise_points(scrambled(case.parent, seed)), scrambled(case.child, seed + 100))


def group_name(subgroup) -> str:
    return point_group_of(subgroup.space_group[0])[0]


def assert_verified(found: Discovery) -> None:
    assert found.fit.converged
    assert found.fit.deviation.max < 1e-8
    assert not found.fit.strain.any()
    for without in found.necessity:
        assert without.exact_floor_max > 1e-3
        assert without.residual_max == pytest.approx(without.exact_floor_max, abs=1e-8)


@all_cases
@pytest.mark.parametrize("seed", range(3))
def test_order_parameters_in_any_orientation_origin_and_order(case, seed):
    analysis = analysed(case, seed)
    distortion = analysis.relation.distortion
    assert group_name(distortion.group) == case.groups[1]
    assert child_point_group(analysis.relation)[0] == case.groups[1]
    assert point_group_of(analysis.relation.parent.group.number)[0] == case.groups[0]
    assert analysis.primaries is not None
    assert analysis.primaries.labels == tuple(case.primary)
    for label, amplitude in case.primary.items():
        # the laying-on takes out of the difference what is no distortion; these patterns hold no such part
        assert analysis.decomposition[label].amplitude == pytest.approx(amplitude, abs=1e-9)
        assert group_name(analysis.decomposition[label].subgroup) == case.groups[1]
    # Parseval, and the whole from its parts
    whole = sum((o.field() for o in analysis.decomposition.displacive), np.zeros_like(distortion.displacements))
    np.testing.assert_allclose(whole, distortion.displacements, atol=1e-9)
    squares = sum(o.amplitude**2 for o in analysis.decomposition.displacive)
    assert squares == pytest.approx((distortion.displacements**2).sum(), abs=1e-12)
    assert analysis.decomposition.strain == ()
    assert not analysis.warnings


@all_cases
def test_the_rule_chooses_and_the_fit_verifies(case):
    found = discover(analysed(case), seed=0)
    assert found.carrier is not None
    assert found.carrier.name == case.carrier
    assert_verified(found)
    assert [learned.label for learned in found.learned] == list(case.primary)
    assert found.learned[0].share_of_input == pytest.approx(1)
    # Curie: an input is asked for only by an irrep that the distortion has
    held = {o.label for o in found.analysis.decomposition.displacive if not o.is_zero}
    assert {g.space_group_irrep for g in found.gradient if g.norm > 0} <= held
    assert any(g.site == "all" and g.norm > 0 for g in found.gradient)


def square_problem(*, seed: int = 0) -> FitProblem:
    analysis = analysed(by_name["square"], seed)
    inputs = choose_inputs(analysis)
    assert inputs.carrier is not None
    assert inputs.carrier.name == "all:2e"
    return fit_problem(analysis, inputs.blocks(analysis.relation.distortion.supercell))


def shared(irrep: str, n_sites: int) -> InputBlock:
    """Return an input that all points share and that is free to break any symmetry."""
    found = Irrep.parse(irrep)
    basis = np.zeros((found.dim, n_sites, found.dim))
    for m in range(found.dim):
        basis[m, :, m] = 1 / np.sqrt(n_sites)
    return InputBlock(found, basis, f"all:{irrep}")


def test_square_to_rectangle_on_twenty_seeds():
    problem = square_problem()
    results = [fit(problem, FitConfig(seed=seed)) for seed in range(20)]
    assert [result.deviation.max < 1e-8 for result in results] == [True] * 20
    assert all(result.restarts == 0 for result in results)


def test_offered_all_shared_inputs_freely_only_0e_and_2e_are_used():
    """Nothing tells the network which is right: no group, all of 0e to 3o at once."""
    problem = square_problem()
    offered = ("0e", "0o", "1e", "1o", "2e", "2o", "3o")
    nobody = SiteAction(np.eye(3)[None], np.arange(4)[None])
    free = replace(problem, group=nobody, inputs=tuple(shared(irrep, 4) for irrep in offered))
    for seed in range(3):
        result = fit(free, FitConfig(seed=seed))
        assert result.deviation.max < 1e-8
        used = {irrep for irrep in offered if np.abs(result.inputs[f"all:{irrep}"]).max() > 1e-9}
        assert used == {"0e", "2e"}


@pytest.mark.parametrize("irrep", ["0e", "0o", "1e", "1o"])
def test_wrong_shared_inputs_leave_the_symmetry_floor(irrep):
    """The plateau is the exact floor, |u - P_G u| = 0.3 sqrt 2 on every point, reached and never passed."""
    problem = square_problem()
    nobody = SiteAction(np.eye(3)[None], np.arange(4)[None])
    result = fit(
        replace(problem, group=nobody, inputs=(shared(irrep, 4),)), FitConfig(seed=0, max_iterations=20, max_restarts=0)
    )
    assert not result.converged
    assert result.deviation.max == pytest.approx(0.3 * np.sqrt(2), abs=1e-8)
    assert result.deviation.rms == pytest.approx(0.3 * np.sqrt(2), abs=1e-8)


@pytest.mark.parametrize("case", [by_name["square"], by_name["ethane"]], ids=lambda case: case.name)
def test_the_floor_of_every_shared_input_is_exact(case):
    """Fits with the invariant fields of one input alone: what is missed is the floor, no more and no less."""
    analysis = analysed(case)
    distortion = analysis.relation.distortion
    floors = {str(found.irrep): found for found in shared_inputs(analysis)}
    assert {name for name, found in floors.items() if found.floor_max < 1e-12} == {
        "square": {"2e", "3e"}, "ethane": {"0o", "2o", "3o"}
    }[case.name]  # fmt: skip
    for name, found in floors.items():
        irrep = Irrep.parse(name)
        values = invariant_tensors(distortion.group.action(), irrep)
        assert len(values) == found.n_free
        basis = np.repeat(values[:, None], distortion.supercell.n_atoms, axis=1) / np.sqrt(distortion.supercell.n_atoms)
        scalar = () if name == "0e" else (shared("0e", distortion.supercell.n_atoms),)
        block = (InputBlock(irrep, basis, f"all:{name}"),) if len(values) else ()
        best = symmetry_floor(analysis.decomposition, found.group)
        reached = fit(
            replace(fit_problem(analysis, (*scalar, *block)), displacements=best.displacements), FitConfig(seed=1)
        )
        missed = np.linalg.norm(reached.displacements - distortion.displacements, axis=1).max()
        assert missed == pytest.approx(found.floor_max, abs=1e-8)
        # the residual never falls below the floor, whatever the weights: the output keeps the input's symmetry
        action = found.group.action()
        np.testing.assert_allclose(
            action.average(action.rotations, reached.displacements), reached.displacements, atol=1e-10
        )


def test_without_an_order_parameter_the_network_stays_at_the_floor():
    found = discover(analysed(by_name["square"]), seed=0, order_parameter=False)
    assert found.floor.max == pytest.approx(0.3 * np.sqrt(2), abs=1e-12)
    assert np.linalg.norm(found.fit.displacements - found.analysis.relation.distortion.displacements, axis=1).max() == (
        pytest.approx(found.floor.max, abs=1e-8)
    )


def test_rectangle_to_square_needs_no_input():
    """A child with more symmetry than its parent breaks nothing: no order parameter, and the fit still ends there."""
    case = by_name["square"]
    found = discover(analyse_points(symmetrise_points(case.child), scrambled(case.parent, 1)), seed=0)
    assert found.primaries == ()
    assert found.carrier is None
    assert found.learned == ()
    assert found.necessity == ()
    assert found.analysis.relation.distortion.group.index == 1
    assert any("the child (D4h) has symmetry" in note for note in found.analysis.warnings)
    assert found.fit.converged
    assert found.fit.deviation.max < 1e-8
    assert child_point_group(found.analysis.relation) == ("D4h", "D4h")


@pytest.mark.parametrize(("low", "high", "common"), [(83, 123, "C4h"), (149, 162, "D3"), (3, 10, "C2")])
def test_a_child_with_operations_that_the_parent_lacks(low, high, common):
    """Whatever the lattice of the box would allow, the group is what both have."""
    above = cluster(high, 2, shells=(("C", 2.5), ("O", 4.1)))
    keep = operations(low)
    pattern = np.zeros_like(above.positions)
    rng = np.random.default_rng(1)
    for kind in ("C", "O"):
        mine = [i for i, s in enumerate(above.species) if s == kind]
        field = 0.2 * rng.normal(size=(len(mine), 3))
        # average a random field over the lower group: its operations permute the points
        for operation in keep:
            images = above.positions[mine] @ operation.T
            target = np.linalg.norm(images[:, None] - above.positions[mine], axis=2).argmin(axis=1)
            pattern[np.array(mine)[target]] += field @ operation.T / len(keep)
    parent = symmetrise_points(PointSet(above.positions + pattern, above.species))
    assert point_group_of(parent.group.number)[0] == common
    analysis = analyse_points(parent, scrambled(above, 3))
    assert group_name(analysis.relation.distortion.group) == common
    assert analysis.primaries is None
    assert any("symmetry that the parent" in note for note in analysis.warnings)


def test_a_carrier_for_every_point_can_be_asked_for():
    analysis = analysed(by_name["square"])
    found = discover(analysis, seed=1, carrier="C:1o")
    assert found.carrier is not None
    assert found.carrier.name == "C:1o"
    assert_verified(found)
    with pytest.raises(InvalidInputError, match="cannot hold B2g"):
        discover(analysis, seed=1, carrier="all:1o")


def test_two_primary_order_parameters_are_both_necessary():
    """A square that becomes a rectangle and is folded: neither of the two leaves the child's group by itself."""
    child = PointSet(CORNERS * [1.3, 0.7, 1] + np.array([[0, 0, 0.2], [0, 0, -0.2]] * 2), ("C",) * 4)
    analysis = analyse_points(symmetrise_points(by_name["square"].parent), scrambled(child, 2))
    assert analysis.primaries is not None
    assert len(analysis.primaries.labels) == 2
    found = discover(analysis, seed=0)
    assert_verified(found)
    assert len(found.necessity) == 2


def test_the_other_hand_of_a_chiral_parent():
    parent = symmetrise_points(ethane(0.3))
    assert point_group_of(parent.group.number)[0] == "D3"
    rng = np.random.default_rng(3)
    child = PointSet(ethane(0.3).positions + 0.05 * rng.normal(size=(8, 3)), ethane(0.3).species)
    mirrored = PointSet(child.positions * [1, 1, -1], child.species)
    same = analyse_points(parent, scrambled(child, 1))
    other = analyse_points(parent, scrambled(mirrored, 2))
    assert not same.relation.correspondence.mirrored
    assert other.relation.correspondence.mirrored
    assert any("opposite handedness" in note for note in other.warnings)
    for one, two in zip(same.decomposition.displacive, other.decomposition.displacive, strict=True):
        assert one.label == two.label
        assert one.amplitude == pytest.approx(two.amplitude, abs=1e-9)
    # the correspondence rebuilds the child
    for analysis, points in ((same, scrambled(child, 1)), (other, scrambled(mirrored, 2))):
        moved = analysis.relation.distortion.supercell.points + analysis.relation.distortion.displacements
        sign = -1 if analysis.relation.correspondence.mirrored else 1
        rebuilt = sign * (moved - moved.mean(axis=0)) @ analysis.relation.correspondence.rotation.T
        gaps = np.linalg.norm(rebuilt[:, None] - points.centred, axis=2)
        assert gaps.min(axis=1).max() < 1e-6


def test_modes_leave_out_motions_of_the_whole():
    """The 15 vibrations of an octahedral molecule, irrep by irrep."""
    case = by_name["jahn-teller"]
    rng = np.random.default_rng(0)
    shaken = PointSet(case.parent.positions + 0.05 * rng.normal(size=(7, 3)), case.parent.species)
    analysis = analyse_points(symmetrise_points(case.parent), shaken)
    # vibrations of XY6: A1g + Eg + T2g + 2 T1u + T2u (Wilson, Decius & Cross 1955)
    counts = {o.label: o.n_modes for o in analysis.decomposition.displacive}
    assert {k: n for k, n in counts.items() if n} == {"A1g": 1, "Eg": 2, "T2g": 3, "T1u": 6, "T2u": 3}
    assert sum(counts.values()) == 3 * 7 - 6
    for o in analysis.decomposition.displacive:
        if o.label == "T1g":
            assert o.is_zero


def test_what_cannot_be_related():
    square = symmetrise_points(by_name["square"].parent)
    with pytest.raises(MatchingError, match="compositions differ"):
        analyse_points(square, PointSet(CORNERS, ("C", "C", "C", "N")))
    with pytest.raises(MatchingError, match="compositions differ"):
        analyse_points(square, by_name["benzene"].parent)
    with pytest.raises(MatchingError, match="max-displacement"):
        analyse_points(square, PointSet(4 * CORNERS, ("C",) * 4))


def average_over(operations_kept: np.ndarray, points: PointSet, field: np.ndarray) -> np.ndarray:
    """Average a field over operations that permute the points of every species."""
    out = np.zeros_like(field)
    for operation in operations_kept:
        gaps = np.linalg.norm((points.positions @ operation.T)[:, None] - points.positions, axis=2)
        assert gaps.min(axis=1).max() < 1e-6
        out[gaps.argmin(axis=1)] += field @ operation.T
    return out / len(operations_kept)


def generated(operations_all: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the group (n, 3, 3) that some operations generate."""
    found = [np.eye(3)]
    for one in found:
        for other in operations_all[chosen]:
            product = one @ other
            if not any(np.abs(product - known).max() < 1e-6 for known in found):
                found.append(product)
    return np.array(found)


LARGEST = 0.12
"""Angstrom, of a random displacement: atoms 0.75 apart then stay nearest to their own places."""


@pytest.mark.slow
@pytest.mark.parametrize("number", GROUPS, ids=lambda n: f"{GROUPS[n]}-{n}")
def test_random_subgroups_of_every_group(number):
    """The planted subgroup is found, its amplitudes do not depend on the files' frames, and the parts add up."""
    shells = (("C", 2.5), ("O", 4.1), ("N", 5.3)) if len(operations(number)) > 2 else SHELLS
    parent = cluster(number, number, shells)
    group = operations(number)
    rng = np.random.default_rng(number)
    for n_generators in (0, 1, 1, 2):
        kept = generated(group, rng.integers(len(group), size=n_generators))
        field = average_over(kept, parent, rng.normal(size=parent.positions.shape))
        moved = PointSet(parent.positions + LARGEST * field / np.linalg.norm(field, axis=1).max(), parent.species)
        found = [analyse_points(symmetrise_points(scrambled(parent, s)), scrambled(moved, s + 50)) for s in (1, 2)]
        for analysis in found:
            assert analysis.relation.distortion.group.order == len(kept)
            assert group_name(analysis.relation.distortion.group) == schoenflies(moved, find_operations(moved, 1e-3))
            squares = sum(o.amplitude**2 for o in analysis.decomposition.displacive)
            assert squares == pytest.approx((analysis.relation.distortion.displacements**2).sum(), abs=1e-10)
        one, two = ({o.label: o.amplitude for o in a.decomposition.displacive} for a in found)
        assert one.keys() == two.keys()
        for label, amplitude in one.items():
            assert amplitude == pytest.approx(two[label], abs=1e-7), label
