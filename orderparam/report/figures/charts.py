"""Charts of a decomposition and of a fit: amplitudes, gradient, convergence, necessity, carriers, powder lines.

Every function takes a noun of the library or its record, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import BLACK, BLUE, GREY, ORANGE, SERIES, SKY, VERMILION, note, plain, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from orderparam.discovery.analyse import Analysis
    from orderparam.discovery.discover import Discovery

SIGNIFICANT = 3.0
SHOWN_CARRIERS = 14


def _modes(source: Analysis | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record of a decomposition, alone or within that of a fit."""
    if isinstance(source, Mapping):
        return source.get("modes", source)
    from orderparam.records import modes_record

    return modes_record(source)


def _fit(source: Discovery | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    from orderparam.records import fit_record

    return fit_record(source, command={})


def amplitudes(source: Analysis | Mapping[str, Any]) -> go.Figure:
    """Draw the amplitude (As) of every order parameter of the displacements; primary ones dark, with the noise."""
    import plotly.graph_objects as go

    record = _modes(source)
    figure = styled(go.Figure(), barmode="overlay")
    irreps = [i for i in record["irreps"] if i["amplitude_supercell"] > 1e-5]
    if not irreps:
        return note(figure, "no displacements")
    for name, wanted, colour, pattern in (("primary", True, BLUE, ""), ("secondary", False, SKY, "/")):
        rows = [i for i in irreps if i["primary"] == wanted]
        if rows:
            errors = [i.get("amplitude_error") or 0.0 for i in rows]
            figure.add_bar(
                x=[plain(i.get("name", i["label"])) for i in rows],
                y=[i["amplitude_supercell"] for i in rows],
                error_y={"array": errors, "color": BLACK} if any(errors) else None,
                name=name,
                marker={"color": colour, "line": {"color": BLACK, "width": 1}, "pattern": {"shape": pattern}},
                customdata=[[_group(i), i["direction"], i["amplitude_parent"]] for i in rows],
                hovertemplate="%{x} %{customdata[1]}<br>As %{y:.4f} Å, Ap %{customdata[2]:.4f} Å"
                "<br>%{customdata[0]}<extra></extra>",
            )
    if "noise" in record and record["noise"].get("determined", True):
        level = SIGNIFICANT * record["noise"]["sigma"]
        figure.add_hline(y=level, line={"color": VERMILION, "dash": "dash"}, annotation_text="three sigma of the noise")
    figure.update_xaxes(categoryorder="array", categoryarray=[plain(i.get("name", i["label"])) for i in irreps])
    figure.update_yaxes(title="amplitude As (Å)", rangemode="tozero", showgrid=True)
    return figure


def strains(source: Analysis | Mapping[str, Any]) -> go.Figure:
    """Draw the amplitude of every order parameter of the strain."""
    import plotly.graph_objects as go

    figure = styled(go.Figure())
    rows = [i for i in _modes(source)["strain"]["irreps"] if i["amplitude"] > 1e-7]
    if not rows:
        return note(figure, "no strain")
    figure.add_bar(
        x=[plain(i.get("name", i["label"])) for i in rows],
        y=[100 * i["amplitude"] for i in rows],
        marker={"color": ORANGE, "line": {"color": BLACK, "width": 1}},
        customdata=[[_group(i), i["direction"]] for i in rows],
        hovertemplate="%{x} %{customdata[1]}: %{y:.3f} %<br>%{customdata[0]}<extra></extra>",
    )
    figure.update_yaxes(title="strain (%)", rangemode="tozero", showgrid=True)
    return figure


def _group(row: Mapping[str, Any]) -> str:
    group = row["isotropy_subgroup"]
    return f"{plain(group['symbol'])} ({group['number']})"


def gradient(source: Discovery | Mapping[str, Any]) -> go.Figure:
    """Draw how strongly the loss pulls at every input that is zero: sites and irreps of O(3) against irreps of G."""
    import plotly.graph_objects as go

    entries = _fit(source)["gradient"]
    figure = styled(go.Figure())
    if not any(e["norm"] > 0 for e in entries):
        return note(figure, "nothing pulls")
    rows = list(
        dict.fromkeys(f"{e['site']} {e['irrep']}" for e in sorted(entries, key=lambda e: (e["site"], e["irrep"])))
    )
    pulling = {e["space_group_irrep"] for e in entries if e["norm"] > 0}
    columns = list(
        dict.fromkeys(sorted((e["space_group_irrep"] for e in entries), key=lambda s: (s not in pulling, s)))
    )
    values = np.full((len(rows), len(columns)), np.nan)
    texts = np.full(values.shape, "cannot hold this irrep", dtype=object)
    for e in sorted(entries, key=lambda e: e["norm"]):  # of entries of one name the largest is shown
        place = rows.index(f"{e['site']} {e['irrep']}"), columns.index(e["space_group_irrep"])
        values[place] = np.log10(e["norm"]) if e["norm"] > 0 else np.nan
        texts[place] = f"{e['norm']:.2e}" if e["norm"] > 0 else "exactly zero"
    known = np.isfinite(values)
    low, high = values[known].min(), values[known].max()
    zero = np.where((texts == "exactly zero"), 0.0, np.nan)
    flat = [[0, "#dcdcdc"], [1, "#dcdcdc"]]
    axes = {"x": [plain(c) for c in columns], "y": [plain(r) for r in rows]}
    common = axes | {"customdata": texts, "xgap": 1, "ygap": 1,
                     "hovertemplate": "%{y} in %{x}: %{customdata}<extra></extra>"}  # fmt: skip
    figure.add_heatmap(z=zero, colorscale=flat, showscale=False, **common)
    ticks = np.arange(np.ceil(low), np.floor(high) + 1)
    bar = {"title": {"text": "norm"}, "tickvals": ticks, "ticktext": [f"1e{int(t)}" for t in ticks]}
    figure.add_heatmap(z=values, colorscale="Cividis", zmin=low, zmax=high + 1e-9, colorbar=bar, **common)
    figure.update_xaxes(title="irrep of the space group", type="category", tickangle=-60)
    figure.update_yaxes(title="site and irrep of O(3)", type="category", autorange="reversed")
    return figure.update_layout(height=140 + 18 * len(rows), margin={"b": 110, "l": 90})


def convergence(source: Discovery | Mapping[str, Any]) -> go.Figure:
    """Draw the norm of the residuals step by step."""
    import plotly.graph_objects as go

    history = list(_fit(source).get("history", ()))
    figure = styled(go.Figure())
    if not history:
        return note(figure, "no step was needed")
    figure.add_scatter(
        x=list(range(1, len(history) + 1)),
        y=np.maximum(history, 1e-16),
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
        hovertemplate="step %{x}: %{y:.2e} Å<extra></extra>",
    )
    figure.update_xaxes(title="step of Levenberg-Marquardt")
    figure.update_yaxes(title="residual (Å)", type="log", exponentformat="power", dtick=2, showgrid=True)
    return figure


def necessity(source: Discovery | Mapping[str, Any]) -> go.Figure:
    """Draw what the network misses without each primary order parameter, beside what any function must miss."""
    import plotly.graph_objects as go

    rows = _fit(source)["necessity"]
    figure = styled(go.Figure(), barmode="group", bargap=0.55)
    if not rows:
        return note(figure, "no symmetry is broken")
    names = [f"without {plain(r['without'])}" for r in rows]
    series = (("the network misses", "residual_max", BLUE, ""), ("exact floor", "exact_floor_max", ORANGE, "x"))
    for name, key, colour, pattern in series:
        figure.add_bar(
            x=names,
            y=[r[key] for r in rows],
            name=name,
            marker={"color": colour, "line": {"color": BLACK, "width": 1}, "pattern": {"shape": pattern}},
            hovertemplate="%{x}: %{y:.4f} Å<extra>" + name + "</extra>",
        )
    figure.update_yaxes(title="largest error (Å)", rangemode="tozero", showgrid=True)
    return figure


def carriers(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw what the possible carriers cost; the chosen one and its ties stand out.

    Parameters
    ----------
    rows : sequence of dict
        The block ``"carriers"`` of a record: site, irrep, components_per_formula_unit, share_held, tied, chosen, and
        `with` for members of a pair.
    """
    import plotly.graph_objects as go

    figure = styled(go.Figure())
    shown = _carrier_rows(rows)[:SHOWN_CARRIERS]
    if not shown:
        return note(figure, "no carrier is needed")
    colours = {"chosen": (BLUE, ""), "tied with it": (SKY, "/"), "other": ("#d0d0d0", "")}
    for kind, (colour, pattern) in colours.items():
        mine = [row for row in shown if row[2] == kind]
        if mine:
            figure.add_bar(
                y=[plain(name) for name, *_ in mine],
                x=[cost for _, cost, *_ in mine],
                customdata=[share for *_, share in mine],
                orientation="h",
                name=kind,
                marker={"color": colour, "line": {"color": BLACK, "width": 1}, "pattern": {"shape": pattern}},
                hovertemplate="%{y}: %{x} numbers per formula unit, holds %{customdata:.1%} of |u|²"
                f"<extra>{kind}</extra>",
            )
    figure.update_xaxes(title="numbers per formula unit", rangemode="tozero", showgrid=True)
    names = [plain(name) for name, *_ in shown]
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=names[::-1])
    return figure.update_layout(height=120 + 24 * len(shown), margin={"l": 130})


def _carrier_rows(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, str, float]]:
    """Return name, cost, kind and share held of every carrier, members of a pair as one."""
    found: dict[str, tuple[str, int, str, float]] = {}
    names = [f"{r['site']}:{r['irrep']}" for r in rows]
    for i, row in enumerate(rows):
        if row.get("with") and i and len(rows[i - 1].get("with", ())) == 1 and f"{names[i - 1]} + {names[i]}" in found:
            continue
        partner = rows[i + 1] if row.get("with") and i + 1 < len(rows) else None
        name = names[i] + (f" + {names[i + 1]}" if partner else "")
        cost = row["components_per_formula_unit"] + (partner["components_per_formula_unit"] if partner else 0)
        kind = "chosen" if row["chosen"] else "tied with it" if row["tied"] else "other"
        found.setdefault(name, (name, cost, kind, row["share_held"]))
    return list(found.values())


def reflections(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw the powder lines; those that the parent lacks in the colour of the order parameter that carries them.

    Parameters
    ----------
    rows : sequence of dict
        `orderparam.diffraction.reflection_rows`.
    """
    import plotly.graph_objects as go

    figure = styled(go.Figure())
    if not rows:
        return note(figure, "no lines")
    groups: dict[str, list[Mapping[str, Any]]] = {"lines of the parent": []}
    for row in rows:
        shares = {k.removeprefix("share "): v for k, v in row.items() if k.startswith("share ")}
        own = [label for label in row["k_of"].split() if shares.get(label, 0.0) > 0]
        best = max(own, key=lambda label: shares[label], default="")
        name = f"superlattice, most by {best}" if row["superlattice"] else "lines of the parent"
        groups.setdefault(name if best or not row["superlattice"] else "superlattice", []).append(row)
    for number, (name, mine) in enumerate(groups.items()):
        if mine:
            figure.add_trace(_sticks(plain(name), mine, GREY if not number else SERIES[(number - 1) % len(SERIES)]))
    figure.update_xaxes(title="2θ (degrees, Cu Kα)")
    figure.update_yaxes(title="intensity (strongest: 100)", type="log", exponentformat="power", showgrid=True)
    return figure.update_layout(height=380, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})


def _sticks(name: str, rows: Sequence[Mapping[str, Any]], colour: str) -> Any:
    import plotly.graph_objects as go

    floor = 1e-3
    x = [v for r in rows for v in (r["two_theta"], r["two_theta"], None)]
    y = [v for r in rows for v in (floor, max(r["intensity"], floor), None)]
    texts = []
    for r in rows:
        shares = sorted(
            ((k.removeprefix("share "), v) for k, v in r.items() if k.startswith("share ")),
            key=lambda pair: -abs(pair[1]),
        )
        lost = ", ".join(f"{plain(label)} {share:.0%}" for label, share in shares[:3] if abs(share) > 0.005)
        texts.append(f"{r['parent_hkl']} of the parent, d {r['d']:.4f} Å<br>lost without: {lost or 'nothing'}")
    hover = [t for text in texts for t in (text, text, "")]
    return go.Scatter(x=x, y=y, mode="lines", name=name, text=hover, line={"color": colour, "width": 2.5},
                      hovertemplate="2θ %{x:.2f}, %{y:.3f}<br>%{text}<extra></extra>")  # fmt: skip
