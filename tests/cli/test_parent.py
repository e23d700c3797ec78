"""`orderparam parent`: table, JSON against its schema, files, what it says where there is nothing, bad input."""

import io
import json
from importlib.resources import files
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from orderparam_cli.parent import parent
from referencing import Registry, Resource
from rich.console import Console

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.pseudosymmetry import MAX_DISPLACEMENT, MAX_STRAIN
from orderparam.report.parent import parent_report
from orderparam.spacegroup import report_symmetry, standard_group
from tests.pseudosymmetry.children import skutterudite

STRUCTURES = Path(__file__).parents[2] / "structures"
CHILD = STRUCTURES / "perovskite/LaMnO3_62.cif"
CUBIC = STRUCTURES / "perovskite/SrTiO3_221.cif"


def validate(record: dict) -> None:
    folder = files("orderparam") / "data/schemas"
    found = {p.name: json.loads(p.read_text()) for p in folder.iterdir() if p.name.endswith(".json")}
    registry = Registry().with_resources((n, Resource.from_contents(s)) for n, s in found.items())
    jsonschema.Draft202012Validator.check_schema(found["parent.json"])
    jsonschema.Draft202012Validator(found["parent.json"], registry=registry).validate(record)


def test_the_table_names_the_best_first_within_80_columns(program):
    outcome = program("parent", CHILD)
    assert outcome.code == 0, outcome.err
    rows = [line.split() for line in outcome.out.splitlines() if line.startswith(" 1 ")]
    assert rows[0][1:5] == ["Pm-3m", "(221)", "5", "24"]
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("child", "number"),
    [("perovskite/LaMnO3_62.cif", 221), ("quartz/SiO2_154.cif", 180), ("spinel/Mn3O4_141.cif", 227)],
)
def test_written_parents_are_parents(program, tmp_path, child, number):
    outcome = program("parent", STRUCTURES / child, "--write", tmp_path / "found", "--json", "-", "--top", 3)
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    validate(record)
    assert record["proposals"][0]["space_group"]["number"] == number
    assert len(record["proposals"]) <= 3
    for proposal in record["proposals"]:
        found = read_crystal(proposal["file"])
        assert report_symmetry(found, 1e-5).number == proposal["space_group"]["number"]
        modes = json.loads(program("modes", proposal["file"], STRUCTURES / child, "--json", "-").out)
        assert modes["domains"] == proposal["index"]
        assert modes["correspondence"]["mapping_rms"] == pytest.approx(proposal["rms"], abs=1e-3)
    assert len(list((tmp_path / "found").iterdir())) == len(record["proposals"])


def test_modes_of_the_first_at_once(program, tmp_path):
    outcome = program("parent", CHILD, "--modes", "--json", tmp_path / "parent.json", "--write", tmp_path)
    assert outcome.code == 0, outcome.err
    assert "Proposed parents" in outcome.out
    assert "R4+" in outcome.out
    record = json.loads((tmp_path / "parent.json").read_text())
    validate(record)
    primary = {irrep["label"] for irrep in record["modes"]["irreps"] if irrep["primary"]}
    assert primary == {"R4+", "M3+"}
    # the file on disk gives the same answer
    again = json.loads(program("modes", record["proposals"][0]["file"], CHILD, "--json", "-").out)
    amplitudes = [{i["label"]: i["amplitude_supercell"] for i in m["irreps"]} for m in (record["modes"], again)]
    assert amplitudes[1] == pytest.approx(amplitudes[0], abs=1e-6)


def test_modes_of_a_noisy_child(program, tmp_path):
    crystal = read_crystal(CHILD)
    moved = np.random.default_rng(2).normal(scale=0.02, size=(crystal.n_sites, 3)) @ np.linalg.inv(crystal.lattice)
    noisy = Crystal(crystal.lattice, crystal.positions + moved, crystal.species)
    (tmp_path / "noisy.cif").write_text(crystal_to_cif(noisy))
    outcome = program("parent", tmp_path / "noisy.cif", "--modes", "--noise", "auto", "--json", "-")
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    validate(record)
    assert record["child"]["space_group"]["number"] == 1
    assert record["proposals"][0]["space_group"]["number"] == 221
    assert record["modes"]["isotropy_subgroup"]["number"] == 62
    hint = program("parent", tmp_path / "noisy.cif").err
    assert "the child is Pnma (62) within" in hint
    assert "--noise auto" in hint


def test_quiet_prints_nothing(program, tmp_path):
    outcome = program("parent", CHILD, "--quiet", "--json", tmp_path / "x.json")
    assert (outcome.code, outcome.out) == (0, "")
    validate(json.loads((tmp_path / "x.json").read_text()))


def test_nothing_found_is_a_statement_and_no_error(program, tmp_path):
    outcome = program("parent", CUBIC, "--modes", "--write", tmp_path / "none")
    assert outcome.code == 0
    assert "No parent found" in outcome.out
    assert not (tmp_path / "none").exists()
    record = json.loads(program("parent", CUBIC, "--json", "-").out)
    validate(record)
    assert record["proposals"] == []
    assert record["search"]["beyond"] is None
    assert "a larger --max-displacement or --max-strain" in outcome.out


def test_where_nothing_is_found_the_limits_are_those_applied_and_the_way_on_is_true(program, refused, tmp_path):
    """CoSb3, tilts a+a+a+ of 1.135 angstrom: what the report says to try finds it."""
    child = tmp_path / "CoSb3.cif"
    child.write_text(crystal_to_cif(skutterudite()))
    outcome = program("parent", child, "--max-displacement", 1.1, "--max-strain", 0.1)
    assert "displacements of 1.1 angstrom (--max-displacement)" in outcome.out
    assert "principal strains of 0.1 (--max-strain)" in outcome.out
    assert "miss an atom by up to 2.42 angstrom" in outcome.out
    assert "Met beyond" in outcome.out
    assert "1.13" in outcome.out
    advice = outcome.out.split("To see it: ")[1].split(".\n")[0].split()
    found = json.loads(program("parent", child, *advice, "--json", "-").out)
    validate(found)
    assert [p["space_group"]["number"] for p in found["proposals"]] == [221]
    assert found["search"]["max_displacement"] == 1.2
    assert found["search"]["reach"] == pytest.approx(2 * 1.2 * 1.2)
    assert found["proposals"][0]["far"]
    assert "more than 0" in refused("parent", child, "--max-displacement", 0)
    assert "below 1" in refused("parent", child, "--max-strain", 1)


def test_the_options_have_the_defaults_of_the_library():
    defaults = {name: p.default for name, p in signature(parent).parameters.items()}
    assert defaults["max_displacement"] == MAX_DISPLACEMENT
    assert defaults["max_strain"] == MAX_STRAIN


def test_modes_go_as_far_as_the_search(program, tmp_path):
    child = tmp_path / "CoSb3.cif"
    child.write_text(crystal_to_cif(skutterudite()))
    record = json.loads(program("parent", child, "--modes", "--json", "-").out)
    primary = [irrep["label"] for irrep in record["modes"]["irreps"] if irrep["primary"]]
    assert primary == ["M2+"]  # M3+ with the other choice of origin, Co at it


def test_a_random_structure_says_none_found(program, tmp_path):
    """Nine different atoms: no operation can exchange any, and no inversion or mirror is within reach."""
    places = [[0, 0, 0], [0.31, 0.14, 0.22], [0.63, 0.41, 0.09], [0.17, 0.55, 0.38], [0.82, 0.77, 0.29]]
    places += [[0.45, 0.83, 0.52], [0.09, 0.21, 0.66], [0.58, 0.33, 0.71], [0.76, 0.06, 0.87]]
    lattice = np.array([[7.1, 0, 0], [1.9, 8.3, 0], [-1.2, 2.3, 9.7]])
    crystal = Crystal(lattice, np.array(places), ("Li", "Be", "B", "C", "N", "O", "F", "Na", "Mg"))
    (tmp_path / "random.cif").write_text(crystal_to_cif(crystal))
    outcome = program("parent", tmp_path / "random.cif")
    assert outcome.code == 0
    assert "No parent found" in outcome.out


def test_bad_inputs(refused, program, tmp_path):
    assert "no such file" in refused("parent", tmp_path / "nowhere.cif")
    (tmp_path / "text.cif").write_text("these are words\n")
    assert "structure" in refused("parent", tmp_path / "text.cif")
    (tmp_path / "taken").write_text("a file\n")
    assert "taken: this is a file, not a folder" in refused("parent", CHILD, "--write", tmp_path / "taken")
    assert "a space group has no atoms" in refused("parent", "Pbnm")
    assert program("parent", CHILD, "--top", 0).code == 2
    assert program("parent").code == 2
    assert program("parent", CHILD, "--symprec", -1).code == 2
    assert "--noise" in refused("parent", CHILD, "--modes", "--noise", "loud")


def test_an_input_is_not_overwritten(refused, tmp_path):
    own = tmp_path / "child.cif"
    own.write_text(CHILD.read_text())
    assert "overwrite" in refused("parent", own, "--json", own)
    sneaky = tmp_path / "x_parent1_221.cif"
    own.rename(sneaky)
    (tmp_path / "x_parent1_221_parent1_221.cif").symlink_to(sneaky)
    assert "overwrite" in refused("parent", sneaky, "--write", tmp_path)
    assert sneaky.read_text() == CHILD.read_text()


def test_wide_rows_are_whole_in_80_columns():
    """A long symbol and large numbers do not cut off that a proposal is within noise."""
    proposal = SimpleNamespace(
        group=standard_group(194), parent=SimpleNamespace(crystal=SimpleNamespace(n_sites=128)), index=768, rms=0.0123,
        max_displacement=0.0456, rms_strain=0.1023, score=0.123, is_weak=False, is_noise=True,
    )  # fmt: skip
    crystal = read_crystal(CHILD)
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(parent_report(crystal, report_symmetry(crystal, 1e-3), SimpleNamespace(proposals=[proposal])))
    row = next(line for line in console.file.getvalue().splitlines() if "P6_3/mmc" in line)
    assert row.split() == ["1", "P6_3/mmc", "(194)", "128", "768", "0.0123", "0.0456", "10.23", "0.123", "noise"]
