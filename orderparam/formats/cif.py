"""CIF with the child's own cell and operations."""

from __future__ import annotations

import re

import numpy as np

from orderparam.crystals.mixtures import VACANCY, occupancies
from orderparam.discovery.relate import Relation

from .childcell import ChildCell, child_cell, operation_text


def child_cif(relation: Relation, *, title: str = "child") -> str:
    """Return the symmetrised child as CIF in the setting of its own file (P1 by noise becomes its true group)."""
    return "\n".join([*cif_lines(child_cell(relation), title), ""])


def cif_lines(cell: ChildCell, title: str) -> list[str]:
    """Return the lines of a CIF: cell, operations, asymmetric unit."""
    crystal = cell.crystal
    lengths = np.linalg.norm(crystal.lattice, axis=1)
    cosines = (crystal.lattice @ crystal.lattice.T) / np.outer(lengths, lengths)
    angles = np.degrees(np.arccos([cosines[1, 2], cosines[0, 2], cosines[0, 1]]))
    number, symbol = cell.space_group
    formula = re.sub(rf"{VACANCY}[\d.]+", "", crystal.formula)  # a CIF is ASCII
    lines = [f"data_{title}", f"_chemical_formula_structural '{formula}'"]
    lines += [f"_cell_length_{axis} {length:.8f}" for axis, length in zip("abc", lengths, strict=True)]
    names = ("alpha", "beta", "gamma")
    lines += [f"_cell_angle_{name} {angle:.8f}" for name, angle in zip(names, angles, strict=True)]
    lines += [f"_space_group_IT_number {number}", f"_symmetry_space_group_name_H-M '{symbol}'"]
    lines += ["loop_", "_space_group_symop_id", "_space_group_symop_operation_xyz"]
    operations = zip(cell.rotations, cell.translations, strict=True)
    lines += [f"{i} '{operation_text(*operation)}'" for i, operation in enumerate(operations, start=1)]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"] + ["_atom_site_occupancy"]
    for i in cell.asymmetric:
        x, y, z = np.round(crystal.positions[i], 10) + 0.0
        for symbol, amount in occupancies(crystal.species[i]).items():
            label = crystal.labels[i] if len(occupancies(crystal.species[i])) == 1 else f"{symbol}_{crystal.labels[i]}"
            lines.append(f"{label} {symbol} {x:.10f} {y:.10f} {z:.10f} {amount:g}")
    return lines
