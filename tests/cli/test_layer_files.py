"""Layers from the command line: what files say of their directions, gaps, and --periodic."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

SCHEMAS = Path(__file__).parents[2] / "orderparam/data/schemas"

EXPECTED = {"M2-": 0.6043, "GM3+": 0.1000, "GM1+": 0.0600}

PARENT = [("Mo", 0, 0, 0), ("Te", 0, 2.020725942, 1.8), ("Te", 1.75, 1.010362971, -1.8)]
CHILD = [
    ("Mo", 0, 0.24, 0),
    ("Mo", 1.75, 2.791088913, 0),
    ("Te", 0, 2.070725942, 2.08),
    ("Te", 1.75, 5.101814855, 1.58),
    ("Te", 1.75, 0.960362971, -2.08),
    ("Te", 0, 3.991451884, -1.58),
]
HEXAGONAL = ((3.5, 0.0), (-1.75, 3.031088913))
RECTANGULAR = ((3.5, 0.0), (0.0, 6.062177826))


def write_xyz(path: Path, atoms: list, cell: tuple, period: float, height: float, pbc: str = 'pbc="T T F"') -> Path:
    lattice = " ".join(f"{x} {y} 0.0" for x, y in cell) + f" 0.0 0.0 {period}"
    lines = [f"{kind} {x} {y} {z + height}" for kind, x, y, z in atoms]
    header = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 {pbc}'
    path.write_text("\n".join([str(len(atoms)), header, *lines, ""]))
    return path


def write_poscar(path: Path, period: float, height: float) -> Path:
    rows = "\n".join(f"{x} {y} {z + height}" for _, x, y, z in CHILD)
    path.write_text(f"1T'\n1.0\n3.5 0 0\n0 6.062177826 0\n0 0 {period}\nMo Te\n2 4\nCartesian\n{rows}\n")
    return path


def write_cif(path: Path, period: float, height: float) -> Path:
    """Write the child with its vacuum along a: the axes in the order c, a, b."""
    rows = "\n".join(
        f"{kind}{n} {kind} {(z + height) / period:.12f} {x / 3.5:.12f} {y / 6.062177826:.12f}"
        for n, (kind, x, y, z) in enumerate(CHILD)
    )
    names = "\n".join(f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    path.write_text(
        f"data_layer\n_cell_length_a {period}\n_cell_length_b 3.5\n_cell_length_c 6.062177826\n_cell_angle_alpha 90\n"
        f"_cell_angle_beta 90\n_cell_angle_gamma 90\n_symmetry_space_group_name_H-M 'P 1'\nloop_\n{names}\n{rows}\n"
    )
    return path


@pytest.fixture
def parent(tmp_path) -> Path:
    return write_xyz(tmp_path / "1T.xyz", PARENT, HEXAGONAL, 20.0, 10.0)


def amplitudes(text: str) -> dict[str, float]:
    record = json.loads(text)
    jsonschema.validate(record, json.loads((SCHEMAS / "modes.json").read_text()))
    strains = [value for row in record["strain"]["tensor"] for value in row]
    assert max(map(abs, strains)) < 1e-7
    return {irrep["label"]: irrep["amplitude_supercell"] for irrep in record["irreps"]}


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_xyz(path / "more.xyz", CHILD, RECTANGULAR, 25.0, 12.5),
        lambda path: write_xyz(path / "no_statement.xyz", CHILD, RECTANGULAR, 17.0, 2.0, pbc=""),
        lambda path: write_xyz(path / "narrow.xyz", CHILD, RECTANGULAR, 10.0, 5.0),
        lambda path: write_xyz(path / "no_vacuum.xyz", CHILD, RECTANGULAR, 0.0, 1.0),
        lambda path: write_poscar(path / "child.vasp", 30.0, 0.0),
        lambda path: write_cif(path / "along_a.cif", 22.0, 15.0),
    ],
)
def test_every_format_gives_the_same_amplitudes(write, parent, tmp_path, program):
    outcome = program("modes", parent, write(tmp_path), "--json", "-")
    assert outcome.code == 0, outcome.err
    assert amplitudes(outcome.out) == pytest.approx(EXPECTED, abs=2e-4)
    assert "a layer, not periodic along" in outcome.err
    record = json.loads(outcome.out)
    assert record["parent"]["layer_group"] == {"number": 72, "symbol": "p-3m1"}
    assert record["child"]["layer_group"] == {"number": 15, "symbol": "p2_1/m11"}


def test_periodic_abc_takes_layers_as_crystals(parent, tmp_path, program):
    child = write_xyz(tmp_path / "more.xyz", CHILD, RECTANGULAR, 22.0, 11.0)
    outcome = program("modes", parent, child, "--periodic", "abc", "--json", "-")
    record = json.loads(outcome.out)
    assert record["parent"]["layer_group"] is None
    assert record["strain"]["tensor"][2][2] == pytest.approx(0.1)
    assert "layer" not in outcome.err


def test_layer_groups_stand_beside_space_groups(parent, tmp_path, program):
    child = write_poscar(tmp_path / "child.vasp", 30.0, 4.0)
    shown = program("modes", parent, child).out
    assert "P-3m1 (164), layer group p-3m1 (72)" in shown
    assert "P2_1/m (11), layer group p2_1/m11 (15)" in shown
    assert "p-3m1 (72)" in program("symmetry", parent).out
    record = json.loads(program("symmetry", parent, child, "--json", "-").out)
    jsonschema.validate(record, json.loads((SCHEMAS / "symmetry.json").read_text()))
    assert [file["layer_group"]["number"] for file in record["files"]] == [72, 15]
    alone = json.loads(program("symmetry", parent, "--periodic", "abc", "--json", "-").out)
    assert alone["layer_group"] is None


@pytest.mark.parametrize("command", ["modes", "fit", "carriers", "subgroups", "domains"])
def test_every_command_of_a_pair_takes_periodic(command, parent, tmp_path, refused):
    bulk = write_xyz(tmp_path / "bulk.xyz", CHILD, RECTANGULAR, 7.0, 0.0, pbc='pbc="T T T"')
    line = refused(command, parent, bulk, *(["--out", tmp_path / "run"] if command == "fit" else []))
    assert "the parent is a layer with vacuum, the child repeats in all three directions" in line
    line = refused(command, parent, bulk, "--periodic", "ab")
    assert "a layer without vacuum (--periodic ab)" in line
    assert "2.84 angstrom" in line
    assert "expected two of a, b, c" in refused(command, parent, bulk, "--periodic", "ac-")


def test_several_children_and_lists_take_periodic(parent, tmp_path, program):
    children = [write_xyz(tmp_path / f"{c}.xyz", CHILD, RECTANGULAR, c, c / 2) for c in (20.0, 23.0)]
    table = tmp_path / "series.csv"
    assert program("modes", parent, *children, "--csv", table, "--quiet").code == 0
    header, first, second = (line.split(",") for line in table.read_text().splitlines())
    column = header.index("Ap M2-")
    assert float(first[column]) == pytest.approx(float(second[column]), abs=1e-9)
    outcome = program("modes", parent, *children, "--periodic", "abc", "--csv", table, "--quiet")
    assert outcome.code == 0
    second = table.read_text().splitlines()[2].split(",")
    assert abs(float(first[column]) - float(second[column])) > 1e-3


def test_several_children_are_fitted_as_layers(parent, tmp_path, program):
    narrow = [write_xyz(tmp_path / "narrow.xyz", CHILD, RECTANGULAR, 11.0, 5.0, pbc="")]
    narrow.append(write_xyz(tmp_path / "wide.xyz", CHILD, RECTANGULAR, 26.0, 5.0, pbc=""))
    outcome = program("fit", parent, *narrow, "--out", tmp_path / "run", "--no-leave-one-out")
    assert outcome.code == 1
    assert "--periodic ab takes both as layers" in outcome.err
    outcome = program("fit", parent, *narrow, "--out", tmp_path / "run", "--no-leave-one-out", "--periodic", "ab")
    assert outcome.code == 0, outcome.err
    assert "have the same order parameters" in outcome.err


def test_a_layer_that_the_file_calls_one_needs_room(parent, tmp_path, refused):
    bulk = write_xyz(tmp_path / "bulk.xyz", CHILD, RECTANGULAR, 7.0, 0.0)
    assert "a layer without vacuum (the file says so)" in refused("symmetry", bulk)


def test_written_layers_say_that_they_are_layers(parent, tmp_path, program):
    child = write_poscar(tmp_path / "child.vasp", 30.0, 4.0)
    written = [tmp_path / name for name in ("out.xyz", "out.cif", "out.vasp")]
    assert program("modes", parent, child, *(word for file in written for word in ("--write", file))).code == 0
    assert 'pbc="T T F"' in written[0].read_text()
    for file in written:
        assert amplitudes(program("modes", parent, file, "--json", "-").out) == pytest.approx(EXPECTED, abs=2e-4)


def test_periodic_means_nothing_for_molecules(tmp_path, refused):
    square = Path(__file__).parents[2] / "structures/points/square.xyz"
    assert "--periodic: only for crystals" in refused("modes", square, square, "--periodic", "ab")


def test_gaps_decide_where_a_file_calls_no_direction_periodic(tmp_path, program):
    """ASE writes pbc F F F by default."""
    parent = write_xyz(tmp_path / "p.xyz", PARENT, HEXAGONAL, 20.0, 10.0, pbc='pbc="F F F"')
    child = write_xyz(tmp_path / "c.xyz", CHILD, RECTANGULAR, 22.0, 11.0, pbc='pbc="F F F"')
    record = json.loads(program("modes", parent, child, "--json", "-").out)
    assert record["strain"]["tensor"][2][2] == pytest.approx(0.0, abs=1e-9)
    assert record["child"]["layer_group"] is not None


def test_fits_and_pages_of_layers(tmp_path, program):
    """Powder lines are left out where nobody asked for them."""
    parent = write_xyz(tmp_path / "p.xyz", PARENT, HEXAGONAL, 20.0, 10.0)
    child = write_xyz(tmp_path / "c.xyz", CHILD, RECTANGULAR, 22.0, 11.0)
    for command in (("modes", "--html", tmp_path / "m.html"), ("fit", "--out", tmp_path / "run")):
        outcome = program(command[0], parent, child, *command[1:])
        assert outcome.code == 0, outcome.err
    assert (tmp_path / "m.html").stat().st_size > 1000
    assert (tmp_path / "run/result.json").exists()


def test_modes_of_a_noisy_slab_below_its_proposed_parent(tmp_path, program):
    """MoS2 in two cells, displaced at random, in 25 and in 40 angstrom: P-6m2 is proposed, and its modes follow."""
    a, rows = 3.16, 3.16 * 3**0.5
    sites = [("Mo", a / 2, rows / 6, 0.0), ("S", 0.0, rows / 3, 1.56), ("S", 0.0, rows / 3, -1.56)]
    moves = np.random.default_rng(4).normal(0, 0.06, (6, 3))
    atoms = [(kind, x + cell * a, y, z) for cell in range(2) for kind, x, y, z in sites]
    moved = [(kind, *(np.array(place) + move)) for (kind, *place), move in zip(atoms, moves, strict=True)]
    # all but the mean, and the thickness of the layer, which is the child's own
    breathing = np.outer([0, 0.5, -0.5, 0, 0.5, -0.5], [0, 0, 1])
    left = ((moves - moves.mean(axis=0)) ** 2).sum() - (moves * breathing).sum() ** 2
    found = []
    for period in (25.0, 40.0):
        slab = write_xyz(tmp_path / f"{period}.xyz", moved, ((2 * a, 0.0), (-a / 2, rows / 2)), period, 12.5, pbc="")
        outcome = program("parent", slab, "--modes", "--json", "-")
        assert outcome.code == 0, outcome.err
        assert "a layer, not periodic along c" in outcome.err
        record = json.loads(outcome.out)
        first, modes = record["proposals"][0], record["modes"]
        assert (record["child"]["space_group"]["number"], first["space_group"]["number"]) == (1, 187)
        assert modes["parent"]["layer_group"] == {"number": 78, "symbol": "p-6m2"}
        found.append(amplitudes(json.dumps(modes)))
        assert sum(value**2 for value in found[-1].values()) == pytest.approx(left, rel=1e-5)
        assert "P-6m2 (187), layer group p-6m2 (78)" in program("parent", slab, "--modes").out
    assert found[0] == pytest.approx(found[1], abs=1e-6)
