"""What is written can be read again, by readers that know nothing of this package."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import SymmOp

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.formats import child_cell, child_cif, displacement_vesta, extended_xyz, iso_cif
from orderparam.formats.childcell import operation_text
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())
QUICK = {"LaMnO3_62", "Ca3Ti2O7_36", "SiO2_154", "K2SeO4_33", "As_166", "NbO2_88", "Se_152", "In_139", "U_63"}
ALL = [pytest.param(p, id=p["name"], marks=[] if Path(p["child"]).stem in QUICK else [pytest.mark.slow]) for p in PAIRS]


def analysed(pair: dict) -> Analysis:
    return analyse(symmetrise(read_crystal(STRUCTURES / pair["parent"])), read_crystal(STRUCTURES / pair["child"]))


def read_loops(text: str) -> dict[str, list[str]]:
    """Read a CIF by its grammar: items and loops, values bare or quoted (a quote opens a value only at its start)."""
    lines = [line for line in text.splitlines() if not line.startswith("data_")]
    found = [re.findall(r"'[^']*'(?=\s|$)|\"[^\"]*\"(?=\s|$)|\S+", line) for line in lines]
    words = [w[1:-1] if w[0] in "'\"" and w[-1] == w[0] else w for line in found for w in line]
    items: dict[str, list[str]] = {}
    position = 0
    while position < len(words):
        if words[position] != "loop_":
            items[words[position]] = [words[position + 1]]
            position += 2
            continue
        position += 1
        names = []
        while words[position].startswith("_"):
            names.append(words[position])
            position += 1
        while position < len(words) and not words[position].startswith("_") and words[position] != "loop_":
            for name in names:
                items.setdefault(name, []).append(words[position])
                position += 1
    return items


@pytest.mark.parametrize("pair", ALL)
def test_coordinates_come_from_amplitudes(pair):
    """By the dictionary alone: delta = matrix (norm * value), coordinate = formula(delta)."""
    items = read_loops(iso_cif(analysed(pair)))
    n = int(items["_iso_displacivemode_number"][0])
    if n == 0:
        assert "_iso_deltacoordinate_label" not in items
        return
    labels = items["_iso_deltacoordinate_label"]
    assert len(labels) == n == len(items["_iso_displacivemode_label"]) == len(set(items["_iso_displacivemode_label"]))
    norms, values = (np.array(items[f"_iso_displacivemode{k}_value"], float) for k in ("norm", ""))
    matrix = np.zeros((n, n))
    entries = (items[f"_iso_displacivemodematrix_{k}"] for k in ("row", "col", "value"))
    for row, column, value in zip(*entries, strict=True):
        matrix[int(row) - 1, int(column) - 1] = float(value)
    assert abs(np.linalg.det(matrix)) > 1e-6
    deltas = matrix @ (norms * values)
    assert np.allclose(deltas, np.array(items["_iso_deltacoordinate_value"], float), atol=1e-7)
    known = dict(zip(labels, deltas, strict=True))
    atoms = dict(
        zip(items["_atom_site_label"], zip(*(items[f"_atom_site_fract_{a}"] for a in "xyz"), strict=True), strict=True)
    )
    formulas = zip(items["_iso_coordinate_label"], items["_iso_coordinate_formula"], strict=True)
    for label, formula in formulas:
        total = 0.0
        for term in formula.split(" + "):
            factor, _, name = term.rpartition("*")
            total += float(factor or 1) * known[name] if name in known else float(term)
        atom, _, axis = label.rpartition("_")
        assert total == pytest.approx(float(atoms[atom]["xyz".index(axis)]), abs=1e-5)
    # the amplitudes come back from the coordinates
    assert np.allclose(np.linalg.solve(matrix, deltas) / norms, values, atol=1e-5)


@pytest.mark.parametrize("pair", ALL)
def test_the_child_is_written_in_its_own_setting(pair, tmp_path):
    analysis = analysed(pair)
    (tmp_path / "child.cif").write_text(child_cif(analysis.relation))
    written, original = read_crystal(tmp_path / "child.cif"), read_crystal(STRUCTURES / pair["child"])
    assert report_symmetry(written, 1e-4).number == pair["child_space_group"]
    # the same file up to a shift of the origin (polar directions; rounding)
    assert np.allclose(lengths_and_angles(written.lattice), lengths_and_angles(original.lattice), atol=1e-4)
    assert distance_sets(written) == pytest.approx(distance_sets(original), abs=2e-3)


def lengths_and_angles(lattice: np.ndarray) -> np.ndarray:
    return (lattice @ lattice.T)[np.triu_indices(3)]


def distance_sets(crystal: Crystal) -> list[float]:
    """All distances between nearest images, with the species: what a structure is, whatever its origin."""
    gaps = crystal.positions[:, None] - crystal.positions[None]
    cells = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    images = (gaps - np.rint(gaps))[:, :, None] + cells
    lengths = np.linalg.norm(images @ crystal.lattice, axis=3).min(axis=2)
    kinds = crystal.kinds
    return [float(x) for k in sorted(set(kinds)) for x in np.sort(lengths[kinds == k][:, kinds == k].ravel())]


def test_a_noisy_child_is_written_with_its_true_group(tmp_path):
    pair = next(p for p in PAIRS if p["name"] == "LaMnO3_62")
    child = read_crystal(STRUCTURES / pair["child"])
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 0.02, (child.n_sites, 3)) @ np.linalg.inv(child.lattice)
    order = rng.permutation(child.n_sites)
    noisy = Crystal(child.lattice, (child.positions + noise + 0.123)[order], tuple(child.species[i] for i in order))
    analysis = analyse(symmetrise(read_crystal(STRUCTURES / pair["parent"])), noisy, noise="auto")
    (tmp_path / "child.cif").write_text(child_cif(analysis.relation))
    assert report_symmetry(read_crystal(tmp_path / "child.cif"), 1e-4).number == 62
    assert child_cell(analysis.relation).crystal.n_sites == 20


def test_extended_xyz_is_read_by_ase(tmp_path):
    from ase.io import read

    analysis = analysed(PAIRS[0])
    distortion = analysis.relation.distortion
    text = extended_xyz([distortion.reference(), distortion.crystal()], [distortion.displacements] * 2)
    (tmp_path / "path.xyz").write_text(text)
    frames = read(tmp_path / "path.xyz", index=":")
    assert len(frames) == 2
    assert np.allclose(frames[1].arrays["displacement"], distortion.displacements)
    assert np.allclose(frames[1].positions, distortion.crystal().positions_cart)
    assert np.allclose(frames[0].cell[:], distortion.supercell.lattice)


def test_vesta_arrows_are_the_displacements():
    analysis = analysed(PAIRS[0])
    cell = child_cell(analysis.relation)
    text = displacement_vesta(analysis.relation, scale=1.0)
    arrows = text.split("VECTR\n")[1].split("VECTT")[0].splitlines()
    found = {}
    for head, owner in zip(arrows[::3], arrows[1::3], strict=False):
        if head.split()[:5] == ["0"] * 5:
            break
        found[int(owner.split()[0]) - 1] = np.array(head.split()[1:4], float)
    lengths = np.linalg.norm(cell.crystal.lattice, axis=1)
    shifts = cell.crystal.positions - cell.reference
    for atom, arrow in found.items():
        assert np.allclose(arrow, shifts[atom] * lengths, atol=1e-5)
    assert len(found) == 16  # manganese stays
    assert len(re.findall(r"^ \d+ (?:La|Mn|O) ", text, re.M)) == 20


def test_operation_text_has_no_float():
    text = operation_text(np.array([[0, -1, 0], [1, -1, 0], [0, 0, 1]]), np.array([0, 1 / 3, 2 / 3]))
    assert text == "-y,x-y+1/3,z+2/3"


def test_negative_shifts_are_kept_and_read_back():
    """An antiphase shift of -1/2 is not +1/2; a reader gets the same operation."""
    rotation, shift = np.array([[0, -1, 0], [1, -1, 0], [0, 0, -1]]), np.array([-1.0, -1 / 3, -0.5])
    text = operation_text(rotation, shift)
    assert text == "-y-1,x-y-1/3,-z-1/2"
    read = SymmOp.from_xyz_str(text)
    assert np.allclose(read.rotation_matrix, rotation)
    assert np.allclose(read.translation_vector, shift)
