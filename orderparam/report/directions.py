"""Directions and irreps as tables, and one structure per direction as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystals.crystal import Crystal
from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.relate import describe_basis
from orderparam.distort import Pattern, direction_field
from orderparam.errors import InvalidInputError, SymmetryError
from orderparam.o3 import Irrep
from orderparam.parent import Parent
from orderparam.records import directions_drawing, write_texts
from orderparam.records.directions import carriers_of, carriers_with_strain
from orderparam.spacegroup import report_symmetry, symbol_of
from orderparam.supercell import Supercell
from orderparam.symmetry.directioncodes import direction_code
from orderparam.symmetry.fieldcarriers import field_carriers, who_could
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.symmetry.strains import strain_labels
from orderparam.symmetry.strata import Direction

from .layout import plain_table

Found = Sequence[tuple[Sequence[ParentIrrep], Sequence[Direction]]]


def directions_report(parent: Parent, found: Found) -> RenderableType:
    """Return one table per irrep or set of irreps."""
    parts: list[RenderableType] = []
    strains = strain_labels(parent)
    for irreps, directions in found:
        name = " + ".join(i.label for i in irreps)
        k = "; ".join(dict.fromkeys(parent.k_text(i.k[0]) for i in irreps))
        rows = []
        for d in directions:
            number, symbol = d.subgroup.space_group
            basis, origin = d.setting()
            rows.append(
                (
                    direction_code(d) or "",
                    "*" if d.is_maximal else "",
                    d.symbol,
                    f"{symbol} ({number})",
                    describe_basis(basis, origin).replace(";", "; "),
                    d.size,
                    d.index,
                )
            )
        title = f"{name} of {parent.group}, k = {k}" + (
            f", carried by {', '.join(carriers_with_strain(parent, irreps, strains)) or 'no displacement'}"
            if parent.crystal.n_sites
            else ""
        )
        columns = ("", "", "direction", "subgroup", "basis; origin", "s", "i")
        parts.append(plain_table(title, columns, rows, right=(5, 6), fold=(2, 4)))
    parts.append(Text("  P1 ...: ISODISTORT's code   * maximal   s: cell multiplication   i: index"))
    return Group(*parts)


def irreps_report(
    parent: Parent, irreps: Sequence[ParentIrrep], strains: Sequence[str], fields: Sequence[Irrep] = ()
) -> RenderableType:
    """Return one line per irrep; with a column for every further field (an irrep of O(3) on the sites)."""
    rows = [
        (
            i.label,
            parent.k_text(i.k[0]),
            len(i.k),
            i.dimension,
            {1: "real", -1: "pseudo-real", 0: "complex"}[i.irrep.kind],
            ", ".join(carriers_of(parent, i)) or "-",
            "yes" if i.label in strains else "",
            *(", ".join(field_carriers(parent, i, field)) or "-" for field in fields),
        )
        for i in irreps
    ]
    columns = ("irrep", "k", "arms", "dim", "type", "displaced", "strain", *(f"{f} on" for f in fields))
    folded = (5, *range(7, len(columns)))
    return plain_table(f"Irreps of {parent.group} at its special points", columns, rows, right=(2, 3), fold=folded)


def solutions_report(
    parent: Parent, solutions: Sequence[Sequence[Direction]], number: int, size: int | None
) -> RenderableType:
    """Return what leads to a subgroup."""
    strains = strain_labels(parent)
    rows = [
        (
            " + ".join(i.label for i in found[0].images.irreps),
            d.symbol,
            d.size,
            d.index,
            ", ".join(carriers_with_strain(parent, found[0].images.irreps, strains)) or "-",
        )
        for found in solutions
        for d in found
    ]
    cell = f" in a cell of {size}" if size else ""
    title = f"What leads from {parent.group} to {symbol_of(number)} ({number}){cell}"
    if not rows:
        return Text(f"{title}: no single irrep or pair at the special points")
    columns = ("irreps", "direction", "s", "i", "carried by")
    return plain_table(title, columns, rows, right=(2, 3), fold=(1, 4))


# --- structures ---------------------------------------------------------------------------------------------------


def check_can_be_written(parent: Parent, sets: Sequence[Sequence[ParentIrrep]], folder: str, pattern: Pattern) -> None:
    """Refuse to write structures where there are no atoms, where no atom can move so, or where there is no place."""
    if not parent.crystal.n_sites:
        raise InvalidInputError(f"--write: {parent.group} has no atoms; give the file of a structure as PARENT")
    if Path(folder).exists() and not Path(folder).is_dir():
        raise InvalidInputError(f"--write {folder}: this is a file, not a folder")
    known = dict.fromkeys(parent.crystal.labels)
    for orbit in pattern.orbits:
        if orbit not in known:
            raise InvalidInputError(f"--orbit {orbit}: there is no such site; there are {', '.join(known)}")
    if len(sets) == 1:
        for irrep in sets[0]:
            carriers = carriers_of(parent, irrep)
            if not carriers:
                raise InvalidInputError(
                    f"--irrep {irrep.label}: no displacement of {', '.join(dict.fromkeys(parent.crystal.species))} can "
                    f"carry it ({who_could(parent, irrep)}); without --write its directions are listed"
                )
            if pattern.orbits and not set(pattern.orbits) & set(carriers):
                raise InvalidInputError(
                    f"--orbit {', '.join(pattern.orbits)}: {irrep.label} needs displacements of {', '.join(carriers)}"
                )


def write_directions(parent: Parent, found: Found, folder: Path, pattern: Pattern) -> list[Path]:
    """Write one CIF per direction that atoms can carry; spglib must find the isotropy subgroup in each."""
    texts = {}
    for irreps, directions in found:
        if not all(_carries(parent, irrep, pattern) for irrep in irreps):
            continue
        for number, direction in enumerate(directions, start=1):
            crystal = _structure(parent, direction, pattern)
            report = report_symmetry(crystal, 1e-4)
            expected = direction.subgroup.space_group[0]
            if report.number != expected:
                raise SymmetryError(
                    f"{'+'.join(i.label for i in irreps)} {direction.symbol}: spglib finds {report.symbol} "
                    f"({report.number}) in the structure, the operations say {symbol_of(expected)} ({expected}); try "
                    "another --amplitude or --letters"
                )
            name = "_".join(i.label for i in irreps)
            texts[f"{name}_{number:02d}_{expected}.cif"] = crystal_to_cif(crystal, symprec=1e-4)
    return write_texts(folder, texts)


def drawn_directions(parent: Parent, found: Found, pattern: Pattern) -> tuple[dict[str, Any] | None, str]:
    """Return the drawing of the first set of irreps, or None and why there is none."""
    if not parent.crystal.n_sites:
        return None, f"{parent.group} has no atoms to draw: give the file of a structure as PARENT."
    irreps, directions = found[0]
    for irrep in irreps:
        if not _carries(parent, irrep, pattern):
            return (
                None,
                f"No displacement can carry {irrep.label}; --irrep LABEL draws the directions of another irrep.",
            )
    return directions_drawing(irreps, directions, pattern), ""


def _carries(parent: Parent, irrep: ParentIrrep, pattern: Pattern) -> bool:
    carriers = set(carriers_of(parent, irrep))
    return bool(carriers & set(pattern.orbits) if pattern.orbits else carriers)


def _structure(parent: Parent, direction: Direction, pattern: Pattern) -> Crystal:
    supercell = Supercell.build(parent, direction.subgroup.lattice_basis)
    return supercell.with_displacements(direction_field(direction, pattern, supercell), np.zeros((3, 3)))
