"""One crystal in every format, by third-party writers where they have one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.reading import read_crystal
from orderparam.crystals.writing import crystal_to_poscar
from tests.crystals.nickelate import written

STRUCTURES = Path(__file__).parents[2] / "structures"
FILES = written()


def manganite() -> Crystal:
    """Return LaMnO3, 20 atoms, orthorhombic, in an order of atoms that formats with blocks keep."""
    return read_crystal(STRUCTURES / "perovskite/LaMnO3_62.cif")


def quartz() -> Crystal:
    """Return SiO2, 9 atoms, hexagonal and chiral."""
    return read_crystal(STRUCTURES / "quartz/SiO2_154.cif")


def assert_same(one: Crystal, two: Crystal, tolerance: float = 1e-6) -> None:
    """Compare two crystals atom by atom, modulo lattice translations and a turn of the whole."""
    assert two.species == one.species
    metrics = [crystal.lattice @ crystal.lattice.T for crystal in (one, two)]
    assert np.allclose(*metrics, atol=50 * tolerance)
    steps = two.positions - one.positions
    assert np.abs((steps - np.rint(steps)) @ one.lattice).max() < tolerance


def to_ase(crystal: Crystal):
    """Return ASE's atoms."""
    from ase import Atoms

    return Atoms(crystal.species, cell=crystal.lattice, scaled_positions=crystal.positions, pbc=True)


def espresso_text(crystal: Crystal) -> str:
    """Return an input of pw.x with the cell in angstrom."""
    kinds = sorted(set(crystal.species))
    rows = [
        "&control\n/\n&system",
        f" ibrav=0, nat={crystal.n_sites}, ntyp={len(kinds)}\n/\nATOMIC_SPECIES",
        *(f"{kind} 1.0 {kind}.upf" for kind in kinds),
        "CELL_PARAMETERS angstrom",
        *(" ".join(f"{value:.12f}" for value in row) for row in crystal.lattice),
        "ATOMIC_POSITIONS crystal",
        *(
            f"{kind} " + " ".join(f"{value:.12f}" for value in row)
            for kind, row in zip(crystal.species, crystal.positions, strict=True)
        ),
    ]
    return "\n".join(rows) + "\nK_POINTS gamma\n"


def phonopy_text(crystal: Crystal) -> str:
    """Return a phonopy.yaml with a unit cell."""
    rows = ["phonopy:", "  version: 2.20", "unit_cell:", "  lattice:"]
    rows += [f"  - [ {', '.join(f'{value:.12f}' for value in row)} ] # a" for row in crystal.lattice]
    rows.append("  points:")
    for kind, row in zip(crystal.species, crystal.positions, strict=True):
        rows += [f"  - symbol: {kind} # 1", f"    coordinates: [ {', '.join(f'{v:.12f}' for v in row)} ]"]
    return "\n".join(rows) + "\n"


def write(crystal: Crystal, path: Path) -> Path:
    """Write a crystal in the format of the file's name."""
    name = path.name.lower()
    if "poscar" in name:
        path.write_text(crystal_to_poscar(crystal))
    elif name.endswith(".pwi"):
        path.write_text(espresso_text(crystal))
    elif name.endswith("phonopy.yaml"):
        path.write_text(phonopy_text(crystal))
    elif name.endswith(".cssr"):
        from pymatgen.io.cssr import Cssr

        Cssr(crystal.to_pymatgen()).write_file(path)
    elif name.endswith("pymatgen.json"):
        crystal.to_pymatgen().to(filename=str(path))
    else:
        _write_by_ase(crystal, path)
    return path


def _write_by_ase(crystal: Crystal, path: Path) -> None:
    import warnings

    from ase.io import write as ase_write

    options = {"cell": {"precision": 10}, "res": {"significant_figures": 10}, "extxyz": {"format": "extxyz"}}
    formats = {"geometry.in": "aims", "a.cell": "castep-cell"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ase_write(
            path, to_ase(crystal), **{"format": formats.get(path.name), **options.get(path.suffix.lstrip("."), {})}
        )
