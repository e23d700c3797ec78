"""One analysed child as a file in the format that its name says."""

from __future__ import annotations

from pathlib import Path

from orderparam.crystals.writing import crystal_to_poscar
from orderparam.discovery.analyse import Analysis
from orderparam.errors import InvalidInputError
from orderparam.formats import child_cell, child_cif, displacement_vesta, extended_xyz, iso_cif
from orderparam.records import write_text

from .folder import points_xyz


def write_analysis(analysis: Analysis, path: str | Path) -> None:
    """Write the symmetrised child: ``.cif``, ``.iso.cif``, ``.vesta``, ``.xyz``, ``.extxyz``, ``.vasp`` or POSCAR.

    Raises
    ------
    InvalidInputError
        When the name says no known format, or the place cannot be written to.
    """
    relation = analysis.relation
    if relation.parent.finite:
        if not str(path).lower().endswith(".xyz"):
            raise InvalidInputError(f"--write {path}: expected a name ending in .xyz for a finite set of points")
        write_text(path, points_xyz(relation.distortion.crystal(), "symmetrised child"))
        return
    name = Path(path).name.lower()
    title = Path(path).name.split(".")[0] or "child"
    if name.endswith(".iso.cif"):
        text = iso_cif(analysis, title=title)
    elif name.endswith(".cif"):
        text = child_cif(relation, title=title)
    elif name.endswith(".vesta"):
        text = displacement_vesta(relation, title=title)
    elif name.endswith((".xyz", ".extxyz")):
        text = extended_xyz([relation.distortion.crystal()], [relation.distortion.displacements])
    elif name.endswith((".vasp", ".poscar")) or name.startswith(("poscar", "contcar")):
        text = crystal_to_poscar(child_cell(relation).crystal)
    else:
        raise InvalidInputError(f"--write {path}: expected a name ending in .cif, .iso.cif, .vesta, .xyz or .vasp")
    write_text(path, text)
