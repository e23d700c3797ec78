"""The record of a spglib report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from orderparam.crystals.crystal import Crystal
from orderparam.spacegroup import LayerGroup, SymmetryReport

from .files import VERSION

SYMMETRY_SCHEMA = "orderparam/symmetry"


def symmetry_record(
    crystal: Crystal,
    report: SymmetryReport,
    ladder: Iterable[SymmetryReport],
    layer_group: LayerGroup | None = None,
) -> dict[str, Any]:
    """Return the public record of a spglib report (schema ``orderparam/symmetry``)."""
    sites = [
        {
            "label": crystal.labels[i],
            "species": crystal.species[i],
            "wyckoff": report.wyckoffs[i],
            "multiplicity": int((report.equivalent_atoms == i).sum()),
            "site_symmetry": report.site_symmetries[i],
            "position": crystal.positions[i].tolist(),
        }
        for i in np.unique(report.equivalent_atoms)
    ]
    return {
        "schema": SYMMETRY_SCHEMA,
        "version": VERSION,
        "file": crystal.name,
        "formula": crystal.formula,
        "n_atoms": crystal.n_sites,
        "symprec": report.symprec,
        "space_group": {
            "number": report.number,
            "symbol": report.symbol,
            "hall_number": report.hall_number,
            "hall_symbol": report.hall_symbol,
            "point_group": report.point_group,
        },
        "layer_group": layer_group_record(layer_group),
        "sites": sites,
        "tolerance": [
            {"symprec": r.symprec, "number": r.number, "symbol": r.symbol, "n_operations": len(r.rotations)}
            for r in ladder
        ],
        "warnings": list(crystal.notes),
    }


def layer_group_record(group: LayerGroup | None) -> dict[str, Any] | None:
    """Return number and symbol of a layer group; None for a crystal."""
    return None if group is None else {"number": group.number, "symbol": group.symbol}


def symmetry_list(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the public record of the reports on several files."""
    return {"schema": SYMMETRY_SCHEMA, "version": VERSION, "files": records}
