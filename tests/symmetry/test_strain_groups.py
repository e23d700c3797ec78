"""Isotropy subgroups of strains by our operations, and by spglib on the parent strained by that irrep alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry
from orderparam.supercell import Supercell
from orderparam.symmetry.orderparameter import strain_tensor

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIRS = json.loads((Path(__file__).parents[1] / "tables/pairs.json").read_text())


def test_spglib_agrees_on_every_strain():
    """Of all shipped pairs: the parent strained along one irrep has the group that its directions leave."""
    checked, groups = 0, set()
    for pair in PAIRS:
        parent = symmetrise(read_crystal(STRUCTURES / pair["parent"]))
        cell = Supercell.build(parent, np.eye(3, dtype=int))
        for o in analyse(parent, read_crystal(STRUCTURES / pair["child"])).decomposition.strain:
            if o.is_zero:
                continue
            strain = 0.02 * strain_tensor(o) / o.amplitude
            found = report_symmetry(cell.with_displacements(np.zeros((cell.n_atoms, 3)), strain), 1e-5)
            assert found.number == o.subgroup.space_group[0], (pair["name"], o.label)
            checked += 1
            groups.add((parent.group.number, found.number))
    assert checked > 60
    assert len(groups) > 15
