"""`fit` and `modes` on finite sets of points: reports, JSON, files, and what they refuse."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from orderparam.crystals.pointset import read_points, report_point_group
from tests.cli.test_commands import schema

POINTS = Path(__file__).parents[2] / "structures/points"
CUBIC = POINTS.parent / "perovskite/LaMnO3_221.cif"
PAIRS = {
    "rectangle": ("square.xyz", "rectangle.xyz", "D4h", "D2h", "B2g", "2e"),
    "octahedron_long": ("octahedron.xyz", "octahedron_long.xyz", "Oh", "D4h", "Eg", "2e"),
    "ethane_twisted": ("ethane.xyz", "ethane_twisted.xyz", "D3d", "D3", "A1u", "0o"),
    "tetrahedron_flat": ("tetrahedron.xyz", "tetrahedron_flat.xyz", "Td", "D2d", "E", "2e"),
    "benzene_kekule": ("benzene.xyz", "benzene_kekule.xyz", "D6h", "D3h", "B2u", "3o"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_from_files_to_a_folder(program, tmp_path, name):
    parent, child, above, below, label, irrep = PAIRS[name]
    outcome = program("fit", POINTS / parent, POINTS / child, "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    assert max(map(len, outcome.out.splitlines())) <= 80
    # no trace of the box
    assert not any(word in outcome.out for word in ("space group", "spglib", "P4/mmm", "Pmmm", "Cmmm", "strain 0.1"))
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("fit").validate(record)
    assert "space_group" not in json.dumps(record)
    modes = record["modes"]
    assert modes["parent"]["point_group"]["symbol"] == above
    assert modes["child"]["point_group"]["symbol"] == below
    assert modes["isotropy_subgroup"]["symbol"] == below
    assert [o["label"] for o in modes["irreps"] if o["primary"]] == [label]
    assert [(i["site"], i["irrep"], i["point_group_irreps"]) for i in record["inputs"]] == [("all", irrep, [label])]
    assert record["predicted"]["point_group"]["symbol"] == below
    assert record["residual"]["max"] < 1e-8
    assert record["converged"]
    (necessity,) = record["necessity"]
    assert necessity["residual_max"] == pytest.approx(necessity["exact_floor_max"], abs=1e-8)
    predicted, reference = (read_points(tmp_path / "run" / f"{kind}.xyz") for kind in ("predicted", "reference"))
    assert report_point_group(predicted) == below
    assert report_point_group(reference) == above
    written = read_points(POINTS / child)
    gaps = [np.sort(np.linalg.norm(s.centred[:, None] - s.centred, axis=2).ravel()) for s in (predicted, written)]
    np.testing.assert_allclose(gaps[0], gaps[1], atol=1e-7)
    inputs = json.loads((tmp_path / "run/inputs.json").read_text())
    assert inputs["lattice"] is None
    np.testing.assert_allclose(inputs["positions"], reference.positions, atol=1e-9)


def test_rectangle_to_square_by_files(program, tmp_path):
    outcome = program("fit", POINTS / "rectangle.xyz", POINTS / "square.xyz", "--out", tmp_path / "run")
    assert outcome.code == 0, outcome.err
    record = json.loads((tmp_path / "run/result.json").read_text())
    schema("fit").validate(record)
    assert record["learned_order_parameter"] == []
    assert record["predicted"]["point_group"]["symbol"] == "D4h"
    assert "the child (D4h) has symmetry that the parent (D2h) lacks" in outcome.err


def test_modes_alone(program, tmp_path):
    target = tmp_path / "clean.xyz"
    files = [POINTS / "octahedron.xyz", POINTS / "octahedron_long.xyz"]
    outcome = program("modes", *files, "--json", "-", "--write", target)
    assert outcome.code == 0, outcome.err
    record = json.loads(outcome.out)
    schema("modes").validate(record)
    squares = sum(o["amplitude_supercell"] ** 2 for o in record["irreps"])
    assert squares == pytest.approx(sum(a["length"] ** 2 for a in record["correspondence"]["atoms"]), abs=1e-12)
    for irrep in record["irreps"]:
        for mode in irrep["modes"]:
            assert np.linalg.norm(mode["pattern"]) == pytest.approx(1, abs=1e-8)
            assert "::" not in mode["name"]
    assert report_point_group(read_points(target)) == "D4h"
    shown = program("modes", *files)
    assert "Oh (m-3m)" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_the_schema_still_asks_crystals_for_everything(program, lamno3):
    """What is optional for finite sets is not for crystals, and the other way round."""
    crystal = json.loads(program("modes", *lamno3, "--json", "-").out)
    points = json.loads(program("modes", POINTS / "square.xyz", POINTS / "rectangle.xyz", "--json", "-").out)
    check = schema("modes")
    check.validate(crystal)
    check.validate(points)
    needed = (
        ("strain",),
        ("parent", "space_group"),
        ("child", "space_group"),
        ("correspondence", "transformation"),
        ("irreps", 0, "k"),
        ("isotropy_subgroup", "number"),
        ("irreps", 0, "modes", 0, "wyckoff"),
    )
    for path in needed:
        broken = copy.deepcopy(crystal)
        part = broken
        for step in path[:-1]:
            part = part[step]
        del part[path[-1]]
        with pytest.raises(jsonschema.ValidationError):
            check.validate(broken)
    del points["child"]["point_group"]
    with pytest.raises(jsonschema.ValidationError):
        check.validate(points)


def test_a_folder_changes_its_kind(program, tmp_path):
    """Files of a run of the other kind do not stay behind."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "predicted.cif").write_text("old")
    assert program("fit", POINTS / "square.xyz", POINTS / "rectangle.xyz", "--out", run).code == 0
    assert sorted(p.name for p in run.iterdir()) == [
        "inputs.json", "model.json", "predicted.xyz", "reference.xyz", "result.json", "weights.safetensors",
    ]  # fmt: skip


def test_no_page_of_a_finite_set(program, refused, tmp_path):
    pair = (POINTS / "square.xyz", POINTS / "rectangle.xyz")
    assert program("fit", *pair, "--out", tmp_path / "run", "-q").code == 0
    assert "finite set of points" in refused("report", tmp_path / "run")
    assert "--html: only for crystals" in refused("modes", *pair, "--html", tmp_path / "x.html")


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["fit", "modes"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_crystal_and_a_molecule(refused, command, order):
    assert "both must be crystals, or both molecules" in refused(command, *[CUBIC, POINTS / "square.xyz"][::order])


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("D5h", [(np.cos(a), np.sin(a), 0) for a in 2 * np.pi * np.arange(5) / 5]),
        ("Dinfh", [(0, 0, 0), (0, 0, 1.2)]),
        ("Kh", [(0, 0, 0)]),
    ],
)
def test_other_point_groups_by_name(refused, tmp_path, name, rows):
    file = tmp_path / "parent.xyz"
    file.write_text(f"{len(rows)}\n\n" + "\n".join("C {} {} {}".format(*row) for row in rows) + "\n")
    line = refused("fit", file, file, "--out", tmp_path / "run")
    assert f"point group {name} " in line
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not a molecule"),
        ("4\n\nC 0 0 0\nC 1 0 0\n", "says 4 atoms, but it holds 2"),
        ("2\n\nC 0 0 0\nC 0 0 0.1\n", "two atoms stand on one place"),
        ("2\n\nC 0 0 0\nC 0 0 nan\n", "not a finite number"),
        ("2\n\nC 0 0 0\nC 0 0\n", "not a molecule that can be read"),
        ("2\n\nXx 0 0 0\nXx 0 0 1\n", "Xx"),
    ],
)
def test_broken_files(refused, tmp_path, text, what):
    file = tmp_path / "molecule.xyz"
    file.write_text(text)
    assert what in refused("modes", file, POINTS / "square.xyz")


def test_what_else_is_refused(refused, tmp_path):
    pair = (POINTS / "square.xyz", POINTS / "rectangle.xyz")
    assert "compositions differ" in refused("modes", pair[0], POINTS / "benzene.xyz")
    assert "--noise: only for crystals" in refused("modes", *pair, "--noise", "auto")
    assert "--origin: only for crystals" in refused("modes", *pair, "--origin", "C")
    assert "--xrd: only for crystals" in refused("modes", *pair, "--xrd", tmp_path / "x.csv")
    assert "--constrain: only for crystals" in refused("fit", *pair, "--constrain", "subgroup=65")
    assert "ending in .xyz" in refused("modes", *pair, "--write", tmp_path / "x.cif")
    assert "cannot hold B2g" in refused("fit", *pair, "--carrier", "all:1o", "--out", tmp_path / "run")
    assert "without a lattice" in refused("subgroups", *pair)
    assert "without a lattice" in refused("symmetry", pair[0])
