"""Directions and irreps as tables, and one structure per direction as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystal import crystal_to_cif
from orderparam.discovery.relate import describe_basis
from orderparam.errors import InvalidInputError, SymmetryError
from orderparam.parent import Parent
from orderparam.records import write_text
from orderparam.records.directions import carried_by_all, carriers_of
from orderparam.spacegroup import report_symmetry, symbol_of
from orderparam.supercell import Supercell
from orderparam.symmetry.modes import SiteRepresentation, expand, mode_basis
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.symmetry.strata import Direction

from .summary import _table, _wave_vector

Found = Sequence[tuple[Sequence[ParentIrrep], Sequence[Direction]]]


def directions_report(parent: Parent, found: Found) -> RenderableType:
    """Return one table per irrep or set of irreps."""
    parts: list[RenderableType] = []
    for irreps, directions in found:
        name = " + ".join(i.label for i in irreps)
        k = "; ".join(dict.fromkeys(_wave_vector(parent.k_conventional(i.k[0])) for i in irreps))
        rows = []
        for d in directions:
            number, symbol = d.subgroup.space_group
            basis, origin = d.setting()
            rows.append(
                (
                    "*" if d.is_maximal else "",
                    d.symbol,
                    f"{symbol} ({number})",
                    describe_basis(basis, origin).replace(";", "; "),
                    d.size,
                    d.index,
                )
            )
        title = f"{name} of {parent.group}, k = {k}" + (
            f", carried by {', '.join(carried_by_all(parent, irreps)) or 'no displacement'}"
            if parent.crystal.n_sites
            else ""
        )
        columns = ("", "direction", "subgroup", "basis; origin", "s", "i")
        parts.append(_table(title, columns, rows, right=(4, 5), fold=(1, 3)))
    parts.append(Text("  * maximal   s: cell multiplication   i: index, the number of domains"))
    return Group(*parts)


def irreps_report(parent: Parent, irreps: Sequence[ParentIrrep], strains: Sequence[str]) -> RenderableType:
    """Return one line per irrep."""
    rows = [
        (
            i.label,
            _wave_vector(parent.k_conventional(i.k[0])),
            len(i.k),
            i.dimension,
            {1: "real", -1: "pseudo-real", 0: "complex"}[i.irrep.kind],
            ", ".join(carriers_of(parent, i)) or "-",
            "yes" if i.label in strains else "",
        )
        for i in irreps
    ]
    columns = ("irrep", "k", "arms", "dim", "type", "displacements of", "strain")
    return _table(f"Irreps of {parent.group} at its special points", columns, rows, right=(2, 3), fold=(5,))


def solutions_report(
    parent: Parent, solutions: Sequence[Sequence[Direction]], number: int, size: int | None
) -> RenderableType:
    """Return what leads to a subgroup."""
    rows = [
        (
            " + ".join(i.label for i in found[0].images.irreps),
            d.symbol,
            d.size,
            d.index,
            ", ".join(carried_by_all(parent, found[0].images.irreps)) or "-",
        )
        for found in solutions
        for d in found
    ]
    cell = f" in a cell of {size}" if size else ""
    title = f"What leads from {parent.group} to {symbol_of(number)} ({number}){cell}"
    if not rows:
        return Text(f"{title}: no single irrep or pair at the special points")
    columns = ("irreps", "direction", "s", "i", "carried by")
    return _table(title, columns, rows, right=(2, 3), fold=(1, 4))


# --- structures ---------------------------------------------------------------------------------------------------


def check_can_be_written(parent: Parent, sets: Sequence[Sequence[ParentIrrep]], folder: str) -> None:
    """Refuse to write structures where there are no atoms, where no atom can move so, or where there is no place."""
    if not parent.crystal.n_sites:
        raise InvalidInputError(f"--write: {parent.group} has no atoms; give the file of a structure as PARENT")
    if Path(folder).exists() and not Path(folder).is_dir():
        raise InvalidInputError(f"--write {folder}: this is a file, not a folder")
    if len(sets) == 1:
        for irrep in sets[0]:
            if not carriers_of(parent, irrep):
                raise InvalidInputError(
                    f"--irrep {irrep.label}: no displacement of {', '.join(dict.fromkeys(parent.crystal.species))} can "
                    "carry it; without --write its directions are listed"
                )


def write_directions(parent: Parent, found: Found, folder: Path, amplitude: float) -> list[Path]:
    """Write one CIF per direction that atoms can carry; spglib must find the isotropy subgroup in each.

    Several copies of an irrep (several orbits, several modes) are mixed with equal weights and alternating signs, the
    free letters are as 1, 0.618, 0.382 ...; each irrep has the amplitude Ap.
    """
    written = []
    for irreps, directions in found:
        if not all(carriers_of(parent, irrep) for irrep in irreps):
            continue
        for number, direction in enumerate(directions, start=1):
            crystal = _structure(parent, direction, amplitude)
            report = report_symmetry(crystal, 1e-4)
            expected = direction.subgroup.space_group[0]
            if report.number != expected:
                raise SymmetryError(
                    f"{'+'.join(i.label for i in irreps)} {direction.symbol}: spglib finds {report.symbol} "
                    f"({report.number}) in the structure, the operations say {symbol_of(expected)} ({expected}); try "
                    "another --amplitude"
                )
            name = "_".join(i.label for i in irreps)
            path = folder / f"{name}_{number:02d}_{expected}.cif"
            write_text(path, crystal_to_cif(crystal, symprec=1e-4))
            written.append(path)
    return written


def _structure(parent: Parent, direction: Direction, amplitude: float):
    supercell = Supercell.build(parent, direction.subgroup.lattice_basis)
    representation = SiteRepresentation.on_sites(parent, parent.rotations_cart)
    field = np.zeros((supercell.n_atoms, 3))
    for irrep, components in zip(direction.images.irreps, direction.components(), strict=True):
        basis = mode_basis(representation, irrep)
        mix = np.array([(-1.0) ** m * (1 + 0.3 * m) for m in range(basis.copies)])
        part = expand(basis, supercell, np.outer(mix / np.linalg.norm(mix), components))
        part -= part.mean(axis=0)
        size = np.linalg.norm(part) / np.sqrt(supercell.n_cells)
        field += part * (amplitude / size if size > 1e-9 else 0.0)
    return supercell.with_displacements(field, np.zeros((3, 3)))
