"""`orderparam fit` with several children: the contract of its record, its folder, its tables, and what it refuses."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from orderparam.crystals.writing import crystal_to_cif
from orderparam.network.trained import TrainedNetwork
from orderparam.spacegroup import report_symmetry
from orderparam.symmetry.orderparameter import decompose
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
    assert names == {"result.json", "model.json", "weights.safetensors", *(f"{s}.predicted.cif" for s in FEW)}
    TrainedNetwork.load(tmp_path / "run/weights.safetensors")
    from orderparam.crystals.reading import read_crystal

    for child in record["children"]:
        assert child["residual"]["max"] <= 1e-4
        assert child["predicted"]["space_group"]["number"] == TILT_SYSTEMS[child["name"]]
        again = read_crystal(tmp_path / f"run/{child['name']}.predicted.cif")
        assert report_symmetry(again, 1e-3).number == TILT_SYSTEMS[child["name"]]
    # fewer children into the same folder: nothing of the others stays
    assert program("fit", parent, *children[:2], "--out", tmp_path / "run", "--no-leave-one-out", "-q").code == 0
    assert not (tmp_path / f"run/{FEW[2]}.predicted.cif").exists()
    assert json.loads((tmp_path / "run/result.json").read_text())["leave_one_out"] == []


def test_predict_from_a_run_of_many(program, tmp_path, tilts):
    """From the files alone: a child's order parameter gives that child, one between two others warns of nothing."""
    parent, children = tilts
    fitted = program("fit", parent, *children, "--out", tmp_path / "run", "--no-leave-one-out", "--quiet")
    assert fitted.code == 0, fitted.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    (given,) = (c for c in record["children"] if c["name"] == "a+b-b-")
    settings = [f"--set={o['label']}=({','.join(map(repr, o['components']))})" for o in given["order_parameters"]]
    outcome = program("predict", tmp_path / "run", *settings, "--out", tmp_path / "p")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    found = json.loads((tmp_path / "p/prediction.json").read_text())
    schema("prediction").validate(found)
    assert found["inputs"][0]["trained"] is None
    ranges = {i["space_group_irreps"][0]: [i["range"]["min"], i["range"]["max"]] for i in record["inputs"]}
    assert {i["label"]: i["trained_range"] for i in found["inputs"]} == ranges
    exact = tilt_system("a+b-b-", cubic_perovskite())
    assert found["images"][0]["space_group"]["number"] == 62
    assert found["images"][0]["max_displacement"] == pytest.approx(exact.lengths.max(), abs=2e-4)
    sizes = {o.label: o.amplitude for o in decompose(exact).displacive if not o.is_zero}
    assert {i["label"]: i["amplitude_parent"] for i in found["images"][0]["irreps"]} == pytest.approx(sizes, abs=2e-4)
    far = program("predict", tmp_path / "run", "--set", "R4+=(0.9,0,0)", "--out", tmp_path / "p")
    assert far.code == 0
    high = ranges["R4+"][1]
    assert f"R4+: amplitude 0.9000 is outside the trained range 0 to {high:.4f} angstrom (Ap)" in far.err


def test_a_run_of_many_has_no_path(program, refused, tmp_path, tilts):
    parent, children = tilts
    program("fit", parent, *children[:2], "--out", tmp_path / "run", "--no-leave-one-out", "--quiet")
    assert "several children" in refused("report", tmp_path / "run")
    assert "taught by 2 children" in refused("predict", tmp_path / "run", "--path", 3, "--out", tmp_path / "p")
    assert not (tmp_path / "p").exists()
    model = json.loads((tmp_path / "run/model.json").read_text())
    del model["targets"]["a0a0c+"]["sites"]
    (tmp_path / "run/model.json").write_text(json.dumps(model))
    line = refused("predict", tmp_path / "run", "--set", "R4+=(0.1,0,0)", "--out", tmp_path / "p")
    assert "not what a fit writes" in line


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
