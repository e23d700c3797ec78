"""Every bad input gets one clear line that says what was expected, found and to try; exit code 1; nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.analyse import analyse
from orderparam.parent import symmetrise

STRUCTURES = Path(__file__).parents[2] / "structures"
CUBIC = STRUCTURES / "perovskite/SrTiO3_221.cif"
TILTED = STRUCTURES / "perovskite/SrTiO3_140.cif"

CELL = """data_x
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma {gamma}
_symmetry_space_group_name_H-M '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


def cif(rows: str, *, a: float = 3.9, c: float | None = None, group: str = "P 1", gamma: float = 90) -> str:
    return CELL.format(a=a, c=a if c is None else c, group=group, gamma=gamma) + rows


def write(crystal: Crystal, path: Path) -> Path:
    path.write_text(crystal_to_cif(crystal))
    return path


@pytest.mark.parametrize(
    ("command", "rest"),
    [
        ("distort", ("--set", "R4+=(0,0,1)", "--out", "x.cif")),
        ("subgroups", (TILTED,)),
        ("domains", (TILTED,)),
        ("modes", (TILTED,)),
        ("fit", (TILTED,)),
    ],
)
@pytest.mark.parametrize("group", ["Pm-3m", "194", "Pbnm"])
def test_a_space_group_in_place_of_a_structure(refused, command, rest, group):
    assert refused(command, group, *rest).startswith(f"error: {group}: a space group has no atoms; give the file")
    if rest == (TILTED,):
        assert "has no atoms" in refused(command, TILTED, group)


@pytest.mark.parametrize("command", ["modes", "fit"])
def test_a_missing_file(refused, command):
    assert "no such file" in refused(command, "nowhere.cif", TILTED)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.cif", b"these are words\n"),
        ("binary.cif", bytes(range(256)) * 4),
        ("empty.cif", b""),
        ("noatoms.cif", CELL.format(a=4, c=4, group="P 1", gamma=90).split("loop_")[0].encode()),
        ("POSCAR", b"comment\n1.0\n1 0 0\n"),
        ("odd.json", b"{}"),
    ],
)
def test_not_a_structure(refused, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    line = refused("modes", CUBIC, tmp_path / name)
    assert name in line
    assert "structure" in line


def test_a_folder_in_place_of_a_file(refused, tmp_path):
    assert "is a folder" in refused("modes", CUBIC, tmp_path)


def test_partial_occupancy_that_the_parent_does_not_have(refused, tmp_path):
    rows = "Sr1 Sr 0 0 0 0.5\nBa1 Ba 0 0 0 0.5\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 0 1\n"
    (tmp_path / "mixed.cif").write_text(cif(rows, group="P m -3 m"))
    line = refused("modes", CUBIC, tmp_path / "mixed.cif")
    assert "Ba0.5Sr0.5" in line


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ("Sr1 Sr 0 0 0 1\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 0 1\nO2 O 0.5 0 0.5 1\n", "1 O too few"),
        (
            "Ca1 Ca 0 0 0 1\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 0 1\nO2 O 0.5 0 0.5 1\nO3 O 0 0.5 0.5 1\n",
            "1 Sr too few",
        ),
    ],
)
def test_another_composition_says_which_atoms(refused, tmp_path, rows, part):
    (tmp_path / "other.cif").write_text(cif(rows))
    line = refused("modes", CUBIC, tmp_path / "other.cif")
    assert part in line


def test_a_vacancy_in_a_supercell(refused, tmp_path):
    crystal = read_crystal(TILTED)
    keep = [i for i in range(crystal.n_sites) if i != crystal.species.index("O")]
    vacant = Crystal(crystal.lattice, crystal.positions[keep], tuple(crystal.species[i] for i in keep))
    assert "O too few" in refused("modes", CUBIC, write(vacant, tmp_path / "vacant.cif"))


def test_swapped_files(refused):
    assert "did you swap the files?" in refused("modes", TILTED, CUBIC)


def test_a_parent_of_lower_symmetry_with_the_same_cell(refused):
    folder = STRUCTURES / "ferroelectric"
    assert "did you swap the files?" in refused("modes", folder / "BaTiO3_99.cif", folder / "BaTiO3_221.cif")


def test_no_group_subgroup_relation(refused, tmp_path):
    bcc, hcp = tmp_path / "bcc.cif", tmp_path / "hcp.cif"
    bcc.write_text(cif("Zr1 Zr 0 0 0 1\n", a=3.6, group="I m -3 m"))
    hcp.write_text(cif("Zr1 Zr 0.33333333 0.66666667 0.25 1\n", a=3.23, c=5.15, gamma=120, group="P 63/m m c"))
    assert "no group-subgroup relation" in refused("modes", bcc, hcp)


def test_identical_structures_are_no_error(program):
    outcome = program("modes", CUBIC, CUBIC)
    assert outcome.code == 0
    assert "identical" in outcome.err
    outcome = program("modes", TILTED, TILTED, "--json", "-")
    assert outcome.code == 0
    assert '"total_amplitude": 0' in outcome.out or '"total_amplitude": ' in outcome.out


def test_a_change_without_symmetry_breaking_is_said(program, tmp_path):
    parent = STRUCTURES / "rutile/VO2_136.cif"
    crystal = read_crystal(parent)
    moved = crystal.positions.copy()
    oxygen = np.array(crystal.species) == "O"
    # the free coordinate x,x,0 of oxygen (and of its copies) grows: the parent's own symmetry stays
    centre = np.rint(2 * moved[oxygen]) / 2
    moved[oxygen] = centre + 1.02 * (moved[oxygen] - centre)
    child = write(Crystal(1.01 * crystal.lattice, moved, crystal.species), tmp_path / "child.cif")
    outcome = program("fit", parent, child, "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    assert "no symmetry is broken" in outcome.err
    assert "a uniform scalar" in outcome.out
    larger = write(Crystal(1.01 * crystal.lattice, crystal.positions, crystal.species), tmp_path / "larger.cif")
    assert "no symmetry is broken: the cell changes within" in program("modes", parent, larger).err
    assert (tmp_path / "run/result.json").exists()


def test_a_strain_above_the_limit(refused, tmp_path):
    crystal = read_crystal(TILTED)
    stretched = Crystal(crystal.lattice * np.array([[1.0], [1.0], [1.6]]), crystal.positions, crystal.species)
    child = write(stretched, tmp_path / "long.cif")
    line = refused("modes", CUBIC, child)
    assert "strain" in line
    assert "--max-strain" in line


def test_a_displacement_above_the_limit(refused):
    line = refused("modes", CUBIC, TILTED, "--max-displacement", 0.05)
    assert "--max-displacement" in line


def test_two_atoms_on_one_place(refused, tmp_path):
    rows = "Sr1 Sr 0 0 0 1\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 0 1\nO2 O 0.5 0 0.5 1\nO3 O 0.5 0.02 0.5 1\n"
    (tmp_path / "close.cif").write_text(cif(rows))
    assert "two atoms" in refused("modes", CUBIC, tmp_path / "close.cif")


@pytest.mark.parametrize("bad", ["nan", "NaN", "inf"])
def test_coordinates_that_are_no_numbers(refused, tmp_path, bad):
    rows = f"Sr1 Sr {bad} 0 0 1\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 0 1\nO2 O 0.5 0 0.5 1\nO3 O 0 0.5 0.5 1\n"
    (tmp_path / "nan.cif").write_text(cif(rows))
    line = refused("modes", CUBIC, tmp_path / "nan.cif")
    assert "number" in line


def test_unparsable_standard_uncertainties(refused, tmp_path):
    rows = "Sr1 Sr 0 0 0 1\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 0.00(x) 1\nO2 O 0.5 0 0.5 1\nO3 O 0 0.5 0.5 1\n"
    (tmp_path / "su.cif").write_text(cif(rows))
    assert "0.00(x)" in refused("modes", CUBIC, tmp_path / "su.cif")


@pytest.mark.parametrize("bad", [".", "?", "50(1)e-2"])
def test_coordinates_that_a_reader_would_make_up(refused, tmp_path, bad):
    """An unknown coordinate is no zero, and an exponent behind the uncertainty is not dropped."""
    rows = f"Sr1 Sr 0 0 0 1\nTi1 Ti 0.5 0.5 0.5 1\nO1 O 0.5 0.5 {bad} 1\nO2 O 0.5 0 0.5 1\nO3 O 0 0.5 0.5 1\n"
    (tmp_path / "unknown.cif").write_text(cif(rows))
    line = refused("modes", CUBIC, tmp_path / "unknown.cif")
    assert "unknown.cif" in line
    assert "number" in line or "float" in line


def test_p1_by_a_hair_says_what_to_try(program, tmp_path):
    distortion = analyse(symmetrise(read_crystal(CUBIC)), read_crystal(TILTED)).relation.distortion
    crystal = distortion.crystal()
    rng = np.random.default_rng(0)
    shaken = crystal.positions + rng.uniform(-0.002, 0.002, (crystal.n_sites, 3)) @ np.linalg.inv(crystal.lattice)
    child = write(Crystal(crystal.lattice, shaken, crystal.species), tmp_path / "noisy.cif")
    outcome = program("modes", CUBIC, child)
    assert outcome.code == 0
    assert "(140) at 0.01: try --symprec-child 0.01" in outcome.err
    assert "--noise auto" in outcome.err


@pytest.mark.parametrize(("sigma", "said"), [(0.0005, "0.01"), (0.002, "0.03"), (0.006, "0.05")])
def test_the_hint_names_the_full_symmetry(program, tmp_path, lamno3, sigma, said):
    """Of several groups at larger tolerances the largest is what to try."""
    crystal = read_crystal(lamno3[1])
    noise = np.random.default_rng(1).normal(0, sigma, (crystal.n_sites, 3)) @ np.linalg.inv(crystal.lattice)
    child = write(Crystal(crystal.lattice, crystal.positions + noise, crystal.species), tmp_path / "noisy.cif")
    outcome = program("modes", lamno3[0], child)
    assert outcome.code == 0
    assert f"Pnma (62) at {said}: try --symprec-child {said}" in outcome.err


def test_an_output_folder_with_other_files(refused, tmp_path, lamno3):
    (tmp_path / "thesis.tex").write_text("my work")
    line = refused("fit", *lamno3, "--out", tmp_path)
    assert "--force" in line
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_an_output_folder_that_is_a_file(refused, tmp_path, lamno3):
    (tmp_path / "file").write_text("")
    assert "not a folder" in refused("fit", *lamno3, "--out", tmp_path / "file")


def test_an_unwritable_place(refused, tmp_path, lamno3):
    (tmp_path / "file").write_text("")
    assert "file" in refused("fit", *lamno3, "--out", tmp_path / "file" / "run")
    assert "cannot be written" in refused("modes", *lamno3, "--json", tmp_path / "file" / "modes.json")
    assert "cannot be written" in refused("modes", *lamno3, "--csv", tmp_path / "file" / "modes.csv")
    assert "cannot be written" in refused("modes", *lamno3, "--write", tmp_path / "file" / "child.cif")
    assert os.listdir(tmp_path) == ["file"]


def test_nothing_is_written_when_the_json_cannot_be(refused, tmp_path, lamno3):
    (tmp_path / "file").write_text("")
    line = refused("fit", *lamno3, "--out", tmp_path / "run", "--json", tmp_path / "file" / "fit.json")
    assert "cannot be written" in line
    assert "is a folder" in refused("modes", *lamno3, "--json", tmp_path)
    assert "overwrite" in refused("symmetry", lamno3[0], "--json", lamno3[0])
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ["Mn", "Mn:1x", "Xx:1e", "Mn:9e", ":1e"])
def test_an_unknown_carrier_lists_the_valid_ones(refused, lamno3, tmp_path, name):
    line = refused("fit", *lamno3, "--carrier", name, "--out", tmp_path / "run")
    assert "La" in line
    assert "O" in line
    assert not (tmp_path / "run").exists()


def test_a_carrier_that_cannot_hold_the_order_parameters(refused, lamno3, tmp_path):
    line = refused("fit", *lamno3, "--carrier", "La:0e", "--out", tmp_path / "run")
    assert "R4+" in line


def test_an_unknown_irrep_lists_the_valid_ones(refused, lamno3, tmp_path):
    line = refused("fit", *lamno3, "--irreps", "R9+", "--out", tmp_path / "run")
    assert "M3+" in line
    assert "R4+" in line


@pytest.mark.parametrize("none", ["", ",", " , "])
def test_no_irrep_at_all_lists_the_valid_ones(refused, lamno3, tmp_path, none):
    line = refused("fit", *lamno3, "--irreps", none, "--out", tmp_path / "run")
    assert "M3+" in line
    assert "R4+" in line


def test_irreps_that_leave_too_much_symmetry_are_a_warning(program, lamno3, tmp_path):
    """R4+ by itself leaves Imma: what carries the rest has to be given too, and that is said."""
    outcome = program("fit", *lamno3, "--irreps", "R4+", "--out", tmp_path / "run")
    assert outcome.code == 0
    assert "warning: R4+ by itself leaves Imma (74), index 12, not yet the child's Pnma (62), index 24" in outcome.err
    assert "M3+" in outcome.err
    assert "warning" not in program("fit", *lamno3, "--irreps", "R4+,X5+", "--out", tmp_path / "run").err


def test_an_unknown_origin(refused, lamno3):
    line = refused("modes", *lamno3, "--origin", "O")
    assert "La" in line
    assert "Mn" in line


def test_an_unknown_element_to_rename(refused, lamno3):
    assert "La" in refused("modes", *lamno3, "--map", "Zz=La")


def test_renaming_makes_another_compound_the_parent(program):
    folder = STRUCTURES / "perovskite"
    arguments = ("modes", folder / "CaTiO3_221.cif", TILTED, "--map", "Ca=Sr", "--json", "-")
    outcome = program(*arguments)
    assert outcome.code == 0, outcome.err
    assert '"label": "R4+"' in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seed", "x"),
        ("--seed", "-1"),
        ("--symprec", "a"),
        ("--symprec", "1"),
        ("--symprec-child", "nan"),
        ("--map", "Ca"),
        ("--unknown",),
    ],
)
def test_wrong_usage_has_exit_code_2(program, lamno3, arguments):
    outcome = program("fit", *lamno3, *arguments)
    assert outcome.code == 2
    assert outcome.out == ""


def test_a_molecule_without_a_lattice(refused, tmp_path):
    for name in ("water.xyz", "water.extxyz"):
        (tmp_path / name).write_text("3\nwater\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n")
        assert "without a lattice" in refused("modes", CUBIC, tmp_path / name)


@pytest.mark.parametrize("noise", ["0", "-0.1", "nan", "loud", "5"])
def test_a_noise_that_makes_no_sense(refused, lamno3, noise):
    line = refused("modes", *lamno3, "--noise", noise)
    assert "--noise" in line


@pytest.mark.parametrize("option", ["--write", "--json", "--csv"])
def test_an_input_is_never_overwritten(refused, tmp_path, lamno3, option):
    child = tmp_path / "child.cif"
    child.write_bytes(lamno3[1].read_bytes())
    assert "overwrite" in refused("modes", lamno3[0], child, option, child)
    assert child.read_bytes() == lamno3[1].read_bytes()


def test_two_outputs_never_share_a_file(refused, tmp_path, lamno3):
    assert "two outputs" in refused("modes", *lamno3, "--json", tmp_path / "x", "--csv", tmp_path / "x")
    assert os.listdir(tmp_path) == []


def test_an_unknown_format(refused, tmp_path, lamno3):
    assert ".vesta" in refused("modes", *lamno3, "--write", tmp_path / "child.docx")


def test_the_real_process(tmp_path, lamno3):
    """Once as a real process: the same line, no traceback, nothing on standard output."""
    command = [sys.executable, "-m", "orderparam_cli.main", "modes", "nowhere.cif", str(lamno3[1])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "error: nowhere.cif: no such file; give the path of a CIF or POSCAR\n"
