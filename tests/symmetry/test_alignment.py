"""Domains of one child become one; different children are compared in the nearest domain."""

import json
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.parent import symmetrise
from orderparam.symmetry.alignment import align
from orderparam.testing import scramble

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = {Path(p["child"]).stem: p for p in json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())}


@pytest.mark.parametrize("name", ["LaMnO3_62", "Ca3Ti2O7_36", "SiO2_154", "YMnO3_185", "AuCd_51", "K2SeO4_33"])
def test_every_domain_of_a_child_aligns_with_it(name):
    pair = PAIRS[name]
    parent, child = symmetrise(read_crystal(STRUCTURES / pair["parent"])), read_crystal(STRUCTURES / pair["child"])
    reference = align(analyse(parent, child).decomposition).components
    rng = np.random.default_rng(3)
    for _ in range(4):
        aligned = align(analyse(parent, scramble(child, rng)).decomposition, reference)
        assert aligned.overlap == pytest.approx(1.0, abs=1e-6)
        for label, components in reference.items():
            assert np.allclose(aligned.components[label], components, atol=1e-6), label


def test_what_no_operation_maps_is_not_aligned():
    """Negative control: M3+ R4+ X5+ has an invariant, so that the sign of all three at once is no change of domain."""
    pair = PAIRS["LaMnO3_62"]
    parent = symmetrise(read_crystal(STRUCTURES / pair["parent"]))
    first = analyse(parent, read_crystal(STRUCTURES / pair["child"])).decomposition
    opposite = {label: -components for label, components in align(first).components.items()}
    assert align(first, opposite).overlap < 0.99
