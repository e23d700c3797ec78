"""Whole pages, one function per command; each takes records and returns HTML."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from orderparam.records import versions
from orderparam.report import figures
from orderparam.report.directiontext import directions_of
from orderparam.wording import counted

from . import learned, sections
from .document import Document, reproduce
from .markup import Html, table, tag
from .viewer import learned_viewer, viewer

Record = Mapping[str, Any]

CONVENTIONS = (
    "Labels: Miller-Love, from the ISO-IR tables; they depend on the parent's origin. Wave vectors: conventional "
    "reciprocal basis without 2π. As² is the sum of |u|² over the child's primitive cell, Ap = As/√N with N primitive "
    "cells of the parent in it. Displacements: differences of fractional coordinates times the unstrained metric of "
    "the parent, mean removed. Strain: U − 1 from F = R U, Frobenius norms. Directions: “,” within an arm, “;” between "
    "arms, in the canonical domain. Primary is meant by symmetry: the smallest sets whose joint isotropy subgroup is "
    "the child's. A learned field is scaled to the exact Ap of each primary irrep; its scale and sign are a gauge."
)


def fit_page(record: Record, drawing: Record, inputs: Record, *, command: str = "") -> str:
    """Return the page of a fit: everything that `orderparam fit` finds."""
    modes = record["modes"]
    page = Document(_title(modes))
    fields = inputs["inputs"]
    page.add("structure", "Structure", viewer(page, drawing, inputs=fields, states=drawing.get("states", ())))
    sections.order_parameters(page, modes)
    learned.order_parameter(page, record, _learned_picture(page, drawing, fields))
    sections.wave_vectors(page, drawing)
    learned.network(page, record)
    _exact_rest(page, modes, drawing, predicted=record["predicted"])
    _closing(page, command or _command_of(record["config"]), record["versions"], record["seed"],
             record["config"])  # fmt: skip
    return page.html(_lead(modes, record))


def modes_page(modes: Record, drawing: Record, *, command: str = "") -> str:
    """Return the page of an exact decomposition."""
    page = Document(_title(modes))
    page.add("structure", "Structure", viewer(page, drawing, states=drawing.get("states", ())))
    sections.order_parameters(page, modes)
    sections.wave_vectors(page, drawing)
    _exact_rest(page, modes, drawing)
    _closing(page, command, versions(), None)
    return page.html(_lead(modes))


def subgroups_page(record: Record, drawing: Record, *, command: str = "") -> str:
    """Return the page of a subgroup graph: a click on a group shows its structure."""
    parent, child = record["parent"], record["child"]
    nodes = record["nodes"]
    last = nodes[-1]["space_group"]
    title = f"{child['formula']}: from {sections.group_text(parent['space_group'])} to {sections.group_text(last)}"
    page = Document(title)
    page.add("graph", "Groups between parent and child", *_graph(page, record))
    page.add("structure", "Structure", viewer(page, drawing, start=len(nodes) - 1))
    rows = [
        (
            n["id"],
            tag("button", "show", type="button"),
            "*" if n["realised"] else "+" if n["realised_with_strain"] else "",
            sections.group_text(n["space_group"]),
            n["index"],
            f"{n['distance']:.3f}",
            _matrix(n["basis"], n["origin"]),
            " ".join(f"{i['label']} {i['direction']} {i['amplitude_supercell']:.3f}" for i in n["irreps"]) or "-",
        )
        for n in nodes
    ]
    columns = ("", "", "", "group", "index", "away (Å)", "basis; origin", "order parameters left (As, Å)")
    told = "* realised by the displacements, + by the strain; away: |u − P u| over the child's primitive cell"
    page.add("groups", "Table", table(columns, rows, caption=told, numbers=(0, 4, 5), states=len(rows)))
    _closing(page, command, versions(), None)
    return page.html(
        _simple_lead(
            record, f"{counted(len(nodes), 'group')}, {counted(len(record['edges']), 'maximal subgroup relation')}."
        )
    )


def domains_page(record: Record, drawing: Record, *, command: str = "") -> str:
    """Return the page of the domains of a child."""
    child, found = record["child"], record["domains"]
    page = Document(f"{child['formula']}: {counted(len(found), 'domain')}")
    page.add("structure", "Structure", viewer(page, drawing))
    shown = {
        label: directions_of([np.array(d["order_parameters"][label]) for d in found])
        for label in list(found[0]["order_parameters"])[:4]
    }
    rows = [
        (
            n,
            tag("button", "show", type="button"),
            d["rotation"],
            d["operation"],
            d["kind"],
            *(texts.texts[n] for texts in shown.values()),
        )
        for n, d in enumerate(found)
    ]
    columns = ("", "", "turned by", "operation", "kind", *shown)
    told = "Operations in the parent's conventional axes; components: Ap in Å"
    told += "".join(f"; {label} {texts.legend}" for label, texts in shown.items() if texts.legend)
    page.add("domains", "Domains", table(columns, rows, caption=told, numbers=(0,), states=len(rows)))
    _closing(page, command, versions(), None)
    return page.html(_simple_lead(record, "All equivalent states of the child, drawn in one cell of the parent."))


def directions_page(record: Record, drawing: Record | None, *, reason: str = "", command: str = "") -> str:
    """Return the page of order-parameter directions; the first set of irreps is drawn where atoms can carry it."""
    group = record["parent"]["space_group"]
    page = Document(f"{sections.group_text(group)}: directions of {', '.join(record['irreps'][:6])}")
    drawn = len(drawing["parts"]) if drawing else 0
    if drawing:
        page.add("structure", "Structure", viewer(page, drawing))
    elif reason:
        page.add("structure", "Structure", tag("p", reason, class_="note"))
    rows = [
        (
            tag("button", "show", type="button") if n < drawn else "",
            " + ".join(d["irreps"]),
            d["symbol"],
            sections.group_text(d["space_group"]),
            _matrix(d["basis"], d["origin"]),
            d["size"],
            d["index"],
            "yes" if d["maximal"] else "",
        )
        for n, d in enumerate(record["directions"])
    ]
    columns = ("", "irreps", "direction", "isotropy subgroup", "basis; origin", "size", "index", "maximal")
    page.add("directions", "Directions", table(columns, rows, numbers=(5, 6), states=drawn))
    _closing(page, command, versions(), None)
    return page.html(_simple_lead(record, f"{counted(len(rows), 'direction')}."))


def carriers_page(record: Record, modes: Record, *, command: str = "") -> str:
    """Return the page of the carriers of a pair (schema ``orderparam/carriers``) with the pair's decomposition."""
    page = Document(_title(modes))
    learned.compared_carriers(page, record)
    sections.order_parameters(page, modes)
    _closing(page, command, versions(), None)
    return page.html(_lead(modes))


def _command_of(config: Record) -> str:
    """Return a command that repeats a fit, from the options in its record."""
    words = ["orderparam", "fit", str(config.get("parent", "PARENT")), str(config.get("child", "CHILD"))]
    for name, value in config.items():
        if name in ("parent", "child", "order_parameter", "free_field") or value in (None, [], ()):
            continue
        option = "--map" if name == "renaming" else f"--{name.replace('_', '-')}"
        joined = ",".join(map(str, value)) if name == "irreps" and not isinstance(value, str) else value
        for one in joined if isinstance(joined, list | tuple) else [joined]:
            words += [option, str(one)]
    words += ["--free-field"] if config.get("free_field") else []
    words += ["--no-order-parameter"] if config.get("order_parameter") is False else []
    return shlex.join(words)


# --- parts ------------------------------------------------------------------------------------------------------------


def _title(modes: Record) -> str:
    child, parent = modes["child"], modes["parent"]
    groups = (sections.group_text(found["space_group"]) for found in (parent, child))
    return f"{child['formula']}: {' → '.join(groups)}"


def _lead(modes: Record, fit: Record | None = None) -> Html:
    chosen = modes["primary_sets"][0] if modes["primary_sets"] else None
    told = f"{PurePath(modes['child']['file']).name} as a distortion of {PurePath(modes['parent']['file']).name}. "
    if chosen:
        told += f"Primary order parameters: {' and '.join(chosen['labels'])}, {100 * chosen['share']:.0f} % of |u|². "
    else:
        told += "No symmetry is broken. "
    if fit:
        told += _outcome(fit)
    return Html(tag("p", told, class_="lead") + (sections.warnings(modes) or ""))


def _outcome(fit: Record) -> str:
    """Say what the network reached: the child, what a constraint leaves of it, or the symmetry floor."""
    missed, group = f"{fit['residual']['max']:.1e} Å", sections.group_text(fit["predicted"]["space_group"])
    if fit.get("constraint"):
        exact = f"{fit['constraint']['exact_difference']:.0e} Å"
        spec = fit["constraint"]["spec"]
        told = f"Under the constraint {spec} the network reaches {group}, {missed} off the child"
        return f"{told}, {exact} off the exact answer."
    if fit["config"].get("order_parameter") is False:
        return f"Without any order parameter the network misses the child by {missed} and keeps {group}."
    if not fit["converged"]:
        return f"The fit did NOT converge: it misses the child by {missed}; spglib finds {group} in its prediction."
    return f"The network reproduces the child to {missed}; spglib finds {group} in its prediction."


def _simple_lead(record: Record, told: str) -> Html:
    return Html(tag("p", told, class_="lead") + (sections.warnings(record) or ""))


def _learned_picture(page: Document, drawing: Record, fields: Sequence[Record]) -> Html:
    told = (
        f"The learned inputs {', '.join(str(f['name']) for f in fields)} on their atoms, in the parent's positions. A "
        "pseudovector is an arrow that circulates, a vector a straight one; other irreps are surfaces of spherical "
        "harmonics, orange where positive and blue where negative."
    )
    return tag("figure", learned_viewer(page, drawing, fields), tag("figcaption", told))


def _exact_rest(page: Document, modes: Record, drawing: Record, predicted: Record | None = None) -> None:
    graph = drawing.get("subgroups")
    if graph:
        page.add("subgroups", "Groups between parent and child", *_graph(page, graph))
    sections.powder(page, drawing.get("reflections", ()))
    sections.geometry(page, modes)
    sections.space_groups(page, modes, predicted, graph)
    sections.correspondence(page, modes)


def _graph(page: Document, record: Record) -> list[Html]:
    realised = [n for n in record["nodes"] if n["realised"] or n["realised_with_strain"]]
    told = f"{len(record['nodes'])} groups from the parent's (top) to the child's; realised: " + ", ".join(
        f"{sections.group_text(n['space_group'])} {n['distance']:.3f} Å away" for n in realised[:20]
    )
    caption = (
        "Point at a group to see what it keeps; click, and the structure on this page becomes the one of that group. "
        "t and k: kind of maximal subgroup, with its index."
    )
    return [page.figure(figures.subgroup_tree(record), told, caption=caption, graph=True)]


def _closing(page: Document, command: str, found: dict[str, str], seed: int | None, config: Any = None) -> None:
    page.add("conventions", "Conventions", tag("p", CONVENTIONS))
    page.add("repeat", "To repeat this", reproduce(command, found, seed, config))


def _matrix(basis: Sequence[Sequence[float]], origin: Sequence[float]) -> str:
    rows = ", ".join("(" + ",".join(map(sections.fraction, row)) + ")" for row in np.array(basis).tolist())
    return f"{rows}; " + ",".join(map(sections.fraction, origin))
