"""`orderparam fit` with several children: the contract of its record, its folder, its tables, and what it refuses."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from orderparam.crystal import crystal_to_cif
from orderparam.network.trained import TrainedNetwork
from orderparam.spacegroup import report_symmetry
from orderparam.tiltsystems import TILT_SYSTEMS, cubic_perovskite, tilt_system
from tests.cli.test_commands import schema

STRUCTURES = Path(__file__).parents[2] / "structures/perovskite"
ROLES = ["Ca=A", "Ti=B", "O=X", "La=A", "V=B"]
FEW = ("a0a0c+", "a0b-b-", "a+b-b-")


@pytest.fixture(scope="module")
def tilts(tmp_path_factory) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("tilts")
    parent = cubic_perovskite()
    (folder / "parent.cif").write_text(crystal_to_cif(parent.crystal))
    for symbol in FEW:
        (folder / f"{symbol}.cif").write_text(crystal_to_cif(tilt_system(symbol, parent).crystal()))
    return folder / "parent.cif", [folder / f"{symbol}.cif" for symbol in FEW]


def test_many_children(program, tmp_path, tilts):
    parent, children = tilts
    outcome = program("fit", parent, *children, "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    assert max(len(line) for line in outcome.out.splitlines() if str(tmp_path) not in line) <= 80
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("family").validate(record)
    assert record["converged"]
    assert [c["name"] for c in record["children"]] == list(FEW)
    assert [c["child"] for c in record["leave_one_out"]] == list(FEW)
    assert record["leave_one_out"][0]["linear_modes"]["max"] < 1e-4
    names = {p.name for p in (tmp_path / "run").iterdir()}
    assert names == {"result.json", "weights.safetensors", *(f"{s}.predicted.cif" for s in FEW)}
    TrainedNetwork.load(tmp_path / "run/weights.safetensors")
    from orderparam.crystal import read_crystal

    for child in record["children"]:
        assert child["residual"]["max"] <= 1e-4
        assert child["predicted"]["space_group"]["number"] == TILT_SYSTEMS[child["name"]]
        again = read_crystal(tmp_path / f"run/{child['name']}.predicted.cif")
        assert report_symmetry(again, 1e-3).number == TILT_SYSTEMS[child["name"]]
    # fewer children into the same folder: nothing of the others stays
    assert program("fit", parent, *children[:2], "--out", tmp_path / "run", "--no-leave-one-out", "-q").code == 0
    assert not (tmp_path / f"run/{FEW[2]}.predicted.cif").exists()
    assert json.loads((tmp_path / "run/result.json").read_text())["leave_one_out"] == []


def test_a_broken_record_fails_its_schema(program, tmp_path, tilts):
    """Negative control."""
    parent, children = tilts
    program("fit", parent, *children[:2], "--out", tmp_path / "run", "--no-leave-one-out", "--quiet")
    good = json.loads((tmp_path / "run/result.json").read_text())
    validator = schema("family")
    validator.validate(good)
    for key in validator.schema["required"]:
        broken = copy.deepcopy(good)
        del broken[key]
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(broken)


def test_compounds_in_roles(program, tmp_path):
    files = [STRUCTURES / name for name in ("CaTiO3_221.cif", "CaTiO3_62.cif", "LaVO3_62.cif")]
    roles = [part for role in ROLES for part in ("--map", role)]
    outcome = program("fit", *files, *roles, "--same-volume", "--ridge", "1e-4", "--out", tmp_path / "run", "-q")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("family").validate(record)
    assert record["ridge"] == 1e-4
    for found in record["leave_one_out"]:
        assert found["network"]["max"] < 0.5 * found["linear_modes"]["max"]


def test_children_that_do_not_belong_together(refused, tmp_path):
    """Another composition, another parent, no relation: the child is named, nothing is written."""
    cubic, child = STRUCTURES / "SrTiO3_221.cif", STRUCTURES / "SrTiO3_140.cif"
    folder = tmp_path / "run"
    line = refused("fit", cubic, child, STRUCTURES / "LaMnO3_62.cif", "--out", folder)
    assert "LaMnO3_62 is no child of" in line
    assert "composition" in line
    line = refused("fit", cubic, child, STRUCTURES.parent / "rutile/VO2_14.cif", "--out", folder)
    assert "VO2_14 is no child of" in line
    assert "given twice" in refused("fit", cubic, child, child, "--out", folder)
    other = STRUCTURES / "LaMnO3_62.cif"
    assert "no file has Xe" in refused("fit", cubic, child, other, "--map", "Xe=A", "--out", folder)
    assert "one element of two" in refused(
        "fit", cubic, child, STRUCTURES / "LaMnO3_62.cif", "--map", "Sr=A", "--map", "Ti=A", "--out", folder
    )
    assert not folder.exists()


def test_options_for_several_children_only(program, lamno3):
    outcome = program("fit", *lamno3, "--ridge", "1e-4")
    assert outcome.code == 2
    assert "several" in outcome.err


def test_a_folder_of_other_files_is_refused(refused, tmp_path, tilts):
    parent, children = tilts
    (tmp_path / "notes.txt").write_text("mine")
    assert "notes.txt" in refused("fit", parent, *children, "--out", tmp_path)
