"""Every format gives the same crystal, by name and by content; moments and remarks are named; nothing is lost."""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals import otherformats
from orderparam.crystals.crystal import Crystal
from orderparam.crystals.filetext import HEAD, head_of
from orderparam.crystals.frames import one
from orderparam.crystals.moments import SMALLEST_MOMENT, moments_left_out, stated_moments_left_out
from orderparam.crystals.otherformats import FORMATS, Format, find_format, read_other
from orderparam.crystals.quiet import LONGEST
from orderparam.crystals.reading import read_crystal
from orderparam.errors import InvalidInputError
from tests.crystals.samples import FILES, STRUCTURES, assert_same, manganite, quartz, to_ase, write

NAMES = {
    "POSCAR": "POSCAR", "a.xyz": "extended XYZ", "a.extxyz": "extended XYZ", "a.pwi": "Quantum ESPRESSO input",
    "geometry.in": "FHI-aims geometry.in", "a.cell": "CASTEP .cell", "a.res": "SHELX .res/.ins",
    "phonopy.yaml": "phonopy.yaml", "a.xsf": "XSF", "a.cssr": "CSSR", "pymatgen.json": "pymatgen JSON",
    "a.json": "ASE JSON", "a.traj": "ASE trajectory", "a.db": "ASE database",
}  # fmt: skip


@pytest.mark.parametrize("make", [manganite, quartz])
@pytest.mark.parametrize("name", NAMES)
def test_by_name_and_by_content(tmp_path, capfd, name, make):
    crystal = make()
    path = write(crystal, tmp_path / name)
    assert find_format(path).name == NAMES[name]
    tolerance = 5e-3 if name == "a.cssr" else 1e-5
    found = read_crystal(path)
    assert_same(crystal, found, tolerance)
    assert len(found.notes) == (name == "phonopy.yaml")
    plain = path.rename(tmp_path / "structure")
    assert find_format(plain).name == NAMES[name]
    assert_same(crystal, read_crystal(plain), tolerance)
    assert capfd.readouterr() == ("", "")


def test_content_counts_where_a_name_is_of_another_format(tmp_path):
    for name in ("pw.in", "a.res", "a.xyz", "POSCAR.json"):
        (tmp_path / name).write_text((FILES / "POSCAR_comment").read_text())
        assert find_format(tmp_path / name).name == "POSCAR"
        assert read_crystal(tmp_path / name).formula == "NaNiO2"


def test_content_is_recognised_by_its_beginning(tmp_path):
    path = tmp_path / "input"
    for comments, known in ((HEAD - 100, True), (HEAD + 100, False)):
        path.write_text("!" * comments + "\n" + (FILES / "qe.in").read_text())
        if known:
            assert read_crystal(path).formula == "NaNiO2"
        else:
            with pytest.raises(InvalidInputError, match="neither its name nor its content"):
                read_crystal(path)


def test_every_format_is_tested():
    assert {form.name for form in FORMATS} == {*NAMES.values(), "XDATCAR", "vasprun.xml"}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_no_format_takes_the_files_of_another(tmp_path, form):
    for name, own in NAMES.items():
        path = write(manganite(), tmp_path / name)
        if own != form.name:
            assert not form.recognise(head_of(path)), name


@pytest.mark.parametrize("name", ["a.pwi", "geometry.in", "a.cell", "a.xsf"])
def test_ase_agrees(tmp_path, name):
    from ase.io import read as ase_read

    path = write(manganite(), tmp_path / name)
    formats = {"a.pwi": "espresso-in", "geometry.in": "aims", "a.cell": "castep-cell", "a.xsf": "xsf"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ase_read(path, format=formats[name])
    expected = Crystal(theirs.cell.array, theirs.get_scaled_positions(), tuple(theirs.get_chemical_symbols()))
    assert_same(expected, read_crystal(path), 1e-7)


def test_ase_agrees_on_cartesian_positions_in_an_oblique_cell_of_castep(tmp_path):
    (tmp_path / "a.cell").write_text(
        "%BLOCK lattice_abc\n4 5 6\n80 95 110\n%ENDBLOCK lattice_abc\n"
        "%block positions_abs\nNa 0.1 0.2 0.3\nCl 1.1 2.3 3.4\n%endblock positions_abs\n"
    )
    from ase.io import read as ase_read

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ase_read(tmp_path / "a.cell", format="castep-cell")
    expected = Crystal(theirs.cell.array, theirs.get_scaled_positions(), ("Na", "Cl"))
    assert_same(read_crystal(tmp_path / "a.cell"), expected, 1e-7)


@pytest.mark.parametrize("name", ["odd", "odd.txt", "notes.md", "a.nothing", "empty"])
def test_what_cannot_be_read_says_what_can(tmp_path, name):
    (tmp_path / name).write_text("" if name == "empty" else "these are words\n")
    with pytest.raises(InvalidInputError) as caught:
        read_crystal(tmp_path / name)
    message = str(caught.value)
    assert "\n" not in message
    assert all(form.name in message for form in FORMATS)
    assert "CIF" in message


@pytest.mark.parametrize("name", ["structure", "a.txt", "a.cif.gz"])
def test_a_cif_by_its_content(tmp_path, name):
    import gzip

    text = (STRUCTURES / "quartz/SiO2_154.cif").read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert_same(read_crystal(tmp_path / name), quartz())


@pytest.mark.parametrize("name", ["a.xyz", "a.mol", "geometry.in", "a.traj"])
def test_molecules_are_no_crystals(tmp_path, name):
    path = tmp_path / name
    if name == "a.traj":
        from ase import Atoms
        from ase.io import write as ase_write

        ase_write(path, Atoms("O2", positions=[[0, 0, 0], [0, 0, 1.2]]))
    else:
        path.write_text("2\n\nO 0 0 0\nO 0 0 1.2\n" if name != "geometry.in" else "atom 0 0 0 O\natom 0 0 1.2 O\n")
    with pytest.raises(InvalidInputError, match="a molecule without a lattice"):
        read_crystal(path)


def _with_moments(kind: str, path: Path) -> Path:
    atoms = to_ase(manganite())
    moments = np.where(atoms.numbers == 25, 4.0, 0.0)
    if kind == "initial":
        atoms.set_initial_magnetic_moments(moments)
    elif kind == "calculated":
        from ase.calculators.singlepoint import SinglePointCalculator

        atoms.calc = SinglePointCalculator(atoms, magmoms=moments)
    else:
        atoms.new_array("spins", np.outer(moments, [0, 0, 1]))
    from ase.io import write as ase_write

    ase_write(path, atoms, **({"format": "extxyz"} if path.suffix == ".xyz" else {}))
    return path


@pytest.mark.parametrize("kind", ["initial", "calculated", "column"])
@pytest.mark.parametrize("name", ["a.xyz", "a.traj", "a.json", "a.db"])
def test_magnetic_moments_are_named(tmp_path, kind, name):
    if kind == "column" and name != "a.xyz":
        pytest.skip("these hold no columns of their own")
    crystal = read_crystal(_with_moments(kind, tmp_path / name))
    assert crystal.notes == moments_left_out(f"Mn{number}" for number in range(1, 5))
    assert not [note for note in read_crystal(write(manganite(), tmp_path / f"b{name}")).notes if "magnetic" in note]


def test_magnetic_moments_of_other_formats(tmp_path):
    structure = manganite().to_pymatgen()
    structure.add_site_property("magmom", [4.0] * 4 + [0.0] * 16)
    structure.to(filename=str(tmp_path / "a.json"))
    texts = {
        "a.json": (tmp_path / "a.json").read_text(),
        "geometry.in": write(quartz(), tmp_path / "geometry.in").read_text() + "initial_moment 2.0\n",
        "a.cell": "%BLOCK lattice_abc\n4 4 4\n90 90 90\n%ENDBLOCK lattice_abc\n"
        "%block positions_frac\nFe 0 0 0 SPIN= 2\n%endblock positions_frac\n",
        "phonopy.yaml": write(quartz(), tmp_path / "phonopy.yaml")
        .read_text()
        .replace("- symbol: Si # 1\n", "- symbol: Si\n    magnetic_moment: 1.0\n", 1),
    }
    manganese = read_crystal(tmp_path / "a.json").labels[:4]
    sites = {"a.json": manganese, "geometry.in": ("O6",), "a.cell": ("Fe1",), "phonopy.yaml": ("Si1",)}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        (note,) = [note for note in read_crystal(tmp_path / name).notes if "magnetic moments" in note]
        assert (note,) == moments_left_out(sites[name]), name


def mixed_salt():
    """Return ASE's atoms of (Na0.3K0.7)Cl0.9: the mixture stands in `info`, and only K among the atoms."""
    from ase.spacegroup import crystal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return crystal(
            ["Na", "K", "Cl"], [(0, 0, 0), (0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=225, cellpar=[6, 6, 6, 90, 90, 90],
            occupancies=[0.3, 0.7, 0.9], onduplicates="replace",
        )  # fmt: skip


def test_mixed_sites_of_ase(tmp_path):
    from ase.io import write as ase_write

    ase_write(tmp_path / "a.xyz", mixed_salt(), format="extxyz")
    crystal = read_crystal(tmp_path / "a.xyz")
    assert crystal.species == ("K0.7Na0.3",) * 4 + ("Cl0.9",) * 4
    assert crystal.formula == "(K0.7Na0.3)(Cl0.9□0.1)"
    ase_write(tmp_path / "a.traj", mixed_salt())  # which loses the kinds of sites
    with pytest.raises(InvalidInputError, match="it has occupancies, but not whose"):
        read_crystal(tmp_path / "a.traj")
    full = mixed_salt()
    full.info["occupancy"] = {"0": {"K": 1.0}, "2": {"Cl": 1.0}}
    ase_write(tmp_path / "a.traj", full)
    assert read_crystal(tmp_path / "a.traj").formula == "KCl"


@pytest.mark.parametrize(
    ("occupancy", "message"),
    [
        ({"0": {"K": 0.7, "Na": 0.3}}, "expected the occupancy of K on sites of kind 1"),
        ({"1": {"Na": 1.0}, "2": {"Cl": 1}}, "expected the occupancy of K on sites of kind 1"),
        ({str(kind): {"K": 0.8, "Na": 0.3, "Cl": 0} for kind in range(3)}, "occupancies of a site sum to 1.1"),
        ({str(kind): {"K": 0.5, "Qq": 0.3, "Cl": 0} for kind in range(3)}, "from 0 to 1, received 'Qq 0.3'"),
        ({str(kind): {"K": -0.5, "Na": 0.3, "Cl": 0} for kind in range(3)}, "from 0 to 1, received 'K -0.5'"),
        (0.5, "expected one occupancy for each of its 8 atoms, received '0.5'"),
        ("half", "expected one occupancy for each of its 8 atoms, received 'half'"),
    ],
)
def test_occupancies_that_are_not_complete_are_refused(tmp_path, occupancy, message):
    from ase.io import write as ase_write

    atoms = mixed_salt()
    atoms.info["occupancy"] = occupancy
    ase_write(tmp_path / "a.xyz", atoms, format="extxyz")
    with pytest.raises(InvalidInputError) as caught:
        read_crystal(tmp_path / "a.xyz")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("sodium", "species"), [(0.4, "Na0.4"), (1.0, "Na"), (0.9995, "Na"), (0.998, "Na0.998")])
def test_a_column_of_occupancies(tmp_path, sodium, species):
    rows = f"Na 0 0 0 {sodium}\nCl 2 2 2 1.0\n"
    (tmp_path / "a.xyz").write_text(
        f'2\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:occupancies:R:1\n{rows}'
    )
    assert read_crystal(tmp_path / "a.xyz").species == (species, "Cl")


@pytest.mark.parametrize(("size", "named"), [(SMALLEST_MOMENT, False), (1.1 * SMALLEST_MOMENT, True)])
def test_moments_as_calculations_leave_them_are_none(tmp_path, size, named):
    texts = {
        "a.xyz": f'1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:magmoms:R:1\nFe 0 0 0 {size}\n',
        "geometry.in": "lattice_vector 4 0 0\nlattice_vector 0 4 0\nlattice_vector 0 0 4\natom 0 0 0 Fe\n"
        f"initial_moment {-size}\n",
        "a.cell": "%BLOCK lattice_abc\n4 4 4\n90 90 90\n%ENDBLOCK lattice_abc\n"
        f"%block positions_frac\nFe 0 0 0 MAGMOM: (0 0 {size})\n%endblock positions_frac\n",
        "phonopy.yaml": "unit_cell:\n  lattice:\n  - [4, 0, 0]\n  - [0, 4, 0]\n  - [0, 0, 4]\n  points:\n"
        f"  - symbol: Fe\n    coordinates: [0, 0, 0]\n    magnetic_moment: [0, {size}, 0]\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        notes = [note for note in read_crystal(tmp_path / name).notes if "magnetic" in note]
        assert notes == list(moments_left_out(["Fe1"] if named else [])), name
    assert bool(stated_moments_left_out("MAGMOM", [0.0, -size])) is named


def test_a_total_moment_has_no_sites(tmp_path):
    (tmp_path / "a.xyz").write_text('1\nLattice="4 0 0 0 4 0 0 0 4" magmom=2.0 spin=up\nFe 0 0 0\n')
    assert read_crystal(tmp_path / "a.xyz").notes == stated_moments_left_out("magmom")


def test_a_moment_of_no_atom_is_refused(tmp_path):
    (tmp_path / "geometry.in").write_text("initial_moment 2\n" + AIMS)
    with pytest.raises(InvalidInputError, match="line 1: expected an atom before its initial_moment"):
        read_crystal(tmp_path / "geometry.in")


def test_remarks_of_parsers_become_notes(tmp_path, capfd, monkeypatch):
    def read(path):
        warnings.warn("something was guessed\nin two lines", UserWarning, stacklevel=1)
        warnings.warn("for developers", DeprecationWarning, stacklevel=1)
        print("printed", "x" * 500)  # noqa: T201
        return one(quartz())

    form = Format("odd", ("*.odd",), bool, read)
    monkeypatch.setattr(otherformats, "FORMATS", (form,))
    (tmp_path / "a.odd").write_text("x")
    said = read_other(tmp_path / "a.odd").notes
    assert said[0] == "a.odd: the reader of odd remarks: something was guessed in two lines"
    assert said[1].startswith("a.odd: the reader of odd remarks: printed xxx")
    assert len(said[1]) == len("a.odd: the reader of odd remarks: ") + LONGEST
    assert len(said) == 2
    assert capfd.readouterr() == ("", "")


def test_lazy_imports():
    """A POSCAR needs no ASE, and nothing heavy is loaded before a file is read."""
    import subprocess
    import sys

    code = (
        "import sys; from orderparam.crystals.reading import read_crystal; "
        "assert not {'ase', 'pymatgen', 'ruamel', 'scipy'} & {m.split('.')[0] for m in sys.modules}; "
        f"read_crystal({str(FILES / 'POSCAR_comment')!r}); "
        "assert 'ase' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=STRUCTURES.parent)


XYZ = (FILES / "traj.xyz").read_text()
CELL = """%BLOCK LATTICE_ABC
ang
4 5 6
90 90 90
%ENDBLOCK LATTICE_ABC
%BLOCK POSITIONS_FRAC
Na 0 0 0
Cl:big 0.5 0.5 0.5 ! a remark
%ENDBLOCK POSITIONS_FRAC
KPOINT_MP_GRID : 1 1 1
"""
CSSR = """4.0 5.0 6.0
90.0 90.0 90.0 SPGR = 1 P 1 OPT = 1
2 0
0 title
1 Na1 0.0 0.0 0.0
2 Cl1 0.5 0.5 0.5
"""
XSF = "CRYSTAL\nPRIMVEC\n4 0 0\n0 5 0\n0 0 6\nPRIMCOORD\n2 1\n11 0 0 0\n17 2 2.5 3\n"
AIMS = "lattice_vector 4 0 0\nlattice_vector 0 5 0\nlattice_vector 0 0 6\natom_frac 0 0 0 Na\natom 2 2.5 3 Cl # x\n"
PHONOPY = (FILES / "phonopy.yaml").read_text()
SUPERCELL = PHONOPY.split("unit_cell:")[1]


@pytest.mark.parametrize(("name", "text"), [("a.cell", CELL), ("a.cssr", CSSR), ("a.xsf", XSF), ("geometry.in", AIMS)])
def test_small_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    crystal = read_crystal(tmp_path / name)
    assert crystal.species == ("Na", "Cl")
    assert np.allclose(crystal.lattice, np.diag([4, 5, 6]))
    assert np.allclose(crystal.positions, [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_columns_of_extended_xyz_in_any_order_and_deuterium(tmp_path):
    text = '2\nLattice="4 0 0 0 5 0 0 0 6" Properties=id:I:1:pos:R:3:species:S:1\n1 0 0 0 D\n2 2 2.5 3 Cl\n'
    (tmp_path / "a.xyz").write_text(text)
    crystal = read_crystal(tmp_path / "a.xyz")
    assert crystal.species == ("H", "Cl")
    assert np.allclose(crystal.positions, [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize(("unit", "length"), [("bohr", 0.5291772108), ("A0", 0.5291772108), ("nm", 10), ("pm", 0.01)])
def test_units_of_castep(tmp_path, unit, length):
    scaled = " ".join(f"{value / length:.9f}" for value in (4, 5, 6))
    text = CELL.replace("ang\n4 5 6", f"{unit}\n{scaled}").replace("FRAC", "ABS").replace("Na 0 0 0", "nm\nNa 0 0 0")
    (tmp_path / "a.cell").write_text(text.replace("0.5 0.5 0.5", "0.2 0.25 0.3"))
    crystal = read_crystal(tmp_path / "a.cell")
    assert np.allclose(crystal.lattice, np.diag([4, 5, 6]))
    assert np.allclose(crystal.positions, [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_phonopy_says_which_cell(tmp_path):
    path = tmp_path / "phonopy_disp.yaml"
    path.write_text(PHONOPY + "supercell:" + SUPERCELL + "force_constants:\n  elements:\n" + "  - [ 1, 2, 3 ]\n" * 10)
    assert read_crystal(path).notes == ("phonopy_disp.yaml: its unit cell is taken, not its supercell",)
    path.write_text("phonopy:\n  version: 2\nsupercell:" + SUPERCELL)
    assert read_crystal(path).notes == ("phonopy_disp.yaml: its supercell is taken",)
    path.write_text(PHONOPY + "supercell:" + SUPERCELL.replace("5.322200000, 0.0", "5.3228, 0.0"))
    assert read_crystal(path).n_sites == 8
    path.write_text(PHONOPY + "supercell:" + SUPERCELL.replace("5.322200000, 0.0", "5.3280, 0.0"))
    with pytest.raises(InvalidInputError, match="unit_cell and supercell contradict each other"):
        read_crystal(path)


def test_phonopy_may_be_in_bohr(tmp_path):
    path = tmp_path / "phonopy.yaml"
    path.write_text('physical_unit:\n  length: "au"\n' + PHONOPY)
    assert read_crystal(path).volume == pytest.approx(0.529177210903**3 * read_crystal(FILES / "phonopy.yaml").volume)


@pytest.mark.parametrize(
    ("name", "text", "old", "new", "message"),
    [
        ("a.xyz", XYZ, "8\n", "9\n", "expected the number of atoms, received 'Lattice="),
        ("a.xyz", XYZ, "8\n", "7\n", "line 10: expected the number of atoms, received 'O"),
        ("a.xyz", XYZ, "8\n", "8.0\n", "line 1: expected the number of atoms"),
        ("a.xyz", XYZ, "8\n", "0\n", "line 1: expected the number of atoms"),
        ("a.xyz", XYZ, "8\n", "999999999\n", "line 1 says 999999999 atoms, but 18 lines follow"),
        ("a.xyz", XYZ[: XYZ.rindex("O ")], "8", "8", "line 11 says 8 atoms, but 7 lines follow"),
        ("a.cell", CELL, "ang", "furlong", "received 'furlong'"),
        ("a.cell", CELL, "4 5 6", "4 5 6\n1 1 1", "lattice_abc needs 2 lines of numbers, it has 3"),
        ("a.cell", CELL, "Cl:big", "Qq", "expected chemical elements"),
        ("a.cell", CELL, "! a remark", "MIXTURE:(1 0.5)", "mixed sites (MIXTURE)"),
        ("a.cell", CELL, "POSITIONS_FRAC", "POSITIONS", "expected one block positions_frac or positions_abs, found 0"),
        ("a.cell", CELL + CELL, "x", "x", "stands there twice"),
        ("a.cssr", CSSR, "2 0\n", "3 0\n", "line 3 says 3 atoms, but 2 rows follow"),
        ("a.cssr", CSSR, "SPGR = 1 P 1", "SPGR = 225 F m -3 m", "its space group is 225"),
        ("a.cssr", CSSR, "0.5 0.5 0.5", "0.5 x 0.5", "expected 3 finite numbers"),
        ("a.xyz", XYZ, "O 0.13", "Qq 0.13", "expected chemical elements, received 'Qq 0.135452858"),
        ("a.xyz", XYZ, "O 0.13", "8 0.13", "expected chemical elements, received '8 0.135452858"),
        ("a.xyz", XYZ, "0.135452858 0.000", "nan 0.000", "not a finite number"),
        ("a.xsf", XSF, "CRYSTAL", "MOLECULE", "expected an XSF that begins with CRYSTAL, received 'MOLECULE'"),
        ("a.xsf", XSF, "2 1\n", "1 1\n", "PRIMCOORD says 1 atoms, but 2 rows follow"),
        ("a.xsf", XSF, "2 1\n", "3 1\n", "PRIMCOORD says 3 atoms, but 2 rows follow"),
        ("geometry.in", AIMS, "lattice_vector 0 0 6\n", "", "expected 3 lines lattice_vector and atoms, found 2 and 2"),
        ("geometry.in", AIMS, " Na", "", "line 4: expected a chemical element, received ''"),
        ("geometry.in", AIMS, "0 0 6", "0 5 0", "the cell has no volume"),
        ("phonopy.yaml", PHONOPY, "symbol: Ni", "symbol: Qq", "expected chemical elements, received 'Qq'"),
        ("phonopy.yaml", PHONOPY, "[ 0.000000000, 0.500000000, 0.5", "[ 0.0, .nan, 0.5", "unit_cell, point 1"),
        ("phonopy.yaml", PHONOPY, "unit_cell:", "cell:", "it holds no unit_cell, supercell, primitive_cell"),
        ("phonopy.yaml", 'physical_unit:\n  length: "ell"\n' + PHONOPY, "x", "x", "its unit of length is 'ell'"),
        ("a.json", "{}", "x", "x", "expected a structure of pymatgen"),
        ("a.json", "[]", "x", "x", "a.json: it holds no structure"),
        ("a.json", '{"ids": [], "nextid": 1}', "x", "x", "a.json: it holds no structure"),
        ("a.xyz", "\n\n", "x", "x", "a.xyz: it holds no structure"),
        ("a.json", "{" * 5000, "x", "x", "not a file of pymatgen JSON that can be read"),
        ("a.traj", "- of UlmASE-Trajectory", "x", "x", "not a file of ASE trajectory"),
        ("a.db", "SQLite format 3\x00rubbish", "x", "x", "not a file of ASE database"),
        ("vasprun.xml", "<modeling><x></modeling>", "x", "x", "not a file of vasprun.xml that can be read"),
    ],
)  # fmt: skip
def test_what_a_file_states_is_checked(tmp_path, name, text, old, new, message):
    (tmp_path / name).write_text(text.replace(old, new, 1))
    with pytest.raises(InvalidInputError) as caught:
        read_crystal(tmp_path / name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_volumes_of_pymatgen_are_checked(tmp_path):
    data = manganite().to_pymatgen().as_dict()
    for factor, fits in ((1.0009, True), (1.0011, False)):
        data["lattice"]["volume"] = factor * manganite().volume
        (tmp_path / "a.json").write_text(json.dumps(data))
        if fits:
            assert_same(manganite(), read_crystal(tmp_path / "a.json"))
        else:
            with pytest.raises(InvalidInputError, match="its lattice states the volume"):
                read_crystal(tmp_path / "a.json")


def test_lists_and_entries_of_pymatgen(tmp_path):
    one_dict, two_dict = (crystal.to_pymatgen().as_dict() for crystal in (manganite(), quartz()))
    (tmp_path / "a.json").write_text(json.dumps([one_dict, two_dict]))
    assert read_crystal(tmp_path / "a.json", frame=1).formula == manganite().formula
    assert read_crystal(tmp_path / "a.json").formula == quartz().formula
    (tmp_path / "a.json").write_text(json.dumps({"@class": "ComputedStructureEntry", "structure": one_dict}))
    assert_same(manganite(), read_crystal(tmp_path / "a.json"))


def test_other_databases_are_not_written_to(tmp_path):
    import sqlite3

    database = sqlite3.connect(tmp_path / "mine.db")
    database.execute("create table notes (text)")
    database.commit()
    database.close()
    before = (tmp_path / "mine.db").read_bytes()
    with pytest.raises(InvalidInputError, match="a database, but none of ASE"):
        read_crystal(tmp_path / "mine.db")
    assert (tmp_path / "mine.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mine.db"]


@pytest.mark.parametrize("name", ["vasprun_pstress.xml", "vasprun_dfpt.xml"])
def test_vasprun(tmp_path, name):
    """Of VASP's own files, which ASE ships with its tests, ASE reads the same."""
    import ase
    from ase.io import read as ase_read

    path = Path(ase.__file__).parent / "test/testdata/vasp" / name
    if not path.exists():
        pytest.skip("this ASE has no test data")
    theirs = ase_read(path, format="vasp-xml")
    expected = Crystal(theirs.cell.array, theirs.get_scaled_positions(), tuple(theirs.get_chemical_symbols()))
    assert_same(expected, read_crystal(path), 1e-6)
    text = path.read_text()
    for old, message in (("<atoms>", "atoms and holds"), ('<i name="volume">', "no volume that it states")):
        (tmp_path / "vasprun.xml").write_text(re.sub(rf"{old}\s*", f"{old}1", text))
        with pytest.raises(InvalidInputError, match=message):
            read_crystal(tmp_path / "vasprun.xml")


def test_other_formats_of_pymatgen_say_so(tmp_path):
    manganite().to_pymatgen().to(filename=str(tmp_path / "a.yaml"), fmt="yaml")
    crystal = read_crystal(tmp_path / "a.yaml")
    assert_same(manganite(), crystal)
    assert "read by pymatgen as yaml" in crystal.notes[0]
