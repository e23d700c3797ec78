"""SHELX: the whole crystal from the asymmetric unit, in any space group; free variables, mixtures, what is refused."""

import re

import numpy as np
import pytest
import spglib

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.quiet import quiet
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.shelx import FULL, SAME_PLACE
from orderparam.errors import InvalidInputError
from tests.crystals.samples import STRUCTURES, quartz, write

LATT = {"P": 1, "I": 2, "R": 3, "F": 4, "A": 5, "C": 7}


def shelx_text(crystal: Crystal) -> tuple[str, Crystal]:
    """Return a .res of the asymmetric unit by spglib's operations, and the conventional cell that it means."""
    kinds = sorted(set(crystal.species))
    numbers = [kinds.index(kind) + 1 for kind in crystal.species]
    with quiet():  # spglib 2.7 and later warn of their old handling of errors
        lattice, positions, numbers = spglib.standardize_cell(
            (crystal.lattice, crystal.positions, numbers), symprec=1e-3
        )
        data = spglib.get_symmetry_dataset((lattice, positions, numbers), symprec=1e-3)
    operations = list(zip(data.rotations, np.rint(24 * data.translations).astype(int) % 24, strict=True))
    centring = [tuple(t) for w, t in operations if (w == np.eye(3, dtype=int)).all()]
    centric = any((w == -np.eye(3, dtype=int)).all() and not t.any() for w, t in operations)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    seen: set[tuple[int, ...]] = set()
    for w, t in sorted(operations, key=lambda o: not (o[0] == np.eye(3)).all()):
        if (*w.ravel(), *t) in seen:
            continue
        kept.append((w, t))
        for sign in (1, -1) if centric else (1,):
            seen |= {(*(sign * w).ravel(), *((sign * t + c) % 24)) for c in np.array(centring)}
    a, b, c = np.linalg.norm(lattice, axis=1)
    angles = [
        np.degrees(np.arccos(lattice[i] @ lattice[j] / np.linalg.norm(lattice[i]) / np.linalg.norm(lattice[j])))
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    sign = 1 if centric else -1
    lines = [
        "TITL made for a test",
        f"CELL 0.71073 {a:.8f} {b:.8f} {c:.8f} " + " ".join(f"{angle:.8f}" for angle in angles),
        "ZERR 4 0 0 0 0 0 0",
        f"LATT {sign * LATT[data.international[0]]}",
        *("SYMM " + ", ".join(_row(row, shift) for row, shift in zip(w, t, strict=True)) for w, t in kept[1:]),
        "SFAC " + " ".join(kinds),
        "UNIT " + " ".join(str(list(numbers).count(i + 1)) for i in range(len(kinds))),
        "FVAR 1.0",
    ]
    for site in sorted(set(data.equivalent_atoms.tolist())):
        share = (data.equivalent_atoms == site).sum() / len(operations)
        x, y, z = positions[site]
        lines.append(
            f"{kinds[numbers[site] - 1]}{site} {numbers[site]} {x:.7f} {y:.7f} {z:.7f} "
            f"{10 + share:.6f} 0.0033 =\n   0.0033"
        )
    species = tuple(kinds[number - 1] for number in numbers)
    return "\n".join([*lines, "HKLF 4", "END", "Q1 1 0.38 0.38 0.38 11 0.05", ""]), Crystal(lattice, positions, species)


def _row(row: np.ndarray, shift: int) -> str:
    terms = "".join(("+" if value > 0 else "-") + axis for value, axis in zip(row, "XYZ", strict=True) if value)
    return terms + (f"+{shift}/24" if shift else "")


def assert_same_places(one: Crystal, two: Crystal, tolerance: float = 1e-4) -> None:
    """Compare two crystals in any order of atoms."""
    assert one.n_sites == two.n_sites
    steps = one.positions[:, None] - two.positions[None]
    distances = np.linalg.norm((steps - np.rint(steps)) @ two.lattice, axis=2)
    partner = distances.argmin(axis=1)
    assert distances.min(axis=1).max() < tolerance
    assert tuple(two.species[index] for index in partner) == one.species


@pytest.mark.parametrize("file", sorted(STRUCTURES.glob("*/*.cif"))[::4], ids=lambda path: path.stem)
def test_every_space_group(tmp_path, file):
    crystal = read_crystal(file)
    text, expected = shelx_text(crystal)
    if any(len(kind) > 2 for kind in crystal.species):
        pytest.skip("mixed sites")
    (tmp_path / "a.res").write_text(text)
    found = read_crystal(tmp_path / "a.res")
    assert_same_places(found, expected)
    assert found.notes == ()


def test_what_ase_makes_of_it(tmp_path):
    """The reason for a reader of its own: the asymmetric unit is not the crystal."""
    from ase.io import read as ase_read

    text, expected = shelx_text(read_crystal(STRUCTURES / "fluorite/ZrO2_225.cif"))
    (tmp_path / "a.res").write_text(re.sub(r"(?m)^(Zr|O)\d", r"\1", text.split("HKLF")[0].replace(" =\n   0.0033", "")))
    assert len(ase_read(tmp_path / "a.res")) < expected.n_sites == 12
    assert read_crystal(tmp_path / "a.res").n_sites == 12


FLUORITE, _ = shelx_text(read_crystal(STRUCTURES / "fluorite/ZrO2_225.cif"))
FIRST = next(line for line in FLUORITE.split("\n") if line.startswith("SYMM"))
P1 = """TITL small
CELL 0.71 4 5 6 90 90 90
LATT -1
SFAC Na Cl Br
UNIT 1 1 0
FVAR 1.0 0.25 0.4
Na1 1 10.0 0 0 11.0 0.02
Cl1 2 0.5 0.5 0.5 11.0 0.02
"""


@pytest.fixture
def read(tmp_path):
    def _read(text):
        (tmp_path / "a.ins").write_text(text)
        return read_crystal(tmp_path / "a.ins")

    return _read


def test_free_variables(read):
    """p; 10 + p fixed; 10 m + p times fv(m); -(10 m + p) times fv(m) - 1."""
    row = "Cl1 2 0.5 0.5 0.5 11.0"
    crystal = read(P1.replace(row, "Cl1 2 10.3 21.0 -31.0 11.0"))
    assert crystal.positions[1] == pytest.approx([0.3, 0.25, 0.6])
    mixed = read(P1.replace(row, "Cl1 2 0.5 0.5 0.5 31.0\nBr1 3 0.5 0.5 0.5 -31.0"))
    assert mixed.species == ("Na", "Br0.6Cl0.4")
    assert "UNIT and the atoms give different contents" in mixed.notes[0]
    half = read(P1.replace(row, "Cl1 2 0.5 0.5 0.5 10.5"))
    assert half.species == ("Na", "Cl0.5")


def test_sites_that_are_nearly_full_or_nearly_one(read):
    row = "Cl1 2 0.5 0.5 0.5 11.0"
    assert read(P1.replace(row, f"Cl1 2 0.5 0.5 0.5 {10 + 1 - 0.9 * FULL:.4f}")).species[1] == "Cl"
    assert read(P1.replace(row, f"Cl1 2 0.5 0.5 0.5 {10 + 1 - 1.1 * FULL:.4f}")).species[1] != "Cl"
    for factor, n in ((0.45, 2), (0.55, 3)):  # two images by the inversion, one place if nearer than SAME_PLACE
        x = 0.5 + factor * SAME_PLACE / 4
        text = P1.replace("LATT -1", "LATT 1").replace("Na1 1 10.0 0 0 11.0", "Na1 1 0 0 0 10.5")
        text = text.replace(row, f"Cl1 2 {x:.6f} 0.5 0.5 10.5")
        if n == 2:
            assert read(text).n_sites == 2
        else:
            with pytest.raises(InvalidInputError, match="two atoms stand on one place"):
                read(text)


def test_peaks_and_other_lines_are_no_atoms(read):
    crystal = read(
        P1
        + "PART 1\nDFIX 1.5 0.02 Na1 Cl1\nWGHT 0.1 0.2\nREM a remark 1 2 3 4\n a comment\n"
        + "Q1 1 0.1 0.1 0.1 11 0.05\nEND\n"
    )
    assert crystal.n_sites == 2
    assert crystal.notes == ("a.ins: 1 peaks of electron density (Q) are no atoms",)
    assert crystal.labels == ("Na1", "Cl1")


def test_titles_of_airss_are_checked(read):
    title = "TITL run-1 0.0 120.0 -10.5 0.0 0.0 2 (P1) n - 1"
    assert read(P1.replace("TITL small", title)).n_sites == 2
    for wrong in (title.replace("120.0", "120.3"), title.replace(" 2 (", " 3 (")):
        with pytest.raises(InvalidInputError, match="its title says"):
            read(P1.replace("TITL small", wrong))
    assert read(P1.replace("TITL small", title.replace("120.0", "120.2"))).n_sites == 2


def test_what_ase_writes(tmp_path):
    assert read_crystal(write(quartz(), tmp_path / "a.res")).species == quartz().species


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (P1, "LATT -1\n", "", "LATT missing"),
        (P1, "CELL 0.71 4 5 6 90 90 90\n", "", "CELL missing"),
        (P1, "CELL 0.71 4 5 6 90 90 90", "CELL 0.71 4 5 6 90 90", "CELL: expected 7 finite numbers"),
        (P1, "90 90 90", "90 90 190", "no cell has these lengths and angles"),
        (P1, "90 90 90", "30 30 90", "no cell has these lengths and angles"),
        (P1, "LATT -1", "LATT 8", "expected LATT from 1 to 7"),
        (P1, "SFAC Na Cl Br", "SFAC Na Qq", "expected chemical elements behind SFAC"),
        (P1, "Cl1 2", "Cl1 4", "expected an instruction of SHELX, or an atom"),
        (P1, "Cl1 2 0.5", "Cl1 2 x", "expected an instruction of SHELX, or an atom"),
        (P1, "Cl1 2 0.5", "Cl1 2 45.5", "free variables up to 3"),
        (P1, "UNIT", "MOVE 1 1 1 -1\nUNIT", "no MOVE"),
        (P1, "UNIT", "+other.ins\nUNIT", "no other files"),
        (P1, "0.5 0.5 0.5 11.0", "0.5 0.5 0.5 12.0", "has the occupancy 2"),
        (P1, "0.5 0.5 0.5 11.0", "0.5 0.5 0.5 10.0", "has the occupancy 0"),
        (P1, "UNIT", "SYMM -X, -Y, Z+1/3\nUNIT", "form no group"),
        (P1, "UNIT", "SYMM -X, -Y\nUNIT", "such as -X, 0.5+Y, -Z"),
        (P1, "UNIT", "SYMM 2X, Y, Z\nUNIT", "an operation"),
        (P1, "UNIT", "SYMM X+Y, Y, Z\nUNIT", "an operation of a space group"),
        (P1, "UNIT", "SYMM -X, -Y, Z, -1\nUNIT", "an operation of a space group"),
        (P1, "UNIT", "SYMM X, X, Z\nUNIT", "an operation of a space group"),
        (P1, "UNIT", "SYMM X, Y, Z+0.26\nUNIT", "an operation of a space group"),
        (P1, "LATT -1", "LATT 1", "has the occupancy 2"),
        (FLUORITE, FIRST, "", "form no group"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(read, text, old, new, message):
    assert old in text
    with pytest.raises(InvalidInputError) as caught:
        read(text.replace(old, new, 1))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
