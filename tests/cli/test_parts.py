"""`--only` and `--ignore` on the commands that compare two structures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.crystals.selecting import part_of

STRUCTURES = Path(__file__).parents[2] / "structures"
PARENT, CHILD = (STRUCTURES / f"perovskite/LaMnO3_{number}.cif" for number in (221, 62))


@pytest.mark.parametrize("command", ["modes", "subgroups", "domains", "carriers"])
def test_commands(program, tmp_path, command):
    out = tmp_path / "result.json"
    outcome = program(command, PARENT, CHILD, "--only", "Mn,O", "--json", out)
    assert outcome.code == 0, outcome.err
    assert "16 of 20 atoms are compared, without La (--only Mn,O)" in outcome.err
    if command == "modes":
        record = json.loads(out.read_text())
        assert record["command"]["only"] == ["Mn", "O"]
        assert any("without La" in warning for warning in record["warnings"])


def test_series_and_the_hint_where_compositions_differ(program, refused, tmp_path):
    whole = read_crystal(CHILD)
    path = tmp_path / "framework.json"
    part_of(whole, ignore=("La",)).to_pymatgen().to(filename=str(path))
    assert "--ignore La" in refused("modes", PARENT, path)
    outcome = program("modes", PARENT, path, CHILD, "--ignore", "La", "--csv", tmp_path / "series.csv")
    assert outcome.code == 0, outcome.err
    assert "error" not in (tmp_path / "series.csv").read_text().splitlines()[0]
