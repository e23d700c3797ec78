"""Floors and constraints from the command line."""

import json

import pytest

from orderparam.crystal import read_crystal
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
        (["--constrain", "irreps=M3+", "--constrain", "k=R"], "irreps=M3+ alone leaves M3+; k=R alone leaves R4+"),
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
