"""The subgroup graph as tables, and the structures of its groups as files."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.analyse import Analysis
from orderparam.discovery.relate import describe_basis
from orderparam.errors import SymmetryError
from orderparam.records import write_texts
from orderparam.spacegroup import report_symmetry
from orderparam.subgroups import Node, SubgroupGraph

from .layout import plain_table

MANY_EDGES = 60


def subgroups_report(graph: SubgroupGraph) -> RenderableType:
    """Return the groups, and how they lie within each other."""
    rows = []
    for node in graph.nodes:
        number, symbol = node.space_group
        basis, origin = node.setting()
        mark = "*" if node.is_realised else "+" if node.is_realised_with_strain else ""
        left = " ".join(f"{label} {size:.2f}" for label, size in node.amplitudes.items())
        rows.append(
            (
                node.number,
                mark,
                f"{symbol} ({number})",
                node.index,
                f"{node.distance:.3f}",
                describe_basis(basis, origin).replace(";", "; "),
                left or "-",
            )
        )
    columns = ("", "", "group", "i", "away", "basis; origin", "order parameters left (As)")
    table = plain_table("Groups from the parent's to the child's", columns, rows, right=(0, 3, 4), fold=(5, 6))
    notes = [
        "  * realised by the displacements   + by the strain   i: index in the parent",
        "  away: |u - P u| over the child's primitive cell, angstrom",
    ]
    if not graph.is_complete:
        notes.append("  the index is large: only the isotropy subgroups of the child's own order parameters are listed")
    edges = sorted(graph.edges, key=lambda e: (e.parent, e.child))
    relations = [
        (
            f"{e.parent} -> {e.child}",
            f"{_name(graph, e.parent)} -> {_name(graph, e.child)}",
            f"{e.kind}{e.index}",
            "; ".join(f"{s.site} {s.upper} -> {' '.join(s.lower)}" for s in graph.splitting(e)),
        )
        for e in edges[:MANY_EDGES]
    ]
    title = "Maximal subgroups (t translationengleich, k klassengleich)"
    arrows = plain_table(title, ("", "groups", "type", "Wyckoff splitting"), relations, fold=(3,))
    more = len(edges) - MANY_EDGES
    rest = [Text(f"  and {more} more: --json FILE has all")] if more > 0 else []
    return Group(table, *(Text(note) for note in notes), Text(), arrows, *rest)


def _name(graph: SubgroupGraph, number: int) -> str:
    return graph.nodes[number].space_group[1]


def write_nodes(analysis: Analysis, graph: SubgroupGraph, folder: Path) -> list[Path]:
    """Write the structure of every realised group as CIF; spglib must find that group in it.

    Raises
    ------
    SymmetryError
        When spglib finds another group.
    """
    texts = {}
    for node in graph.nodes:
        if node.is_realised or node.is_realised_with_strain:
            number, symbol = node.space_group
            crystal = node.distortion.crystal(f"{symbol}")
            _confirm(crystal, node)
            texts[f"node_{node.number:02d}_{number}.cif"] = crystal_to_cif(crystal, symprec=1e-4)
    del analysis
    return write_texts(folder, texts)


def _confirm(crystal, node: Node) -> None:
    report = report_symmetry(crystal, 1e-5)
    if report.number != node.space_group[0]:
        raise SymmetryError(
            f"node {node.number}: spglib finds {report.symbol} ({report.number}) in the projected structure, the "
            f"operations say {node.space_group[1]} ({node.space_group[0]}); its distortion is below the tolerance"
        )
