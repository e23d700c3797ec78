"""The structures in `structures/` are what their names, their README and `tests/tables/pairs.json` say."""

from __future__ import annotations

import json
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice, Molecule, Structure
from pymatgen.io.cif import CifFile, CifParser
from pymatgen.symmetry.analyzer import PointGroupAnalyzer

ROOT = Path(__file__).parent.parent
STRUCTURES = ROOT / "structures"
FILES = sorted(STRUCTURES.glob("*/*.cif"))
POINTS = sorted(STRUCTURES.glob("points/*.xyz"))
PAIRS = json.loads((ROOT / "tests" / "tables" / "pairs.json").read_text())
NAME = re.compile(r"(?P<compound>[A-Za-z0-9]+)_(?P<number>\d+)(_[a-z0-9]+)?\.cif")
TOLERANCE = 1e-3
IRREP = re.compile(r"[A-Z]{1,2}\d{1,2}[+-]?")


@pytest.fixture(autouse=True)
def _spglib_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make spglib raise on failure; its old way of returning None announces itself as deprecated at every call."""
    monkeypatch.setattr(spglib.error, "OLD_ERROR_HANDLING", False)


def relative(path: Path) -> str:
    return path.relative_to(STRUCTURES).as_posix()


def read(path: Path) -> Structure:
    with warnings.catch_warnings():
        # pymatgen says so whenever a file writes 1/3 with a finite number of digits
        warnings.filterwarnings("ignore", message=".*fractional coordinates rounded")
        (structure,) = CifParser(path).parse_structures(primitive=False)
    return structure


def as_cell(structure: Structure) -> tuple[np.ndarray, np.ndarray, list[int]]:
    return structure.lattice.matrix, structure.frac_coords, [site.specie.Z for site in structure]


def number_in_name(path: Path) -> int:
    match = NAME.fullmatch(path.name)
    assert match, f"{path.name} is not <compound>_<space group number>[_<suffix>].cif"
    return int(match["number"])


def check_space_group(path: Path) -> None:
    dataset = spglib.get_symmetry_dataset(as_cell(read(path)), symprec=TOLERANCE)
    assert dataset is not None
    assert dataset.number == number_in_name(path), f"{path.name}: spglib finds {dataset.number}"


def check_distances(structure: Structure) -> None:
    _, _, _, distances = structure.get_neighbor_list(0.8)
    assert distances.size == 0, f"two atoms are {distances.min():.3f} A apart"


def check_cation_at_origin(structure: Structure) -> None:
    """Check that B is at (0,0,0) with six X at (1/2,0,0), and A, if any, at (1/2,1/2,1/2)."""
    positions = {tuple(np.round(site.frac_coords % 1, 6)): site.specie.symbol for site in structure}
    origin = next(i for i, site in enumerate(structure) if np.allclose(site.frac_coords % 1, 0))
    anion = structure.composition.reduced_composition.get_el_amt_dict()
    shell = structure.get_neighbors(structure[origin], 0.55 * structure.lattice.a)
    assert len(shell) == 6
    assert {site.specie.symbol for site in shell} == {positions[(0.5, 0.0, 0.0)]}
    assert anion[positions[(0.5, 0.0, 0.0)]] == 3
    assert len(structure) == 4 or (0.5, 0.5, 0.5) in positions


def is_cubic_perovskite(path: Path) -> bool:
    """Tell by composition: ABX3 or BX3 in Pm-3m."""
    if number_in_name(path) != 221:
        return False
    return sorted(read(path).composition.values()) in ([1, 3], [1, 1, 3])


def primitive_atoms(structure: Structure) -> int:
    return len(spglib.standardize_cell(as_cell(structure), to_primitive=True, no_idealize=True, symprec=TOLERANCE)[2])


def test_there_are_enough() -> None:
    assert len(PAIRS) >= 30
    assert len({path.parent for path in FILES}) >= 6
    assert len({pair["name"] for pair in PAIRS}) == len(PAIRS)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_file(path: Path) -> None:
    assert len(CifFile.from_file(path).data) == 1
    assert path.read_text().startswith("# "), "the first line names the source"
    structure = read(path)
    assert structure.is_ordered
    check_distances(structure)
    check_space_group(path)
    if is_cubic_perovskite(path):
        check_cation_at_origin(structure)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_stated_symmetry_is_the_symmetry(path: Path) -> None:
    """The operations written in the file are all that spglib finds, so that a reader of the operations agrees."""
    block = next(iter(CifFile.from_file(path).data.values()))
    dataset = spglib.get_symmetry_dataset(as_cell(read(path)), symprec=TOLERANCE)
    assert dataset is not None
    assert len(block["_space_group_symop_operation_xyz"]) == len(dataset.rotations)
    assert int(block["_space_group_IT_number"]) == number_in_name(path)


def test_every_file_is_listed() -> None:
    readme = (STRUCTURES / "README.md").read_text()
    in_pairs = {pair[role] for pair in PAIRS for role in ("parent", "child")}
    assert in_pairs == {relative(path) for path in FILES}
    assert set(re.findall(r"^\| `([^`]+\.cif)`", readme, re.MULTILINE)) == in_pairs


def test_only_data_and_one_readme() -> None:
    others = {path for path in STRUCTURES.rglob("*") if path.is_file() and path.suffix != ".cif"}
    assert others == {STRUCTURES / "README.md", *POINTS}
    readme = (STRUCTURES / "README.md").read_text()
    assert re.findall(r"^\| `([^`]+\.xyz)`", readme, re.MULTILINE) == [relative(path) for path in POINTS]


@pytest.mark.parametrize("path", POINTS, ids=relative)
def test_point_set_has_the_group_of_its_comment(path: Path) -> None:
    """Pymatgen's analyser, far below the distortions, and the README say what the comment line says."""
    comment = path.read_text().splitlines()[1]
    molecule = Molecule.from_file(path)
    group = PointGroupAnalyzer(molecule, tolerance=1e-6, eigen_tolerance=1e-6).sch_symbol
    assert f", {group}" in comment
    row = next(line for line in (STRUCTURES / "README.md").read_text().splitlines() if f"`{relative(path)}`" in line)
    assert [cell.strip() for cell in row.split("|")][2] == group


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["name"] for pair in PAIRS])
def test_pair(pair: dict) -> None:
    parent, child = read(STRUCTURES / pair["parent"]), read(STRUCTURES / pair["child"])
    assert parent.composition.reduced_composition == child.composition.reduced_composition
    assert primitive_atoms(child) == pair["cell_multiplication"] * primitive_atoms(parent)
    assert pair["parent_space_group"] == number_in_name(STRUCTURES / pair["parent"])
    assert pair["child_space_group"] == number_in_name(STRUCTURES / pair["child"])
    # a child of another density is another structure (DFT, pressure and temperature move the volume by less)
    volumes = [structure.volume / len(structure) for structure in (parent, child)]
    assert abs(np.log(volumes[1] / volumes[0])) < 0.15
    assert pair["source"]
    if pair["primary"] is None:
        assert pair["primary_source"] is None
    else:
        assert pair["primary_source"]
        assert all(IRREP.fullmatch(label) for label in pair["primary"])


def test_wrong_name_is_caught(tmp_path: Path) -> None:
    wrong = tmp_path / "SrTiO3_139.cif"
    shutil.copy(STRUCTURES / "perovskite" / "SrTiO3_140.cif", wrong)
    with pytest.raises(AssertionError, match="spglib finds 140"):
        check_space_group(wrong)
    with pytest.raises(AssertionError, match="is not <compound>"):
        number_in_name(tmp_path / "SrTiO3.cif")


def test_wrong_origin_is_caught() -> None:
    a_at_origin = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.9), ["Sr", "Ti", "O"], [[0] * 3, [0.5] * 3, [0.5, 0.5, 0]]
    )
    with pytest.raises((AssertionError, KeyError)):
        check_cation_at_origin(a_at_origin)


def test_close_atoms_are_caught() -> None:
    with pytest.raises(AssertionError, match="apart"):
        check_distances(Structure(Lattice.cubic(4.0), ["O", "O"], [[0, 0, 0], [0.1, 0, 0]]))
