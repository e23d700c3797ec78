"""Primary order parameters: sets that leave exactly the child's group, no more and no less."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.parent import Parent, symmetrise
from orderparam.symmetry.isotropy import stabiliser
from orderparam.symmetry.primary import PrimarySet

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())
NAMES = ("LaMnO3_62", "WO3_14", "Ca3Ti2O7_36", "Mn3O4_141", "PbO_67", "K2SeO4_33", "LiNbO3_161")


@pytest.fixture(scope="module")
def parent() -> Parent:
    return symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))


def check(analysis: Analysis) -> None:
    """Every set leaves H, by the components themselves; no member is superfluous; shares are shares."""
    H = analysis.relation.distortion.group
    assert analysis.primary_sets
    for found in analysis.primary_sets:
        assert leaves(found) == H.elements.tobytes()
        assert len({m.key for m in found.members}) == len(found.members)
        assert found.share <= 1 + 1e-9
        for member in found.members:
            rest = tuple(m for m in found.members if m is not member)
            assert not rest or leaves(PrimarySet(rest, 0, 0)) != H.elements.tobytes()


def leaves(found: PrimarySet) -> bytes:
    joint = True
    for member in found.members:
        o = member.order_parameter
        joint = joint & stabiliser(o.supercell, o.irrep, member.components).elements
    return np.asarray(joint).tobytes()


@pytest.mark.parametrize("entry", [pytest.param(p, id=p["name"]) for p in PAIRS if Path(p["child"]).stem in NAMES])
def test_sets_of_real_pairs(entry):
    check(analyse(symmetrise(read_crystal(STRUCTURES / entry["parent"])), read_crystal(STRUCTURES / entry["child"])))


@pytest.mark.parametrize(
    ("setting", "strain", "group", "chosen"),
    [
        ({"R4+": (0, 0, 0.4)}, (0, 0, 0, 0, 0, 0.01), 12, {"R4+", "GM5+ (strain)"}),
        ({"R4+": (0.4, 0.4, 0)}, (0.01, -0.01, 0, 0, 0, 0), 12, {"R4+", "GM3+ (strain)"}),
        ({"R4+": (0, 0, 0.4), "GM4-": (0.1, 0, 0)}, (0, 0, 0, 0, 0, 0.01), 8, {"R4+", "GM4-", "GM5+ (strain)"}),
        (
            {"R4+": (0.5, 0.5, 0), "M3+": (0.4, 0, 0)},
            (0.01, 0, 0.003, 0.002, 0.004, -0.006),
            2,
            {"R4+", "M3+", "GM5+ (strain)"},
        ),
        (
            {"R4+": (0.5, 0.5, 0), "M3+": ((0, 0.4, 0),), "X5+": ((0.1, 0.1, 0, 0, 0, 0),)},
            None,
            11,
            {"R4+", "M3+", "X5+"},
        ),
    ],
)
def test_strains_that_break_more_than_the_displacements(parent, setting, strain, group, chosen):
    """A tilt about one axis leaves I4/mmm-like symmetry, whatever a shear beside it takes away."""
    tensor = None
    if strain is not None:
        xx, yy, zz, yz, xz, xy = strain
        tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    if "X5+" in setting:
        copies = {"X5+": 2}
        setting = {k: np.repeat(v, copies[k], axis=0) if k in copies else v for k, v in setting.items()}
    child = parent.distort(setting, tensor).crystal()
    analysis = analyse(parent, child)
    assert analysis.relation.distortion.group.space_group[0] == group
    check(analysis)
    assert set(analysis.primary_sets[0].labels) == chosen
