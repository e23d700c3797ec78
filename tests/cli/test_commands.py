"""The commands as their users call them: tables, JSON against its schema, files."""

import copy
import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from referencing import Registry, Resource

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.analyse import analyse
from orderparam.parent import symmetrise
from orderparam.report.folder import RUN_FILES

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = [
    ("perovskite/LaMnO3_221.cif", "perovskite/LaMnO3_62.cif"),
    ("ruddlesden_popper/Ca3Ti2O7_139.cif", "ruddlesden_popper/Ca3Ti2O7_36.cif"),
    ("quartz/SiO2_180.cif", "quartz/SiO2_154.cif"),
    ("elements/In_225.cif", "elements/In_139.cif"),
    ("fluorite/ZrO2_225.cif", "fluorite/ZrO2_14.cif"),
    ("perovskite/SrTiO3_221.cif", "perovskite/SrTiO3_221.cif"),
]


def schema(name: str) -> jsonschema.Draft202012Validator:
    folder = files("orderparam") / "data/schemas"
    found = {p.name: json.loads(p.read_text()) for p in folder.iterdir() if p.name.endswith(".json")}
    registry = Registry().with_resources((n, Resource.from_contents(s)) for n, s in found.items())
    for one in found.values():
        jsonschema.Draft202012Validator.check_schema(one)
    return jsonschema.Draft202012Validator(found[f"{name}.json"], registry=registry)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: Path(p[1]).stem)
def test_modes_json_keeps_its_contract(program, pair):
    outcome = program("modes", *(STRUCTURES / f for f in pair), "--json", "-")
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    schema("modes").validate(record)
    for irrep in record["irreps"]:
        scale = np.sqrt(record["correspondence"]["cell_multiplication"])
        assert irrep["amplitude_supercell"] == pytest.approx(scale * irrep["amplitude_parent"])
        assert np.linalg.norm(irrep["components"]) == pytest.approx(irrep["amplitude_parent"])
        assert np.linalg.norm([m["amplitude_supercell"] for m in irrep["modes"]]) == pytest.approx(
            irrep["amplitude_supercell"], abs=1e-9
        )
    squares = sum(irrep["amplitude_supercell"] ** 2 for irrep in record["irreps"])
    assert squares == pytest.approx(record["total_amplitude"] ** 2, abs=1e-12)
    assert squares == pytest.approx(sum(a["length"] ** 2 for a in record["correspondence"]["atoms"]), abs=1e-9)
    assert sum(row["atoms"] for row in record["wyckoff_splitting"]) == len(record["correspondence"]["atoms"])


@pytest.mark.parametrize("pair", [*PAIRS[:4], PAIRS[-1]], ids=lambda p: Path(p[1]).stem)
def test_fit_writes_its_folder_and_keeps_its_contract(program, tmp_path, pair):
    outcome = program("fit", *(STRUCTURES / f for f in pair), "--out", tmp_path / "run", "--seed", 3)
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("fit").validate(record)
    assert record["seed"] == 3
    assert record["converged"]
    assert record["residual"]["max"] <= 1e-6
    names = {p.name for p in (tmp_path / "run").iterdir()}
    assert names == set(RUN_FILES)
    atoms = record["modes"]["correspondence"]["atoms"]
    assert read_crystal(tmp_path / "run/reference.cif").species == tuple(a["element"] for a in atoms)
    again = json.loads(program("modes", STRUCTURES / pair[0], tmp_path / "run/predicted.cif", "--json", "-").out)
    one, two = (
        {
            i["label"]: i["amplitude_supercell"]
            for i in m["irreps"] + m["strain"]["irreps"]
            if "amplitude_supercell" in i
        }
        for m in (record["modes"], again)
    )
    assert two == pytest.approx(one, abs=1e-5)


def test_two_runs_with_one_seed_are_equal(program, tmp_path, lamno3):
    records = []
    for name in ("a", "b"):
        assert program("fit", *lamno3, "--out", tmp_path / name, "--seed", 5, "--quiet").code == 0
        record = json.loads((tmp_path / name / "result.json").read_text())
        record.pop("seconds")
        records.append(record)
    assert records[0] == records[1]


@pytest.mark.parametrize("name", ["modes", "fit"])
def test_a_broken_record_fails_its_schema(program, tmp_path, lamno3, name):
    """Negative control."""
    program("fit", *lamno3, "--out", tmp_path / "run", "--quiet")
    good = json.loads((tmp_path / "run/result.json").read_text())
    good = good if name == "fit" else good["modes"]
    validator = schema(name)
    validator.validate(good)
    for key in validator.schema["required"]:
        broken = copy.deepcopy(good)
        del broken[key]
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(broken)


def test_symmetry_reports_files(program, lamno3, tmp_path):
    outcome = program("symmetry", *lamno3, "--json", tmp_path / "report.json")
    assert outcome.code == 0
    for words in ("Pm-3m (221)", "Pnma (62)", "Hall", "4/mm.m", "symprec"):
        assert words in outcome.out
    record = json.loads((tmp_path / "report.json").read_text())
    schema("symmetry").validate(record)
    assert [f["space_group"]["number"] for f in record["files"]] == [221, 62]
    steps = [row["symprec"] for row in record["files"][0]["tolerance"]]
    assert min(steps) == pytest.approx(1e-5)
    assert max(steps) == pytest.approx(0.1)


def test_symmetry_of_one_file_shows_the_tolerance(program, tmp_path):
    child = read_crystal(STRUCTURES / "perovskite/SrTiO3_140.cif")
    rng = np.random.default_rng(1)
    shaken = child.positions + rng.uniform(-2e-3, 2e-3, (child.n_sites, 3)) @ np.linalg.inv(child.lattice)
    (tmp_path / "x.cif").write_text(crystal_to_cif(Crystal(child.lattice, shaken, child.species)))
    outcome = program("symmetry", tmp_path / "x.cif", "--json", "-")
    record = json.loads(outcome.out)
    schema("symmetry").validate(record)
    numbers = [row["number"] for row in record["tolerance"]]
    assert numbers[0] == 1
    assert 140 in numbers


def test_noise_in_the_json(program, tmp_path, lamno3):
    distortion = analyse(symmetrise(read_crystal(lamno3[0])), read_crystal(lamno3[1])).relation.distortion
    crystal = distortion.crystal()
    rng = np.random.default_rng(2)
    moved = crystal.positions + rng.normal(0, 0.02, (crystal.n_sites, 3)) @ np.linalg.inv(crystal.lattice)
    (tmp_path / "noisy.cif").write_text(crystal_to_cif(Crystal(crystal.lattice, moved, crystal.species)))
    outcome = program("modes", lamno3[0], tmp_path / "noisy.cif", "--noise", "auto", "--json", "-")
    record = json.loads(outcome.out)
    schema("modes").validate(record)
    assert record["child"]["space_group"]["number"] == 1
    assert record["isotropy_subgroup"]["number"] == record["noise"]["space_group"]["number"] == 62
    assert record["noise"]["estimated"]
    assert record["noise"]["sigma"] == pytest.approx(0.02, rel=0.35)
    assert {i["label"] for i in record["irreps"] if i["primary"]} == {"M3+", "R4+"}
    assert all(i["amplitude_error"] == record["noise"]["sigma"] for i in record["irreps"])


def test_many_children_make_one_table(program, tmp_path, lamno3):
    other = STRUCTURES / "perovskite/LaVO3_62.cif"
    outcome = program("modes", *lamno3, other, "--csv", tmp_path / "s.csv", "--json", tmp_path / "s.json")
    assert outcome.code == 0
    assert "LaVO3_62.cif" in outcome.err  # another composition: its row says so
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert len(lines) == 3
    record = json.loads((tmp_path / "s.json").read_text())
    schema("series").validate(record)
    assert "composition" in record["rows"][1]["error"]


def test_quiet_prints_nothing(program, lamno3, tmp_path):
    outcome = program("modes", *lamno3, "--quiet")
    assert (outcome.code, outcome.out) == (0, "")
    outcome = program("fit", *lamno3, "--quiet", "--out", tmp_path / "run")
    assert (outcome.code, outcome.out) == (0, "")


@pytest.mark.parametrize("command", [(), ("fit",), ("modes",), ("symmetry",)])
def test_help_shows_an_example(program, command):
    outcome = program(*command, "--help")
    assert outcome.code == 0
    if command:
        assert f"orderparam {command[0]} " in outcome.out
        assert "xample" in outcome.out


@pytest.mark.parametrize("pair", PAIRS[:5], ids=lambda p: Path(p[1]).stem)
def test_reports_fit_eighty_columns_without_colour(program, tmp_path, pair):
    outcome = program("fit", *(STRUCTURES / f for f in pair), "--out", tmp_path / "run")
    assert "\x1b" not in outcome.out
    assert max(len(line) for line in outcome.out.splitlines() if str(tmp_path) not in line) <= 80


@pytest.mark.parametrize("suffix", ["cif", "iso.cif", "vasp"])
def test_what_modes_writes_is_the_child(program, tmp_path, lamno3, suffix):
    target = tmp_path / f"out.{suffix}"
    assert program("modes", *lamno3, "--write", target, "--quiet").code == 0
    again = program("modes", lamno3[0], target, "--json", "-")
    first = program("modes", *lamno3, "--json", "-")
    one, two = ({i["label"]: i["amplitude_supercell"] for i in json.loads(o.out)["irreps"]} for o in (first, again))
    assert one == pytest.approx(two, abs=1e-6)


def test_x_ray_lines(program, tmp_path, lamno3):
    outcome = program("modes", *lamno3, "--xrd", tmp_path / "lines.csv")
    assert outcome.code == 0
    assert "Superlattice lines" in outcome.out
    assert (tmp_path / "lines.csv").read_text().startswith("two_theta,")
