"""Input of pw.x: every Bravais index has its volume and symmetry, every unit is the same crystal."""

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.espresso import BOHR, CENTRINGS, bravais_cell
from orderparam.crystals.moments import stated_moments_left_out
from orderparam.crystals.reading import read_crystal
from orderparam.errors import InvalidInputError
from orderparam.spacegroup import report_symmetry
from tests.crystals.samples import FILES, assert_same, espresso_text, manganite, to_ase

LENGTHS, COSINES = (4.0, 5.0, 6.5), (0.1, -0.2, 0.15)
CUBIC_AND_UNIAXIAL = {1: 221, 2: 225, 3: 229, -3: 229, 4: 191, 5: 166, -5: 166, 6: 123, 7: 139}
GROUPS = CUBIC_AND_UNIAXIAL | {8: 47, 9: 65, -9: 65, 91: 65, 10: 69, 11: 71, 12: 10, -12: 10, 13: 12, -13: 12, 14: 2}
SHARES = {2: 4, 3: 2, -3: 2, 7: 2, 9: 2, -9: 2, 91: 2, 10: 4, 11: 2, 13: 2, -13: 2}


@pytest.mark.parametrize("ibrav", sorted(GROUPS))
def test_the_lattice_has_its_bravais_type(ibrav):
    """One atom per cell: spglib's group is the holohedry, the basis is right-handed, the volume that of the manual."""
    cell = bravais_cell(ibrav, LENGTHS, COSINES, "x")
    assert report_symmetry(Crystal(cell, np.zeros((1, 3)), ("Cu",)), 1e-5).number == GROUPS[ibrav]
    assert np.linalg.det(cell) > 0
    lengths = {1: (4, 4, 4), 2: (4, 4, 4), 3: (4, 4, 4), 4: (4, 4, 6.5), 5: (4, 4, 4), 6: (4, 4, 6.5), 7: (4, 4, 6.5)}
    a, b, c = lengths.get(abs(ibrav), LENGTHS)
    c_unique, b_unique, equal = (0, 0, COSINES[2]), (0, COSINES[1], 0), (COSINES[2],) * 3
    angles = {
        4: (0, 0, -0.5),
        5: equal,
        -5: equal,
        12: c_unique,
        13: c_unique,
        -12: b_unique,
        -13: b_unique,
        14: COSINES,
    }
    alpha, beta, gamma = angles.get(ibrav, (0, 0, 0))
    metric = 1 + 2 * alpha * beta * gamma - alpha**2 - beta**2 - gamma**2
    assert np.linalg.det(cell) == pytest.approx(a * b * c * np.sqrt(metric) / SHARES.get(ibrav, 1))
    if SHARES.get(ibrav, 1) == 1 and ibrav not in (5, -5):
        assert np.linalg.norm(cell, axis=1) == pytest.approx((a, b, c))


def test_every_index_is_tested():
    assert set(GROUPS) == {*CENTRINGS, 5, -5}


def test_rhombohedral_vectors_have_their_angle():
    for ibrav in (5, -5):
        cell = bravais_cell(ibrav, LENGTHS, (0, 0, 0.3), "x")
        assert cell @ cell.T == pytest.approx(16 * (0.3 + 0.7 * np.eye(3)))


@pytest.mark.parametrize("style", ["celldm", "names"])
@pytest.mark.parametrize(
    ("ibrav", "cosines"), [(14, (0.1, -0.2, 0.15)), (-12, (0, -0.2, 0)), (12, (0, 0, 0.15)), (8, (0, 0, 0))]
)
def test_celldm_and_names_say_the_same(tmp_path, ibrav, cosines, style):
    """celldm(4) is cos(alpha) for ibrav = 14 and cos(gamma) otherwise (INPUT_PW)."""
    a, b, c = LENGTHS
    alpha, beta, gamma = cosines
    if style == "names":
        said = f"A={a}, B={b}, C={c}, cosAB={gamma}, cosAC={beta}, cosBC={alpha}"
    else:
        order = (alpha, beta, gamma) if ibrav == 14 else (gamma, beta, 0)
        said = f"celldm(1)={a / BOHR:.12f}, celldm(2)={b / a}, celldm(3)={c / a}, " + ", ".join(
            f"celldm({index})={value}" for index, value in enumerate(order, start=4)
        )
    path = tmp_path / "a.in"
    path.write_text(f"&system ibrav={ibrav}, nat=1, ntyp=1, {said} /\nATOMIC_POSITIONS crystal\nCu 0 0 0\n")
    crystal = read_crystal(path)
    lengths = np.linalg.norm(crystal.lattice, axis=1)
    assert lengths == pytest.approx(LENGTHS)
    found = (crystal.lattice @ crystal.lattice.T / np.outer(lengths, lengths))[[1, 0, 0], [2, 2, 1]]
    assert found == pytest.approx(cosines, abs=1e-12)


def _text(cell, positions, *, system="", units=("angstrom", "crystal")):
    text = espresso_text(manganite()).split("CELL_PARAMETERS")[0].replace("ibrav=0,", f"ibrav=0, {system}")
    rows = "\n".join(" ".join(f"{value:.13f}" for value in row) for row in cell)
    atoms = "\n".join(
        f"{kind} " + " ".join(f"{value:.13f}" for value in row)
        for kind, row in zip(manganite().species, positions, strict=True)
    )
    return f"{text}CELL_PARAMETERS {units[0]}\n{rows}\nATOMIC_POSITIONS {units[1]}\n{atoms}\nK_POINTS gamma\n"


@pytest.mark.parametrize("units", [("angstrom", "crystal"), ("(bohr)", "{crystal}"), ("angstrom", "angstrom"),
                                   ("bohr", "bohr"), ("alat", "alat"), ("{alat}", ""), ("", "(alat)")])  # fmt: skip
def test_units(tmp_path, units):
    crystal = manganite()
    cell, cartesian, system = crystal.lattice, crystal.positions_cart, ""
    if "bohr" in units[0]:
        cell, cartesian = cell / BOHR, cartesian / BOHR
    elif units[0] in {"alat", "{alat}", ""}:
        cell, cartesian, system = cell / 5.0, cartesian / 5.0, f"celldm(1) = {5 / BOHR:.14f},"
    positions = crystal.positions if "crystal" in units[1] else cartesian
    (tmp_path / "a.in").write_text(_text(cell, positions, system=system, units=units))
    assert_same(crystal, read_crystal(tmp_path / "a.in"), 1e-8)


def test_ase_agrees(tmp_path):
    from ase.io import read as ase_read
    from ase.io import write as ase_write

    crystal = manganite()
    ase_write(
        tmp_path / "a.pwi", to_ase(crystal), format="espresso-in",
        pseudopotentials={kind: f"{kind}.upf" for kind in set(crystal.species)},
    )  # fmt: skip
    theirs = ase_read(tmp_path / "a.pwi")
    ours = read_crystal(tmp_path / "a.pwi")
    assert_same(Crystal(theirs.cell.array, theirs.get_scaled_positions(), tuple(theirs.get_chemical_symbols())), ours)
    assert_same(crystal, ours)


QE = (FILES / "qe.in").read_text()


def test_what_files_look_like(tmp_path):
    """Comments, double quotes, expressions, labels, force multipliers, units of every spelling."""
    text = (
        QE.replace("calculation='scf'", 'calculation = "scf" ! with / a slash')
        .replace("Na 0.500000000 0.000000000 0.500000000", "Na 1/2 0 1/2 0 0 0")
        .replace("0.500000000 0.500000000 0.000000000", "1/2 2*(1/4) (1/2)^1*0 ! half")
        .replace("Ni 0.0", "Ni1 0.0")
        .replace("K_POINTS gamma", "K_POINTS{automatic}\n4 4 4 0 0 0")
        .replace("CELL_PARAMETERS", "! a remark\nCELL_PARAMETERS")
    )
    (tmp_path / "pw").write_text(text)
    assert_same(read_crystal(FILES / "qe.in"), read_crystal(tmp_path / "pw"), 1e-8)


@pytest.mark.parametrize(
    "system",
    ["&system ibrav=8 nat=1 ntyp=1 celldm(1)=10. celldm(2) = 1.5, 2d0 /",
     "&SYSTEM\n IBRAV = 8 nat=1,\n celldm=10 1.5 2.0,\n&end",
     "&control\n title = 'a / b ! c', /\n&system ibrav=8,nat=1,celldm(1)=10.0,celldm(2)=1.5,celldm(3)=2/"],
)  # fmt: skip
def test_namelists_as_fortran_reads_them(tmp_path, system):
    (tmp_path / "a.in").write_text(f"{system}\nATOMIC_POSITIONS crystal\nCu 0 0 0\n")
    assert np.allclose(read_crystal(tmp_path / "a.in").lattice, np.diag([10, 15, 20]) * BOHR)


def test_moments_are_named(tmp_path):
    (tmp_path / "a.in").write_text(QE.replace("nat=8", "nat=8, starting_magnetization(2)=0.5"))
    assert read_crystal(tmp_path / "a.in").notes == stated_moments_left_out("starting_magnetization")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nat=8", "nat=7", "nat says 7 atoms, ATOMIC_POSITIONS holds 8"),
        ("nat=8", "nat=9", "nat says 9 atoms, ATOMIC_POSITIONS holds 8"),
        ("nat=8,", "", "expected nat = a whole number"),
        ("ibrav=0,", "", "expected ibrav = a whole number"),
        ("ibrav=0", "ibrav=2", "ibrav = 2 needs celldm(1) or A"),
        ("ibrav=0", "ibrav=77, A=4", "there is no ibrav = 77"),
        ("ibrav=0", "ibrav=8, A=4", "ibrav = 8 needs the lengths a, b, c"),
        ("ibrav=0", "ibrav=5, A=4, cosAB=-0.5", "its cosine is above -1/2"),
        ("ibrav=0", "ibrav=14, A=4, B=4, C=4, cosAB=1.0", "between -1 and 1"),
        ("ibrav=0", "ibrav=14, A=4, B=4, C=4, cosAB=0.9, cosAC=-0.9, cosBC=0.9", "no cell has these angles"),
        ("ibrav=0", "ibrav=0, A=4", "beside celldm(1) or A, which pw.x refuses"),
        ("angstrom", "furlong", "received 'furlong'"),
        ("angstrom", "alat", "or alat with celldm(1) or A"),
        ("crystal", "crystal_sg", "received 'crystal_sg'"),
        ("CELL_PARAMETERS", "CELL", "ibrav = 0 needs CELL_PARAMETERS"),
        ("K_POINTS", "ATOMIC_POSITIONS", "stands there 2 times"),
        ("Na 0.5", "Qq 0.5", "expected chemical elements, received 'Qq'"),
        ("Na 0.500000000", "Na 1/2/2", "expected a coordinate, received '1/2/2'"),
        ("Na 0.5", "Na 1-0.5", "expected a coordinate"),
        ("Na 0.5", "Na 1/0", "a coordinate '1/0"),
        ("Na 0.5", "Na nan", "expected a coordinate"),
        ("&system", "&nothing", "it has no &system"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path, old, new, message):
    assert old in QE
    (tmp_path / "a.in").write_text(QE.replace(old, new, 1))
    with pytest.raises(InvalidInputError) as caught:
        read_crystal(tmp_path / "a.in")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
