"""Tilts: what was built comes back, in any setting."""

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from orderparam.discovery.relate import relate
from orderparam.geometry import describe_geometry
from orderparam.geometry.carried import deformation_gradients, rotation_part
from orderparam.geometry.tilts import HOWARD_STOKES, AxisTilt, glazer_system
from orderparam.parent import symmetrise
from orderparam.symmetry.orderparameter import decompose
from orderparam.testing import random_rotation, scramble
from tests.geometry.tilted import perovskite, tilted

ANGLES = {"a": 5.0, "b": 7.0, "c": 9.0}
PARENT = symmetrise(perovskite())


def sizes(tilts):
    """Return signs and angles of all tilts, sorted: what does not depend on the choice of axes."""
    found = []
    for tilt in tilts:
        found += [("+", tilt.in_phase), ("-", tilt.anti_phase)]
    return sorted((sign, round(angle, 6)) for sign, angle in found if angle > 1e-6)


def built(symbol):
    return sorted((symbol[2 * k + 1], ANGLES[symbol[2 * k]]) for k in range(3) if symbol[2 * k + 1] != "0")


@pytest.mark.parametrize("symbol", HOWARD_STOKES)
def test_every_tilt_system_comes_back_with_its_angles_and_its_space_group(symbol):
    """Space groups of the fifteen systems: Howard & Stokes, Acta Cryst. B54, 782 (1998), Table 1."""
    relation = relate(PARENT, scramble(tilted(symbol, ANGLES), np.random.default_rng(len(symbol))))
    geometry = describe_geometry(relation)
    assert geometry.glazer.standard == symbol
    assert relation.report.number == geometry.glazer.space_group == HOWARD_STOKES[symbol][1]
    assert sizes(geometry.tilts) == built(symbol)
    assert all(tilt.other == pytest.approx(0, abs=1e-5) for tilt in geometry.tilts)
    # no strain and no shape but the second-order dilation of the plane across the rotation axis
    total = np.linalg.norm([angle for _, angle in built(symbol)]) if symbol != "a0a0a0" else 0
    assert all(o.angle == pytest.approx(total, abs=1e-6) for o in geometry.octahedra)


GLAZER = {
    **{symbol: (symbol, number) for symbol, number in [("a+b+c+", 1), ("a+b+b+", 2), ("a+a+a+", 3), ("a+b+c-", 4)]},
    **{symbol: (symbol, number) for symbol, number in [("a+a+c-", 5), ("a+b-c-", 8), ("a+b-b-", 10), ("a-b-c-", 12)]},
    **{symbol: (symbol, number) for symbol, number in [("a-b-b-", 13), ("a-a-a-", 14), ("a0b+c+", 15), ("a0b+b+", 16)]},
    **{symbol: (symbol, number) for symbol, number in [("a0b+c-", 17), ("a0b-c-", 19), ("a0b-b-", 20), ("a0a0c+", 21)]},
    **{symbol: (symbol, number) for symbol, number in [("a0a0c-", 22), ("a0a0a0", 23)]},
    # one letter for tilts of both signs: no symmetry makes them equal (Howard & Stokes 1998)
    "a+b+b-": ("a+b+c-", 4),
    "a+a+a-": ("a+a+c-", 5),
    "a+a-c-": ("a+b-c-", 8),
    "a+a-a-": ("a+b-b-", 10),
    "a0b+b-": ("a0b+c-", 17),
}
"""Glazer's 23 symbols (1972), and what they are found to be."""


@pytest.mark.parametrize("symbol", GLAZER)
def test_glazers_twenty_three_symbols(symbol):
    relation = relate(PARENT, scramble(tilted(symbol, ANGLES), np.random.default_rng(0)))
    found = describe_geometry(relation).glazer
    assert (found.standard, found.number) == GLAZER[symbol]
    assert found.space_group == relation.report.number
    assert ("fifteen" in found.note) == (found.standard not in HOWARD_STOKES)


def test_the_fifteen_systems_are_all_there():
    assert len(GLAZER) == 23
    assert len(HOWARD_STOKES) == 15
    assert len({number for number, _ in HOWARD_STOKES.values()}) == 15


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_symbol_in_any_order_of_the_axes(order):
    tilts = [
        AxisTilt("a", 8.0, 0.0, 8.0, 0.0, 8.0, 8.0),
        AxisTilt("b", 0.0, 6.0, 6.0, 0.0, 6.0, 6.0),
        AxisTilt("c", 0.0, 6.05, 6.05, 0.0, 6.05, 6.05),
    ]
    found = glazer_system(tuple(tilts[k] for k in order))
    assert found.standard == "a+b-b-"
    assert sorted(found.symbol[1::2]) == ["+", "-", "-"]
    # a finer tolerance tells the two apart
    assert glazer_system(tuple(tilts[k] for k in order), tolerance=0.01).standard == "a+b-c-"


def test_in_phase_and_out_of_phase_tilts_never_share_a_letter():
    same = (AxisTilt("a", 6, 0, 6, 0, 6, 6), AxisTilt("b", 0, 6, 6, 0, 6, 6), AxisTilt("c", 0, 6, 6, 0, 6, 6))
    assert glazer_system(same).symbol == "a+b-b-"


def test_both_phases_about_one_axis_are_said():
    found = glazer_system((AxisTilt("a", 3, 5, 6, 0, 6, 6), *(AxisTilt(n, 0, 0, 0, 0, 0, 0) for n in "bc")))
    assert found.symbol == "a-b0b0"
    assert "both in phase (3.00) and out of phase (5.00" in found.note


@pytest.mark.parametrize("seed", range(4))
def test_geometry_does_not_depend_on_how_child_and_parent_are_written(seed):
    rng = np.random.default_rng(seed)
    child = tilted("a+b-b-", ANGLES, strain=np.array([[0.01, 0, 0], [0, 0.004, 0.006], [0, 0.006, 0.004]]))
    here = describe_geometry(relate(PARENT, child))
    parent = symmetrise(scramble(perovskite(), rng), origin="Ti")
    there = describe_geometry(relate(parent, scramble(child, rng)))
    assert here.glazer.standard == there.glazer.standard == "a+b-b-"
    np.testing.assert_allclose([a for _, a in sizes(here.tilts)], [a for _, a in sizes(there.tilts)], atol=1e-4)
    (one, n), (other, m) = here.representatives[0], there.representatives[0]
    assert n == m == 4
    np.testing.assert_allclose(np.sort(one.bond_lengths), np.sort(other.bond_lengths), atol=1e-6)
    for name in ("angle", "volume", "baur", "shannon", "angle_variance", "quadratic_elongation", "q3"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=2e-5), name
    assert abs(one.q2) == pytest.approx(abs(other.q2), abs=2e-5)
    assert sorted(b.angle for b in here.bridges) == pytest.approx(sorted(b.angle for b in there.bridges), abs=1e-4)


def test_angles_of_the_tilt_irreps_are_the_measured_ones():
    """One irrep alone, no strain: the arc tangent of its rotation field is the angle, exactly."""
    for symbol, label in (("a-a-a-", "R4+"), ("a0a0c+", "M3+"), ("a0b-c-", "R4+"), ("a+b+c+", "M3+")):
        relation = relate(PARENT, tilted(symbol, ANGLES))
        (only,) = describe_geometry(relation, decompose(relation.distortion)).irrep_rotations
        assert only.label == label
        assert only.angle == pytest.approx(only.measured, abs=1e-6)
        assert only.measured == pytest.approx(np.linalg.norm([a for _, a in built(symbol)]), abs=1e-6)


def test_amplitude_of_a_single_tilt():
    """Two of the three ligands of a cell move by d = tan(angle) a/2: Ap = sqrt(2) d."""
    relation = relate(PARENT, tilted("a0a0c-", ANGLES))
    (only,) = describe_geometry(relation, decompose(relation.distortion)).irrep_rotations
    assert only.amplitude == pytest.approx(3.9 * np.tan(np.radians(9.0)) / np.sqrt(2), abs=1e-6)


def test_strain_does_not_turn_octahedra():
    rng = np.random.default_rng(0)
    cage = np.repeat(np.eye(3), 2, axis=0) * np.array([1, -1, 1.1, -1.1, 1.3, -1.3])[:, None] * 2
    for _ in range(20):
        strain = rng.normal(size=(3, 3)) * 0.05
        stretch, turn = np.eye(3) + strain + strain.T, random_rotation(rng)
        # V R: the child's lattice is stretched after the octahedron has turned
        both = deformation_gradients(cage[None], (cage @ turn.T @ stretch)[None])
        np.testing.assert_allclose(rotation_part(both)[0], turn, atol=1e-12)
        # the centre may stand anywhere
        shifted = deformation_gradients(cage[None], (cage @ turn.T @ stretch + rng.normal(size=3))[None])
        np.testing.assert_allclose(shifted, both, atol=1e-12)


def test_a_mirrored_cage_still_gives_a_proper_rotation():
    gradient = Rotation.from_euler("xyz", [5, 7, 9], degrees=True).as_matrix() @ np.diag([1, 1, -0.1])
    assert np.linalg.det(rotation_part(gradient[None])[0]) == pytest.approx(1)


def test_nothing_is_tilted_in_an_untilted_child():
    strain = np.diag([0.02, 0.02, -0.03])
    geometry = describe_geometry(relate(PARENT, tilted("a0a0a0", ANGLES, strain)))
    assert geometry.glazer.symbol == "a0a0a0"
    assert all(o.angle == pytest.approx(0, abs=1e-9) for o in geometry.octahedra)


def test_random_displacements_are_no_tilt_system():
    """Negative control: rotations in no pattern go to `other`, and the parts add up."""
    rng = np.random.default_rng(3)
    crystal = tilted("a0a0a0", ANGLES)
    moved = crystal.positions + rng.normal(scale=0.01, size=crystal.positions.shape)
    geometry = describe_geometry(relate(PARENT, type(crystal)(crystal.lattice, moved, crystal.species)))
    for k, tilt in enumerate(geometry.tilts):
        total = np.mean([o.rotation[k] ** 2 for o in geometry.octahedra])
        assert tilt.alternating**2 + tilt.other**2 == pytest.approx(total)
        assert tilt.other > 0
        assert tilt.mean <= np.sqrt(total) + 1e-12 <= tilt.largest + 1e-12


def test_a_parent_that_is_tilted_already_has_no_symbol():
    """Im-3, a+a+a+, as the parent: angles are changes against it, which Glazer's symbol does not describe."""
    parent = symmetrise(tilted("a+a+a+", ANGLES))
    geometry = describe_geometry(relate(parent, tilted("a+a+a+", {"a": 6.0})))
    assert geometry.glazer is None
    assert "tilted already" in geometry.glazer_reason
    assert all(o.angle == pytest.approx(np.sqrt(3), abs=1e-4) for o in geometry.octahedra)


def test_both_phases_about_one_axis_are_told_apart():
    """Two waves about c: layers turn by arctan(s + t) and arctan(s - t); half sum and half difference come back."""
    plus, minus, flat = (tilted(f"a0a0c{sign}", ANGLES) for sign in "+-0")
    moved = plus.positions + 0.5 * (minus.positions - flat.positions)
    geometry = describe_geometry(relate(PARENT, type(flat)(flat.lattice, moved, flat.species)))
    s, t = np.tan(np.radians(9.0)), np.tan(np.radians(9.0)) / 2
    layers = np.degrees(np.arctan([s + t, s - t]))
    (turned,) = [tilt for tilt in geometry.tilts if tilt.largest > 1e-6]
    assert turned.in_phase == pytest.approx(layers.mean(), abs=1e-6)
    assert turned.anti_phase == pytest.approx((layers[0] - layers[1]) / 2, abs=1e-6)
    assert "both in phase" in geometry.glazer.note
    assert geometry.glazer.standard == "a0a0c+"


@pytest.mark.parametrize("symbol", ["a0a0c-", "a+b-b-", "a-a-a-"])
@pytest.mark.parametrize("missing", [[0], [2], [0, 5]])
def test_vacancies_make_no_tilts(symbol, missing):
    """Octahedra without their centre or a ligand: the patterns are not orthogonal any more."""

    def with_vacancies(crystal):
        keep = [i for i in range(crystal.n_sites) if i not in missing]
        return type(crystal)(crystal.lattice, crystal.positions[keep], tuple(crystal.species[i] for i in keep))

    ideal = symmetrise(with_vacancies(tilted("a0a0a0", ANGLES)))
    geometry = describe_geometry(relate(ideal, with_vacancies(tilted(symbol, ANGLES))))
    assert 5 <= len(geometry.octahedra) < 8
    assert [sign for sign, _ in sizes(geometry.tilts)] == [sign for sign, _ in built(symbol)]
    assert [a for _, a in sizes(geometry.tilts)] == pytest.approx([a for _, a in built(symbol)], abs=1e-4)
    assert geometry.glazer.standard == symbol


def test_a_pattern_that_does_not_fit_the_cell_has_no_amplitude():
    """In one primitive cell every octahedron is its own neighbour: it cannot turn the other way round."""
    strained = perovskite()
    strained = type(strained)(strained.lattice * [[1.0], [1.0], [1.02]], strained.positions, strained.species)
    geometry = describe_geometry(relate(PARENT, strained))
    assert len(geometry.octahedra) == 1
    assert all(tilt.in_phase == tilt.anti_phase == 0 for tilt in geometry.tilts)
