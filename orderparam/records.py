"""Result files: every noun as plain JSON with a schema name and a version, written whole or not at all."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Iterable
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from orderparam.crystal import Crystal
from orderparam.discovery.analyse import Analysis
from orderparam.discovery.discover import Discovery
from orderparam.discovery.relate import Relation, describe_basis
from orderparam.errors import InvalidInputError
from orderparam.parent import Parent
from orderparam.spacegroup import SymmetryReport
from orderparam.supercell import Subgroup
from orderparam.symmetry.orderparameter import OrderParameter, strain_tensor
from orderparam.symmetry.primary import PrimarySet

MODES_SCHEMA, FIT_SCHEMA, SYMMETRY_SCHEMA = "orderparam/modes", "orderparam/fit", "orderparam/symmetry"
VERSION = 1


def modes_record(analysis: Analysis) -> dict[str, Any]:
    """Return the public record of an exact decomposition (schema ``orderparam/modes``)."""
    relation, decomposition = analysis.relation, analysis.decomposition
    distortion = relation.distortion
    primary = {m.label for m in analysis.primary_members if not m.is_strain}
    primary_strain = {m.label for m in analysis.primary_members if m.is_strain}
    number, symbol = distortion.group.space_group
    return {
        "schema": MODES_SCHEMA,
        "version": VERSION,
        "parent": {
            "file": relation.parent.crystal.name,
            "formula": relation.parent.crystal.formula,
            "space_group": {"number": relation.parent.group.number, "symbol": relation.parent.group.symbol},
            "origin_atom": relation.parent.origin_atom,
            "moved_by_symmetrisation": {"max": relation.parent.moved_max, "rms": relation.parent.moved_rms},
        },
        "child": {
            "file": relation.child.name,
            "formula": relation.child.formula,
            "space_group": {"number": relation.report.number, "symbol": relation.report.symbol},
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
                }
                for o in decomposition.strain
            ],
        },
        "irreps": [_irrep_record(o, relation.parent, primary) for o in decomposition.displacive],
        "primary_sets": [_primary_record(s) for s in analysis.primary_sets],
        "isotropy_subgroup": {"number": number, "symbol": symbol},
        "domains": distortion.group.index,
        "total_amplitude": distortion.total_amplitude,
        "max_displacement": float(distortion.lengths.max()),
        "warnings": list(analysis.warnings),
    }


def _irrep_record(o: OrderParameter, parent: Parent, primary: set[str]) -> dict[str, Any]:
    k = o.irrep.k[0]
    field = o.field()
    return {
        "label": o.label,
        "k": _fractions(parent.k_conventional(k)),
        "k_primitive": _fractions(k),
        "k_label": o.irrep.irrep.k_label,
        "dimension": o.irrep.dimension,
        "copies": o.basis.copies,
        "n_modes": o.n_modes,
        "amplitude_supercell": o.amplitude_supercell,
        "amplitude_parent": o.amplitude,
        "max_displacement": float(np.linalg.norm(field, axis=1).max()),
        "direction": o.direction,
        "components": o.components.tolist(),
        "isotropy_subgroup": _group(o.subgroup),
        "primary": o.label in primary,
        "allowed": True,
    }


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
        "supercell_matrix_primitive": np.asarray(found.supercell).astype(int).tolist(),
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
                relation.cell.crystal.labels,
                relation.cell.crystal.species,
                distortion.displacements,
                strict=True,
            )
        ],
    }


def fit_record(discovery: Discovery, *, command: dict[str, Any]) -> dict[str, Any]:
    """Return the public record of a fit (schema ``orderparam/fit``); `command` is what the user asked for."""
    fit, choice = discovery.fit, discovery.fit.choice
    number, symbol = discovery.predicted_group
    held = (
        {m.name: holds for m, holds in zip(discovery.carrier.members, discovery.carrier.holds, strict=True)}
        if (discovery.carrier)
        else {}
    )
    members = {m.name: m for m in discovery.carrier.members} if discovery.carrier else {}
    primary = [m.label for m in discovery.primaries]
    inputs = []
    for block in discovery.blocks:
        name = block.name.split(" (")[0]
        member = members.get(name)
        helper = " (" in block.name
        inputs.append(
            {
                "element": member.element if member else name.split(":")[0],
                "site": member.site if member else name.split(":")[0],
                "irrep": str(block.irrep),
                "space_group_irreps": [block.name.split(" (")[1].rstrip(")")]
                if helper
                else [label for label in primary if label in held.get(name, ())],
                "free_components": block.n_free,
                "helper": helper,
            }
        )
    return {
        "schema": FIT_SCHEMA,
        "version": VERSION,
        "modes": modes_record(discovery.analysis),
        "inputs": inputs,
        "carriers": [
            {
                "element": m.element,
                "site": m.site,
                "irrep": str(m.irrep),
                "components_per_formula_unit": m.components_per_formula_unit,
                "share_held": carrier.share_held,
                "tied": carrier.tied,
                "chosen": discovery.carrier is not None and carrier.name == discovery.carrier.name,
                "with": [other.name for other in carrier.members if other is not m],
            }
            for carrier in discovery.carriers
            for m in carrier.members
        ],
        "gradient": [
            {
                "element": g.element,
                "site": g.site,
                "irrep": g.irrep,
                "space_group_irrep": g.space_group_irrep,
                "norm": g.norm,
            }
            for g in discovery.gradient
        ],
        "learned_order_parameter": [
            {
                "label": found.label,
                "direction": found.direction,
                "normalised_to": found.normalised_to,
                "input": found.input,
                "isotropy_subgroup": {
                    "number": found.isotropy_subgroup[0],
                    "symbol": found.isotropy_subgroup[1],
                },
                "share_of_input": found.share_of_input,
            }
            for found in discovery.learned
        ],
        "necessity": [
            {
                "without": n.without,
                "residual_max": n.residual_max,
                "exact_floor_max": n.exact_floor_max,
                "strain_residual": n.strain_residual,
                "strain_floor": n.strain_floor,
            }
            for n in discovery.necessity
        ],
        "residual": {"max": fit.deviation.max, "rms": fit.deviation.rms, "mean_abs": fit.deviation.mean_abs},
        "strain_residual": fit.deviation.strain,
        "predicted": {"space_group": {"number": number, "symbol": symbol}, "symprec": 1e-4},
        "architecture": {
            "lmax": choice.architecture.lmax,
            "layers": choice.architecture.layers,
            "cutoff": fit.network.radial.cutoff,
            "rank_deficiency": choice.chosen.deficiency,
            "unreachable": list(discovery.unreachable),
            "helpers": list(discovery.helpers),
            "tried": [str(rung.architecture) for rung in choice.rungs],
        },
        "converged": fit.converged,
        "iterations": fit.iterations,
        "restarts": fit.restarts,
        "seed": fit.config.seed,
        "config": command,
        "versions": versions(),
        "seconds": discovery.seconds,
    }


def symmetry_record(crystal: Crystal, report: SymmetryReport, ladder: Iterable[SymmetryReport]) -> dict[str, Any]:
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
        "sites": sites,
        "tolerance": [
            {"symprec": r.symprec, "number": r.number, "symbol": r.symbol, "n_operations": len(r.rotations)}
            for r in ladder
        ],
        "warnings": list(crystal.notes),
    }


def symmetry_list(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the public record of the reports on several files."""
    return {"schema": SYMMETRY_SCHEMA, "version": VERSION, "files": records}


def _group(subgroup: Subgroup) -> dict[str, Any]:
    number, symbol = subgroup.space_group
    return {"number": number, "symbol": symbol, "index": subgroup.index}


def _fractions(values: np.ndarray) -> list[float]:
    return [float(Fraction(float(v)).limit_denominator(1000)) for v in values]


def _tidy(matrix: np.ndarray) -> list[list[float | int]]:
    """Return whole numbers as int, the rest (vectors of a centred lattice) as float."""
    return [[round(v) if abs(v - round(v)) < 1e-6 else float(v) for v in row] for row in np.asarray(matrix).tolist()]


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for package in ("orderparam", "numpy", "scipy", "spglib", "pymatgen", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def to_json(record: dict[str, Any]) -> str:
    """Return a record as JSON text."""
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a record")


def write_text(path: str | Path, text: str) -> None:
    """Write a file whole or not at all: to a temporary name beside it, then renamed.

    Raises
    ------
    InvalidInputError
        When the place cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise InvalidInputError(f"{path}: cannot be written ({problem.strerror or problem})") from problem
