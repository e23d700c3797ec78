"""Reading: the same crystal from every format, bare species, labels kept, and nothing on the terminal."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_cif, crystal_to_poscar
from orderparam.discovery.analyse import analyse
from orderparam.errors import InvalidInputError
from orderparam.formats.xyz import extended_xyz
from orderparam.parent import symmetrise
from orderparam.spacegroup import report_symmetry

STRUCTURES = Path(__file__).parents[2] / "structures"
MANGANITE = STRUCTURES / "perovskite/LaMnO3_62.cif"


@pytest.mark.parametrize(
    "name",
    ["child.cif", "CHILD.CIF", "child.cif.gz", "POSCAR", "CONTCAR_relaxed", "a.vasp", "a.xyz", "a.extxyz", "a.json"],
)
def test_every_format_gives_the_same_order_parameters(tmp_path, capfd, name):
    if name.endswith("xyz"):
        pytest.importorskip("ase")
    crystal = read_crystal(MANGANITE)
    path = tmp_path / name
    if name.endswith("xyz"):
        path.write_text(extended_xyz([crystal]))
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(MANGANITE.read_bytes()))
    elif name.endswith("json"):
        crystal.to_pymatgen().to(filename=str(path))
    else:
        path.write_text(crystal_to_cif(crystal) if "cif" in name.lower() else crystal_to_poscar(crystal))
    parent = symmetrise(read_crystal(STRUCTURES / "perovskite/LaMnO3_221.cif"))
    one, two = (analyse(parent, c).decomposition for c in (crystal, read_crystal(path)))
    assert [o.label for o in two.displacive] == [o.label for o in one.displacive]
    assert [o.amplitude for o in two.displacive] == pytest.approx([o.amplitude for o in one.displacive], abs=1e-6)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("size", "fine"), [(0.99e6, True), (1.01e6, False)])
def test_numbers_that_no_crystal_has(size, fine):
    def crystal():
        return Crystal(np.diag([4.0, 4.0, 4.0]), np.array([[0, 0, size]]), ("Po",))

    if fine:
        assert crystal().n_sites == 1
    else:
        with pytest.raises(InvalidInputError, match="above 1e"):
            crystal()


def test_site_labels_stay(tmp_path):
    crystal = read_crystal(MANGANITE)
    named = replace(crystal, labels=tuple(f"{kind}_{i}" for i, kind in enumerate(crystal.species)))
    (tmp_path / "named.cif").write_text(crystal_to_cif(named))
    again = read_crystal(tmp_path / "named.cif")
    assert list(zip(again.species, again.labels, strict=True)) == list(zip(named.species, named.labels, strict=True))


@pytest.mark.parametrize("write", [crystal_to_poscar, crystal_to_cif, lambda crystal: extended_xyz([crystal])])
def test_a_left_handed_cell_is_the_same_crystal(tmp_path, write):
    """a, b, -c with z -> -z: nothing moves, and a chiral crystal keeps its handedness in every format."""
    quartz = read_crystal(STRUCTURES / "quartz/SiO2_154.cif")
    flip = np.diag([1, 1, -1])
    text = write(Crystal(flip @ quartz.lattice, quartz.positions @ flip, quartz.species))
    name = "a.cif" if text.lstrip().startswith(("#", "data_")) else "a.xyz" if "pbc=" in text else "POSCAR"
    if name == "a.xyz":
        pytest.importorskip("ase")
    (tmp_path / name).write_text(text)
    again = read_crystal(tmp_path / name)
    assert np.linalg.det(again.lattice) > 0
    assert report_symmetry(again, 1e-4).number == report_symmetry(quartz, 1e-4).number == 154
