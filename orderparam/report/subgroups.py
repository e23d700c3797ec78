"""The subgroup graph and the domains as tables, and their structures as files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from orderparam.crystals.writing import crystal_to_cif
from orderparam.discovery.analyse import Analysis
from orderparam.discovery.relate import describe_basis
from orderparam.errors import SymmetryError
from orderparam.records import write_texts
from orderparam.spacegroup import report_symmetry
from orderparam.subgroups import Domain, Node, SubgroupGraph

from .layout import plain_table

MANY_DOMAINS = 48
MANY_EDGES = 60
SHOWN_LABELS = 3
ONE_WORD = 28
"""Longest text that a column of a table 80 wide holds in one piece."""


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


def domains_report(domains: tuple[Domain, ...]) -> RenderableType:
    """Return one line per domain: its operation, kind, order parameters and strain."""
    labels = list(domains[0].order_parameters)
    strained = bool(np.abs(domains[0].strain).max() >= 5e-5)
    rows = [
        (
            d.number,
            d.operation,
            d.kind,
            " ".join(
                [_vector(label, d.order_parameters[label]) for label in labels[:SHOWN_LABELS]]
                + [f"e={_percent(d.strain)}"] * strained
            ),
        )
        for d in domains[:MANY_DOMAINS]
    ]
    counts = Counter(d.kind for d in domains)
    told = ", ".join(f"{n} {kind}" for kind, n in counts.items() if kind != "identity")
    title = f"{len(domains)} domains" + (f": the child itself, {told}" if told else "")
    columns = ("", "operation", "kind", "order parameters" + "; strain e in %" * strained)
    table = plain_table(title, columns, rows, right=(0,), fold=(3,))
    notes = ["  Ap in angstrom, copies behind |; operations in the parent's conventional axes"] * bool(labels)
    notes += ["  e: xx,yy,zz,yz,xz,xy of U - 1 in the parent's Cartesian frame"] * strained
    if len(labels) > SHOWN_LABELS:
        notes.insert(0, f"  and {', '.join(labels[SHOWN_LABELS:])}: --json FILE has all")
    if len(domains) > MANY_DOMAINS:
        notes.insert(0, f"  and {len(domains) - MANY_DOMAINS} more: --json FILE has all")
    return Group(table, *(Text(note) for note in notes))


def _vector(label: str, components: np.ndarray) -> str:
    """Return components as ``R4+=(0,0.41,-0.41)``, a long row with blanks at which a table may wrap."""
    text = f"{label}=({'|'.join(','.join(_number(v) for v in row) for row in components)})"
    return text if len(text) <= ONE_WORD else text.replace(",", ", ").replace("|", " | ")


def _percent(strain: np.ndarray) -> str:
    places = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
    text = f"({','.join(_number(100 * strain[place]) for place in places)})"
    return text if len(text) <= ONE_WORD - 2 else text.replace(",", ", ")


def _number(value: float) -> str:
    text = f"{value:.2f}"
    return "0" if float(text) == 0 else text


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


def write_domains(domains: tuple[Domain, ...], folder: Path) -> list[Path]:
    """Write every domain as CIF, all atoms, all on the same vectors of the parent: the cell that all of them share.

    A CIF keeps no orientation: in cells that turn with the structure all orientation states would be one file.
    """
    texts = {}
    for domain in domains:
        head = f"# domain {domain.number}: {domain.operation}, {domain.kind}\n"
        head += f"# cell in the parent's conventional axes: {_common_cell(domain)}\n"
        texts[f"domain_{domain.number:03d}.cif"] = head + crystal_to_cif(domain.crystal(common=True))
    return write_texts(folder, texts)


def _common_cell(domain: Domain) -> str:
    rows = domain.common.matrix @ np.linalg.inv(domain.common.parent.conventional)
    return describe_basis(rows, np.zeros(3)).partition(";")[0]
