"""Records of finite sets of points: point groups in place of space groups, no cells and no wave vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from orderparam.crystals.pointset import formula
from orderparam.discovery.analyse import Analysis
from orderparam.discovery.pointrelation import child_point_group
from orderparam.pointparent import international_symbol, point_group_of
from orderparam.supercell import Subgroup
from orderparam.symmetry.orderparameter import OrderParameter
from orderparam.symmetry.sitemodes import site_modes

_RENAMED = {
    "space_group": "point_group",
    "space_group_irrep": "point_group_irrep",
    "space_group_irreps": "point_group_irreps",
}


def point_group_record(name: str) -> dict[str, Any]:
    """Return a point group by its Schoenflies symbol; the Hermann-Mauguin symbol where it is crystallographic."""
    return {"symbol": name, "international": international_symbol(name)}


def in_point_groups(value: Any) -> Any:
    """Return a record in which every (symmorphic) space group is replaced by its point group."""
    if isinstance(value, list | tuple):
        return [in_point_groups(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "number" in value and "symbol" in value:
        rest = {key: item for key, item in value.items() if key not in {"number", "symbol"}}
        return {**point_group_record(point_group_of(value["number"])[0]), **rest}
    return {_RENAMED.get(key, key): in_point_groups(item) for key, item in value.items()}


def point_modes(analysis: Analysis) -> dict[str, Any]:
    """Return what `modes_record` says of a pair of crystals, for a pair of finite sets."""
    relation, decomposition = analysis.relation, analysis.decomposition
    parent, distortion, found = relation.parent, relation.distortion, relation.correspondence
    primary = {m.label for m in analysis.primary_members}
    return {
        "parent": {
            "file": parent.crystal.name,
            "formula": formula(parent.crystal.species),
            "point_group": point_group_record(point_group_of(parent.group.number)[0]),
            "moved_by_symmetrisation": {"max": parent.moved_max, "rms": parent.moved_rms},
        },
        "child": {
            "file": relation.child.name,
            "formula": formula(relation.child.species),
            "point_group": point_group_record(child_point_group(relation)[0]),
            "removed_by_symmetrisation": {"max": relation.removed_max, "rms": relation.removed_rms},
        },
        "correspondence": {
            "rotation": found.rotation.tolist(),
            "mirrored": found.mirrored,
            "mapping_rms": found.rms,
            "atoms": [
                {
                    "parent_site": site,
                    "child_site": label,
                    "element": element,
                    "position": place.tolist(),
                    "displacement": u.tolist(),
                    "length": float(np.linalg.norm(u)),
                }
                for site, label, element, place, u in zip(
                    distortion.supercell.labels,
                    relation.child_labels,
                    distortion.supercell.species,
                    distortion.supercell.points,
                    distortion.displacements,
                    strict=True,
                )
            ],
        },
        "irreps": [_irrep(o, analysis, o.label in primary) for o in decomposition.displacive],
        "primary_sets": [
            {
                "labels": list(s.labels),
                "directions": [_group(m.subgroup)["symbol"] for m in s.members],
                "share": s.share,
                "tied": s.tied,
                "mean_degree": None if np.isnan(s.mean_degree) else s.mean_degree,
            }
            for s in analysis.primary_sets
        ],
        "isotropy_subgroup": _group(distortion.group),
        "domains": distortion.group.index,
        "total_amplitude": distortion.total_amplitude,
        "max_displacement": float(distortion.lengths.max()),
        "warnings": list(analysis.warnings),
    }


def _irrep(o: OrderParameter, analysis: Analysis, primary: bool) -> dict[str, Any]:
    return {
        "label": o.label,
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
                "name": mode.name,
                "site": analysis.relation.parent.crystal.labels[mode.site],
                "element": analysis.relation.parent.crystal.species[mode.site],
                "site_irrep": mode.site_irrep,
                "branch": mode.branch,
                "parameter": mode.parameter,
                "amplitude_supercell": mode.amplitude_supercell,
                "amplitude_parent": mode.amplitude,
                "max_displacement": mode.max_displacement,
                "pattern": np.round(mode.pattern, 10).tolist(),
            }
            for mode in site_modes(o, analysis.relation.distortion)
        ],
    }


def _group(subgroup: Subgroup) -> dict[str, Any]:
    return {**point_group_record(point_group_of(subgroup.space_group[0])[0]), "index": subgroup.index}
