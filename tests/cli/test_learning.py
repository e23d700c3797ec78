"""Floors, constraints, noise and predictions from the command line."""

import contextlib
import json
import shutil

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.network.trained import TrainedNetwork
from orderparam.spacegroup import report_symmetry
from tests.cli.conftest import STRUCTURES
from tests.cli.test_commands import schema


def test_a_constrained_fit_writes_the_intermediate_structure(program, tmp_path, lamno3):
    outcome = program("fit", *lamno3, "--constrain", "Mn:1e:z=0", "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("fit").validate(record)
    found = record["constraint"]
    assert found["spec"] == "Mn:1e:z=0"
    assert found["exact_difference"] <= 1e-6
    assert found["isotropy_subgroup"]["number"] == record["predicted"]["space_group"]["number"] == 74
    assert found["given_up"]["M3+"] == pytest.approx(0.9029, abs=1e-4)
    assert found["free_field"]["stepping_in"] == ["X5+"]
    assert report_symmetry(read_crystal(tmp_path / "run/predicted.cif"), 1e-4).number == 74
    assert "which the constraint allows" in " ".join(outcome.out.split())
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_without_an_order_parameter_there_is_the_floor(program, tmp_path, lamno3):
    outcome = program("fit", *lamno3, "--no-order-parameter", "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("fit").validate(record)
    assert record["floor"]["exact_difference"] <= 1e-8
    assert record["residual"]["max"] == pytest.approx(record["floor"]["max"], abs=1e-8)
    assert record["floor"]["max"] == pytest.approx(0.4578, abs=1e-4)
    assert record["constraint"] is None
    assert record["learned_order_parameter"] == []
    assert any(g["norm"] > 0 for g in record["gradient"])
    assert "symmetry floor" in outcome.out
    assert "inputs that would lift the floor" in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--constrain", "subgroup=140"], "no such group lies between child and parent"),
        (
            ["--constrain", "irreps=M3+", "--constrain", "k=R"],
            "irreps=M3+ by itself leaves M3+; k=R by itself leaves R4+",
        ),
        (["--constrain", "O:1o:z=0", "--carrier", "Mn:1e"], "the inputs are Mn:1e"),
        (["--carrier", "La:1e"], "--carrier La:1e cannot hold R4+"),
    ],
)
def test_what_cannot_be_asked_is_one_line(program, tmp_path, lamno3, options, message):
    outcome = program("fit", *lamno3, *options, "--out", tmp_path / "run")
    assert outcome.code == 1
    assert len(outcome.err.strip().splitlines()) == 1
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert not (tmp_path / "run").exists()


def test_a_floor_has_no_constraint(program, lamno3):
    outcome = program("fit", *lamno3, "--no-order-parameter", "--constrain", "k=R")
    assert outcome.code == 2
    assert "--no-order-parameter" in outcome.err
    assert "--constrain" in outcome.err


def test_carriers_keep_their_contract(program, tmp_path, lamno3):
    outcome = program("carriers", *lamno3, "--json", tmp_path / "c.json")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "c.json").read_text())
    schema("carriers").validate(record)
    assert record["primaries"] == ["R4+", "M3+"]
    assert len(record["carriers"]) == 24
    (best,) = (c for c in record["carriers"] if c["chosen"])
    assert (best["element"], best["irrep"], best["holds"]) == ("Mn", "1e", ["R4+", "M3+", "X5+"])
    assert best["trials"] is None
    assert max(map(len, outcome.out.splitlines())) <= 80
    broken = dict(record, carriers=[{k: v for k, v in best.items() if k != "holds"}])
    assert not schema("carriers").is_valid(broken)


def test_carriers_are_tried(program):
    pair = [STRUCTURES / f"perovskite/SrTiO3_{number}.cif" for number in (221, 140)]
    outcome = program("carriers", *pair, "--fit", "--seeds", 1, "--json", "-")
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    tried = [c for c in record["carriers"] if c["trials"]]
    assert tried
    assert all((c["trials"] is None) == (c["floor"]["max"] > 1e-9) for c in record["carriers"])


def test_a_noisy_child_is_not_chased(program, tmp_path, lamno3):
    """Record, report and page tell how far the prediction is from the noisy child, and from the true one to expect."""
    crystal = read_crystal(lamno3[1])
    moves = np.random.default_rng(0).normal(0, 0.02, (crystal.n_sites, 3)) @ np.linalg.inv(crystal.lattice)
    child = tmp_path / "noisy.cif"
    child.write_text(crystal_to_cif(Crystal(crystal.lattice, crystal.positions + moves, crystal.species)))
    pair = (lamno3[0], child, "--noise", "auto", "--out", tmp_path / "run")
    outcome = program("fit", *pair, "--html", tmp_path / "page.html")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("fit").validate(record)
    noise = record["noise"]
    assert (noise["coordinates"], noise["parameters"]) == (57, 7)
    assert noise["off_noisy_child"] == pytest.approx(noise["sigma"] * np.sqrt(50 / 57), rel=1e-6)
    assert noise["expected_error"] == pytest.approx(noise["sigma"] * np.sqrt(7 / 57), rel=1e-9)
    assert noise["off_denoised_child"] < 1e-6
    told = f"off the noisy child by {noise['off_noisy_child']:.4f}"
    assert told in " ".join(outcome.out.split())
    assert told in (tmp_path / "page.html").read_text()
    held = program("fit", *pair, "--constrain", "irreps=R4+", "--json", "-")
    assert json.loads(held.out)["noise"] is None
    clean = program("fit", *lamno3, "--out", tmp_path / "run", "--json", "-")
    assert json.loads(clean.out)["noise"] is None


# --- predict --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return the folder of a fit."""
    from orderparam_cli.main import run

    folder = tmp_path_factory.mktemp("fit") / "run"
    pair = [str(STRUCTURES / f"perovskite/LaMnO3_{number}.cif") for number in (221, 62)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        with contextlib.suppress(SystemExit):
            run(["fit", *pair, "--out", str(folder), "--quiet"])
    return folder


def test_predict_from_a_run(program, tmp_path, fitted):
    """The child's own order parameter gives the child again, from the files alone."""
    model = json.loads((fitted / "result.json").read_text())
    sizes = {i["label"]: i["components"][0] for i in model["modes"]["irreps"]}
    settings = [f"--set={label}=({','.join(map(repr, sizes[label]))})" for label in ("R4+", "M3+")]
    outcome = program("predict", fitted, *settings, "--out", tmp_path / "p")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "p/prediction.json").read_text())
    schema("prediction").validate(record)
    assert record["warnings"] == []
    (image,) = record["images"]
    assert image["space_group"]["number"] == 62
    expected = {i["label"]: i["amplitude_supercell"] for i in model["modes"]["irreps"]}
    found = {i["label"]: i["amplitude_supercell"] for i in image["irreps"]}
    assert found == pytest.approx(expected, abs=1e-5)
    assert report_symmetry(read_crystal(tmp_path / "p/predicted.cif"), 1e-4).number == 62
    assert max(map(len, outcome.out.splitlines())) <= 80


@pytest.mark.parametrize("form", ["cif", "xyz"])
def test_predict_a_path(program, tmp_path, fitted, form):
    outcome = program("predict", fitted, "--path", 5, "--format", form, "--out", tmp_path / "p")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "p/prediction.json").read_text())
    schema("prediction").validate(record)
    assert [i["s"] for i in record["images"]] == [0, 0.25, 0.5, 0.75, 1]
    names = {p.name for p in (tmp_path / "p").iterdir()} - {"prediction.json"}
    assert names == ({"path.xyz"} if form == "xyz" else {f"{i:04d}.cif" for i in range(5)})
    assert record["images"][0]["space_group"]["number"] == 221
    assert all(i["space_group"]["number"] == 62 for i in record["images"][1:])
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "power law" in outcome.out


def test_predict_warns_outside_the_trained_range(program, tmp_path, fitted):
    outcome = program("predict", fitted, "--set", "R4+=(0.9,0,0)", "--out", tmp_path / "p")
    assert outcome.code == 0
    assert "outside the trained range 0 to 0.5963 angstrom (Ap)" in outcome.err
    assert "the direction is no domain" in outcome.err


def _spoil(folder, how):
    if how == "weights":
        path = folder / "weights.safetensors"
        path.write_bytes(path.read_bytes()[:-200])
    elif how == "foreign":
        (folder / "weights.safetensors").write_bytes(b"junk" * 50)
    elif how == "missing":
        (folder / "model.json").unlink()
    else:
        record = json.loads((folder / "model.json").read_text())
        if how == "version":
            record["version"] = 7
        elif how == "lacking":
            del record["target"]
        elif how == "schema":
            record["schema"] = "orderparam/nothing"
        elif how == "broken":
            record["target"]["elements"] = [[999, 0]]
        text = json.dumps(record)
        (folder / "model.json").write_text(text[: len(text) // 2] if how == "cut" else text)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("weights", "not the weights of an orderparam network"),
        ("foreign", "not the weights of an orderparam network"),
        ("missing", "incomplete, it has no model.json"),
        ("version", "expected orderparam/model version 1, received orderparam/model version 7"),
        ("lacking", "incomplete, it has no target"),
        ("broken", "not what a fit writes"),
        ("schema", "received orderparam/nothing version 1"),
        ("cut", "cannot be read"),
    ],
)
def test_runs_that_cannot_be_read(program, tmp_path, fitted, how, message):
    shutil.copytree(fitted, tmp_path / "run")
    _spoil(tmp_path / "run", how)
    outcome = program("predict", tmp_path / "run", "--path", 3, "--out", tmp_path / "p")
    assert outcome.code == 1
    assert outcome.err.startswith("error: ")
    assert len(outcome.err.strip().splitlines()) == 1
    assert message in outcome.err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "X5+=(0.1,0,0,0,0,0)"], "not an input of this fit; its inputs are R4+, M3+"),
        (["--set", "R4+=(0.1,0)"], "expected 3 finite components"),
        (["--set", "R4+"], "expected LABEL=(numbers)"),
        (["--path", "1"], "at least 2 structures"),
        (["--path", "3", "--format", "png"], "expected cif or xyz"),
        ([], "give either --set or --path"),
    ],
)
def test_what_cannot_be_predicted(program, tmp_path, fitted, options, message):
    outcome = program("predict", fitted, *options, "--out", tmp_path / "p")
    assert outcome.code == (1 if options else 2)
    assert message in " ".join(outcome.err.split())
    assert not (tmp_path / "p").exists()


def test_a_floor_and_a_molecule_have_nothing_to_set(program, refused, tmp_path, lamno3):
    program("fit", *lamno3, "--no-order-parameter", "--out", tmp_path / "floor", "--quiet")
    line = refused("predict", tmp_path / "floor", "--path", 3, "--out", tmp_path / "p")
    assert "this is one without an order parameter" in line
    points = [STRUCTURES / f"points/{name}.xyz" for name in ("square", "rectangle")]
    program("fit", *points, "--out", tmp_path / "points", "--quiet")
    line = refused("predict", tmp_path / "points", "--path", 3, "--out", tmp_path / "p")
    assert "this is one of a finite set of points" in line
    assert not (tmp_path / "p").exists()


def test_a_fit_that_breaks_off_says_so_and_keeps_its_last_good_state(program, tmp_path, monkeypatch):
    from orderparam.network import residuals

    calls, plain = [], residuals.Point.jacobian

    def spoiled(self):
        calls.append(0)
        return plain(self) * (np.nan if len(calls) > 1 else 1)

    monkeypatch.setattr(residuals.Point, "jacobian", spoiled)
    pair = [STRUCTURES / f"perovskite/SrTiO3_{number}.cif" for number in (221, 140)]
    outcome = program("fit", *pair, "--out", tmp_path / "run")
    assert outcome.code == 0
    assert "the fit broke off: a number that is not finite came up after" in outcome.err
    assert "did not converge" in outcome.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("fit").validate(record)
    assert not record["converged"]
    assert np.isfinite(record["residual"]["max"])
    assert np.isfinite(TrainedNetwork.load(tmp_path / "run/weights.safetensors").weights).all()


def test_no_folder_of_a_fit(program, tmp_path):
    outcome = program("predict", tmp_path / "nowhere", "--path", 3, "--out", tmp_path / "p")
    assert outcome.code == 1
    assert "expected the folder that `orderparam fit --out` wrote" in outcome.err
