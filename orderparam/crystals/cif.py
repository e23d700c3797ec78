"""Read the crystal that a CIF holds."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from orderparam.errors import InvalidInputError

from .crystal import Crystal, shortest_distance
from .frompymatgen import crystal_from_pymatgen
from .quiet import quiet
from .uncertainties import Uncertainties, uncertainties_of

if TYPE_CHECKING:
    from pymatgen.core import Structure
    from pymatgen.io.cif import CifParser


def read_cif(path: Path, *, setting: str | None = None) -> Crystal:
    """Return the crystal of a CIF."""
    structure, notes = _parse_cif(path)
    crystal = crystal_from_pymatgen(structure, name=str(path), notes=notes)
    return replace(crystal, uncertainties=_read_uncertainties(path))


def _parse_cif(path: Path) -> tuple[Structure, tuple[str, ...]]:
    """Read the first structure of a CIF, with looser site merging when rounded special positions double atoms."""
    from pymatgen.io.cif import CifParser

    notes: list[str] = []
    structure = None
    for tolerance in (1e-4, 1e-3, 5e-3):
        parser = CifParser(str(path), site_tolerance=tolerance, occupancy_tolerance=1.0 + 1e-3)
        _read_deuterium_as_hydrogen(parser)
        try:
            structures = parser.parse_structures(primitive=False, on_error="ignore")
        except Exception:
            if tolerance == 5e-3:
                raise InvalidInputError(_why_no_structure(path)) from None
            continue
        if not structures:
            continue
        structure = structures[0]
        if len(structures) > 1:
            notes = [f"{path.name} holds {len(structures)} structures; the first is used"]
        if (
            structure.num_sites < 2
            or shortest_distance(np.array(structure.lattice.matrix), structure.frac_coords) > 0.3
        ):
            if tolerance > 1e-4:
                notes.append(f"{path.name}: coordinates are rounded; symmetry copies within {tolerance:g} were merged")
            break
    if structure is None:
        raise InvalidInputError(f"{path}: the CIF holds no structure (no cell, or no atom sites)")
    return structure, tuple(notes)


def _read_deuterium_as_hydrogen(parser: CifParser) -> None:
    """Rename D in the parsed blocks: pymatgen counts H and D on one site twice."""
    for block in parser._cif.data.values():  # pyright: ignore[reportAttributeAccessIssue]
        column = "_atom_site_type_symbol" if "_atom_site_type_symbol" in block.data else "_atom_site_label"
        if isinstance(entries := block.data.get(column), list):
            block.data["_atom_site_type_symbol"] = [re.sub(r"^D(?![a-z])", "H", entry) for entry in entries]


def _read_uncertainties(path: Path) -> Uncertainties | None:
    """Return the standard uncertainties of a CIF, None if it gives none."""
    from pymatgen.io.cif import CifFile

    text = path.read_text(errors="replace")
    if "(" not in text and not re.search(r"(?m)(?:^|\s)[.?](?:\s|$)", text):
        return None
    with quiet():
        blocks = [block.data for block in CifFile.from_file(path).data.values()]
    return uncertainties_of(blocks, str(path))


def _why_no_structure(path: Path) -> str:
    """Say why a CIF gives no structure at all."""
    from pymatgen.io.cif import CifParser

    try:
        CifParser(str(path), site_tolerance=5e-3, occupancy_tolerance=1.0).parse_structures(on_error="raise")
        reason = "no structure"
    except Exception as problem:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[-1]
    if _has_infinities(path):
        reason = "a coordinate or cell length is not a finite number"
    if found := re.search(r"Occupancy ([\d.]+)", reason):
        return (
            f"{path}: two atoms stand on one place: their occupancies sum to {found.group(1)} (expected at most 1); "
            "remove duplicates, or give the occupancies of a mixed site"
        )
    return f"{path}: not a crystal structure that can be read ({reason[:160]})"


def _has_infinities(path: Path) -> bool:
    return bool({"nan", "inf", "-inf"} & set(path.read_text(errors="replace").lower().split()))
