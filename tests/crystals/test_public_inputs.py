"""Files from public reports that were read wrongly, refused without need or slow (`tests/tables/inputs.json`).

The files themselves are not part of the repository; without them these tests are skipped, and their kinds are tested on
files that the other tests write.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.errors import OrderParamError
from orderparam.parent import symmetrise
from orderparam.pseudosymmetry import propose_parents
from orderparam.spacegroup import report_symmetry

ROOT = Path(__file__).parents[2]
INPUTS = ROOT.parent / "shared" / "inputs"
TABLE = json.loads((ROOT / "tests/tables/inputs.json").read_text())

pytestmark = pytest.mark.skipif(not INPUTS.exists(), reason="the files are not part of the repository")


def rows(name):
    return pytest.mark.parametrize("row", TABLE[name], ids=lambda row: str(next(iter(row.values()))))


@rows("crystals")
def test_crystals(row):
    crystal = read_crystal(INPUTS / row["file"])
    assert crystal.formula == row["formula"]
    assert crystal.n_sites == row["atoms"]
    assert report_symmetry(crystal, 1e-3).number == row["space_group"]


@rows("pairs")
def test_pairs(row):
    parent = symmetrise(read_crystal(INPUTS / row["parent"]))
    analysis = analyse(parent, read_crystal(INPUTS / row["child"]))
    found, n_cells = analysis.decomposition, analysis.relation.distortion.supercell.n_cells
    displacements = {o.label: o.amplitude * np.sqrt(n_cells) for o in found.displacive}  # As
    strain = {o.label: o.amplitude for o in found.strain if o.amplitude > 1e-6}
    assert {label: displacements[label] for label in row["displacements"]} == pytest.approx(
        row["displacements"], abs=6e-5
    )
    assert {label: strain.get(label) for label in row["strain"]} == pytest.approx(row["strain"], abs=6e-5)
    assert row["strain"] or not strain


@rows("notes")
def test_notes(row):
    assert any(row["says"] in note for note in read_crystal(INPUTS / row["file"]).notes)


@rows("refusals")
def test_refusals(row):
    def read():
        parent, *children = (read_crystal(INPUTS / file) for file in row["files"])
        analyse(symmetrise(parent), *children)

    with pytest.raises(OrderParamError, match=row["says"]) as caught:
        read()
    assert "\n" not in str(caught.value)


@rows("noise")
def test_noise(row):
    parent = symmetrise(read_crystal(INPUTS / row["parent"]))
    analysis = analyse(parent, read_crystal(INPUTS / row["child"]), noise="auto")
    assert analysis.noise is not None
    assert analysis.relation.distortion.group.space_group[0] == row["space_group"]
    assert analysis.noise.determined == row["determined"]
    if row["determined"]:
        assert np.abs(analysis.relation.distortion.lengths).max() < 1e-9


@rows("proposals")
def test_proposals(row):
    found = propose_parents(read_crystal(INPUTS / row["child"]))
    proposal = next(p for p in found if p.group.number == row["space_group"])
    assert proposal.max_displacement == pytest.approx(row["max_displacement"], abs=1e-3)
    assert proposal.rms_strain == pytest.approx(row["strain"], abs=1e-3)
