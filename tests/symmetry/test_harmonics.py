"""Waves at two points of one line have one Miller-Love label: everything must tell them apart all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.discovery.discover import discover
from orderparam.discovery.inputs import choose_inputs
from orderparam.errors import InvalidInputError
from orderparam.parent import symmetrise
from orderparam.records import modes_record
from orderparam.spacegroup import report_symmetry
from orderparam.subgroups.constraints import parse_constraints
from orderparam.symmetry.parentirreps import commensurate_irreps, split_labels

FIRST, SECOND = "SM2@1/5,1/5,0", "SM2@2/5,2/5,0"


@pytest.fixture(scope="module")
def modulated() -> Analysis:
    """Return fcc indium with a wave of 1/5 and its harmonic of 2/5 along [110], as in five-layered martensite."""
    path = Path(__file__).parents[2] / "structures/elements/In_225.cif"
    parent = symmetrise(read_crystal(path))
    along = np.zeros(12)
    along[0] = 1
    distortion = parent.distort({FIRST: 0.2 * along, SECOND: -0.1 * along})
    child: Crystal = distortion.supercell.with_displacements(distortion.displacements, np.diag([0.02, 0.02, -0.03]))
    return analyse(parent, child)


def test_labels_are_unique(modulated):
    labels = [irrep.label for irrep in commensurate_irreps(modulated.relation.distortion.supercell)]
    assert len(set(labels)) == len(labels)
    assert {FIRST, SECOND} <= set(labels)
    assert {"GM4-", "X3-"} <= set(labels)  # where the label says it all, it stands alone


def test_both_waves_are_told_apart(modulated):
    decomposition = modulated.decomposition
    amplitudes = {o.label: o.amplitude for o in decomposition.displacive if not o.is_zero}
    assert amplitudes == pytest.approx({FIRST: 0.2, SECOND: 0.1}, abs=1e-6)
    assert decomposition.breaking_share[FIRST] == pytest.approx(0.8)
    assert sum(decomposition.breaking_share.values()) == pytest.approx(1)
    record = modes_record(modulated)
    found = [(i["label"], i["name"], i["k"][0]) for i in record["irreps"] if i["amplitude_supercell"] > 1e-5]
    assert found == [("SM2", FIRST, 0.2), ("SM2", SECOND, 0.4)]
    assert [i["name"] for i in record["irreps"] if i["primary"]] == [m.label for m in modulated.primary_members]
    for one in modulated.primary_sets:
        assert one.share == pytest.approx(sum(m.share for m in one.members))


def test_spglib_agrees_on_the_group_of_each_wave(modulated):
    supercell = modulated.relation.distortion.supercell
    for label in (FIRST, SECOND):
        o = modulated.decomposition[label]
        alone = supercell.with_displacements(o.field(), np.zeros((3, 3)))
        found = report_symmetry(alone, 1e-4).number
        assert found == o.subgroup.space_group[0]
        assert found != modulated.relation.parent.group.number  # it does break something


def test_names_in_options(modulated):
    """The label alone means both waves, with a wave vector it means one."""
    assert split_labels(f"{FIRST},GM3+, {SECOND}") == (FIRST, "GM3+", SECOND)
    both = choose_inputs(modulated, irreps=("SM2",))
    assert {m.label for m in both.members} == {FIRST, SECOND}
    assert [m.label for m in choose_inputs(modulated, irreps=(SECOND,)).members] == [SECOND]
    kept = choose_inputs(modulated, constraint=parse_constraints(modulated, ["irreps=SM2"])).constrained
    assert kept is not None
    assert kept.floor.max == pytest.approx(0, abs=1e-9)
    one = choose_inputs(modulated, constraint=parse_constraints(modulated, ["k=(1/5,1/5,0)"])).constrained
    assert one is not None
    assert one.floor.max > 0.05
    with pytest.raises(InvalidInputError, match=f"several SM2; choose one: {FIRST}"):
        parse_constraints(modulated, ["direction:SM2=(a,0,0,0,0,0,0,0,0,0,0,0)"])


def test_the_fit_learns_both(modulated):
    found = discover(modulated, seed=0, irreps=("SM2",))
    assert found.fit.converged
    assert {one.label for one in found.learned} == {FIRST, SECOND}
    assert not found.helpers
    for n in found.necessity:
        assert n.residual_max == pytest.approx(n.exact_floor_max, abs=1e-6)
