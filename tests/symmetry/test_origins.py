"""Names at another origin are the names that the program itself gives with that origin."""

import json
from pathlib import Path

import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.parent import symmetrise
from orderparam.symmetry.origins import names_at_other_origins

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = {Path(p["child"]).stem: p for p in json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())}


@pytest.mark.parametrize(
    "name", ["LaMnO3_62", "SrTiO3_140", "BaTiO3_99", "AuCd_51", "Ca3Ti2O7_36", "ZrO2_137", "PbO_67", "NbO2_88"]
)
def test_names_agree_with_a_decomposition_at_that_origin(name):
    pair = PAIRS[name]
    parent, child = read_crystal(STRUCTURES / pair["parent"]), read_crystal(STRUCTURES / pair["child"])
    here = analyse(symmetrise(parent), child)
    irreps = [o.irrep for o in here.decomposition.displacive]
    found = names_at_other_origins(here.relation.parent, irreps)
    for names in found:
        there = analyse(symmetrise(parent, origin=names.atom), child)
        expected = sorted((o.label, round(o.amplitude, 6)) for o in there.decomposition.displacive)
        mine = [(names.labels.get(o.label, o.label), round(o.amplitude, 6)) for o in here.decomposition.displacive]
        assert sorted(mine) == expected


def test_both_names_of_the_octahedral_tilts():
    """B cation at the origin: R4+ and M3+ (Howard & Stokes, Acta Cryst. B54, 782 (1998)); A cation: R5- and M2+."""
    pair = PAIRS["LaMnO3_62"]
    here = analyse(symmetrise(read_crystal(STRUCTURES / pair["parent"])), read_crystal(STRUCTURES / pair["child"]))
    (names,) = names_at_other_origins(here.relation.parent, [o.irrep for o in here.decomposition.displacive])
    assert names.atom == "La1"
    assert names.shift == (0.5, 0.5, 0.5)
    assert {old: names.labels[old] for old in ("R4+", "M3+", "X5+")} == {"R4+": "R5-", "M3+": "M2+", "X5+": "X5-"}


def test_a_group_with_one_origin_has_no_other_names():
    pair = PAIRS["SiO2_154"]
    here = analyse(symmetrise(read_crystal(STRUCTURES / pair["parent"])), read_crystal(STRUCTURES / pair["child"]))
    assert names_at_other_origins(here.relation.parent, [o.irrep for o in here.decomposition.displacive]) == ()
