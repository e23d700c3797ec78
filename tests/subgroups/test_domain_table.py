"""The table of domains: short, and every line says what no other says."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.formats.childcell import rotation_symbol
from orderparam.parent import symmetrise
from orderparam.records import domains_record
from orderparam.report.directiontext import ALIKE, SHORT, directions_of
from orderparam.report.domains import MANY_DOMAINS, domains_report
from orderparam.spacegroup import hall_entries, hall_operations
from orderparam.subgroups import find_domains

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = {p["name"]: p for p in json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())}
NAMES = ["SrTiO3_140", "LaMnO3_62", "Ca3Ti2O7_36", "In_139", "YMnO3_185", "BaTiO3_99", "SiO2_154", "ZrO2_137"]


def analysed(name):
    pair = PAIRS[name]
    parent = symmetrise(read_crystal(STRUCTURES / pair["parent"]), origin=pair.get("origin"))
    return analyse(parent, read_crystal(STRUCTURES / pair["child"]))


def printed(analysis, domains):
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(domains_report(domains, [m.label for m in analysis.primary_members if not m.is_strain]))
    return console.file.getvalue()


def lines_of(text):
    """Return the line of every domain, its number taken away."""
    return [line.split(maxsplit=1)[1].rstrip() for line in text.splitlines() if re.match(r" *\d+ .*[xyz].*,", line)]


@pytest.mark.parametrize("name", NAMES)
def test_one_line_per_domain_that_no_other_domain_has(name):
    """Without the operation lines still differ: order parameters and strain shown tell the states apart."""
    analysis = analysed(name)
    domains = find_domains(analysis)
    text = printed(analysis, domains)
    assert max(map(len, text.splitlines())) <= 80
    lines = lines_of(text)
    assert len(lines) == min(len(domains), MANY_DOMAINS)
    states = set()
    for domain, line in zip(domains, lines, strict=False):
        assert domain.operation in line.split()
        states.add(line.split(domain.operation, 1)[1].strip())
    assert len(states) == len(lines)


@pytest.mark.parametrize("name", NAMES)
def test_orientations_times_translations(name):
    """All domains of one orientation stand together and have one rotation part; every orientation has equally many."""
    analysis = analysed(name)
    domains = find_domains(analysis)
    turns = [domain.turn for domain in domains]
    changes = [turn for i, turn in enumerate(turns) if i == 0 or turn != turns[i - 1]]
    assert len(changes) == len(set(changes))
    counts = {turns.count(turn) for turn in changes}
    assert counts == {len(domains) // len(changes)}
    group = analysis.relation.distortion.group
    own = {group.supercell.parent.group.rotations[i].tobytes() for i in group.pairs[:, 0]}
    assert len(changes) == group.supercell.parent.group.order // len(own)
    assert all((domain.turn == "1") == (domain.kind in {"identity", "antiphase"}) for domain in domains)
    assert all((domain.turn == "-1") == (domain.kind == "inversion twin") for domain in domains)


def test_lamno3():
    analysis = analysed("LaMnO3_62")
    domains = find_domains(analysis)
    text = printed(analysis, domains)
    assert text.startswith("24 domains: 6 orientations x 4 translations (antiphase domains)\n")
    assert len(text.splitlines()) < 45  # it was 77
    first = lines_of(text)[0].split()
    assert first == ["1", "x,y,z", "(0,a,-a)", "(a,0,0)", "e1"]
    assert "Ap in angstrom: R4+ a = 0.4" in text
    assert re.search(r"X5\+, M2\+, R5\+ follow: --json FILE has the components", text)
    assert len(re.findall(r"(?m)^ e\d ", text)) == 6
    record = domains_record(analysis, domains)
    assert set(record["domains"][0]["order_parameters"]) == {"R4+", "M3+", "X5+", "M2+", "R5+"}
    assert record["domains"][4]["rotation"] == "4+ [001]"


def test_strain_of_every_state():
    """In indium strain alone breaks the symmetry."""
    domains = find_domains(analysis := analysed("In_139"))
    text = printed(analysis, domains)
    assert text.startswith("3 domains: 3 orientations, no antiphase domains\n")
    for number, domain in enumerate(domains, start=1):
        found = re.search(rf"(?m)^ e{number} (.*)$", text)
        values = [float(v) / 100 for v in found.group(1).split()]
        s = domain.strain
        np.testing.assert_allclose(values, [s[0, 0], s[1, 1], s[2, 2], s[1, 2], s[0, 2], s[0, 1]], atol=5.1e-6)


def test_a_child_without_broken_symmetry_is_one_domain():
    cubic = read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif")
    analysis = analyse(symmetrise(cubic), cubic)
    assert printed(analysis, find_domains(analysis)).startswith("1 domain: no symmetry is broken\n")


# --- directions as text ----------------------------------------------------------------------------------------------


def test_letters_where_sizes_recur_and_numbers_where_they_do_not():
    a = np.array([[0.3, 0.0, -0.3]])
    found = directions_of([a, -a, a[:, ::-1]])
    assert found.texts == ("(a,0,-a)", "(-a,0,a)", "(-a,0,a)")
    assert found.legend == "a = 0.300"
    turn = np.array([[-0.5, np.sqrt(0.75)], [-np.sqrt(0.75), -0.5]])
    e = np.array([[0.4, 0.0]])
    found = directions_of([e, e @ turn.T, e @ turn])
    assert found.texts == ("(0.40,0)", "(-0.20,-0.35)", "(-0.20,0.35)")
    assert found.legend == ""


def test_copies_that_point_the_same_way_are_left_out():
    assert directions_of([np.array([[0.1, -0.1], [0.2, -0.2]])]).texts == ("(a,-a)",)
    assert directions_of([np.array([[0.1, 0.0], [0.0, 0.2]])]).texts == ("(0,a|b,0)",)


@pytest.mark.parametrize(("gap", "letters"), [(0.5 * ALIKE, "(a,a)"), (2 * ALIKE, "(a,b)")])
def test_sizes_within_the_tolerance_are_one_letter(gap, letters):
    assert directions_of([np.array([[0.2, 0.2 + gap]])]).texts == (letters,)


@pytest.mark.parametrize(("n", "text"), [(SHORT, "(0,0,0,0,a,-b)"), (SHORT + 1, "6:a 7:-b")])
def test_zeros_of_long_vectors_are_left_out(n, text):
    found = directions_of([np.array([[0.0] * (n - 2) + [0.1, -0.2]])])
    assert found.texts == (text,)
    assert found.long == (n > SHORT)


# --- names of rotations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        # International Tables A, coordinates of P4/mmm and Pm-3m
        ("-y,x,z", "4+ [001]"), ("y,-x,z", "4- [001]"), ("-x,y,-z", "2 [010]"), ("y,x,-z", "2 [110]"),
        ("-y,-x,-z", "2 [1-10]"), ("y,-x,-z", "-4+ [001]"), ("x,-y,z", "m [010]"), ("-y,-x,z", "m [110]"),
        ("z,x,y", "3+ [111]"), ("y,z,x", "3- [111]"), ("z,-x,-y", "3+ [-11-1]"), ("x,z,-y", "4- [100]"),
        ("z,y,-x", "4+ [010]"), ("-z,-x,-y", "-3+ [111]"), ("x,y,z", "1"), ("-x,-y,-z", "-1"),
        # hexagonal axes: P6/mmm
        ("x-y,x,z", "6+ [001]"), ("-y,x-y,z", "3+ [001]"), ("x-y,-y,-z", "2 [100]"), ("x,x-y,-z", "2 [210]"),
        ("-x,-x+y,z", "m [210]"), ("-x+y,y,z", "m [100]"),
    ],
)  # fmt: skip
def test_rotations_are_named_as_in_international_tables(rows, name):
    from pymatgen.core import SymmOp

    found = rotation_symbol(SymmOp.from_xyz_str(rows).rotation_matrix.round().astype(int))
    if name == "3+ [-11-1]":  # one axis has two directions; ITA writes 3+ -11-1 where this is 3- 1-11
        assert found in {name, "3- [1-11]"}
    else:
        assert found == name


@pytest.mark.parametrize("number", [15, 139, 167, 191, 225])
def test_names_say_order_axis_and_sense(number):
    rotations = np.unique(hall_operations(hall_entries(number)[0])[0], axis=0)
    names = [rotation_symbol(W) for W in rotations]
    assert len(set(names)) == len(names)
    for W, name in zip(rotations, names, strict=True):
        head = name.split()[0]
        order = 2 if head == "m" else int(re.sub(r"[+-]", "", head))
        improper = head == "m" or head.startswith("-")
        P = -W if improper else W
        assert np.array_equal(np.linalg.matrix_power(P, order), np.eye(3))
        inverse = rotation_symbol(np.rint(np.linalg.inv(W)).astype(int))
        assert inverse.split()[1:] == name.split()[1:]
        if order > 2:
            assert {inverse.split()[0][-1], head[-1]} == {"+", "-"}
