"""The answer does not depend on how the two files are written: cell, setting, origin, orientation, order of atoms."""

import json
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import Analysis, analyse
from orderparam.parent import symmetrise
from orderparam.testing import scramble

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())
CASES = [pytest.param(p, id=p["name"]) for p in PAIRS]
QUICK, EXHAUSTIVE = range(3), range(3, 13)


def amplitudes(analysis: Analysis) -> list[tuple[str, float, int, int]]:
    """Label, amplitude, isotropy subgroup and its index, of displacements and strain."""
    found = (*analysis.decomposition.displacive, *analysis.decomposition.strain)
    return sorted((o.label, o.amplitude, o.subgroup.space_group[0], o.subgroup.index) for o in found if not o.is_zero)


def compare(pair: dict, seed: int, *, move_origin: bool) -> None:
    rng = np.random.default_rng(seed)
    parent, child = read_crystal(STRUCTURES / pair["parent"]), read_crystal(STRUCTURES / pair["child"])
    first = analyse(symmetrise(parent), child)
    again = analyse(symmetrise(scramble(parent, rng, move_origin=move_origin)), scramble(child, rng))
    one, two = amplitudes(first), amplitudes(again)
    if move_origin:  # labels depend on the origin; the rest does not
        one, two = (sorted((a, *rest) for _, a, *rest in rows) for rows in (one, two))
        assert np.allclose(one, two, atol=1e-5)
    else:
        assert [(label, *rest) for label, _, *rest in one] == [(label, *rest) for label, _, *rest in two]
        assert np.allclose([row[1] for row in one], [row[1] for row in two], atol=1e-5)
        assert {m.label for m in first.primary_members} == {m.label for m in again.primary_members}
    assert first.relation.distortion.group.index == again.relation.distortion.group.index
    assert again.relation.distortion.group.space_group[0] in {
        first.relation.distortion.group.space_group[0],
        first.relation.report.number,  # the other member of an enantiomorphic pair
    }


@pytest.mark.parametrize("pair", CASES)
def test_other_settings_of_both_files(pair):
    for seed in QUICK:
        compare(pair, seed, move_origin=False)


@pytest.mark.parametrize("pair", CASES)
def test_other_origins_of_both_files(pair):
    compare(pair, 100, move_origin=True)


@pytest.mark.slow
@pytest.mark.parametrize("pair", CASES)
def test_many_other_settings(pair):
    for seed in EXHAUSTIVE:
        compare(pair, seed, move_origin=False)
        compare(pair, seed, move_origin=True)


def test_a_real_change_of_structure_is_seen():
    """Negative control: the comparison is no tautology."""
    pair = PAIRS[0]
    parent, child = symmetrise(read_crystal(STRUCTURES / pair["parent"])), read_crystal(STRUCTURES / pair["child"])
    distortion = analyse(parent, child).relation.distortion
    weaker = distortion.supercell.with_displacements(0.999 * distortion.displacements, distortion.strain)
    one, two = amplitudes(analyse(parent, child)), amplitudes(analyse(parent, weaker))
    assert not np.allclose([row[1] for row in one], [row[1] for row in two], atol=1e-5)
