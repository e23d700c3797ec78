"""The records of the subgroup graph and of the domains."""

from __future__ import annotations

from typing import Any

import numpy as np

from orderparam.discovery.analyse import Analysis
from orderparam.subgroups import Domain, SubgroupGraph
from orderparam.symmetry.isotropy import direction_symbol, fixed_projector, stabiliser

from .directions import group_record
from .files import VERSION

SUBGROUPS_SCHEMA, DOMAINS_SCHEMA = "orderparam/subgroups", "orderparam/domains"


def subgroups_record(analysis: Analysis, graph: SubgroupGraph) -> dict[str, Any]:
    """Return the public record of a subgroup graph (schema ``orderparam/subgroups``)."""
    nodes = []
    for node in graph.nodes:
        number, symbol = node.space_group
        basis, origin = node.setting()
        nodes.append(
            {
                "id": node.number,
                "space_group": {"number": number, "symbol": symbol},
                "index": node.index,
                "basis": np.round(basis, 8).tolist(),
                "origin": np.round(origin, 8).tolist(),
                "distance": node.distance,
                "strain": node.strain_left,
                "realised": node.is_realised,
                "realised_with_strain": node.is_realised_with_strain,
                "irreps": [
                    {"label": label, "amplitude_supercell": size, "direction": _direction(analysis, label, node)}
                    for label, size in node.amplitudes.items()
                ],
            }
        )
    return {
        "schema": SUBGROUPS_SCHEMA,
        "version": VERSION,
        "parent": group_record(analysis.relation.parent),
        "child": {"file": analysis.relation.child.name, "formula": analysis.relation.child.formula},
        "complete": graph.is_complete,
        "nodes": nodes,
        "edges": [
            {
                "child": e.child,
                "parent": e.parent,
                "index": e.index,
                "type": e.kind,
                "wyckoff_splitting": [
                    {"site": s.site, "from": s.upper, "to": list(s.lower)} for s in graph.splitting(e)
                ],
            }
            for e in graph.edges
        ],
        "warnings": list(analysis.warnings),
    }


def _direction(analysis: Analysis, label: str, node: Any) -> str:
    """Return the direction of what a group leaves of an order parameter."""
    o = analysis.decomposition[label]
    components = o.components @ fixed_projector(o.irrep, node.subgroup)
    return direction_symbol(o.irrep, stabiliser(o.supercell, o.irrep, components))


def domains_record(analysis: Analysis, domains: tuple[Domain, ...]) -> dict[str, Any]:
    """Return the public record of the domains (schema ``orderparam/domains``)."""
    return {
        "schema": DOMAINS_SCHEMA,
        "version": VERSION,
        "parent": group_record(analysis.relation.parent),
        "child": {"file": analysis.relation.child.name, "formula": analysis.relation.child.formula},
        "domains": [
            {
                "operation": d.operation,
                "kind": d.kind,
                "rotation": d.turn,
                "order_parameters": {label: (c + 0.0).tolist() for label, c in d.order_parameters.items()},
                "strain": (d.strain + 0.0).tolist(),
            }
            for d in domains
        ],
        "warnings": list(analysis.warnings),
    }
