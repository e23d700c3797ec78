"""Read the crystal of a file that is no CIF, by pymatgen or ASE."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orderparam.errors import InvalidInputError

from .crystal import Crystal
from .frompymatgen import crystal_from_pymatgen

if TYPE_CHECKING:
    from pymatgen.core import Structure


def read_other(path: Path) -> Crystal:
    """Return the crystal of a POSCAR, an extended XYZ or another file that pymatgen understands."""
    from pymatgen.core import Structure

    name = path.name.lower()
    if (
        name.endswith((".xyz", ".extxyz", ".mol", ".pdb", ".gjf"))
        and "lattice=" not in path.read_text(errors="replace").lower()
    ):
        raise InvalidInputError(f"{path}: a molecule without a lattice; a crystal is needed (CIF, POSCAR ...)")
    structure = _parse_extended_xyz(path) if name.endswith((".xyz", ".extxyz")) else Structure.from_file(path)
    return crystal_from_pymatgen(structure, name=str(path), notes=())


def _parse_extended_xyz(path: Path) -> Structure:
    try:
        from ase.io import read
        from pymatgen.io.ase import AseAtomsAdaptor
    except ImportError as missing:
        raise InvalidInputError(f"{path}: reading extended XYZ needs ASE (pip install ase); or give a CIF") from missing
    return AseAtomsAdaptor.get_structure(read(path))  # type: ignore[arg-type]
