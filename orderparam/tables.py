"""Results as tidy tables: one row per mode, per atom, per orbit; plain values under column names, for CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from .discovery.analyse import Analysis
from .spacegroup import report_symmetry
from .symmetry.sitemodes import SiteMode, site_modes

Row = dict[str, Any]


def mode_rows(analysis: Analysis) -> list[Row]:
    """Return one row per symmetry-adapted mode, irrep by irrep, zero ones included."""
    errors = analysis.errors
    rows = []
    for o in analysis.decomposition.displacive:
        for mode in site_modes(o, analysis.relation.distortion):
            row = {"irrep": o.label, **mode_row(mode)}
            if errors is not None:
                row["amplitude_error"] = errors.modes[mode.name]
            rows.append(row)
    return rows


def mode_row(mode: SiteMode) -> Row:
    """Return the plain values of one mode; amplitudes in angstrom."""
    parent = mode.order_parameter.supercell.parent
    return {
        "name": mode.name,
        "site": parent.crystal.labels[mode.site],
        "element": parent.crystal.species[mode.site],
        "wyckoff": parent.wyckoffs[mode.site],
        "site_symmetry": parent.site_symmetries[mode.site],
        "site_irrep": mode.site_irrep,
        "branch": mode.branch,
        "parameter": mode.parameter,
        "amplitude_supercell": mode.amplitude_supercell,
        "amplitude_parent": mode.amplitude,
        "max_displacement": mode.max_displacement,
        "normalisation": mode.normalisation,
    }


def pairing_rows(analysis: Analysis) -> list[Row]:
    """Return one row per atom of the child's primitive cell: where it comes from and how it moves (angstrom)."""
    relation = analysis.relation
    supercell, parent = relation.distortion.supercell, relation.parent
    rows = []
    for site, child, u in zip(supercell.sites, relation.child_labels, relation.distortion.displacements, strict=True):
        rows.append(
            {
                "parent_site": parent.crystal.labels[site],
                "wyckoff": parent.wyckoffs[site],
                "child_site": child,
                "element": parent.crystal.species[site],
                "ux": float(u[0]),
                "uy": float(u[1]),
                "uz": float(u[2]),
                "length": float(np.linalg.norm(u)),
            }
        )
    return rows


def splitting_rows(analysis: Analysis) -> list[Row]:
    """Return how every orbit of the parent splits: one row per orbit of the child, letters of spglib's settings."""
    distortion, parent = analysis.relation.distortion, analysis.relation.parent
    report = report_symmetry(distortion.crystal(), 1e-4)
    supercell = distortion.supercell
    rows = []
    for orbit in distortion.group.action().orbits():
        first = orbit[0]
        site = int(supercell.sites[first])
        rows.append(
            {
                "parent_site": parent.crystal.labels[site],
                "parent_wyckoff": parent.wyckoffs[site],
                "parent_site_symmetry": parent.site_symmetries[site],
                "child_site": analysis.relation.child_labels[first],
                "child_wyckoff": report.wyckoffs[first],
                "child_site_symmetry": report.site_symmetries[first],
                "atoms": len(orbit),
            }
        )
    return sorted(rows, key=lambda row: (row["parent_site"], row["child_site"]))


def mode_counts(analysis: Analysis) -> list[Row]:
    """Return how many modes the child allows, per orbit of the parent (rows) and irrep (columns)."""
    distortion, parent = analysis.relation.distortion, analysis.relation.parent
    counts: dict[int, Row] = {
        orbit: {"site": parent.crystal.labels[orbit], "wyckoff": parent.wyckoffs[orbit]}
        for orbit in parent.orbit_sites()
    }
    for o in analysis.decomposition.displacive:
        for row in counts.values():
            row[o.label] = 0
        for mode in site_modes(o, distortion):
            counts[mode.site][o.label] += 1
    return list(counts.values())


def to_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV text, columns in order of first appearance, numbers with nine digits."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: f"{v:.9g}" if isinstance(v, float) else v for k, v in row.items()})
    return out.getvalue()
