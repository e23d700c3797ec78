"""POSCAR: the same crystal however VASP lets it be written, nothing invented, one line for everything that is wrong."""

import gzip

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.poscar import MOST_ATOMS, name_to_element, read_poscar
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_poscar
from orderparam.discovery.analyse import analyse
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise
from tests.crystals.samples import FILES, STRUCTURES, assert_same, manganite, to_ase

GOOD = """title
1.0
4 0 0
0 5 0
0 0 6
Na Cl
1 2
Direct
0 0 0
0.5 0.5 0.1
0.5 0.5 0.9
"""


@pytest.fixture
def read(tmp_path):
    def _read(text, name="POSCAR"):
        (tmp_path / name).write_text(text)
        return read_crystal(tmp_path / name)

    return _read


@pytest.fixture
def refused(read):
    def _refused(text, name="POSCAR"):
        with pytest.raises(InvalidInputError) as caught:
            read(text, name)
        message = str(caught.value)
        assert "\n" not in message
        assert len(message) < 400
        return message

    return _refused


@pytest.mark.parametrize(
    "name",
    ["POSCAR_volume_cart", "POSCAR_threescales", "POSCAR_comment", "POSCAR_vasp4_title", "qe.in", "phonopy.yaml",
     "traj.xyz"],
)  # fmt: skip
def test_one_crystal_in_seven_ways(name):
    """GM3+ of the R-3m parent: As 0.1078 and strain 0.0594 from every file."""
    parent = symmetrise(read_crystal(FILES / "parent_R-3m.cif"))
    found = analyse(parent, read_crystal(FILES / name)).decomposition
    assert {o.label: o.amplitude for o in found.displacive}["GM3+"] == pytest.approx(0.1078, abs=5e-5)
    assert {o.label: o.amplitude for o in found.strain}["GM3+"] == pytest.approx(0.0594, abs=5e-5)


def test_elements_are_never_invented(refused):
    text = (FILES / "POSCAR_no_elements").read_text()
    assert "it names no elements (a file of VASP 4)" in refused(text)


@pytest.mark.parametrize(
    ("title", "formula"),
    [("Na Cl", "NaCl2"), ("Na Cl # a note", "NaCl2"), ("Na1 Cl2", "NaCl2"), ("NaCl2", "NaCl2"), ("Na2Cl4", "NaCl2"),
     ("  D  O ", "HO2")],
)  # fmt: skip
def test_a_title_that_names_the_elements(read, title, formula):
    crystal = read(GOOD.replace("title", title).replace("Na Cl\n1 2", "1 2"))
    assert crystal.formula == formula
    assert "its title names" in crystal.notes[0]


@pytest.mark.parametrize(
    "title",
    ["", "Na", "Na Cl O", "NaCl", "Na2Cl2", "Cl2 Na1", "my NaCl2", "Na Cl relaxed", "Na Xx", "S i", "na cl", "1 2"],
)
def test_a_title_that_does_not(refused, title):
    assert "names no elements" in refused(GOOD.replace("title", title).replace("Na Cl\n1 2", "1 2"))


def test_elements_behind_the_coordinates(read, refused):
    old = GOOD.replace("Na Cl\n1 2", "1 2")
    rows = old.replace("0 0 0\n0.5 0.5 0.1\n0.5 0.5 0.9", "0 0 0 Na\n0.5 0.5 0.1 Cl\n0.5 0.5 0.9 Cl")
    assert read(rows).formula == "NaCl2"
    assert "names behind the coordinates are taken" in read(rows).notes[0]
    assert "names no elements" in refused(rows.replace("0.9 Cl", "0.9 Na"))
    beside = read(GOOD.replace("0 0 0\n0.5 0.5 0.1", "0 0 0 Na\n0.5 0.5 0.1 Na"))
    assert beside.formula == "NaCl2"
    assert "not that of the element line" in beside.notes[0]


@pytest.mark.parametrize(
    ("line", "elements"),
    [("Na_pv Cl", "NaCl"), ("Na_pv/1f2e3d Cl_GW/77", "NaCl"), ("Na/abc Cl_s", "NaCl"), ("Na,Cl", "NaCl"),
     ("Sr_sv_GW O", "SrO")],
)  # fmt: skip
def test_headers_of_vasp_6(read, line, elements):
    crystal = read(GOOD.replace("Na Cl", line))
    assert "".join(dict.fromkeys(crystal.species)) == elements


def test_names_of_potentials():
    assert [name_to_element(name) for name in ("Fe_sv_GW", "H.5", "H1.25", "O_s/12")] == ["Fe", None, None, "O"]


def test_species_may_come_again(read):
    again = GOOD.replace("Na Cl\n1 2", "Cl Na Cl\n1 1 1")
    assert read(again).species == ("Cl", "Na", "Cl")


def test_selective_dynamics_and_velocities(read):
    plain = read(GOOD)
    rows = "0 0 0 T T T\n0.5 0.5 0.1 F F F\n0.5 0.5 0.9 T F T"
    selective = GOOD.replace("Direct", "selective\ndirect").replace("0 0 0\n0.5 0.5 0.1\n0.5 0.5 0.9", rows)
    assert_same(plain, read(selective))
    assert read(selective).notes == ()  # F is a flag, not fluorine
    for after in (
        "\nCartesian\n1 2 3\n1 2 3\n1 2 3\n",
        "\n1 2 3\n1 2 3\n1 2 3\n\nrubbish",
        "Lattice velocities\n1\n0 0 0\n",
    ):
        assert_same(plain, read(GOOD + after))


def test_scales():
    """One scale, a volume and three scales mean the same, direct and Cartesian."""
    cell = np.array([[4.0, 0.3, 0], [0.2, 5, 0.1], [0, -0.4, 6]])
    positions = np.array([[0, 0, 0], [0.5, 0.5, 0.1], [0.5, 0.5, 0.9]])
    crystal = Crystal(cell, positions, ("Na", "Cl", "Cl"))
    assert_same(crystal, _read_text(_text("1.0", cell, positions)))
    for scale, factors in (("2.5", 2.5), (f"{-crystal.volume:.12f}", 7.0), ("2. 1.5D0 3e0", np.array([2, 1.5, 3]))):
        small, cartesian = cell / factors, positions @ cell / factors
        assert_same(crystal, _read_text(_text(scale, small, positions)), 1e-8)
        assert_same(crystal, _read_text(_text(scale, small, cartesian, "Cartesian")), 1e-8)
        assert_same(crystal, _read_text(_text(scale, small, cartesian, "k")), 1e-8)


def _text(scale, cell, rows, mode="Direct"):
    lines = [" ".join(f"{value:.14f}" for value in row) for row in (*cell, *rows)]
    return "\n".join(["title", scale, *lines[:3], "Na Cl", "1 2", mode, *lines[3:], ""])


def _read_text(text):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "POSCAR"
        path.write_text(text)
        return read_poscar(path).crystal(0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.0\n", "0\n", "line 2: expected a scale other than zero"),
        ("1.0\n", "-0.0\n", "line 2: expected a scale other than zero"),
        ("1.0\n", "1 2\n", "line 2: expected one scale"),
        ("1.0\n", "1 -2 3\n", "line 2: expected three scales above zero"),
        ("1.0\n", "one\n", "line 2: expected one scale"),
        ("1.0\n", "nan\n", "line 2: expected one scale"),
        ("1.0\n", "\n", "line 2: expected one scale"),
        ("4 0 0", "4 0", "cell vector 1: expected 3 finite numbers, received '4 0'"),
        ("4 0 0", "4 0 inf", "expected 3 finite numbers"),
        ("4 0 0", "4 0 1e999", "expected 3 finite numbers"),
        ("4 0 0", "4 0 ****", "expected 3 finite numbers"),
        ("4 0 0", "0 5 0", "no volume"),
        ("1.0\n4 0 0", "-120\n0 5 0", "the cell has no volume"),
        ("Na Cl", "Na", "line 6 names 1 elements, line 7 counts 2"),
        ("Na Cl", "Na Cl O", "names 3 elements"),
        ("Na Cl", "Na Xy", "line 6: expected chemical elements, received 'Xy'"),
        ("Na Cl", "NaCl O", "expected chemical elements, received 'NaCl'"),
        ("1 2\n", "1 2.0\n", "expected whole numbers of atoms"),
        ("1 2\n", "1 -2\n", "expected whole numbers of atoms"),
        ("1 2\n", "0 0\n", "expected whole numbers of atoms"),
        ("1 2\n", f"1 {MOST_ATOMS}\n", "expected whole numbers of atoms"),
        ("1 2\n", f"1 {MOST_ATOMS - 1}\n", "but 3 lines follow"),
        ("1 2\n", "1 99999999999999999999\n", "expected whole numbers of atoms"),
        ("1 2\n", "1 3\n", "its counts say 4 atoms, but 3 lines follow"),
        ("1 2\n", "1 1\n", "its counts say 2 atoms, but line 11 is a further one"),
        ("Direct", "0 0 0", "expected Direct or Cartesian"),
        ("Direct", "", "expected Direct or Cartesian"),
        ("0.5 0.5 0.9", "0.5 0.5 nan", "atom 3 of 3: expected 3 finite numbers"),
        ("0.5 0.5 0.9", "0.5 0.5", "atom 3 of 3"),
        ("0.5 0.5 0.9", "0.5 0.5-0.5", "atom 3 of 3"),
        ("0.5 0.5 0.9", "0.5 0.5 1_0", "atom 3 of 3"),
        ("0.5 0.5 0.9", "0.5 0.5 0.1", "two atoms stand on one place"),
        (GOOD[5:], "", "it ends before line 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(refused, old, new, message):
    assert old in GOOD
    assert message in refused(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    "name", ["relaxed", "structure.dat", "run.7", "POSCAR.txt", "SPOSCAR-003", "a.vasp", "CONTCAR_last"]
)
def test_names(read, name):
    assert read(GOOD, name).formula == "NaCl2"


def test_packed(tmp_path):
    (tmp_path / "POSCAR.gz").write_bytes(gzip.compress(GOOD.encode()))
    assert read_crystal(tmp_path / "POSCAR.gz").formula == "NaCl2"
    (tmp_path / "POSCAR.gz").write_bytes(gzip.compress(GOOD.encode())[:-9])
    with pytest.raises(InvalidInputError, match="damaged packed file"):
        read_crystal(tmp_path / "POSCAR.gz")


def test_line_ends_and_byte_order_mark(tmp_path):
    (tmp_path / "POSCAR").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_crystal(tmp_path / "POSCAR").formula == "NaCl2"


def test_charge_densities_begin_like_a_poscar(read):
    assert read(GOOD + "\n 2 2 2\n 1.0 2.0 3.0 4.0 5.0\n 6.0 7.0 8.0\n", "CHGCAR").formula == "NaCl2"


@pytest.mark.parametrize("file", sorted(STRUCTURES.glob("*/*.cif"))[::7], ids=lambda path: path.stem)
@pytest.mark.parametrize("cartesian", [False, True])
def test_second_opinions(tmp_path, file, cartesian):
    """What pymatgen and ASE write is read as they read it."""
    crystal = read_crystal(file)
    if any(len(kind) > 2 for kind in crystal.species):
        pytest.skip("mixed sites")
    from ase.io import read as ase_read
    from ase.io import write as ase_write
    from pymatgen.io.vasp import Poscar

    (tmp_path / "POSCAR").write_text(
        Poscar(crystal.to_pymatgen()).get_str(direct=not cartesian, significant_figures=14)
    )
    ase_write(tmp_path / "CONTCAR", to_ase(crystal), format="vasp", direct=not cartesian)
    for name in ("POSCAR", "CONTCAR"):
        ours = read_crystal(tmp_path / name)
        theirs = Poscar.from_str((tmp_path / name).read_text()).structure
        third = ase_read(tmp_path / name, format="vasp")
        for other in (
            Crystal(theirs.lattice.matrix, theirs.frac_coords, tuple(site.specie.symbol for site in theirs)),
            Crystal(third.cell.array, third.get_scaled_positions(wrap=False), tuple(third.get_chemical_symbols())),
        ):
            assert_same(ours, other, 1e-9)


def _xdatcar(frames, variable):
    head = crystal_to_poscar(frames[0]).split("\n")[:7]
    lines = [] if variable else head
    for number, crystal in enumerate(frames, start=1):
        lines = [*lines, *(crystal_to_poscar(crystal).split("\n")[:7] if variable else [])]
        lines.append(f"Direct configuration= {number:5d}")
        lines += [" ".join(f"{value:.8f}" for value in row) for row in crystal.positions]
    return "\n".join(lines) + "\n"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pymatgen leaves the file open
@pytest.mark.parametrize("variable", [False, True])
@pytest.mark.parametrize("name", ["XDATCAR", "motion"])
def test_xdatcar(tmp_path, variable, name):
    first = manganite()
    second = Crystal(
        first.lattice * (1.01 if variable else 1.0), first.positions + np.array([0.01, 0, 0]), first.species
    )
    path = tmp_path / name
    path.write_text(_xdatcar([first, second], variable))
    from pymatgen.io.vasp import Xdatcar

    theirs = Xdatcar(str(path)).structures
    for frame, crystal in enumerate((first, second), start=1):
        ours = read_crystal(path, frame=frame)
        assert_same(crystal, ours, 1e-6)
        assert_same(ours, Crystal(theirs[frame - 1].lattice.matrix, theirs[frame - 1].frac_coords, first.species), 1e-7)
    assert "2 frames; the last is taken" in read_crystal(path).notes[0]
    path.write_text(_xdatcar([first, second], variable).rsplit("\n", 3)[0])
    with pytest.raises(InvalidInputError, match="its counts say 20 atoms, but 18 lines follow"):
        read_crystal(path)
