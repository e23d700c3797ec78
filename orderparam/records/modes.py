"""The record of an exact decomposition."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from orderparam.discovery.analyse import SIGNIFICANT, Analysis
from orderparam.discovery.denoise import NoiseReport
from orderparam.discovery.relate import Relation, describe_basis
from orderparam.geometry import describe_geometry, geometry_record
from orderparam.supercell import Subgroup
from orderparam.symmetry.orderparameter import OrderParameter, strain_tensor
from orderparam.symmetry.origins import names_at_other_origins
from orderparam.symmetry.primary import PrimarySet
from orderparam.symmetry.sitemodes import site_modes
from orderparam.tables import mode_counts, mode_row, splitting_rows
from orderparam.wavevectors import LARGEST_DENOMINATOR

from .files import VERSION, versions
from .points import point_modes
from .symmetry import layer_group_record

MODES_SCHEMA, SERIES_SCHEMA = "orderparam/modes", "orderparam/series"

MANY_NUMBERS = 100_000
"""Polarisation vectors are left out of the modes of an irrep with more numbers than three times this."""


def modes_record(analysis: Analysis, *, command: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the public record of an exact decomposition (schema ``orderparam/modes``).

    `command` is what the user asked for, so that the record can be made again.
    """
    made_by = {} if command is None else {"command": command, "versions": versions()}
    if analysis.relation.parent.finite:
        return {"schema": MODES_SCHEMA, "version": VERSION, **point_modes(analysis), **made_by}
    relation, decomposition = analysis.relation, analysis.decomposition
    distortion = relation.distortion
    primary = {m.label for m in analysis.primary_members if not m.is_strain}
    primary_strain = {m.label for m in analysis.primary_members if m.is_strain}
    number, symbol = distortion.group.space_group
    errors = analysis.errors
    record: dict[str, Any] = {
        "schema": MODES_SCHEMA,
        "version": VERSION,
        "parent": {
            "file": relation.parent.crystal.name,
            "formula": relation.parent.crystal.formula,
            "space_group": {"number": relation.parent.group.number, "symbol": relation.parent.group.symbol},
            "layer_group": layer_group_record(relation.layer_groups[0]),
            "origin_atom": relation.parent.origin_atom,
            "moved_by_symmetrisation": {"max": relation.parent.moved_max, "rms": relation.parent.moved_rms},
        },
        "child": {
            "file": relation.child.name,
            "formula": relation.child.formula,
            "space_group": {"number": relation.report.number, "symbol": relation.report.symbol},
            "layer_group": layer_group_record(relation.layer_groups[1]),
            "removed_by_symmetrisation": {"max": relation.removed_max, "rms": relation.removed_rms},
        },
        "correspondence": correspondence_record(relation),
        "strain": {
            "tensor": distortion.strain.tolist(),
            "irreps": [
                {
                    "label": o.label,
                    "amplitude": o.amplitude,
                    "direction": o.direction,
                    "isotropy_subgroup": _group(o.subgroup),
                    "components": o.components.tolist(),
                    "tensor": strain_tensor(o).tolist(),
                    "primary": o.label in primary_strain,
                    **({"amplitude_error": errors.strain[o.label]} if errors and o.label in errors.strain else {}),
                }
                for o in decomposition.strain
            ],
        },
        "irreps": [_irrep_record(o, analysis, o.label in primary) for o in decomposition.displacive],
        "primary_sets": [_primary_record(s) for s in analysis.primary_sets],
        "isotropy_subgroup": {"number": number, "symbol": symbol},
        "domains": distortion.group.index,
        "total_amplitude": distortion.total_amplitude,
        "max_displacement": float(distortion.lengths.max()),
        "wyckoff_splitting": splitting_rows(analysis),
        "mode_counts": mode_counts(analysis),
        "other_origins": [
            {"atom": names.atom, "shift": list(names.shift), "labels": names.labels}
            for names in names_at_other_origins(relation.parent, [o.irrep for o in decomposition.displacive])
        ],
        "warnings": list(analysis.warnings),
        **made_by,
    }
    if analysis.noise is not None:
        record["noise"] = noise_record(analysis.noise)
    geometry = describe_geometry(relation, decomposition)
    if geometry.octahedra:
        record["geometry"] = geometry_record(geometry)
    return record


def noise_record(report: NoiseReport) -> dict[str, Any]:
    """Return what was taken for noise."""
    lower = report.next_lower
    return {
        "sigma": report.sigma,
        "estimated": report.estimated,
        "determined": report.determined,
        "undetermined": report.undetermined,
        "taken": report.taken,
        "residual_rms": report.residual_rms,
        "coordinates": report.n_free + report.n_left,
        "parameters": report.n_free,
        "expected_error": report.expected_error,
        "space_group": {"number": report.space_group[0], "symbol": report.space_group[1]},
        "next_lower": lower
        and {
            "space_group": {"number": lower.space_group[0], "symbol": lower.space_group[1]},
            "cost_difference": lower.cost_difference,
        },
        "detection_limit": report.detection_limit,
        "criterion": report.criterion,
        "warnings": list(report.warnings),
    }


def _irrep_record(o: OrderParameter, analysis: Analysis, primary: bool) -> dict[str, Any]:
    parent, distortion, errors = analysis.relation.parent, analysis.relation.distortion, analysis.errors
    k = parent.k_printed(o.irrep.k[0])
    modes = site_modes(o, distortion)
    patterned = len(modes) * distortion.supercell.n_atoms <= MANY_NUMBERS
    record: dict[str, Any] = {
        "label": o.irrep.irrep.label,
        "name": o.label,
        "k": _fractions(k),
        "k_primitive": _fractions(np.linalg.inv(parent.conventional) @ k),
        "k_label": o.irrep.irrep.k_label,
        "dimension": o.irrep.dimension,
        "type": {1: 1, -1: 2, 0: 3}[o.irrep.irrep.kind],
        "copies": o.basis.copies,
        "n_modes": o.n_modes,
        "amplitude_supercell": o.amplitude_supercell,
        "amplitude_parent": o.amplitude,
        "max_displacement": float(np.linalg.norm(o.field(), axis=1).max()),
        "direction": o.direction,
        "components": o.components.tolist(),
        "isotropy_subgroup": _group(o.subgroup),
        "primary": primary,
        "allowed": True,
        "modes": [
            {
                **mode_row(mode),
                **({"amplitude_error": errors.modes[mode.name]} if errors else {}),
                "polarisation": np.round(mode.polarisation, 8).tolist() if patterned else None,
            }
            for mode in modes
        ],
    }
    if errors is not None:
        record["amplitude_error"] = errors.amplitudes[o.label]
    if analysis.noise is not None and analysis.noise.determined:
        record["above_noise"] = bool(o.amplitude_supercell > SIGNIFICANT * analysis.noise.mode_sigma)
    return record


def _primary_record(found: PrimarySet) -> dict[str, Any]:
    return {
        "labels": list(found.labels),
        "directions": [m.subgroup.space_group[1] for m in found.members],
        "share": found.share,
        "tied": found.tied,
        "mean_degree": None if np.isnan(found.mean_degree) else found.mean_degree,
    }


def correspondence_record(relation: Relation) -> dict[str, Any]:
    """Return how the child sits in the parent: cells, origin, rotation, atom by atom."""
    parent, found = relation.parent, relation.correspondence
    distortion = relation.distortion
    file_cell = relation.cell.basis @ found.supercell  # the child file's vectors, parent's primitive basis
    to_conventional = np.linalg.inv(parent.conventional)
    matrix = file_cell @ to_conventional
    own_axes = np.allclose(parent.conventional, np.rint(parent.file_basis)) and np.allclose(
        parent.file_basis, np.rint(parent.file_basis)
    )
    origin = found.origin_shift - (parent.file_origin if own_axes else 0.0)
    shift = origin @ to_conventional
    shift = shift - np.floor(shift + 1e-6)
    return {
        "supercell_matrix": _tidy(matrix),
        "supercell_matrix_primitive": distortion.supercell.matrix.astype(int).tolist(),
        "cell_multiplication": distortion.supercell.n_cells,
        "transformation": describe_basis(matrix, shift),
        "origin_shift": shift.tolist(),
        "rotation": found.rotation.tolist(),
        "mirrored": found.mirrored,
        "mapping_rms": found.rms,
        "atoms": [
            {
                "parent_site": parent_label,
                "child_site": child_label,
                "element": element,
                "displacement": u.tolist(),
                "length": float(np.linalg.norm(u)),
            }
            for parent_label, child_label, element, u in zip(
                distortion.supercell.labels,
                relation.child_labels,
                distortion.supercell.species,
                distortion.displacements,
                strict=True,
            )
        ],
    }


def _group(subgroup: Subgroup) -> dict[str, Any]:
    number, symbol = subgroup.space_group
    return {"number": number, "symbol": symbol, "index": subgroup.index}


def _fractions(values: np.ndarray) -> list[float]:
    return [float(Fraction(float(v)).limit_denominator(LARGEST_DENOMINATOR)) for v in values]


def _tidy(matrix: np.ndarray) -> list[list[float | int]]:
    """Return whole numbers as int, the rest (vectors of a centred lattice) as float."""
    return [[round(v) if abs(v - round(v)) < 1e-6 else float(v) for v in row] for row in np.asarray(matrix).tolist()]


def series_record(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the public record of a series (schema ``orderparam/series``): one row per structure."""
    return {"schema": SERIES_SCHEMA, "version": VERSION, "rows": rows}
