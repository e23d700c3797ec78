"""Many children of one parent: one gauge, any domain, predictions from order parameters alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.discovery.family import gather_family
from orderparam.discovery.familyfit import (
    fit_family,
    follow_power_law,
    leave_out,
    linear_modes,
)
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.orderparameter import decompose
from orderparam.testing import scramble
from orderparam.tiltsystems import TILT_SYSTEMS, all_tilt_systems, cubic_perovskite, tilt_system

STRUCTURES = Path(__file__).parents[2] / "structures"
PARENT = cubic_perovskite()
FEW = ("a0a0c+", "a0b-b-", "a+b-b-")
LEFT_OUT = ("a-a-a-", "a-b-b-", "a0b+c-", "a+a+a+", "a+b-b-")


@pytest.fixture(scope="module")
def family():
    return gather_family({s: tilt_system(s, PARENT) for s in FEW})


@pytest.fixture(scope="module")
def result(family):
    return fit_family(family, seed=0)


def test_inputs_are_the_exact_components(family):
    assert [given.label for given in family.inputs] == ["M3+", "R4+"]
    assert family.carrier.name == "Ti:1e"
    for member in family.members:
        for label, components in member.components.items():
            exact = [o.amplitude for o in member.decomposition.displacive if o.label == label]
            assert np.linalg.norm(components) == pytest.approx(sum(exact), abs=1e-12)
    assert family.warnings == ()


def test_input_fields_hold_the_components(family):
    """Decomposing the field on the carrier gives back the order parameter, in units of the family's gauge."""
    from orderparam.symmetry.modes import mode_basis

    member = family["a+b-b-"]
    cell, holder = member.distortion.supercell, family.carrier.members[0]
    field = family.fields(cell, member.components)[holder.name]
    for given in family.inputs:
        basis = mode_basis(holder.representation(), given.irrep)
        assert np.allclose(family.unit * holder.components(basis, field, cell)[0], member.components[given.label])


def test_every_child_is_met_with_its_group(result):
    assert result.fit.converged
    for child in result.children:
        assert child.residual_max <= 1e-4
        assert child.strain_residual <= 1e-4
        assert child.space_group is not None
        assert child.space_group[0] == TILT_SYSTEMS[child.name]


def test_the_domain_of_a_file_does_not_matter(family, result):
    """Another domain, cell, origin and orientation of every child: the same amplitudes, the same prediction."""
    rng = np.random.default_rng(4)
    children = {m.name: analyse(PARENT, scramble(m.distortion.crystal(), rng)).decomposition for m in family.members}
    again = gather_family(children)
    gauge = {label: size for label, (_, size) in family.ranges.items()}
    assert {label: size for label, (_, size) in again.ranges.items()} == pytest.approx(gauge, abs=1e-6)
    assert again.unit == pytest.approx(family.unit, rel=1e-6)
    for name in FEW:
        problem = again.problem(again[name])
        displacements, strain = result.fit.predict(problem)
        assert np.abs(displacements - problem.displacements).max() < 1.1e-4
        assert np.abs(strain - problem.strain).max() < 1.1e-4


def test_prediction_from_components(family, result):
    """In the smallest cell, from the components in the common domain; a domain more or less changes nothing."""
    predicted = result.predict(family["a+b-b-"].common)
    assert predicted.supercell.n_atoms == 20
    crystal = predicted.crystal()
    assert report_symmetry(crystal, 1e-3).number == 62
    exact = {o.label: o.amplitude for o in family["a+b-b-"].decomposition.displacive if o.amplitude > 1e-3}
    found = analyse(PARENT, crystal).decomposition
    assert {label: found[label].amplitude for label in exact} == pytest.approx(exact, abs=1e-4)
    nothing = result.predict({})
    assert np.abs(nothing.displacements).max() < 1e-12
    assert np.abs(nothing.strain).max() < 1e-12


def test_a_prediction_says_what_was_never_trained(family, result):
    """Above and below the amplitudes of the children; the parent is known exactly."""
    low, high = family.ranges["R4+"]
    assert low == 0
    assert result.predict(family["a+b-b-"].common).warnings == ()
    assert result.predict({}).warnings == ()
    (note,) = result.predict({"R4+": (0, 0, 1.1 * high)}).warnings
    assert note == f"R4+: amplitude {1.1 * high:.4f} is outside the trained range 0 to {high:.4f} angstrom (Ap)"
    large = replace(result, family=gather_family({s: tilt_system(s, PARENT) for s in ("a-a-a-", "a0b-b-")}))
    least, most = large.family.ranges["R4+"]
    (note,) = large.predict({"R4+": (0.5 * least, 0, 0)}).warnings
    assert f"is outside the trained range {least:.4f} to {most:.4f} angstrom" in note


def test_what_is_set_is_what_a_prediction_has(result):
    """Exactly, not to the accuracy of the fit."""
    found = decompose(result.predictor.predict({"R4+": (0.1, 0.15, 0.2), "M3+": (0, 0, 0.2)}))
    assert found["R4+"].amplitude == pytest.approx(np.linalg.norm([0.1, 0.15, 0.2]), abs=1e-9)
    assert found["M3+"].amplitude == pytest.approx(0.2, abs=1e-9)


def test_baselines(family):
    """Linear modes know no strain; the power law learned from a child alone gives that child back."""
    member = family["a+b-b-"]
    linear = linear_modes(family, member)
    assert not linear.strain.any()
    assert linear.errors(member.distortion)[0] == pytest.approx(0.043, abs=2e-3)
    alone = family.without([name for name in FEW if name != member.name])
    assert max(follow_power_law(alone, member).errors(member.distortion)) < 1e-8


@pytest.mark.slow
def test_five_tilt_systems_from_nine():
    """Order parameters alone: 0.001 angstrom, strain 5e-4; the linear modes are worse by far wherever they err."""
    everything = gather_family(all_tilt_systems(PARENT))
    for seed in range(3):
        for left in leave_out(everything, LEFT_OUT, seed=seed):
            assert left.network[0] <= 1e-3, left
            assert left.network[1] <= 5e-4, left
            assert left.linear_modes[0] < 1e-9 or left.linear_modes[0] > 20 * left.network[0]


MIXED = ("a0b+c-", "a+b-b-", "a+b-c-", "a+a+c-")
"""Those that hold both M3+ and R4+, and so X5+."""

SPLITS = [
    pytest.param(("a+b+c+", "a0b-b-", "a-b-c-", "a+b-c-", "a+a+c-"), 2e-3, id="five"),
    pytest.param(("a0a0c+", "a0a0c-", "a0b+b+", "a0b-c-", "a+b-c-"), 2e-3, id="five others"),
    *(pytest.param((name,), 2e-3, id=name) for name in TILT_SYSTEMS),
]


@pytest.mark.slow
@pytest.mark.parametrize(("left_out", "bound"), SPLITS)
def test_other_splits_of_the_tilt_systems(left_out, bound):
    """What is left out is predicted by the others, each alone too; `docs/theory/families.md` has the numbers."""
    for left in leave_out(gather_family(all_tilt_systems(PARENT)), left_out, seed=0):
        print_row(left)
        assert left.network[0] <= bound, left
        assert left.network[1] <= 1e-3, left


@pytest.mark.slow
def test_what_no_child_shows_is_not_learned():
    """The negative control: without any child that mixes the tilts, X5+ stays far off."""
    for left in leave_out(gather_family(all_tilt_systems(PARENT)), MIXED, seed=0):
        print_row(left)
        assert left.network[0] > 0.01
        assert left.power_law[0] > 0.01


def print_row(left) -> None:
    cells = (f"{size:.5f} / {strain:.0e}" for size, strain in (left.network, left.linear_modes, left.power_law))
    print("\n| " + " | ".join([left.name, *cells]) + " |", end="")  # noqa: T201


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_all_tilt_systems_together(seed):
    result = fit_family(gather_family(all_tilt_systems(PARENT)), seed=seed)
    assert result.fit.converged
    for child in result.children:
        assert max(child.residual_max, child.strain_residual) <= 1e-4
        assert child.space_group is not None
        assert child.space_group[0] == TILT_SYSTEMS[child.name]


# --- what cannot be -----------------------------------------------------------------------------------------------


def test_children_of_different_parents():
    other = cubic_perovskite(edge=4.0)
    with pytest.raises(InvalidInputError, match="different parents"):
        gather_family({"one": tilt_system("a0a0c+", PARENT), "two": tilt_system("a0a0c-", other)})


def test_nothing_to_learn():
    with pytest.raises(InvalidInputError, match="at least one child"):
        gather_family({})
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))
    same = analyse(parent, read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif")).decomposition
    with pytest.raises(InvalidInputError, match="no child breaks"):
        gather_family({"same": same})


def test_a_child_without_the_inputs():
    children = {s: tilt_system(s, PARENT) for s in ("a0a0c+", "a0a0c-")}
    with pytest.raises(InvalidInputError, match="a0a0c-: it has none of the order parameters M3\\+"):
        gather_family(children, irreps=["M3+"])
    with pytest.raises(InvalidInputError, match="no child has this order parameter; there are M3\\+, "):
        gather_family(children, irreps=["M2+"])


def test_inputs_that_leave_too_much_symmetry_are_said():
    family = gather_family({"x": tilt_system("a+b-b-", PARENT)}, irreps=["R4+"])
    assert "leave Imma, the child is Pnma" in family.warnings[0]


def test_two_children_with_one_order_parameter_are_said():
    first = decompose(tilt_system("a0a0c+", PARENT))
    family = gather_family({"x": first, "y": first})
    assert "the same order parameters" in family.warnings[0]


def test_wrong_requests(family, result):
    with pytest.raises(InvalidInputError, match="no child nowhere"):
        family.without(["nowhere"])
    with pytest.raises(InvalidInputError, match="at least two children"):
        leave_out(family, FEW, seed=0)
    with pytest.raises(InvalidInputError, match="its inputs are M3\\+, R4\\+"):
        result.predict({"X5+": [1, 0, 0, 0, 0, 0]})
    with pytest.raises(InvalidInputError, match="expected 3 finite components"):
        result.predict({"R4+": [1.0, 0.0]})
