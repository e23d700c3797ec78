"""Curie's principle and constraints: exact floors, subspaces, and fits against exact projections."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.discovery.constrained import constrain
from orderparam.discovery.discover import discover
from orderparam.discovery.floor import symmetry_floor
from orderparam.discovery.inputs import choose_inputs
from orderparam.discovery.naming import input_gradient
from orderparam.discovery.reach import fit_to_floor, fit_without_order_parameter
from orderparam.errors import InvalidInputError
from orderparam.network.problem import FitConfig
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry
from orderparam.subgroups import subgroup_graph
from orderparam.subgroups.constraints import (
    crystal_axes,
    intermediate_groups,
    parse_constraints,
    parse_direction,
)
from orderparam.supercell import Supercell
from orderparam.symmetry.constraints import Constraint
from orderparam.symmetry.isotropy import whole_group
from orderparam.symmetry.subspace import Subspace

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())


def analysed(name: str) -> Analysis:
    pair = next(p for p in PAIRS if Path(p["child"]).stem == name)
    return analyse(symmetrise(read_crystal(STRUCTURES / pair["parent"])), read_crystal(STRUCTURES / pair["child"]))


@pytest.fixture(scope="module")
def manganite() -> Analysis:
    return analysed("LaMnO3_62")


# --- the floor ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["LaMnO3_62", "SiO2_154", "Ca3Ti2O7_36", "In_139"])
def test_floors_follow_from_parseval_and_fall_along_the_graph(name):
    analysis = analysed(name)
    graph = subgroup_graph(analysis)
    total = analysis.relation.distortion.total_amplitude**2
    floors = [symmetry_floor(analysis.decomposition, node.subgroup) for node in graph.nodes]
    for node, floor in zip(graph.nodes, floors, strict=True):
        given_up = sum(size**2 for size in floor.missed.values())
        assert given_up + np.linalg.norm(floor.displacements) ** 2 == pytest.approx(total, abs=1e-8)
        assert np.sqrt(given_up) == pytest.approx(node.distance, abs=1e-5)
    for edge in graph.edges:
        assert floors[edge.child].rms <= floors[edge.parent].rms + 1e-12
    assert floors[-1].max < 1e-9
    assert floors[-1].missed == {}
    assert symmetry_floor(analysis.decomposition).max == floors[0].max


@pytest.mark.parametrize("name", ["LaMnO3_62", "SiO2_154", "FeSe_67", "In_139"])
def test_without_an_order_parameter_the_network_meets_the_floor(name):
    """Not below it, and not above: quartz relaxes within the parent's symmetry, which the network does give."""
    analysis = analysed(name)
    found = discover(analysis, seed=1, order_parameter=False)
    assert found.fit.converged
    assert found.fit.restarts == 0  # what symmetry forbids is not tried again
    assert found.exact_difference <= 1e-8
    assert found.fit.deviation.max == pytest.approx(found.floor.max, abs=1e-8)
    assert found.fit.deviation.strain == pytest.approx(found.floor.strain_missed, abs=1e-7)
    assert found.predicted_group[0] == analysis.relation.parent.group.number
    assert max(found.floor.max, found.floor.strain_missed) > 1e-3
    assert found.learned == found.necessity == ()


def test_the_gradient_names_the_inputs_that_lift_the_floor(manganite):
    """Nothing pulls at an input whose irrep the target does not have; every irrep of the target is pulled at."""
    table = input_gradient(manganite, seed=2)
    target = {o.label for o in manganite.decomposition.displacive if not o.is_zero}
    assert {g.space_group_irrep for g in table if g.norm > 0} == target
    assert any(g.norm == 0 for g in table)
    assert any((g.site, g.irrep, g.space_group_irrep) == ("Mn1", "1e", "R4+") and g.norm > 0 for g in table)


def test_a_strain_pulls_where_it_alone_breaks_the_symmetry():
    """A cubic perovskite stretched along z: GM3+ inputs are asked for, and nothing else but the identity."""
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))
    cell = Supercell.build(parent, np.eye(3, dtype=int))
    child = cell.with_displacements(np.zeros((5, 3)), np.diag([-0.01, -0.01, 0.02]))
    table = input_gradient(analyse(parent, child), seed=0)
    assert {g.space_group_irrep for g in table if g.norm > 0} <= {"GM3+", "GM1+"}
    assert any(g.norm > 0 for g in table if (g.site, g.irrep, g.space_group_irrep) == ("Ti1", "2e", "GM3+"))
    assert any(g.norm == 0 for g in table)


# --- subspaces ------------------------------------------------------------------------------------------------------


def test_subspaces_meet_as_linear_algebra_says():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(2, 9))
    one = Subspace.span(np.concatenate([common, rng.normal(size=(3, 9))]))
    two = Subspace.span(np.concatenate([common, rng.normal(size=(2, 9))]))
    both = one & two
    assert both.dimension == 2
    assert np.allclose(both.projector, Subspace.span(common).projector)
    assert both <= one
    assert both <= two
    assert not one <= two
    assert (one & Subspace.whole(9)).dimension == one.dimension == 5
    assert Subspace.null(one.basis).dimension == 4
    assert (one & Subspace.null(one.basis)).dimension == 0
    with pytest.raises(InvalidInputError, match="orthonormal"):
        Subspace(2 * np.eye(3))


# --- constraints ----------------------------------------------------------------------------------------------------


def check(analysis: Analysis, specs: list[str], seeds: range) -> None:
    """Compare a constrained fit with the exact projection, and its space group."""
    inputs = choose_inputs(analysis, constraint=parse_constraints(analysis, specs))
    found = inputs.constrained
    assert found is not None
    distortion = analysis.relation.distortion
    exact = distortion.supercell.with_displacements(found.floor.displacements, found.floor.strain)
    blocks = inputs.blocks(distortion.supercell)
    for seed in seeds:
        result, _ = fit_to_floor(analysis, blocks, inputs.members, found.floor, config=FitConfig(seed=seed))
        assert result.converged
        assert np.linalg.norm(result.displacements - found.floor.displacements, axis=1).max() <= 1e-6
        assert np.linalg.norm(result.strain - found.floor.strain) <= 1e-6
        assert result.deviation.max == pytest.approx(found.floor.max, abs=1e-6)
        predicted = distortion.supercell.with_displacements(result.displacements, result.strain)
        assert report_symmetry(predicted, 1e-4).number == report_symmetry(exact, 1e-4).number


@pytest.mark.parametrize(
    "name",
    ["LaMnO3_62", "ZrO2_137", *(pytest.param(n, marks=pytest.mark.slow) for n in ("Ca3Ti2O7_36", "SrTiO3_140"))],
)
def test_every_realised_intermediate_group_is_reached(name):
    """The fit under subgroup=K gives P_K u, and where P_K u has just the symmetry K spglib says so."""
    analysis = analysed(name)
    graph = subgroup_graph(analysis)
    inner = list(zip(graph.nodes[1:-1], intermediate_groups(graph), strict=True))
    realised = [(node, spec) for node, spec in inner if node.is_realised]
    assert realised or len(inner) < 2
    for node, spec in realised:
        found = discover(analysis, seed=0, constraint=parse_constraints(analysis, [spec]))
        assert found.constrained is not None
        assert found.fit.converged
        assert found.exact_difference <= 1e-6
        assert found.predicted_group[0] == node.space_group[0] == found.constrained.group.space_group[0]
        assert np.linalg.norm(found.fit.displacements) == pytest.approx(
            np.sqrt(analysis.relation.distortion.total_amplitude**2 - node.distance**2), abs=1e-6
        )


def two_constraints(analysis: Analysis) -> list[list[str]]:
    """Return two constraints that say something about a pair, where there are two."""
    graph = subgroup_graph(analysis)
    specs = [
        spec
        for node, spec in zip(graph.nodes[1:-1], intermediate_groups(graph), strict=True)
        if node.is_realised_with_strain and node.distance < analysis.relation.distortion.total_amplitude - 1e-3
    ]
    labels = [m.label for m in analysis.primary_members]
    specs += [f"irreps={label}" for label in labels]
    specs += [f"direction:{m.label}={m.order_parameter.direction}" for m in analysis.primary_members]
    return [[spec] for spec in specs[:2]]


def test_groups_in_between_are_told_from_the_child_of_the_same_type():
    """Pna2_1 lies between Pnma and a Pna2_1 child with three times the cell."""
    analysis = analysed("K2SeO4_33")
    graph = subgroup_graph(analysis)
    for node, spec in zip(graph.nodes[1:-1], intermediate_groups(graph), strict=True):
        (term,) = parse_constraints(analysis, [spec]).terms
        assert term.group.index == node.index
    assert "subgroup=33#1" in intermediate_groups(graph)


@pytest.mark.slow
@pytest.mark.parametrize("entry", [pytest.param(p, id=Path(p["child"]).stem) for p in PAIRS])
def test_all_pairs_under_two_constraints_with_twenty_seeds(entry):
    analysis = analysed(Path(entry["child"]).stem)
    for specs in two_constraints(analysis):
        check(analysis, specs, range(20))


@pytest.mark.parametrize(
    ("specs", "group"),
    [
        (["irreps=R4+"], 74),
        (["k=R"], 74),
        (["k=1/2,1/2,1/2"], 74),
        (["k=M"], 127),
        (["direction:R4+=(a,0,0)"], 127),  # no R4+ of the child lies along an axis: M3+ is left
        (["direction:M3+=(a;0;0)", "irreps=M3+,X5+"], 127),
        (["subgroup=74", "k=R"], 74),
        (["Mn:1e:z=0", "irreps=R4+"], 74),
    ],
)
def test_constraints_compose(manganite, specs, group):
    check(manganite, specs, range(2))
    inputs = choose_inputs(manganite, constraint=parse_constraints(manganite, specs))
    other = choose_inputs(manganite, constraint=parse_constraints(manganite, specs[::-1]))
    assert inputs.constrained is not None
    assert other.constrained is not None
    assert inputs.constrained.group.space_group[0] == group
    assert np.allclose(inputs.constrained.floor.displacements, other.constrained.floor.displacements)


def test_the_constraint_of_the_paper_and_what_steps_in(manganite):
    """Pseudovectors at R and M with z = 0 give 74; a free pseudovector field does not, because it holds X5+, too."""
    constraint = parse_constraints(manganite, ["Mn:1e:z=0"])
    found = discover(manganite, seed=0, constraint=constraint)
    assert found.predicted_group == (74, "Imma")
    assert found.exact_difference <= 1e-6
    assert set(found.constrained.floor.missed) == {"M3+", "X5+", "M2+"}
    assert found.constrained.free is not None
    assert found.constrained.free.stepping_in == ("X5+",)
    assert found.constrained.free.group.space_group == (62, "Pnma")
    free = discover(manganite, seed=0, constraint=constraint, free_field=True)
    assert free.predicted_group == (62, "Pnma")
    assert free.exact_difference <= 1e-6
    assert {one.label for one in free.learned} == {"R4+", "X5+"}


def test_constraints_do_not_depend_on_the_domain_of_the_file(manganite):
    """Directions and components mean the same for every domain of the child."""
    from orderparam.subgroups import find_domains

    parent = manganite.relation.parent
    specs = [["Mn:1e:z=0"], ["direction:R4+=(a,a,0)", "k=R"], ["direction:R4+=(a,0,0)"], ["subgroup=74"]]
    for domain in islice(find_domains(manganite), 5, None, 9):
        child = analyse(parent, domain.crystal())
        for one in specs:
            here = choose_inputs(manganite, constraint=parse_constraints(manganite, one)).constrained
            there = choose_inputs(child, constraint=parse_constraints(child, one)).constrained
            assert here.group.space_group == there.group.space_group
            assert here.floor.rms == pytest.approx(there.floor.rms, abs=1e-6)


def test_a_constraint_that_takes_nothing_says_so(manganite):
    found = choose_inputs(manganite, constraint=parse_constraints(manganite, ["direction:R4+=(a,a,0)"])).constrained
    assert "takes no symmetry-breaking away" in found.notes[0]
    assert found.floor.max < 1e-9


def test_a_free_constraint_is_the_identity(manganite):
    primaries = manganite.primaries
    inputs = choose_inputs(manganite)
    found = constrain(manganite.decomposition, Constraint(), inputs.carrier, primaries.members)
    assert [s.n_free for s in found.spaces] == [s.n_free for s in inputs.spaces]
    assert (found.group.elements == manganite.relation.distortion.group.elements).all()


def test_the_floor_without_inputs_is_far_from_the_constrained_one(manganite):
    """Negative control: a network without order parameter does not give the intermediate structure."""
    floor = symmetry_floor(manganite.decomposition)
    bare = fit_without_order_parameter(manganite, floor, config=FitConfig(seed=0))
    found = choose_inputs(manganite, constraint=parse_constraints(manganite, ["subgroup=74"])).constrained
    assert np.linalg.norm(bare.displacements - found.floor.displacements, axis=1).max() > 0.3
    assert (found.group.elements != whole_group(found.group.supercell).elements).any()


# --- how constraints are written ------------------------------------------------------------------------------------


def test_directions_are_read():
    assert np.allclose(parse_direction("(a,-a,0)"), [[1, -1, 0]])
    assert np.allclose(parse_direction("(a,b;0.5a-b,0)"), [[1, 0, 0.5, 0], [0, 1, -1, 0]])
    with pytest.raises(InvalidInputError, match="cannot read '1'"):
        parse_direction("(a,1,0)")


def test_axes_are_those_of_the_crystal():
    for name in ("quartz/SiO2_180.cif", "perovskite/LaMnO3_221.cif"):
        files = list(STRUCTURES.glob(f"*/{Path(name).name}"))
        parent = symmetrise(read_crystal(files[0]))
        turn = crystal_axes(parent)
        a, b, c = parent.conventional @ parent.lattice
        assert np.allclose(turn @ turn.T, np.eye(3))
        assert np.linalg.det(turn) == pytest.approx(1)
        assert np.allclose(turn @ a, [np.linalg.norm(a), 0, 0])
        assert (turn @ b)[2] == pytest.approx(0, abs=1e-9)
        assert (turn @ c)[2] > 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("subgroup=140", r"no such group lies between child and parent: Pm-3m \(221\), P4/mmm \(123\).*Imma \(74\)"),
        ("subgroup=127", r"2 subgroups have this type, choose one: #1 index 6 with M2\+ 0.359; #2 index 6 with M3\+"),
        ("subgroup=127#3", "expected #1 to #2"),
        ("irreps=R5-,Q9", "no irrep Q9"),
        ("k=X,Z", "commensurate with k at GM"),
        ("k=1/3,0,0", "commensurate with k at GM"),
        ("direction:R4+=(a,a)", "expected 3 components"),
        ("direction:R4+=(0,0,0)", "not all of them zero"),
        ("direction:R4+=(a,?,0)", "cannot read"),
        ("Mn:1e:w=0", "components: x, y, z"),
        ("Mn:3o:z=0", "none for this degree"),
        ("Xx:1e:z=0", "with a site among"),
        ("nonsense", "expected one of the forms subgroup=74"),
    ],
)
def test_bad_constraints_are_refused(manganite, spec, message):
    with pytest.raises(InvalidInputError, match=message):
        parse_constraints(manganite, [spec])


def test_a_constraint_that_leaves_nothing_says_what_there_was(manganite):
    constraint = parse_constraints(manganite, ["irreps=GM4-"])
    message = r"irreps=GM4- leaves nothing of the inputs \(M3\+, R4\+\): irreps=GM4- by itself leaves nothing"
    with pytest.raises(InvalidInputError, match=message):
        discover(manganite, seed=0, constraint=constraint)


def test_contradicting_constraints_say_what_each_would_leave(manganite):
    constraint = parse_constraints(manganite, ["irreps=M3+", "subgroup=74"])
    with pytest.raises(
        InvalidInputError, match=r"irreps=M3\+ by itself leaves M3\+; subgroup=74 by itself leaves R4\+"
    ):
        discover(manganite, seed=0, constraint=constraint)
