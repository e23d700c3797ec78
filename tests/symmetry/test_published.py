"""Amplitudes that other programs have published: `tests/tables/amplitudes.json`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orderparam import Analysis, analyse, read_crystal, symmetrise
from orderparam.symmetry.sitemodes import all_site_modes

ROOT = Path(__file__).parents[2]
TABLES = json.loads((ROOT / "tests/tables/amplitudes.json").read_text())


def amplitudes(analysis: Analysis, quantity: str) -> dict[str, float]:
    """Return what a table of a kind lists: modes or irreps of the displacements (As), or irreps of the strain."""
    if quantity == "mode":
        return {m.name: abs(m.amplitude_supercell) for m in all_site_modes(analysis.decomposition)}
    if quantity == "irrep":
        return {o.label: o.amplitude_supercell for o in analysis.decomposition.displacive}
    return {o.label: o.amplitude for o in analysis.decomposition.strain}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t["name"])
def test_published_amplitudes(table):
    """The same names, all of them, and the same numbers; the sign of a mode is a domain's."""
    parent, child = (read_crystal(ROOT / "structures" / table[role]) for role in ("parent", "child"))
    found = amplitudes(analyse(symmetrise(parent), child), table["quantity"])
    assert found == pytest.approx(table["values"], abs=table["tolerance"])
    other = {name: value + 2 * table["tolerance"] for name, value in table["values"].items()}
    assert found != pytest.approx(other, abs=table["tolerance"])
