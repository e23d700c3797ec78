"""All tabulated settings of a child and of a parent: the same labels and amplitudes in each."""

import json
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.lattice import QuotientLattice
from orderparam.parent import symmetrise
from orderparam.spacegroup import hall_entries, hall_operations, report_symmetry
from orderparam.supercell import Supercell
from orderparam.symmetry.modes import SiteRepresentation, expand, mode_basis
from orderparam.symmetry.parentirreps import commensurate_irreps

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())
BY_NAME = {Path(p["child"]).stem: p for p in PAIRS}


def in_setting(crystal: Crystal, hall: int) -> Crystal:
    """Return a crystal in the conventional cell of a Hall entry (x' = P x + p), whatever its own cell is."""
    report = report_symmetry(crystal, 1e-3, hall_number=hall)
    lattice = np.linalg.inv(report.transformation).T @ crystal.lattice
    cells = QuotientLattice(6 * np.eye(3, dtype=int)).representatives - 3
    images = ((crystal.positions[:, None] + cells) @ report.transformation.T + report.origin_shift).reshape(-1, 3)
    kinds = np.repeat(np.arange(crystal.n_sites), len(cells))
    inside = ((images > -1e-4) & (images < 1 - 1e-4)).all(axis=1)
    positions, kinds = images[inside], kinds[inside]
    kept: list[int] = []
    for i, place in enumerate(positions):
        gaps = positions[kept] - place
        if not (np.linalg.norm((gaps - np.rint(gaps)) @ lattice, axis=1) < 1e-3).any():
            kept.append(i)
    species = tuple(crystal.species[kinds[i]] for i in kept)
    return Crystal(lattice, positions[kept], species, tuple(crystal.labels[kinds[i]] for i in kept))


def irreps(parent: Crystal, child: Crystal, *, labels: bool = True) -> list[tuple]:
    analysis = analyse(symmetrise(parent), child)
    found = (*analysis.decomposition.displacive, *analysis.decomposition.strain)
    rows = [
        (o.label if labels else "", o.subgroup.space_group[0], round(o.amplitude, 5)) for o in found if not o.is_zero
    ]
    return sorted(rows)


def same(one: list[tuple], two: list[tuple]) -> bool:
    return [r[:2] for r in one] == [r[:2] for r in two] and np.allclose(
        [r[2] for r in one], [r[2] for r in two], atol=2e-5
    )


SETTINGS_OF_CHILDREN = [
    pytest.param("LaMnO3_62", id="the six axes of Pnma: Pbnm, Pcmn, Pmcn, Pnam, Pmnb"),
    pytest.param("Ca3Ti2O7_36", id="Cmc2_1 as A2_1am, Bb2_1m and the others"),
    pytest.param("WO3_14", id="P2_1/c: unique axis b and c, P2_1/n, P2_1/a"),
    pytest.param("LaAlO3_167", id="R-3c on hexagonal and rhombohedral axes"),
    pytest.param("ZrO2_137", id="both origins of P4_2/nmc"),
    pytest.param("NbO2_88", id="both origins of I4_1/a"),
    pytest.param("BaTiO3_38", id="Amm2, B2mm, C2mm ..."),
    pytest.param("La2CoO4_64", id="Cmce, Ccmb, Abma ..."),
    pytest.param("As_166", id="R-3m on both axes"),
]


@pytest.mark.parametrize("name", SETTINGS_OF_CHILDREN)
def test_every_setting_of_the_child(name):
    pair = BY_NAME[name]
    parent, child = (read_crystal(STRUCTURES / pair[key]) for key in ("parent", "child"))
    expected = irreps(parent, child)
    halls = hall_entries(pair["child_space_group"])
    assert len(halls) > 1
    seen = set()
    for hall in halls:
        written = in_setting(child, hall)
        report = report_symmetry(written, 1e-3)
        table = hall_operations(hall)
        assert len(report.rotations) == len(table[0])
        operations = np.concatenate([report.rotations.reshape(-1, 9), np.round(24 * report.translations) % 24], axis=1)
        seen.add(frozenset(map(tuple, operations.astype(int).tolist())))
        assert same(irreps(parent, written), expected), hall
    assert len(seen) > 1  # negative control: the settings do differ


SETTINGS_OF_PARENTS = [
    pytest.param("Mn3O4_141", id="both origins of Fd-3m"),
    pytest.param("SiO2_92", id="both origins of Fd-3m, oxygen on the threefold axis"),
    pytest.param("LiNbO3_161", id="R-3c on hexagonal and rhombohedral axes"),
    pytest.param("SnS_62", id="Cmcm as Ccmm, Amma, Bbmm ..."),
    pytest.param("K2SeO4_33", id="the six axes of Pnma"),
    pytest.param("PbO_67", id="both origins of P4/nmm"),
]


@pytest.mark.parametrize("name", SETTINGS_OF_PARENTS)
def test_every_setting_of_the_parent(name):
    """Amplitudes and isotropy subgroups; labels depend on the origin that a setting has."""
    pair = next(p for p in PAIRS if Path(p["child"]).stem == name and p["parent_space_group"] != 221)
    parent, child = (read_crystal(STRUCTURES / pair[key]) for key in ("parent", "child"))
    expected = irreps(parent, child, labels=False)
    halls = hall_entries(pair["parent_space_group"])
    assert len(halls) > 1
    for hall in halls:
        assert same(irreps(in_setting(parent, hall), child, labels=False), expected), hall


@pytest.mark.parametrize("name", ["Ca3Ti2O7_36", "ZrO2_137", "U_63", "LaMnO3_62"])
@pytest.mark.parametrize(
    "matrix", [np.diag([2, 1, 1]), np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]]), np.diag([1, 2, 2])]
)
def test_child_cells_that_are_supercells(name, matrix):
    """I-, F- and C-centred parents, and children written in multiples of their cell."""
    pair = BY_NAME[name]
    parent, child = (read_crystal(STRUCTURES / pair[key]) for key in ("parent", "child"))
    cells = QuotientLattice(matrix).representatives
    positions = (child.positions[:, None] + cells).reshape(-1, 3) @ np.linalg.inv(matrix)
    species = tuple(np.repeat(child.species, len(cells)).tolist())
    assert same(irreps(parent, Crystal(matrix @ child.lattice, positions, species)), irreps(parent, child))


def test_body_centred_monoclinic():
    """The tilts a-b-b- of ReO3, C2/c, in all eighteen settings: I2/c and I2/a, unique axes a, b and c."""
    parent = read_crystal(STRUCTURES / "reo3/WO3_221.cif")
    frame = symmetrise(parent)
    supercell = Supercell.build(frame, 2 * np.eye(3, dtype=int))
    representation = SiteRepresentation.on_sites(frame, frame.rotations_cart)
    tilt = next(i for i in commensurate_irreps(supercell) if i.label == "R4+")
    field = expand(mode_basis(representation, tilt), supercell, np.array([[0.5, 0.3, 0.3]]))
    child = supercell.with_displacements(field, np.zeros((3, 3)))
    assert report_symmetry(child, 1e-4).number == 15
    expected = irreps(parent, child)
    assert [row[0] for row in expected] == ["R4+"]
    halls = hall_entries(15)
    assert len(halls) == 18
    for hall in halls:
        assert same(irreps(parent, in_setting(child, hall)), expected), hall
