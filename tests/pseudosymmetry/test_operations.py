"""Approximate operations, the groups among them, and averages: theorems on exact and distorted structures."""

from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.niggli import niggli_reduce
from orderparam.parent import symmetrise
from orderparam.primitivecell import primitive_cell
from orderparam.pseudosymmetry import Limits
from orderparam.pseudosymmetry.averages import Child, search_averages
from orderparam.pseudosymmetry.closure import PartialGroup
from orderparam.pseudosymmetry.operations import Cell, PseudoOperations, find_operations, lattice_self_maps
from orderparam.pseudosymmetry.translations import folded_cells, pseudo_translations
from orderparam.spacegroup import CENTRINGS, report_symmetry, standard_group

STRUCTURES = Path(__file__).parents[2] / "structures"
HEXAGONAL = np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, 1.6]])


def reduced(lattice: np.ndarray) -> np.ndarray:
    return niggli_reduce(np.asarray(lattice, float))[0]


def cell_of(name: str, noise: float = 0.0) -> Cell:
    """Return the primitive cell of a file, with noise on the coordinates (angstrom)."""
    crystal = read_crystal(STRUCTURES / name)
    own = primitive_cell(crystal, report_symmetry(crystal, 1e-3)).crystal
    moved = np.random.default_rng(0).normal(scale=noise, size=own.positions.shape) if noise else 0.0
    return Cell(own.lattice, own.positions + moved @ np.linalg.inv(own.lattice) if noise else own.positions, own.kinds)


@pytest.mark.parametrize(
    ("lattice", "order"),
    [
        (4 * np.eye(3), 48),
        (4 * CENTRINGS["F"], 48),
        (4 * CENTRINGS["I"], 48),
        (3 * HEXAGONAL, 24),
        (np.diag([4, 4, 7]), 16),
        (np.diag([4, 5, 7]), 8),
        (5 * CENTRINGS["R"] @ HEXAGONAL, 12),
        ([[4, 0, 0], [0, 5, 0], [-1, 0, 6]], 4),
        ([[4, 0, 0], [0.6, 5, 0], [0.9, 1.1, 6]], 2),
    ],
)
def test_unstrained_self_maps_are_the_holohedry(lattice, order):
    lattice = reduced(lattice)
    rotations, strains = lattice_self_maps(lattice, 0.2)
    assert (strains < 1e-9).sum() == order
    metric = lattice @ lattice.T
    exact = rotations[strains < 1e-9]
    np.testing.assert_allclose(np.swapaxes(exact, 1, 2) @ metric @ exact, np.tile(metric, (order, 1, 1)), atol=1e-9)
    assert (np.diff(np.round(strains, 9)) >= 0).all()


def test_a_strained_lattice_keeps_the_maps_of_the_unstrained_one():
    strain = np.array([[0.04, 0.02, 0], [0.02, -0.03, 0.01], [0, 0.01, 0.02]])
    rotations, strains = lattice_self_maps(reduced(4 * CENTRINGS["F"] @ (np.eye(3) + strain)), 0.2)
    near = rotations[strains < 0.06]
    assert len(near) == 48
    products = {(a @ b).tobytes() for a in near for b in near}
    assert products == {a.tobytes() for a in near}
    assert (strains[:2] < 1e-9).all()
    assert strains[2] > 1e-3


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("perovskite/SrTiO3_221.cif", 48),
        ("spinel/Mn3O4_227.cif", 48),
        ("rutile/VO2_136.cif", 16),
        ("quartz/SiO2_180.cif", 12),
        ("manganite/YMnO3_194.cif", 24),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_operations_compose_into_a_group(name, order, noise):
    cell = cell_of(name, noise)
    rotations, strains = lattice_self_maps(cell.lattice, 0.05)
    found = find_operations(cell, rotations, strains, 0.3)
    assert len(found) == order
    table = found.table()
    everything = list(range(order))
    assert [sorted(row) for row in table.tolist()] == [everything] * order
    assert [sorted(column) for column in table.T.tolist()] == [everything] * order
    # translations by means are an exact group however far the atoms are from symmetric places
    w = found.translations(cell.positions)
    for a in everything:
        composed = w[a] + w @ found.rotations[a].T - w[table[a]]
        np.testing.assert_allclose(composed, np.rint(composed), atol=1e-12)


@pytest.mark.parametrize(("number", "count"), [(221, 98), (123, 35), (191, 54), (47, 16), (2, 2), (215, 30), (195, 10)])
def test_the_number_of_subgroups_of_a_point_group(number, count):
    """Oh has 98 subgroups, D4h 35, D6h 54, D2h 16, Td 30, T 10 (the subgroup lattices of the point groups)."""
    rotations = standard_group(number).rotations
    n = len(rotations)
    none = np.zeros((n, 1), int)
    operations = PseudoOperations(rotations, none, np.zeros((n, 1, 3), int), np.zeros(n))
    partial = PartialGroup(operations.table(), np.arange(n))
    identity = int(np.flatnonzero((rotations == np.eye(3)).all(axis=(1, 2)))[0])
    found = partial.groups(frozenset([identity]), 1000)
    assert len(found) == len(set(found)) == count
    assert all(n % len(group) == 0 for group in found)
    assert partial.groups(frozenset([identity]), 5)[:5] == found[:5]


def test_a_missing_product_or_a_second_operation_with_the_same_rotation_is_no_group():
    four = (np.arange(4)[:, None] + np.arange(4)) % 4
    whole = PartialGroup(four, np.arange(4))
    assert whole.closure([1]) == frozenset(range(4))
    holed = four.copy()
    holed[1, 1] = -1
    assert PartialGroup(holed, np.arange(4)).closure([1]) is None
    assert PartialGroup(four, np.array([0, 1, 0, 1])).closure([1]) is None
    assert PartialGroup(four, np.array([0, 1, 0, 1])).closure([0, 2]) is None


@pytest.mark.parametrize(("repeats", "count"), [((2, 2, 2), 16), ((4, 1, 1), 3), ((3, 3, 1), 6), ((6, 1, 1), 4)])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_folding_a_supercell_finds_every_lattice_between(repeats, count, noise):
    """One fold for every subgroup of the translation group: Z2^3 has 16, Z4 3, Z3^2 6, Z6 4."""
    small = cell_of("martensite/AuCd_221.cif")
    cells = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), -1).reshape(-1, 3)
    positions = ((small.positions[:, None] + cells) / repeats).reshape(-1, 3)
    lattice = np.diag(repeats) @ small.lattice
    moved = np.random.default_rng(1).normal(scale=noise or 1e-12, size=positions.shape) @ np.linalg.inv(lattice)
    big = Cell(lattice, positions + moved, np.repeat(small.kinds, len(cells)))
    found = folded_cells(big, 0.5, 100)
    assert len(found) == count
    for folded in found:
        assert len(folded.cell.kinds) * folded.n_cells == len(big.kinds)
        # every atom's average is near to the atom
        gaps = big.positions @ folded.basis - folded.cell.positions[folded.members]
        assert np.linalg.norm((gaps - np.rint(gaps)) @ folded.cell.lattice, axis=1).max() < 0.4
    assert max(folded.n_cells for folded in found) == len(cells)


def test_a_structure_without_pseudo_translations_has_none():
    assert pseudo_translations(cell_of("perovskite/SrTiO3_221.cif"), 1.6) == []
    assert pseudo_translations(cell_of("rutile/VO2_136.cif"), 0.5) == []


@pytest.mark.parametrize("name", ["perovskite/LaMnO3_62.cif", "quartz/SiO2_154.cif", "rutile/VO2_14.cif"])
def test_averages_have_their_group_exactly(name):
    """The average over a group has it at 1e-7 angstrom, although atoms have moved by half an angstrom."""
    crystal = read_crystal(STRUCTURES / name)
    child = Child.from_primitive(primitive_cell(crystal, report_symmetry(crystal, 1e-3)))
    averages = [a for a in search_averages(child, Limits(), 1.6).found if a.index > 1]
    assert max(a.max_displacement for a in averages) > 0.2
    for average in averages:
        parent = symmetrise(average.crystal, 1e-7)
        index = parent.group.order / child.order * child.crystal.n_sites / parent.crystal.n_sites
        assert index >= average.index
        assert index % average.index == 0
        assert parent.moved_max < 1e-8
