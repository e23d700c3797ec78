"""Layers: what is found is the same for any vacuum, any height in it, any axis and any tilt of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.layers import (
    ROOM,
    VACUUM,
    find_gap,
    layer_axis,
    layer_cell,
    normal_period,
    settle_periodicity,
    thickness,
)
from orderparam.crystals.reading import read_crystal
from orderparam.diffraction import find_reflections
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.discovery.children import analyse_children
from orderparam.discovery.relate import relate
from orderparam.errors import InvalidInputError, MatchingError
from orderparam.geometry import describe_geometry
from orderparam.parent import symmetrise
from orderparam.pseudosymmetry import propose_parents
from orderparam.spacegroup import report_layer_group

A = 3.5
STRUCTURES = Path(__file__).parents[1] / "structures"


def one_t(period: float = 20.0, height: float = 10.0) -> Crystal:
    """Return the 1T layer MoTe2 (P-3m1, p-3m1)."""
    lattice = np.array([[A, 0, 0], [-A / 2, A * np.sqrt(3) / 2, 0], [0, 0, period]])
    z = np.array([0, 1.8, -1.8]) + height
    positions = np.stack([[0, 1 / 3, 2 / 3], [0, 2 / 3, 1 / 3], z / period], axis=1)
    return Crystal(lattice, positions, ("Mo", "Te", "Te"))


def one_t_prime(period: float = 20.0, height: float = 10.0, stretch: float = 0.0) -> Crystal:
    """Return a 1T' layer whose Mo atoms are displaced by 0.24 angstrom along y."""
    b = A * np.sqrt(3)
    xy = [[0, 0.24], [A / 2, b / 2 - 0.24], [0, 2.070725942], [A / 2, 5.101814855], [A / 2, 0.960362971],
          [0, 3.991451884]]  # fmt: skip
    z = np.array([0, 0, 2.08, 1.58, -2.08, -1.58]) + height
    positions = np.column_stack([np.array(xy) / [A, b], z / period])
    lattice = np.diag([A, b, period]) * (1 + stretch * np.array([[1], [0], [0]]))
    return Crystal(lattice, positions, ("Mo", "Mo", "Te", "Te", "Te", "Te"))


def amplitudes(analysis: Analysis) -> dict[str, float]:
    found = {o.label: o.amplitude_supercell for o in analysis.decomposition.displacive}
    return found | {f"strain {o.label}": o.amplitude for o in analysis.decomposition.strain}


def pair(parent: Crystal, child: Crystal) -> Analysis:
    return analyse(symmetrise(settle_periodicity(parent)), settle_periodicity(child))


def permuted(crystal: Crystal, order: list[int]) -> Crystal:
    return replace(crystal, lattice=crystal.lattice[order], positions=crystal.positions[:, order])


def tilted(crystal: Crystal, by: tuple[float, float]) -> Crystal:
    """Return the same layer with its axis c leant over: no atom moves."""
    lattice = crystal.lattice.copy()
    lattice[2, :2] += by
    return replace(crystal, lattice=lattice, positions=crystal.positions_cart @ np.linalg.inv(lattice))


def wrapped(crystal: Crystal) -> Crystal:
    return replace(crystal, positions=crystal.positions % 1.0)


EXPECTED = {"M2-": 0.6043, "GM3+": 0.1000, "GM1+": 0.0600, "strain GM1+": 0.0, "strain GM3+": 0.0}


@pytest.mark.parametrize(
    "child",
    [
        one_t_prime(),
        one_t_prime(25.0, 12.5),
        one_t_prime(14.0, 7.0),
        one_t_prime(60.0, 3.0),
        wrapped(one_t_prime(height=0.0)),
        wrapped(one_t_prime(height=18.9)),
        permuted(one_t_prime(25.0), [2, 0, 1]),
        permuted(one_t_prime(25.0), [0, 2, 1]),
        tilted(one_t_prime(), (1.3, -0.7)),
        wrapped(tilted(one_t_prime(height=1.0), (1.3, 2.7))),
        permuted(tilted(one_t_prime(), (0.6, 4.1)), [1, 2, 0]),
    ],
)
def test_vacuum_height_axis_and_tilt_of_the_child_change_nothing(child):
    analysis = pair(one_t(), child)
    assert amplitudes(analysis) == pytest.approx(EXPECTED, abs=2e-4)
    exact = pair(one_t(), one_t_prime())
    assert amplitudes(analysis) == pytest.approx(amplitudes(exact), abs=1e-9)
    distortion = analysis.relation.distortion
    assert abs(distortion.strain).max() < 1e-9
    assert abs(distortion.displacements.mean(axis=0)).max() < 1e-12
    assert analysis.relation.correspondence.cost == pytest.approx(exact.relation.correspondence.cost, abs=1e-9)


@pytest.mark.parametrize(
    "parent",
    [
        one_t(33.0, 1.0),
        wrapped(one_t(20.0, 0.0)),
        permuted(one_t(), [2, 0, 1]),
        permuted(one_t(), [1, 2, 0]),
        tilted(one_t(), (0.9, 0.4)),
    ],
)
def test_vacuum_height_axis_and_tilt_of_the_parent_change_nothing(parent):
    analysis = pair(parent, one_t_prime(25.0))
    exact = pair(one_t(), one_t_prime())
    assert amplitudes(analysis) == pytest.approx(amplitudes(exact), abs=1e-9)
    assert analysis.relation.parent.group.number == 164
    assert [str(group) for group in analysis.relation.layer_groups] == ["p-3m1 (72)", "p2_1/m11 (15)"]


def test_without_the_rule_the_vacuum_is_strain():
    """The negative control: as crystals, a little more vacuum is found as strain."""
    analysis = analyse(symmetrise(one_t()), one_t_prime(22.0, 11.0))
    assert amplitudes(analysis)["strain GM1+"] > 0.05


def test_strain_in_the_plane_is_found_and_none_out_of_it():
    analysis = pair(one_t(), one_t_prime(31.0, 4.0, stretch=0.02))
    relation = analysis.relation
    (axis,) = [i for i, periodic in enumerate(relation.parent.crystal.periodic) if not periodic]
    normal = relation.parent.lattice[axis] / np.linalg.norm(relation.parent.lattice[axis])
    assert abs(relation.distortion.strain @ normal).max() < 1e-12
    assert np.linalg.eigvalsh(relation.distortion.strain) == pytest.approx([0, 0, 0.02], abs=1e-9)


def test_no_supercell_multiplies_the_vacuum():
    """A 5 x 1 cell is about as long as the cell is high: only cells within the plane are matched."""
    wide = one_t_prime()
    positions = np.concatenate([(wide.positions + np.array([n, 0, 0])) / [5, 1, 1] for n in range(5)])
    positions[0, 0] += 0.004
    lattice = wide.lattice * np.array([[5], [1], [1]])
    child = Crystal(lattice, positions, wide.species * 5)
    supercell = pair(one_t(), child).relation.distortion.supercell
    parent = supercell.parent
    (axis,) = [i for i, periodic in enumerate(parent.crystal.periodic) if not periodic]
    assert supercell.n_cells == 10
    assert sorted(abs(supercell.matrix[:, axis]).tolist()) == [0, 0, 1]
    heights = supercell.lattice @ parent.lattice[axis] / np.linalg.norm(parent.lattice[axis])
    assert sorted(abs(heights).round(9).tolist()) == pytest.approx([0, 0, thickness(one_t_layer()) + 2 * VACUUM])


def one_t_layer() -> Crystal:
    return replace(one_t(), periodic=(True, True, False))


def test_the_side_that_faces_up_does_not_matter():
    child = one_t_prime()
    turned = replace(child, positions=child.positions * [1, -1, -1])
    assert amplitudes(pair(one_t(), turned)) == pytest.approx(EXPECTED, abs=2e-4)


def test_amplitudes_with_noise_do_not_depend_on_the_vacuum():
    rng = np.random.default_rng(3)
    moved = rng.normal(0, 0.005, (6, 3))
    found = []
    for period in (20.0, 40.0):
        child = one_t_prime(period)
        noisy = replace(child, positions=child.positions + moved @ np.linalg.inv(child.lattice))
        analysis = analyse(symmetrise(settle_periodicity(one_t())), settle_periodicity(noisy), noise="auto")
        found.append(amplitudes(analysis))
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    assert found[0]["M2-"] == pytest.approx(0.6043, abs=0.02)


# --- the rule ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "layer"), [(VACUUM - 0.01, False), (VACUUM, False), (VACUUM + 0.01, True)])
def test_a_gap_of_more_than_eight_angstrom_is_vacuum(gap, layer):
    crystal = settle_periodicity(one_t(3.6 + gap))
    assert (layer_axis(crystal) == 2) is layer
    assert (len(crystal.notes) == 1) is layer


@pytest.mark.parametrize(("gap", "room"), [(ROOM - 0.01, False), (ROOM + 0.01, True)])
def test_a_layer_asked_for_needs_room(gap, room):
    if room:
        assert layer_axis(settle_periodicity(one_t(3.6 + gap), "ab")) == 2
        return
    with pytest.raises(InvalidInputError, match=r"layer without vacuum .*3\.99 angstrom, expected at least 4"):
        settle_periodicity(one_t(3.6 + gap), "ab")


def test_the_file_counts_before_the_gap_and_the_user_before_the_file():
    narrow = replace(one_t(10.0), periodic=(True, True, False))
    assert layer_axis(settle_periodicity(narrow)) == 2
    assert settle_periodicity(narrow, "abc").periodic == (True, True, True)
    assert not settle_periodicity(one_t(), "abc").notes


@pytest.mark.parametrize("text", ["a", "abx", "aab", "", "xy"])
def test_axes_that_make_no_sense_are_refused(text):
    with pytest.raises(InvalidInputError, match="--periodic"):
        settle_periodicity(one_t(), text)


def test_several_layers_with_vacuum_between_are_refused():
    single = one_t(20.0)
    positions = np.concatenate([single.positions, single.positions + np.array([0, 0, 1])]) * [1, 1, 0.5]
    double = Crystal(single.lattice * np.array([[1], [1], [2]]), positions, single.species * 2)
    with pytest.raises(InvalidInputError, match="2 layers with vacuum between them along c"):
        settle_periodicity(double)
    assert settle_periodicity(double, "abc").periodic == (True, True, True)


def test_gaps_of_layered_bulk_crystals_are_no_vacuum():
    graphite = Crystal(
        np.array([[2.46, 0, 0], [-1.23, 2.1304, 0], [0, 0, 6.71]]),
        np.array([[0, 0, 0.25], [0, 0, 0.75], [1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]),
        ("C",) * 4,
    )
    z = 0.129
    molybdenite = Crystal(
        np.array([[3.16, 0, 0], [-1.58, 2.7366, 0], [0, 0, 12.3]]),
        np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75], [1 / 3, 2 / 3, 0.75 - z], [1 / 3, 2 / 3, 0.75 + z],
                  [2 / 3, 1 / 3, 0.25 - z], [2 / 3, 1 / 3, 0.25 + z]]),
        ("Mo", "Mo", "S", "S", "S", "S"),
    )  # fmt: skip
    for crystal, gap in ((graphite, 3.355), (molybdenite, 2.977)):
        assert find_gap(crystal.lattice, crystal.positions, 2).width == pytest.approx(gap, abs=1e-3)
        assert settle_periodicity(crystal) is not None
        assert settle_periodicity(crystal).periodic == (True, True, True)
        assert settle_periodicity(crystal).notes == ()


def test_no_structure_of_the_repository_is_a_layer():
    files = sorted(STRUCTURES.rglob("*.cif"))
    assert len(files) > 40
    assert not [file.name for file in files if layer_axis(read_crystal(file)) is not None]


@pytest.mark.parametrize("stated", [(False, False, False), (True, False, False)])
def test_files_that_call_at_most_one_direction_periodic_say_nothing(stated):
    """ASE writes pbc F F F by default: the gaps decide."""
    crystal = replace(one_t(), periodic=stated)
    assert settle_periodicity(crystal).periodic == settle_periodicity(one_t()).periodic == (True, True, False)
    bulk = Crystal(4 * np.eye(3), np.zeros((1, 3)), ("Po",), periodic=stated)
    assert settle_periodicity(bulk).periodic == (True, True, True)


def test_a_molecule_in_a_box_is_left_with_a_note():
    box = Crystal(12 * np.eye(3), np.array([[0.5, 0.5, 0.5], [0.5, 0.5, 0.6]]), ("C", "O"))
    crystal = settle_periodicity(box)
    assert crystal.periodic == (True, True, True)
    assert "a molecule in a box" in crystal.notes[0]


# --- the cell of a layer -------------------------------------------------------------------------------------------


def test_the_cell_of_a_layer_is_a_function_of_the_layer():
    first = layer_cell(one_t_layer())
    assert first.positions[:, 2] == pytest.approx([0.5, 0.5 + 1.8 / 19.6, 0.5 - 1.8 / 19.6])
    for other in (one_t(41.0, 0.3), wrapped(one_t(20.0, 19.5)), one_t(13.0, -7.0), layer_cell(one_t_layer())):
        cell = layer_cell(replace(other, periodic=(True, True, False)))
        assert cell.lattice == pytest.approx(first.lattice, abs=1e-9)
        gaps = cell.positions - first.positions
        assert abs(gaps - np.rint(gaps)).max() < 1e-9


def test_a_thick_child_still_fits_and_a_much_thicker_one_is_refused():
    parent = symmetrise(settle_periodicity(one_t()))

    def with_te_at(height: float) -> Crystal:
        crystal = one_t(40.0, 20.0)
        positions = crystal.positions.copy()
        positions[1:, 2] = (20 + np.array([height, -height])) / 40
        return settle_periodicity(replace(crystal, positions=positions))

    allowed = (3.6 + VACUUM) / 2
    found = relate(parent, with_te_at(allowed - 0.01), max_displacement=5)
    assert found.correspondence.max_displacement == pytest.approx(allowed - 0.01 - 1.8)
    with pytest.raises(MatchingError, match=r"the child's layer is 11\.6 angstrom thick"):
        relate(parent, with_te_at(allowed + 0.01), max_displacement=5)


def test_a_layer_is_no_distortion_of_a_crystal():
    for parent, child in ((one_t(6.5, 0.0), one_t_prime()), (one_t(), one_t_prime(7.0, 0.0))):
        with pytest.raises(MatchingError, match=r"is a layer with vacuum, .* --periodic ab"):
            pair(parent, child)


def test_same_volume_scales_the_area():
    small = one_t_prime(25.0)
    small = replace(small, lattice=small.lattice * np.array([[0.9], [0.9], [1.0]]))
    parent = symmetrise(settle_periodicity(one_t()))
    (found,) = analyse_children(parent, {"small": settle_periodicity(small)}, same_volume=True).values()
    assert abs(found.relation.distortion.strain).max() < 1e-9


def test_parents_are_proposed_for_layers():
    found = []
    for period in (20.0, 30.0):
        child = settle_periodicity(one_t_prime(period))
        proposal = next(p for p in propose_parents(child) if p.group.number == 164)
        found.append(proposal.rms)
        assert layer_axis(proposal.crystal) is not None
        assert amplitudes(analyse(proposal.parent, child))["M2-"] == pytest.approx(0.6043, abs=1e-3)
    assert found[0] == pytest.approx(found[1], abs=1e-9)


def test_a_layer_has_no_polarisation_and_no_powder_lines():
    polar = two_h()
    polar = replace(polar, positions=polar.positions + np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0.005]]))
    analysis = pair(two_h(), polar)
    assert str(analysis.relation.layer_groups[1]) == "p3m1 (69)"
    geometry = describe_geometry(analysis.relation, analysis.decomposition)
    assert geometry.polarisation is None
    assert "a layer" in geometry.polarisation_reason
    with pytest.raises(InvalidInputError, match="a layer has no powder lines"):
        find_reflections(analysis)
    as_crystals = analyse(symmetrise(two_h()), polar)
    assert describe_geometry(as_crystals.relation, as_crystals.decomposition).polarisation is not None
    assert find_reflections(as_crystals)


# --- layer groups --------------------------------------------------------------------------------------------------


def two_h() -> Crystal:
    crystal = one_t()
    positions = crystal.positions.copy()
    positions[2, :2] = positions[1, :2]
    return replace(crystal, positions=positions)


def graphene() -> Crystal:
    lattice = np.array([[2.46, 0, 0], [-1.23, 1.23 * np.sqrt(3), 0], [0, 0, 15]])
    return Crystal(lattice, np.array([[1 / 3, 2 / 3, 0.2], [2 / 3, 1 / 3, 0.2]]), ("C", "C"))


@pytest.mark.parametrize(
    ("crystal", "group"), [(one_t(), "p-3m1 (72)"), (two_h(), "p-6m2 (78)"), (graphene(), "p6/mmm (80)")]
)
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_layer_groups_of_known_layers(crystal, group, order):
    layer = settle_periodicity(permuted(crystal, order))
    assert str(report_layer_group(layer, 1e-3)) == group
    assert str(report_layer_group(settle_periodicity(tilted(crystal, (0.8, 2.0))), 1e-3)) == group


def test_a_crystal_has_no_layer_group():
    assert report_layer_group(one_t(), 1e-3) is None


def radius_of(crystal: Crystal) -> float:
    from orderparam.network.graph import connection_radius

    return connection_radius(crystal.lattice, crystal.positions, crystal.periodic)


def test_no_hop_of_the_network_crosses_the_vacuum():
    from orderparam.network.graph import choose_cutoff

    layers = [one_t(20.0), one_t(45.0), tilted(one_t(), (1, 2)), wrapped(one_t(20.0, 0.5))]
    radii = [radius_of(settle_periodicity(layer)) for layer in layers]
    assert radii == pytest.approx([np.sqrt(A**2 / 3 + 1.8**2)] * 4)
    assert choose_cutoff(one_t().lattice, one_t().positions, 1.3, (True, True, False)) < VACUUM
    for gap in (VACUUM - 0.1, VACUUM + 0.1):  # a crystal is connected through its gaps, however wide
        filled = settle_periodicity(one_t(3.6 + gap), "abc")
        assert radius_of(filled) > gap


@pytest.mark.parametrize("matrix", [np.eye(3), [[1, 0, 0], [0, 1, 0], [3, -2, 1]], [[0, 0, 1], [2, 1, 0], [1, 1, 0]]])
def test_the_graph_of_a_sparse_sublattice_depends_on_no_basis(matrix):
    lattice = np.diag([9.0, 10.0, 30.0])  # gaps in the plane as wide as vacuum, two heights 12 apart
    sites = np.array([[0, 0, 0.9], [0, 0, 0.3]])
    basis = np.array(matrix) @ lattice
    places = sites @ lattice @ np.linalg.inv(basis)
    a, b, c = (bool(row[2] == 0) for row in basis)
    assert radius_of(Crystal(basis, places, ("Fe", "Fe"), periodic=(a, b, c))) == pytest.approx(12.0)


def test_the_sparse_sublattice_of_a_layer_is_a_layer_to_the_network():
    from orderparam.crystals.selecting import part_of
    from orderparam.discovery.inputs import fit_problem
    from orderparam.network.graph import connection_radius

    wide = Crystal(
        np.diag([9.0, 9.0, 24.0]), np.array([[0, 0, 0.5], [0.5, 0.5, 0.55], [0.5, 0, 0.5]]), ("Fe", "O", "O")
    )
    parent = settle_periodicity(wide)
    child = replace(parent, positions=parent.positions + np.array([[0, 0, 0], [0, 0, 0.01], [0, 0, 0]]))
    alone = [part_of(crystal, only=("Fe",), ignore=()) for crystal in (parent, child)]
    analysis = analyse(symmetrise(alone[0]), alone[1])
    problem = fit_problem(analysis, ())
    assert problem.periodic.count(False) == 1
    assert connection_radius(problem.lattice, problem.positions, problem.periodic) == pytest.approx(9.0)  # not 16


# --- any parent ----------------------------------------------------------------------------------------------------


def ge_se() -> Crystal:
    """Return a polar monolayer, Pmn2_1: its c, the polar axis, lies in the plane."""
    positions = np.array([[0, 0.25, 0.565], [0.5, 0.75, 0.435], [0.42, 0.25, 0.44], [0.92, 0.75, 0.56]])
    return Crystal(np.diag([4.3, 3.9, 20.0]), positions, ("Ge", "Ge", "Se", "Se"))


def random_child(parent: Crystal, n_cells: tuple[int, int], seed: int) -> Crystal:
    """Return a supercell in the plane, every atom displaced and the plane strained."""
    rng = np.random.default_rng(seed)
    flat = layer_cell(settle_periodicity(parent))
    matrix = np.diag([*n_cells, 1])
    cells = np.array([(i, j, 0) for i in range(n_cells[0]) for j in range(n_cells[1])])
    strain = np.eye(3)
    strain[:2, :2] += rng.normal(0, 0.02, (2, 2))
    lattice = matrix @ flat.lattice
    positions = (flat.positions[:, None] + cells).reshape(-1, 3) @ np.linalg.inv(matrix)
    positions += rng.normal(0, 0.05, positions.shape) @ np.linalg.inv(lattice)
    return Crystal(lattice @ strain.T, positions, tuple(np.repeat(flat.species, len(cells)).tolist()))


@pytest.mark.parametrize("n_cells", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("make", [one_t, two_h, graphene, one_t_prime, ge_se])
def test_random_layers_keep_their_amplitudes_in_any_vacuum(make, n_cells):
    parent = symmetrise(settle_periodicity(make()))
    assert parent.crystal.periodic.count(False) == 1
    child = random_child(make(), n_cells, seed=n_cells[0] + 7 * n_cells[1])
    first = analyse(parent, settle_periodicity(child))
    normal = normal_period(parent.crystal)
    assert abs(first.relation.distortion.strain @ normal).max() < 1e-9
    assert first.relation.distortion.supercell.n_cells == np.prod(n_cells)
    lattice = child.lattice.copy()
    lattice[2] = [1.1, -0.4, 31.0]
    leant = replace(
        child, lattice=lattice, positions=(child.positions_cart + np.array([0, 0, 4.2])) @ np.linalg.inv(lattice)
    )
    for other in (leant, wrapped(permuted(leant, [2, 0, 1]))):
        again = analyse(parent, settle_periodicity(other))
        assert amplitudes(again) == pytest.approx(amplitudes(first), abs=1e-9)


def test_the_normal_is_no_c_axis_where_the_standard_setting_has_it_elsewhere():
    parent = symmetrise(settle_periodicity(ge_se()))
    assert str(parent.group) == "Pmn2_1 (31)"
    assert parent.crystal.periodic[2]
    assert str(report_layer_group(parent.crystal, 1e-4)) == "pm2_1n (32)"
