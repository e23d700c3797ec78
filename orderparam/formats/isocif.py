"""CIF with symmetry modes as ISODISTORT writes them (``_iso_...``), which GSAS-II and TOPAS users refine.

The shift of a coordinate is ``delta_i = sum_j matrix_ij norm_j value_j``: value_j is the amplitude As (angstrom) of
mode j, the matrix is square, and there are as many modes as free coordinates. Names after the dictionary of the
ISODISTORT server and its reader in GSAS-II (phase import of CIF).
"""

from __future__ import annotations

import numpy as np

from orderparam.discovery.analyse import Analysis
from orderparam.symmetry.isotropy import reduced_echelon
from orderparam.symmetry.sitemodes import all_site_modes

from .childcell import ChildCell, child_cell
from .cif import cif_lines

_FreeCoordinate = tuple[int, int, np.ndarray]
"""Atom, axis, and how the atom's three coordinates follow from it."""


def iso_cif(analysis: Analysis, *, title: str = "child") -> str:
    """Return the child as CIF with its displacive modes, amplitudes and the matrix between modes and coordinates.

    Examples
    --------
    >>> from orderparam import analyse, read_crystal, symmetrise
    >>> parent = symmetrise(read_crystal("structures/fluorite/ZrO2_225.cif"))
    >>> text = iso_cif(analyse(parent, read_crystal("structures/fluorite/ZrO2_137.cif")))
    >>> [line for line in text.splitlines() if line.startswith("_iso_displacivemode_number")]
    ['_iso_displacivemode_number 1']
    """
    cell = child_cell(analysis.relation)
    modes = all_site_modes(analysis.decomposition)
    free = _free_coordinates(cell)
    shifts = [cell.shifts(mode.pattern) for mode in modes]
    scales = [max(float(np.abs(s[cell.asymmetric]).max()), 1e-12) for s in shifts]
    matrix = np.array(
        [[s[atom, axis] / scale for s, scale in zip(shifts, scales, strict=True)] for atom, axis, _ in free]
    )
    values = np.array([mode.amplitude_supercell for mode in modes])
    deltas = matrix @ (np.array(scales) * values) if modes else np.zeros(0)
    lines = cif_lines(cell, title)
    lines += ["", f"_iso_displacivemode_number {len(modes)}"]
    if not modes:
        return "\n".join([*lines, ""])
    lines += ["loop_", "_iso_displacivemode_ID", "_iso_displacivemode_label", "_iso_displacivemode_value"]
    lines += [f"{j} {m.name} {value:.8f}" for j, (m, value) in enumerate(zip(modes, values, strict=True), start=1)]
    lines += ["loop_", "_iso_displacivemodenorm_ID", "_iso_displacivemodenorm_value"]
    lines += [f"{j} {scale:.10f}" for j, scale in enumerate(scales, start=1)]
    lines += ["loop_", "_iso_coordinate_label", "_iso_coordinate_formula"]
    lines += _formulas(cell, free)
    lines += ["loop_", "_iso_deltacoordinate_ID", "_iso_deltacoordinate_label", "_iso_deltacoordinate_value"]
    names = [_name(cell, atom, axis) for atom, axis, _ in free]
    lines += [f"{i} {name} {delta:.10f}" for i, (name, delta) in enumerate(zip(names, deltas, strict=True), start=1)]
    lines += [f"_iso_displacivemodematrix_{field}" if field else "loop_" for field in ("", "row", "col", "value")]
    for i, row in enumerate(matrix, start=1):
        lines += [f"{i} {j} {value:.10f}" for j, value in enumerate(row, start=1) if abs(value) > 1e-9]
    return "\n".join([*lines, ""])


def _free_coordinates(cell: ChildCell) -> list[_FreeCoordinate]:
    """Return the coordinates of the asymmetric unit that the site groups leave free."""
    found = []
    for atom in cell.asymmetric:
        place = cell.crystal.positions[atom]
        gaps = cell.rotations @ place + cell.translations - place
        stabiliser = cell.rotations[np.linalg.norm((gaps - np.rint(gaps)) @ cell.crystal.lattice, axis=1) < 1e-3]
        rows = reduced_echelon(np.mean(stabiliser, axis=0).T)
        found += [(int(atom), int(np.argmax(np.abs(row) > 1e-6)), row) for row in rows]
    return found


def _name(cell: ChildCell, atom: int, axis: int) -> str:
    return f"{cell.crystal.labels[atom]}_d{'xyz'[axis]}"


def _formulas(cell: ChildCell, free: list[_FreeCoordinate]) -> list[str]:
    """Return every coordinate of the asymmetric unit as the parent's value plus shifts."""
    lines = []
    for atom in cell.asymmetric:
        for axis in range(3):
            text = f"{cell.reference[atom, axis]:.10f}"
            for other, pivot, row in free:
                if other == atom and abs(row[axis]) > 1e-6:
                    factor = "" if abs(row[axis] - 1) < 1e-6 else f"{row[axis]:.6g}*"
                    text += f" + {factor}{_name(cell, other, pivot)}"
            lines.append(f'{cell.crystal.labels[atom]}_{"xyz"[axis]} "{text}"')
    return lines
