"""Built structures as files: one, or a folder with a table that says what each is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.writing import crystal_to_cif, crystal_to_poscar
from orderparam.distortion import Distortion
from orderparam.errors import InvalidInputError
from orderparam.formats import extended_xyz
from orderparam.records import write_text
from orderparam.tables import to_csv

from .folder import check_folder, fill_folder

INDEX = "index.csv"
_WRITERS = {"cif": crystal_to_cif, "vasp": crystal_to_poscar, "xyz": lambda crystal: extended_xyz([crystal])}


def write_structure(distortion: Distortion, path: Path) -> None:
    """Write one structure in the format that the name says.

    Raises
    ------
    InvalidInputError
        When the name says none.
    """
    crystal, name = distortion.crystal(), path.name.lower()
    if name.endswith(".cif"):
        text = crystal_to_cif(crystal, symprec=1e-5)
    elif name.endswith((".vasp", ".poscar")) or name.startswith(("poscar", "contcar")):
        text = crystal_to_poscar(crystal)
    elif name.endswith((".xyz", ".extxyz")):
        text = extended_xyz([crystal], [distortion.displacements])
    else:
        raise InvalidInputError(f"--out {path}: expected a name ending in .cif, .vasp or .xyz")
    write_text(path, text)


def check_series(folder: Path, form: str, *, force: bool) -> None:
    """Refuse a format that is not known and a folder that holds files, be it an earlier series: energies are in it.

    Raises
    ------
    InvalidInputError
    """
    if form not in _WRITERS:
        raise InvalidInputError(f"--format {form}: expected cif, vasp or xyz")
    check_folder(folder, force=force, own=lambda _name: False)


def write_structures(
    structures: Iterable[tuple[Crystal, dict[str, float]]], folder: Path, form: str, *, force: bool = False
) -> list[dict[str, Any]]:
    """Write one file per structure, and ``index.csv`` with one row for each; energies go into its last column.

    All of them or none; with `force` they take the place of an earlier series.
    """
    check_series(folder, form, force=force)
    rows = []

    def write(place: Path) -> None:
        for number, (crystal, columns) in enumerate(structures):
            name = f"{number:04d}.{form}"
            (place / name).write_text(_WRITERS[form](crystal), encoding="utf-8")
            rows.append({"file": name, **columns, "energy": ""})
        (place / INDEX).write_text(to_csv(rows), encoding="utf-8")

    fill_folder(folder, write, force=True, own=_is_series_file)
    return rows


def _is_series_file(name: str) -> bool:
    return name == INDEX or re.fullmatch(r"\d{4,}\.(cif|vasp|xyz)", name) is not None
