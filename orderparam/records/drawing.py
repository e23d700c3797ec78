"""What a picture needs beyond numbers in tables: a reference structure, cells, and fields that move its atoms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from orderparam.crystals.layers import is_layer
from orderparam.diffraction import find_reflections, reflection_rows
from orderparam.discovery.analyse import Analysis
from orderparam.distort import Pattern, direction_field
from orderparam.errors import InvalidInputError
from orderparam.lattice import lattice_basis
from orderparam.parent import Parent
from orderparam.quotientgroup import QuotientGroup
from orderparam.spacegroup import standard_setting
from orderparam.subgroups import Domain, SubgroupGraph, subgroup_graph
from orderparam.supercell import Subgroup, Supercell
from orderparam.symmetry.orderparameter import OrderParameter, strain_tensor
from orderparam.symmetry.parentirreps import ParentIrrep
from orderparam.symmetry.strata import Direction

from .files import VERSION
from .subgroups import subgroups_record

DRAWING_SCHEMA = "orderparam/drawing"

LARGEST_INDEX, MOST_ATOMS, MOST_OPERATIONS = 100, 80, 10_000
"""The groups in between and the powder lines go with a drawing up to this index, so many atoms, and a group G/T_S of
this order (48 times 125 cells; waves of 1/5 along one line of a cubic crystal have 500 cells)."""

DIGITS = 8


def drawing_record(analysis: Analysis) -> dict[str, Any]:
    """Return what is drawn of a pair (schema ``orderparam/drawing``): one part per order parameter; they add up."""
    distortion, decomposition = analysis.relation.distortion, analysis.decomposition
    primary = {m.key for m in analysis.primary_members}
    parts = [_displacive_part(o, (o.label, False) in primary) for o in decomposition.displacive if not o.is_zero]
    parts += [_strain_part(o, (o.label, True) in primary) for o in decomposition.strain if not o.is_zero]
    record = reference_record(distortion.supercell, child_cell_of(distortion.group), analysis.relation.child_labels)
    record |= {"additive": True, "parts": parts}
    record["wave_vectors"] = [wave_vector_record(analysis.relation.parent, o) for o in decomposition.displacive]
    return record


def detail_record(analysis: Analysis) -> dict[str, Any]:
    """Return the subgroup graph with its structures and the powder lines, as far as the pair is small enough."""
    distortion = analysis.relation.distortion
    if distortion.supercell.n_atoms > MOST_ATOMS or distortion.group.index > LARGEST_INDEX:
        return {}
    if QuotientGroup(distortion.supercell.parent, distortion.supercell.matrix).order > MOST_OPERATIONS:
        return {}
    graph = subgroup_graph(analysis)
    return {
        "subgroups": subgroups_record(analysis, graph),
        "states": node_parts(analysis, graph),
        "reflections": [] if is_layer(analysis.relation.child) else reflection_rows(find_reflections(analysis)),
    }


def reference_record(
    supercell: Supercell, cell: tuple[np.ndarray, np.ndarray], labels: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the undistorted atoms of a supercell and the cell to draw (rows and origin, Cartesian, angstrom)."""
    parent = supercell.parent
    return {
        "schema": DRAWING_SCHEMA,
        "version": VERSION,
        "lattice": supercell.lattice.tolist(),
        "positions": supercell.positions.tolist(),
        "species": list(supercell.species),
        "labels": list(supercell.labels),
        "child_labels": list(labels),
        "parent_primitive": parent.lattice.tolist(),
        "parent_cell": (parent.conventional @ parent.lattice).tolist(),
        "cell": cell[0].tolist(),
        "cell_origin": cell[1].tolist(),
        "wave_vectors": [],
    }


def child_cell_of(group: Subgroup) -> tuple[np.ndarray, np.ndarray]:
    """Return basis (rows) and origin of a group's standard cell in the undistorted parent, Cartesian, angstrom."""
    own = group.lattice_basis @ group.supercell.parent.lattice
    basis, origin = standard_setting(*group.operations(), own)
    return basis @ own, origin @ own


def common_cell(supercell: Supercell) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest multiple of the parent's conventional cell that a supercell's lattice repeats."""
    parent = supercell.parent
    steps = parent.conventional @ np.linalg.inv(supercell.matrix)
    times = [
        next(n for n in range(1, supercell.n_cells + 1) if np.abs(n * row - np.rint(n * row)).max() < 1e-6)
        for row in steps
    ]
    return np.diag(times) @ parent.conventional @ parent.lattice, np.zeros(3)


def wave_vector_record(parent: Parent, o: OrderParameter) -> dict[str, Any]:
    """Return the star of an irrep and the arms that its order parameter has, primitive and conventional."""
    active = o.active_arms()
    return {
        "label": o.label,
        "k_label": o.irrep.irrep.k_label,
        "star": _tidy(o.irrep.k),
        "active": _tidy(active),
        "active_conventional": [_tidy(parent.k_printed(arm)) for arm in active],
    }


def part_record(
    label: str, *, kind: str, field: np.ndarray | None, strain: np.ndarray | None, amplitude: float, detail: str
) -> dict[str, Any]:
    """Return one field: displacements (n, 3) in angstrom, strain (3, 3), either None where it is zero."""
    return {
        "label": label,
        "kind": kind,
        "field": None if field is None else _tidy(field),
        "strain": None if strain is None else _tidy(strain),
        "amplitude": amplitude,
        "detail": detail,
        "primary": False,
    }


def node_parts(analysis: Analysis, graph: SubgroupGraph) -> list[dict[str, Any]]:
    """Return the structure of every group between parent and child, on the child's atoms."""
    cell = analysis.relation.distortion.supercell
    found = []
    for node in graph.nodes:
        number, symbol = node.space_group
        own = node.distortion
        field = own.displacements[own.supercell.atoms_at(cell.sites, cell.cells)]
        left = ", ".join(f"{label} {size:.3f}" for label, size in node.amplitudes.items())
        found.append(
            part_record(
                f"{node.number}: {symbol} ({number})",
                kind="state",
                field=field,
                strain=own.strain,
                amplitude=float(np.linalg.norm(field)),
                detail=left or "undistorted",
            )
        )
    return found


def subgroups_drawing(analysis: Analysis, graph: SubgroupGraph) -> dict[str, Any]:
    """Return the drawing of a subgroup graph: one state per group."""
    record = drawing_record(analysis)
    return record | {"additive": False, "parts": node_parts(analysis, graph), "wave_vectors": []}


def domains_drawing(analysis: Analysis, domains: Sequence[Domain]) -> dict[str, Any]:
    """Return the drawing of domains, all in one cell that every domain repeats."""
    matrix = _common_matrix(domains)
    whole = Supercell.build(analysis.relation.parent, matrix)
    record = reference_record(whole, common_cell(whole))
    states = []
    for d in domains:
        field = d.displacements[d.supercell.atoms_at(whole.sites, whole.cells)]
        states.append(
            part_record(
                f"{d.number}: {d.operation}",
                kind="state",
                field=field,
                strain=d.strain,
                amplitude=float(np.linalg.norm(d.displacements)),
                detail=d.kind,
            )
        )
    return record | {"additive": False, "parts": states}


def directions_drawing(irreps: Sequence[ParentIrrep], directions: Sequence[Direction], pattern: Pattern) -> dict:
    """Return the drawing of the directions of one set of irreps, displaced by a pattern.

    Raises
    ------
    InvalidInputError
        When there is nothing to draw.
    """
    if not directions:
        raise InvalidInputError(f"{' + '.join(i.label for i in irreps)}: there is no direction to draw")
    whole = directions[0].images.supercell
    record = reference_record(whole, common_cell(whole))
    states = []
    for d in directions:
        number, symbol = d.subgroup.space_group
        field = direction_field(d, pattern, whole)
        states.append(
            part_record(
                f"{d.symbol}: {symbol} ({number})",
                kind="state",
                field=field,
                strain=None,
                amplitude=float(np.linalg.norm(field)),
                detail=f"index {d.index}, cell of {d.size}",
            )
        )
    return record | {"additive": False, "parts": states}


def _common_matrix(domains: Sequence[Domain]) -> np.ndarray:
    """Return the lattice (rows, primitive) that all domains have in common."""
    duals = np.concatenate([np.linalg.inv(d.supercell.matrix).T for d in domains])
    n = round(abs(np.linalg.det(domains[0].supercell.matrix)))
    generated = lattice_basis(np.unique(np.rint(duals * n).astype(int), axis=0)) / n
    common = np.rint(np.linalg.inv(generated).T).astype(int)
    return common if np.linalg.det(common) > 0 else -common


def _displacive_part(o: OrderParameter, primary: bool) -> dict[str, Any]:
    part = part_record(
        o.label,
        kind="displacement",
        field=o.field(),
        strain=None,
        amplitude=o.amplitude_supercell,
        detail=_detail(o),
    )
    return part | {"primary": primary}


def _strain_part(o: OrderParameter, primary: bool) -> dict[str, Any]:
    part = part_record(
        f"{o.label} (strain)",
        kind="strain",
        field=None,
        strain=strain_tensor(o),
        amplitude=o.amplitude,
        detail=_detail(o),
    )
    return part | {"primary": primary}


def _detail(o: OrderParameter) -> str:
    number, symbol = o.subgroup.space_group
    return f"{o.direction}, {symbol} ({number})"


def _tidy(values: np.ndarray) -> list:
    return (np.round(values, DIGITS) + 0.0).tolist()
