"""A page of 320 atoms, for a check of its size and for a measurement of its speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.distort import distort
from orderparam.parent import symmetrise
from orderparam.records import drawing_record, modes_record
from orderparam.report.page import modes_page

STRUCTURES = Path(__file__).parents[2] / "structures"


def write_large_page(path: Path) -> Path:
    """Write the page of a perovskite with tilts and a wave of period four, and return its place."""
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/SrTiO3_221.cif"))
    wave = np.random.default_rng(0).normal(size=12) * 0.08
    distortion = distort(parent, {"DT5@0,1/4,0": wave, "R4+": (0.2, 0.3, 0.1), "M3+": (0.3, 0.1, 0.2)})
    analysis = analyse(parent, distortion.crystal("child"))
    assert analysis.relation.distortion.supercell.n_atoms == 320
    path.write_text(modes_page(modes_record(analysis), drawing_record(analysis)))
    return path
