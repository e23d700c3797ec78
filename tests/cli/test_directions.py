"""`orderparam directions` and `irreps`: tables, JSON contracts, structures, bad input."""

import io
import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from rich.console import Console

from orderparam.crystals.reading import read_crystal
from orderparam.crystals.settings import find_group
from orderparam.parent import symmetrise
from orderparam.records import solutions_record
from orderparam.records.directions import carriers_with_strain
from orderparam.report.directions import solutions_report
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.inverse import leads_to
from orderparam.symmetry.parentirreps import named_irrep
from orderparam.symmetry.strains import strain_labels


def valid(text: str, name: str) -> dict:
    record = json.loads(text)
    jsonschema.validate(record, json.loads((files("orderparam") / f"data/schemas/{name}.json").read_text()))
    return record


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_directions_json(program, lamno3):
    record = valid(program("directions", lamno3[0], "--irrep", "R4+", "--json", "-").out, "directions")
    assert [d["code"] for d in record["directions"]] == ["P1", "P2", "P3", "C1", "C2", "S1"]
    first = record["directions"][0]
    assert first["space_group"] == {"number": 140, "symbol": "I4/mcm"}
    assert (first["index"], first["domains"], first["size"], first["maximal"]) == (6, 6, 2, True)
    assert first["k_active"] == [[0.5, 0.5, 0.5]]
    assert first["species"] == ["O1"]
    volume = abs(np.linalg.det(first["basis"]))
    assert volume == pytest.approx(4)  # conventional cell of a centred group of twice the primitive cell


def test_every_special_point_of_a_group(program):
    found = program("directions", "198")
    assert found.code == 0
    assert "GM2GM3" in found.out
    assert max(map(len, found.out.splitlines())) <= 80


def test_one_point(program):
    record = valid(program("directions", "221", "--k", "M", "--json", "-").out, "directions")
    assert record["irreps"] == [f"M{i}{s}" for s in "+-" for i in range(1, 6)]
    arms = {tuple(k) for d in record["directions"] for k in d["k_active"]}
    assert len(arms) == 3


def test_structures_of_one_orbit(program, lamno3, tmp_path):
    """Only the site that is named moves; the groups stay those of the table."""
    arguments = ("--irrep", "X5+", "--write", tmp_path, "--orbit", "La1", "--letters", "1,0.4,0.3,0.22,0.7,0.9")
    assert program("directions", lamno3[0], *arguments).code == 0
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == 26
    for path in paths[::5]:
        crystal = read_crystal(path)
        assert report_symmetry(crystal, 1e-3).number == int(path.stem.split("_")[-1])
        manganese = crystal.positions[[s == "Mn" for s in crystal.species]] @ crystal.lattice
        gaps = manganese - manganese[0]
        gaps = gaps @ np.linalg.inv(read_crystal(lamno3[0]).lattice)
        lengths = np.linalg.norm(gaps, axis=1)
        assert np.allclose(lengths**2, np.rint(lengths**2), atol=1e-3)  # Mn stays on its cubic lattice


def test_irreps_json(program, lamno3):
    record = valid(program("irreps", lamno3[0], "--json", "-").out, "irreps")
    rows = {row["label"]: row for row in record["irreps"]}
    assert len(rows) == 40
    assert rows["R4+"]["displacements"] == ["O1"]
    assert rows["R4+"]["fields"]["1e"] == ["Mn1"]
    assert rows["R1+"]["fields"]["0e"] == ["Mn1"]
    assert [label for label, row in rows.items() if row["strain"]] == ["GM1+", "GM3+", "GM5+"]


def test_fields_as_columns(program, lamno3):
    found = program("irreps", lamno3[0], "--field", "0e", "--field", "1e")
    assert "0e on" in found.out
    assert max(map(len, found.out.splitlines())) <= 80


def test_the_inverse_json(program, lamno3):
    record = valid(program("irreps", lamno3[0], "--child", "I4/mcm", "--size", "2", "--json", "-").out, "irreps")
    assert ["R4+"] in [s["irreps"] for s in record["solutions"]]
    assert all(len(s["directions"]) >= 1 for s in record["solutions"])


@pytest.fixture
def barium_iron_arsenide(tmp_path) -> Path:
    """I4/mmm: no displacement at Gamma makes it orthorhombic; its strain does (Rotter et al., PRB 78, 020503, 2008)."""
    sites = {"Ba": (0, 0, 0), "Fe": (0, 0.5, 0.25), "As": (0, 0, 0.354)}
    lattice = Lattice.tetragonal(3.96, 13.02)
    structure = Structure.from_spacegroup("I4/mmm", lattice, list(sites), list(sites.values()))
    path = tmp_path / "BaFe2As2_139.cif"
    structure.to(str(path))
    return path


def test_strain_alone_leads_to_a_ferroelastic_child(barium_iron_arsenide):
    parent = symmetrise(read_crystal(barium_iron_arsenide))
    at_gamma = [named_irrep(parent, label) for label in ("GM2+", "GM4+", "GM3-")]
    solutions = leads_to(parent, at_gamma, find_group("F 2/m 2/m 2/m"), 1)
    rows = solutions_record(parent, solutions)["solutions"]
    assert [(row["irreps"], row["species"], row["strain"]) for row in rows] == [(["GM4+"], [], ["GM4+"])]
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(solutions_report(parent, solutions, 69, 1))
    assert re.search(r"GM4\+ .* strain\b", console.file.getvalue())


def test_sites_come_before_strain(barium_iron_arsenide):
    """GM5+ is a shear and moves Fe and As; GM5- moves sites alone; of a pair with GM4+ both are named."""
    parent = symmetrise(read_crystal(barium_iron_arsenide))
    strains = strain_labels(parent)

    def carried(*labels: str) -> list[str]:
        return carriers_with_strain(parent, [named_irrep(parent, label) for label in labels], strains)

    assert carried("GM5+") == ["Fe2", "As6", "strain"]
    assert carried("GM4+", "GM3-") == ["Ba0", "Fe2", "As6", "strain"]
    assert "strain" not in carried("GM5-")
    assert carried("GM4+", "GM3+") == []  # nothing here is GM3+


@pytest.mark.parametrize(("older", "standard"), [("Pm3m", "Pm-3m"), ("Bmab", "Cmce"), ("R-3c:R", "167")])
def test_a_symbol_means_the_type_in_any_setting(program, older, standard):
    assert program("irreps", older, "--json", "-").out == program("irreps", standard, "--json", "-").out


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("directions", "221", "--irrep", "R9+"), "R4+, R5+"),
        (("directions", "221", "--k", "Q"), "it has GM, R, X, M"),
        (("directions", "221", "--irrep", "R4+", "--write", "d"), "has no atoms; give the file of a structure"),
        (("directions", "PARENT", "--irrep", "R1-", "--write", "d"), "a field 0o on"),
        (("directions", "PARENT", "--irrep", "R4+", "--write", "d", "--orbit", "La1"), "needs displacements of O1"),
        (("directions", "PARENT", "--irrep", "R4+", "--write", "d", "--orbit", "X"), "there are La1, Mn1, O1"),
        (("directions", "PARENT", "--irrep", "R4+", "--write", "d", "--letters", "x"), "expected numbers such as"),
        (("directions", "PARENT", "--irrep", "R4+", "--write", "d", "--letters", "1"), "2 free letters, received 1"),
        (("directions", "PARENT", "--irrep", "R4+", "--write", "/proc/none/d"), "cannot be written"),
        (("directions", "PARENT", "--irrep", "R4+", "--write", "PARENT"), "this is a file, not a folder"),
        (("directions", "221", "--irrep", "R4+", "--irrep", "M3+", "--irrep", "R4+"), "--irrep R4+: given twice"),
        (("directions", "221", "--irrep", "SM2@1/3,1/3,0", "--irrep", "SM2@0,1/3,1/3"), "SM2@0,1/3,1/3: given twice"),
        (("directions", "P99"), "neither a file nor a space group"),
        (("irreps", "231"), "neither a file nor a space group"),
        (("irreps", "PARENT", "--field", "5x"), "irrep of O(3)"),
        (("irreps", "221", "--child", "Pxyz"), "neither a file nor a space group"),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_bad_input(refused, lamno3, arguments, part):
    assert part in refused(*(lamno3[0] if a == "PARENT" else a for a in arguments))


@pytest.mark.parametrize(
    ("arguments", "option", "ignored"),
    [
        (("directions", "221", "--k", "R", "--irrep", "M3+"), "--irrep", "--k"),
        (("irreps", "221", "--size", "3"), "--size", "--child"),
        (("irreps", "221", "--child", "62", "--field", "1e"), "--child", "--field"),
        (("directions", "Pm-3m", "--irrep", "R4+", "--setting", "P m -3 m"), "PARENT Pm-3m", "--setting would"),
        (("irreps", "221", "--frame", "last"), "PARENT 221", "--frame would"),
        (("invariants", "221", "--irrep", "R4+", "--periodic", "ab"), "PARENT 221", "--periodic would"),
        (("irreps", "Pbnm", "--origin", "Mn", "--frame", "1"), "PARENT Pbnm", "--frame, --origin would"),
    ],
)
def test_an_option_that_would_be_ignored_is_wrong_usage(program, arguments, option, ignored):
    outcome = program(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert option in outcome.err
    assert ignored in outcome.err


def test_what_shapes_structures_needs_structures(program):
    outcome = program("directions", "221", "--irrep", "R4+", "--orbit", "O1", "--amplitude", "0.3")
    assert outcome.code == 2
    assert "--amplitude, --orbit: would be ignored without --write" in " ".join(outcome.err.split())
