"""Nouns as HTML for notebooks: one small table that says the thing at a glance; no figure, nothing computed anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from orderparam.wording import counted

from .page.markup import Html, tag

MOST_ROWS = 30


def to_html(noun: object) -> str:
    """Return a noun as HTML, by the name of its class; anything unknown as its plain text.

    Examples
    --------
    >>> import numpy as np
    >>> from orderparam.crystals.crystal import Crystal
    >>> "NaCl" in to_html(Crystal(5.64 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ("Na", "Cl")))
    True
    """
    show = _SHOWN.get(type(noun).__name__)
    return show(noun) if show else tag("pre", str(noun))


def _shown(heading: object, *parts: Html | None) -> Html:
    return tag("div", tag("p", tag("b", heading)), *(p for p in parts if p is not None))


def _rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    listed = [*rows]
    head = tag("tr", *(tag("th", c) for c in columns))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in listed[:MOST_ROWS]]
    rest = len(listed) - MOST_ROWS
    more = [tag("tr", tag("td", f"and {rest} more", colspan=len(columns)))] if rest > 0 else []
    return tag("table", tag("thead", head), tag("tbody", *body, *more))


def _group(found: tuple[int, str]) -> str:
    return f"{found[1]} ({found[0]})"


def _crystal(c: Any) -> Html:
    lengths = np.linalg.norm(c.lattice, axis=1)
    unit = c.lattice / lengths[:, None]
    angles = np.degrees(np.arccos(np.clip([unit[1] @ unit[2], unit[2] @ unit[0], unit[0] @ unit[1]], -1, 1)))
    cell = "a, b, c = " + ", ".join(f"{v:.4f}" for v in lengths) + " Å; α, β, γ = "
    cell += ", ".join(f"{v:.2f}" for v in angles) + f"°; {c.volume:.2f} Å³"
    sites = (
        (label, kind, *(f"{v + 0.0:.5f}" for v in np.round(p, 5)))
        for label, kind, p in zip(c.labels, c.species, c.positions, strict=True)
    )
    name = f" from {c.name}" if c.name else ""
    table = _rows(("site", "species", "x", "y", "z"), sites)
    return _shown(f"Crystal {c.formula}, {counted(c.n_sites, 'atom')}{name}", tag("p", cell), table)


def _parent(p: Any) -> Html:
    sites = (
        (p.crystal.labels[o], p.crystal.species[o], f"{len(sites)}{p.wyckoffs[o]}", p.site_symmetries[o],
         *(f"{v + 0.0:.5f}" for v in np.round(p.crystal.positions[o], 5)))
        for o, sites in p.orbit_sites().items()
    )  # fmt: skip
    origin = f"; {p.origin_atom} at the origin" if p.origin_atom else ""
    table = _rows(("site", "species", "orbit", "site symmetry", "x", "y", "z"), sites)
    return _shown(f"Parent {p.crystal.formula}, {p.group}{origin} (primitive cell)", table)


def _order_parameters(found: Iterable[Any], primary: set[str]) -> Html:
    rows = (
        (
            "primary" if o.label in primary else "",
            o.label,
            o.supercell.parent.k_text(o.irrep.k[0]),
            o.direction or "-",
            f"{o.amplitude_supercell:.4f}",
            f"{o.amplitude:.4f}",
            _group(o.subgroup.space_group),
        )
        for o in found
    )
    return _rows(("", "irrep", "k", "direction", "As (Å)", "Ap (Å)", "isotropy subgroup"), rows)


def _strains(found: Iterable[Any]) -> Html | None:
    rows = [(o.label, o.direction or "-", f"{100 * o.amplitude:.3f} %", _group(o.subgroup.space_group)) for o in found]
    return _rows(("strain", "direction", "amplitude", "isotropy subgroup"), rows) if rows else None


def _decomposition(d: Any) -> Html:
    found = counted(len(d.displacive), "order parameter")
    heading = f"Decomposition: {found}, As = {d.distortion.total_amplitude:.4f} Å in all"
    return _shown(heading, _order_parameters(d.displacive, set()), _strains(d.strain))


def _order_parameter(o: Any) -> Html:
    return _shown(f"Order parameter {o.label}", _order_parameters([o], set()))


def _pair(a: Any) -> str:
    relation = a.relation
    child = _group(relation.distortion.group.space_group)
    return f"{relation.child.formula}: {relation.parent.group} → {child}"


def _analysis(a: Any) -> Html:
    primary = {m.label for m in a.primary_members if not m.is_strain}
    chosen = f"Primary: {' + '.join(a.primaries.labels)}" if a.primaries else "No symmetry is broken"
    notes = tag("ul", *(tag("li", w) for w in a.warnings)) if a.warnings else None
    tables = _order_parameters(a.decomposition.displacive, primary), _strains(a.decomposition.strain)
    return _shown(_pair(a), tag("p", chosen), *tables, notes)


def _discovery(d: Any) -> Html:
    carrier = d.carrier.name if d.carrier else "a uniform scalar"
    told = (
        f"Learned on {carrier}: largest error {d.fit.deviation.max:.1e} Å, prediction {_group(d.predicted_group)}, "
        f"{'converged' if d.fit.converged else 'NOT converged'} in {counted(d.fit.iterations, 'step')}"
    )
    learned = _rows(
        ("input", "irrep", "direction", "isotropy subgroup", "share of the field"),
        ((o.input, o.label, o.direction, _group(o.isotropy_subgroup), f"{o.share_of_input:.1%}") for o in d.learned),
    )
    needed = _rows(
        ("without", "the network misses (Å)", "exact floor (Å)"),
        ((n.without, f"{n.residual_max:.4f}", f"{n.exact_floor_max:.4f}") for n in d.necessity),
    )
    return _shown(_pair(d.analysis), tag("p", told), learned, needed)


def _graph(g: Any) -> Html:
    rows = (
        (n.number, "realised" if n.is_realised or n.is_realised_with_strain else "", _group(n.space_group), n.index,
         f"{n.distance:.3f}", ", ".join(f"{label} {size:.3f}" for label, size in n.amplitudes.items()))
        for n in g.nodes
    )  # fmt: skip
    columns = ("", "", "group", "index", "away (Å)", "order parameters left (As, Å)")
    return _shown(
        f"Subgroup graph: {counted(len(g.nodes), 'group')}, {counted(len(g.edges), 'relation')}", _rows(columns, rows)
    )


def _domain(d: Any) -> Html:
    rows = ((label, " ".join(map(str, np.round(c, 4).tolist()))) for label, c in d.order_parameters.items())
    return _shown(f"Domain {d.number}: {d.operation} ({d.kind})", _rows(("irrep", "components (Ap, Å)"), rows))


def _proposal(p: Any) -> Html:
    told = f"index {p.index}, rms {p.rms:.3f} Å, largest displacement {p.max_displacement:.3f} Å, score {p.score:.3f}"
    return _shown(f"Proposed parent {p.group}", tag("p", told))


_SHOWN: dict[str, Callable[[Any], Html]] = {
    "Crystal": _crystal,
    "Parent": _parent,
    "OrderParameter": _order_parameter,
    "Decomposition": _decomposition,
    "Analysis": _analysis,
    "Discovery": _discovery,
    "SubgroupGraph": _graph,
    "Domain": _domain,
    "Proposal": _proposal,
}
