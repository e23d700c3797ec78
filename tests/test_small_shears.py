"""A file with its symmetry keeps a shear of a fraction of a degree: a named structure for a bug that was."""

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.spacegroup import report_symmetry


def test_small_shears_survive_writing(tmp_path):
    lattice = 3.9 * np.array([[1, 0.006, 0], [0.006, 1, 0], [0, 0, 1.01]])
    crystal = Crystal(lattice, np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ("Cs", "Cl"))
    assert report_symmetry(crystal, 1e-4).number == 65
    (tmp_path / "x.cif").write_text(crystal_to_cif(crystal, symprec=1e-4))
    assert report_symmetry(read_crystal(tmp_path / "x.cif"), 1e-4).number == 65
